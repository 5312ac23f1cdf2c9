package bucket

import (
	"context"
	"crypto/rand"
	"errors"
	"io/fs"
	"os"
	"path"

	iap "github.com/internal-app-portal/iap"
)

// Create implements Buckets.
func (f *Folder) Create(_ context.Context, bucket, key string) (Writer, error) {
	const op = "bucket.Create"
	if err := check(bucket, key); err != nil {
		return nil, err
	}
	temporary := unfinished + rand.Text()
	file, err := f.root.OpenFile(temporary, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, iap.E(op, iap.Internal, err)
	}
	return &folderWriter{File: file, root: f.root, temporary: temporary, bucket: bucket, key: key}, nil
}

type folderWriter struct {
	*os.File
	root                   *os.Root
	temporary, bucket, key string
	done                   bool
}

// Commit implements Writer: the bytes are on the disk before the name is.
func (w *folderWriter) Commit() error {
	const op = "bucket.Commit"
	if err := errors.Join(w.File.Sync(), w.File.Close()); err != nil {
		return fault(op, err)
	}
	var err error
	for range renames {
		if err = w.name(); !errors.Is(err, fs.ErrNotExist) {
			break
		}
	}
	w.done = err == nil
	return err
}

// renames is how often a file is given its name: the folder that was made for
// it may go with the last of other objects in it.
const renames = 10

func (w *folderWriter) name() error {
	const op = "bucket.Commit"
	name := path.Join(w.bucket, w.key)
	if err := w.root.MkdirAll(path.Dir(name), 0o700); err != nil {
		if isNotDir(err) || errors.Is(err, fs.ErrExist) {
			return iap.Errorf(op, iap.Conflict, "the key %s goes through the key of another object", clip(w.key))
		}
		return fault(op, err)
	}
	if err := w.root.Rename(w.temporary, name); err != nil {
		if info, statErr := w.root.Stat(name); statErr == nil && info.IsDir() {
			return iap.Errorf(op, iap.Conflict, "there are objects whose keys begin with %s/", clip(w.key))
		}
		return fault(op, err)
	}
	return nil
}

// Write implements Writer.
func (w *folderWriter) Write(b []byte) (int, error) {
	n, err := w.File.Write(b)
	if err != nil {
		err = fault("bucket.Write", err)
	}
	return n, err
}

// Close implements Writer.
func (w *folderWriter) Close() error {
	if w.done {
		return nil
	}
	_ = w.File.Close() // it may be closed by Commit
	return w.root.Remove(w.temporary)
}

// Delete implements Buckets.
func (f *Folder) Delete(_ context.Context, bucket, key string) error {
	if err := check(bucket, key); err != nil {
		return err
	}
	name := path.Join(bucket, key)
	info, err := f.root.Lstat(name)
	if err == nil && info.IsDir() {
		return nil
	}
	if err == nil {
		err = f.root.Remove(name)
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) && !isNotDir(err) {
		return explain("bucket.Delete", bucket, key, err)
	}
	// A folder is there for the objects in it: a bucket goes with its last one.
	for dir := path.Dir(name); err == nil && dir != "."; dir = path.Dir(dir) {
		err = f.root.Remove(dir)
	}
	return nil
}
