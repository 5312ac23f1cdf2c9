package catalog

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/internal-app-portal/iap"
)

// ManifestFile is the name of the manifest in an app's folder.
const ManifestFile = "iap.yaml"

// LoadDir reads an app's folder, or its iap.yaml, into an Upload: it packs the
// bundle's folder and reads the icon's file that the manifest names. Errors:
// NotFound when there is no manifest; Invalid when the manifest is wrong or
// names what is not there; the latter name the manifest's file.
func LoadDir(path string) (Upload, error) {
	const op = "catalog.LoadDir"
	info, err := os.Stat(path)
	if err != nil {
		return Upload{}, iap.Errorf(op, iap.NotFound, "%q is not there; want an app's folder or its %s", path, ManifestFile)
	}
	dir, name := path, ManifestFile
	if !info.IsDir() {
		dir, name = filepath.Dir(path), filepath.Base(path)
		if ext := strings.ToLower(filepath.Ext(name)); ext != ".yaml" && ext != ".yml" {
			return Upload{}, iap.Errorf(op, iap.Invalid, "%q is neither an app's folder nor its %s; want a folder or an %[2]s", path, ManifestFile)
		}
	}
	root, err := os.OpenRoot(dir) // what the manifest names cannot be elsewhere, links included
	if err != nil {
		return Upload{}, iap.Errorf(op, iap.Invalid, "%q cannot be read: %w", path, err)
	}
	defer root.Close()
	var up Upload
	up.Manifest, err = read(root, name, MaxManifest)
	if errors.Is(err, fs.ErrNotExist) {
		return Upload{}, iap.Errorf(op, iap.NotFound, "there is no %s in %q", name, dir)
	}
	if err != nil {
		return Upload{}, iap.Errorf(op, iap.Invalid, "%q cannot be read: %w", filepath.Join(dir, name), err)
	}
	if err := up.complete(root); err != nil {
		return Upload{}, fmt.Errorf("%s: %w", filepath.Join(dir, name), err)
	}
	return up, nil
}

// complete adds the files that the manifest names.
func (up *Upload) complete(root *os.Root) error {
	m, err := ParseManifest(up.Manifest)
	if err != nil {
		return err
	}
	if IconFile(m.Icon) {
		if up.Icon, err = read(root, filepath.FromSlash(m.Icon), MaxIcon); err != nil {
			return iap.FieldErrorf("catalog.LoadDir", "icon", "%q cannot be read: %w", m.Icon, err)
		}
	}
	if m.Bundle != "" {
		up.Bundle, err = packFolder(root, m.Bundle)
	}
	return err
}

func packFolder(root *os.Root, name string) ([]byte, error) {
	folder, err := root.OpenRoot(filepath.FromSlash(name))
	if err != nil {
		return nil, iap.FieldErrorf("catalog.LoadDir", "bundle", "the folder %q cannot be read: %w", name, err)
	}
	defer folder.Close()
	return Pack(folder.FS())
}

// read reads a file up to one byte more than limit, so that what is too large
// shows as that later.
func read(root *os.Root, name string, limit int64) ([]byte, error) {
	file, err := root.Open(name)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	if info, err := file.Stat(); err != nil || !info.Mode().IsRegular() {
		return nil, errors.Join(err, errors.New("not a plain file"))
	}
	return io.ReadAll(io.LimitReader(file, limit+1))
}
