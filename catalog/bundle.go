package catalog

import (
	"archive/zip"
	"bytes"
	"fmt"
	"io/fs"

	"github.com/internal-app-portal/iap"
)

// DefaultProviders are the Terraform providers that a bundle may use.
func DefaultProviders() []string {
	return []string{"kreuzwerker/docker", "hashicorp/random", "hashicorp/null", builtinProvider}
}

// Pack makes the zip of a bundle's folder; the same files give the same bytes.
// Invalid for what is no plain file or has no place in a bundle.
func Pack(dir fs.FS) ([]byte, error) {
	const op = "catalog.Pack"
	all, total := files{}, int64(0)
	err := fs.WalkDir(dir, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || name == "." {
			return err
		}
		if reason := nameReason(name); reason != "" {
			return iap.FieldErrorf(op, "bundle/"+name, "%s", reason)
		}
		if d.IsDir() {
			return nil
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		if !info.Mode().IsRegular() {
			return iap.FieldErrorf(op, "bundle/"+name, "is no plain file")
		}
		if total += info.Size(); total > MaxUnpacked || len(all) >= MaxFiles {
			return iap.FieldErrorf(op, "bundle", "is too large; want at most %d files of %d bytes in all", MaxFiles, MaxUnpacked)
		}
		data, err := fs.ReadFile(dir, name)
		all[name] = file{data: data, executable: info.Mode()&0o111 != 0}
		return err
	})
	if err != nil {
		return nil, err
	}
	return all.pack()
}

// CheckBundle returns an error for each thing that is wrong with the zip of an
// app's bundle: hostile paths, sizes and kinds of file,
// then what its Terraform files must not contain, with file and line.
// providers nil means DefaultProviders.
func CheckBundle(data []byte, m Manifest, providers []string) error {
	_, err := examineBundle(data, m, providers)
	return err
}

func examineBundle(data []byte, m Manifest, providers []string) (files, error) {
	p := newProblems("catalog.CheckBundle")
	all := readZip(p, data)
	if err := p.err(); err != nil {
		return nil, err
	}
	if providers == nil {
		providers = DefaultProviders()
	}
	checkTerraform(p, all, m, providers)
	return all, p.err()
}

// fs returns the files as a file system.
func (f files) fs() fs.FS {
	data, err := f.pack()
	if err != nil {
		panic(fmt.Sprintf("packing into memory: %v", err)) // nothing there can fail
	}
	r, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		panic(fmt.Sprintf("reading what was packed: %v", err))
	}
	return r
}
