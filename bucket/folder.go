package bucket

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"path"
	"slices"
	"strings"

	iap "github.com/internal-app-portal/iap"
)

// Folder keeps buckets as folders and objects as files. Nothing outside of its
// root can be reached, by links neither.
type Folder struct{ root *os.Root }

// OpenFolder opens, and makes when needed, the folder of all buckets.
func OpenFolder(dir string) (*Folder, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("opening the buckets: %w", err)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, fmt.Errorf("opening the buckets: %w", err)
	}
	return &Folder{root: root}, nil
}

// Close lets go of the folder.
func (f *Folder) Close() error { return f.root.Close() }

// unfinished is how the names of files begin that are being written; no bucket
// has such a name.
const unfinished = "_new-"

func check(bucket, key string) error {
	if err := CheckBucket(bucket); err != nil {
		return err
	}
	return CheckKey(key)
}

// Open implements Buckets.
func (f *Folder) Open(_ context.Context, bucket, key string) (io.ReadCloser, error) {
	if err := check(bucket, key); err != nil {
		return nil, err
	}
	file, err := f.root.Open(path.Join(bucket, key))
	if err != nil {
		return nil, explain("bucket.Open", bucket, key, err)
	}
	info, err := file.Stat()
	if err == nil && info.IsDir() {
		err = fs.ErrNotExist
	}
	if err != nil {
		_ = file.Close()
		return nil, explain("bucket.Open", bucket, key, err)
	}
	return file, nil
}

// explain gives an error its kind; paths of the host do not show.
func explain(op, bucket, key string, err error) error {
	if errors.Is(err, fs.ErrNotExist) || isNotDir(err) {
		return iap.Errorf(op, iap.NotFound, "there is no object %s in the bucket %s", clip(key), bucket)
	}
	return iap.E(op, iap.Internal, err)
}

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
		return iap.E(op, iap.Internal, err)
	}
	name := path.Join(w.bucket, w.key)
	if err := w.root.MkdirAll(path.Dir(name), 0o700); err != nil {
		if isNotDir(err) || errors.Is(err, fs.ErrExist) {
			return iap.Errorf(op, iap.Conflict, "the key %s goes through the key of another object", clip(w.key))
		}
		return iap.E(op, iap.Internal, err)
	}
	if err := w.root.Rename(w.temporary, name); err != nil {
		if info, statErr := w.root.Stat(name); statErr == nil && info.IsDir() {
			return iap.Errorf(op, iap.Conflict, "there are objects whose keys begin with %s/", clip(w.key))
		}
		return iap.E(op, iap.Internal, err)
	}
	w.done = true
	return nil
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
	err := f.root.Remove(path.Join(bucket, key))
	if err == nil || errors.Is(err, fs.ErrNotExist) || isNotDir(err) {
		return nil
	}
	return explain("bucket.Delete", bucket, key, err)
}

// List implements Buckets.
func (f *Folder) List(ctx context.Context, bucket, prefix string) iter.Seq2[Object, error] {
	return func(yield func(Object, error) bool) {
		if err := CheckBucket(bucket); err != nil {
			yield(Object{}, err)
			return
		}
		l := lister{root: f.root, bucket: bucket, prefix: prefix, yield: yield}
		if err := l.folder(ctx, ""); err != nil && !errors.Is(err, errEnough) {
			yield(Object{}, err)
		}
	}
}

var errEnough = errors.New("the reader has enough")

type lister struct {
	root           *os.Root
	bucket, prefix string
	yield          func(Object, error) bool
}

// folder lists what is under a part of the keys that ends with "/", or is "".
func (l *lister) folder(ctx context.Context, under string) error {
	dir, err := l.root.Open(path.Join(l.bucket, under))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return iap.E("bucket.List", iap.Internal, err)
	}
	entries, err := dir.ReadDir(-1)
	_ = dir.Close()
	if err != nil {
		return iap.E("bucket.List", iap.Internal, err)
	}
	// "a-b" comes before "a/b", which a folder's own order would not give.
	name := func(e fs.DirEntry) string {
		if e.IsDir() {
			return e.Name() + "/"
		}
		return e.Name()
	}
	slices.SortFunc(entries, func(a, b fs.DirEntry) int { return cmp.Compare(name(a), name(b)) })
	for _, e := range entries {
		if err := ctx.Err(); err != nil {
			return err
		}
		key := under + name(e)
		if !strings.HasPrefix(key, l.prefix) && !(e.IsDir() && strings.HasPrefix(l.prefix, key)) {
			continue
		}
		if e.IsDir() {
			err = l.folder(ctx, key)
		} else {
			err = l.object(e, key)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (l *lister) object(e fs.DirEntry, key string) error {
	info, err := e.Info()
	if err != nil || !info.Mode().IsRegular() {
		return nil // removed meanwhile, or not ours
	}
	if !l.yield(Object{Key: key, Size: info.Size(), ModifiedAt: info.ModTime().UTC()}, nil) {
		return errEnough
	}
	return nil
}
