package server

import (
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	iap "github.com/internal-app-portal/iap"
)

// keySize is the size of the portal's key in bytes.
const keySize = 32

// loadKey reads the portal's key from its file, which only the portal's user
// may read, or makes it. All other keys are derived from it.
func loadKey(dir string, failpoint func(string)) ([]byte, error) {
	path := filepath.Join(dir, "key")
	key, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return makeKey(path, failpoint)
	}
	if err != nil {
		return nil, err
	}
	if len(key) != keySize {
		return nil, iap.FieldErrorf("server.New", "data", "%s has %d bytes instead of %d: it is not the portal's key", path, len(key), keySize)
	}
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if info.Mode().Perm()&0o077 != 0 {
		return nil, iap.FieldErrorf("server.New", "data", "%s can be read by others (mode %04o); do: chmod 600 %s", path, info.Mode().Perm(), path)
	}
	return key, nil
}

// makeKey makes the key and keeps it. Its file appears whole or not at all, and
// never in place of another: a portal that dies here is none the worse for it.
func makeKey(path string, failpoint func(string)) ([]byte, error) {
	key := make([]byte, keySize)
	rand.Read(key) // never fails
	draft := path + ".new"
	// The folder is this process's alone: what is there was left by one that died.
	if err := os.Remove(draft); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("making the portal's key: %w", err)
	}
	f, err := os.OpenFile(draft, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, fmt.Errorf("making the portal's key: %w", err)
	}
	failpoint("key.write.before")
	_, err = f.Write(key)
	err = errors.Join(err, f.Sync(), f.Close())
	failpoint("key.write.after")
	if err == nil {
		err = os.Link(draft, path)
	}
	failpoint("key.link.after")
	if err := errors.Join(err, os.Remove(draft), syncFolder(filepath.Dir(path))); err != nil {
		return nil, fmt.Errorf("writing the portal's key: %w", err)
	}
	return key, nil
}

// syncFolder has the names in a folder survive a loss of power.
func syncFolder(dir string) error {
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

// derive makes a key for one purpose (HKDF-SHA256, RFC 5869).
func derive(key []byte, purpose string) []byte {
	out, err := hkdf.Key(sha256.New, key, nil, "iap "+purpose, keySize)
	if err != nil {
		panic(err) // the length is a constant that HKDF allows
	}
	return out
}
