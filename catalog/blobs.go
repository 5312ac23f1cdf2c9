package catalog

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/internal-app-portal/iap"
)

// OpenBlobs opens the store of files at a URL: "file:///var/lib/iap/blobs" or a
// plain path, which is made when it does not exist.
//
// It is a folder of files named by their sums and nothing more: a library for
// object stores would add a dozen modules to the program for this one scheme. A
// store elsewhere is another implementation of Blobs.
func OpenBlobs(address string) (Blobs, error) {
	dir := address
	if strings.Contains(address, "://") {
		u, err := url.Parse(address)
		if err != nil || u.Scheme != "file" || u.Host != "" || u.Path == "" {
			return nil, iap.FieldErrorf("catalog.OpenBlobs", "blobs", "%q is no place for files; want file:///path or a path", shorten(address))
		}
		dir = filepath.FromSlash(u.Path)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, ioError("catalog.OpenBlobs", err)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, ioError("catalog.OpenBlobs", err)
	}
	return &folder{root}, nil
}

// folder keeps files under a root, which no name can leave.
type folder struct{ root *os.Root }

// Close gives the folder back to the operating system.
func (f *folder) Close() error { return f.root.Close() }

// sum is the SHA-256 of data in hex.
func sum(data []byte) string {
	s := sha256.Sum256(data)
	return hex.EncodeToString(s[:])
}

// Put writes a temporary file, syncs it and gives it its name at once, so that
// a name is never that of half a file.
func (f *folder) Put(ctx context.Context, data []byte) (string, error) {
	const op = "catalog.Blobs.Put"
	sha := sum(data)
	if _, err := f.Get(ctx, sha); err == nil {
		return sha, nil
	}
	name := blobName(sha)
	if err := f.root.MkdirAll(filepath.Dir(name), 0o700); err != nil {
		return "", ioError(op, err)
	}
	temporary := "tmp-" + rand.Text()
	if err := f.write(temporary, data); err != nil {
		_ = f.root.Remove(temporary)
		return "", ioError(op, err)
	}
	if err := f.root.Rename(temporary, name); err != nil {
		_ = f.root.Remove(temporary)
		return "", ioError(op, err)
	}
	return sha, ioError(op, f.sync(filepath.Dir(name)))
}

func (f *folder) write(name string, data []byte) error {
	file, err := f.root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = file.Write(data)
	return errors.Join(err, file.Sync(), file.Close())
}

// sync makes a new name in dir last.
func (f *folder) sync(dir string) error {
	d, err := f.root.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// Get returns what was stored, or NotFound. A file that is not what its name
// says is Internal: it was damaged.
func (f *folder) Get(_ context.Context, sha string) ([]byte, error) {
	const op = "catalog.Blobs.Get"
	if len(sha) != 64 || strings.Trim(sha, "0123456789abcdef") != "" {
		return nil, iap.Errorf(op, iap.NotFound, "%q is no SHA-256", shorten(sha))
	}
	data, err := f.root.ReadFile(blobName(sha))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, iap.Errorf(op, iap.NotFound, "there is no file %s", sha)
	}
	if err != nil {
		return nil, ioError(op, err)
	}
	if sum(data) != sha {
		return nil, iap.Errorf(op, iap.Internal, "the file %s is damaged", sha)
	}
	return data, nil
}

// blobName spreads files over 256 folders.
func blobName(sha string) string { return filepath.Join(sha[:2], sha) }

// ioError turns a failure of the file system into one of the portal.
func ioError(op string, err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT), errors.Is(err, syscall.EFBIG):
		return iap.Errorf(op, iap.Full, "no space is left on the disk: %w", err)
	}
	return iap.E(op, iap.Internal, err)
}
