package local

import (
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// workCopy makes the folder in which a job's tool runs from the ready folder of
// its bundle. All is copied but the providers, which are large and never
// written to: they are linked.
func workCopy(ready, dir string) error {
	if err := copyFolder(ready, dir, dotFolder); err != nil {
		return err
	}
	entries, err := os.ReadDir(filepath.Join(ready, dotFolder))
	if err != nil {
		return err
	}
	if err := os.Mkdir(filepath.Join(dir, dotFolder), 0o700); err != nil {
		return err
	}
	for _, e := range entries {
		from, to := filepath.Join(ready, dotFolder, e.Name()), filepath.Join(dir, dotFolder, e.Name())
		switch {
		case e.Name() == "providers":
			err = os.Symlink(from, to)
		case e.IsDir():
			err = copyFolder(from, to)
		default:
			err = copyFile(from, to, 0o600)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// copyFolder copies files, folders and symbolic links, but not the entries
// directly in from that are named in but.
func copyFolder(from, to string, but ...string) error {
	return filepath.WalkDir(from, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		for _, name := range but {
			if rel == name {
				return fs.SkipDir
			}
		}
		target := filepath.Join(to, rel)
		switch {
		case d.IsDir():
			return os.MkdirAll(target, 0o700)
		case d.Type()&fs.ModeSymlink != 0:
			link, err := os.Readlink(path)
			if err != nil {
				return err
			}
			return os.Symlink(link, target)
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		return copyFile(path, target, info.Mode().Perm()|0o600)
	})
}

func copyFile(from, to string, mode fs.FileMode) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	if e := out.Close(); err == nil {
		err = e
	}
	return err
}
