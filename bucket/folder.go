package bucket

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"path"
	"slices"
	"strings"
	"time"

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
	f := &Folder{root: root}
	f.tidy()
	return f, nil
}

// abandoned is how old a file is of which nobody writes any more.
const abandoned = 24 * time.Hour

// tidy removes what processes that died were writing.
func (f *Folder) tidy() {
	dir, err := f.root.Open(".")
	if err != nil {
		return
	}
	defer dir.Close()
	entries, _ := dir.ReadDir(-1) // what cannot be read is left for the next start
	for _, e := range entries {
		info, err := e.Info()
		if err == nil && strings.HasPrefix(e.Name(), unfinished) && time.Since(info.ModTime()) > abandoned {
			_ = f.root.Remove(e.Name())
		}
	}
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

// Stat tells of one object; NotFound when there is none.
func (f *Folder) Stat(_ context.Context, bucket, key string) (Object, error) {
	if err := check(bucket, key); err != nil {
		return Object{}, err
	}
	info, err := f.root.Stat(path.Join(bucket, key))
	if err == nil && info.IsDir() {
		err = fs.ErrNotExist
	}
	if err != nil {
		return Object{}, explain("bucket.Stat", bucket, key, err)
	}
	return Object{Key: key, Size: info.Size(), ModifiedAt: info.ModTime().UTC()}, nil
}

// Names gives the names of all buckets, in their order.
func (f *Folder) Names(context.Context) ([]string, error) {
	dir, err := f.root.Open(".")
	if err != nil {
		return nil, fault("bucket.Names", err)
	}
	defer dir.Close()
	entries, err := dir.ReadDir(-1)
	if err != nil {
		return nil, fault("bucket.Names", err)
	}
	names := []string{}
	for _, e := range entries {
		if e.IsDir() && CheckBucket(e.Name()) == nil {
			names = append(names, e.Name())
		}
	}
	slices.Sort(names)
	return names, nil
}

// explain gives an error its kind; paths of the host do not show.
func explain(op, bucket, key string, err error) error {
	if errors.Is(err, fs.ErrNotExist) || isNotDir(err) {
		return iap.Errorf(op, iap.NotFound, "there is no object %s in the bucket %s", clip(key), bucket)
	}
	return fault(op, err)
}

// fault gives an error that is nobody's input its kind.
func fault(op string, err error) error {
	if isFull(err) {
		return iap.Errorf(op, iap.Full, "no space is left on the disk: %w", err)
	}
	return iap.E(op, iap.Internal, err)
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
