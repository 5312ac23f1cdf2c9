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
func loadKey(dir string) ([]byte, error) {
	path := filepath.Join(dir, "key")
	key, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return makeKey(path)
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

func makeKey(path string) ([]byte, error) {
	key := make([]byte, keySize)
	rand.Read(key) // never fails
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, fmt.Errorf("making the portal's key: %w", err)
	}
	_, err = f.Write(key)
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return nil, errors.Join(fmt.Errorf("writing the portal's key: %w", err), os.Remove(path))
	}
	return key, nil
}

// derive makes a key for one purpose (HKDF-SHA256, RFC 5869).
func derive(key []byte, purpose string) []byte {
	out, err := hkdf.Key(sha256.New, key, nil, "iap "+purpose, keySize)
	if err != nil {
		panic(err) // the length is a constant that HKDF allows
	}
	return out
}
