package local

import (
	"archive/zip"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// The names in the folder of a bundle; beside them is a "ready-…" folder for
// each tool that initialised it.
const (
	bundleFiles = "files" // as they came in the zip
	bundleLock  = "lock"  // flock: held by the one who initialises
	dotFolder   = ".terraform"
	lockHCL     = ".terraform.lock.hcl"
	// An override file is merged last, so it holds whatever a bundle says.
	backendFile    = "zz_iap_override.tf.json"
	backendContent = `{"terraform":{"backend":{"http":{}}}}`
)

// The limits of an unpacked bundle. The catalogue has stricter ones.
const (
	maxFiles = 5000
	maxBytes = 256 << 20
)

// unzip puts the files of a zip into dir/files, all or none.
func unzip(b []byte, dir string) error {
	z, err := zip.NewReader(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		return fmt.Errorf("the bundle is no zip: %w", err)
	}
	if len(z.File) > maxFiles {
		return fmt.Errorf("the bundle has %d files, above the limit of %d", len(z.File), maxFiles)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	tmp, err := os.MkdirTemp(dir, ".unzip-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(tmp)
	root, err := os.OpenRoot(tmp)
	if err != nil {
		return err
	}
	defer root.Close()
	left := int64(maxBytes)
	for _, f := range z.File {
		if err := unzipFile(root, f, &left); err != nil {
			return fmt.Errorf("%s: %w", f.Name, err)
		}
	}
	return moveInto(tmp, filepath.Join(dir, bundleFiles))
}

func unzipFile(root *os.Root, f *zip.File, left *int64) error {
	name := filepath.FromSlash(strings.TrimSuffix(f.Name, "/"))
	if f.Mode().IsDir() {
		return root.MkdirAll(name, 0o700)
	}
	if !f.Mode().IsRegular() {
		return errors.New("is neither a file nor a folder")
	}
	if err := root.MkdirAll(filepath.Dir(name), 0o700); err != nil {
		return err
	}
	in, err := f.Open()
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600|f.Mode().Perm()&0o100)
	if err != nil {
		return err
	}
	n, err := io.Copy(out, io.LimitReader(in, *left+1))
	if e := out.Close(); err == nil {
		err = e
	}
	if *left -= n; err == nil && *left < 0 {
		err = fmt.Errorf("the bundle unpacks to more than %d bytes", maxBytes)
	}
	return err
}

// moveInto renames a folder; that another has done it before is no error.
func moveInto(tmp, dir string) error {
	err := os.Rename(tmp, dir)
	if errors.Is(err, unix.ENOTEMPTY) || errors.Is(err, unix.EEXIST) {
		return nil
	}
	return err
}

// readyFolder returns where a bundle is ready for a tool: another binary or
// another CLI configuration makes another folder, because what init makes
// depends on both.
func readyFolder(bundle, binary, cliConfig string) string {
	h := sha256.New()
	for _, path := range []string{binary, cliConfig} {
		fmt.Fprintf(h, "%s\n%s\n", path, stamp(path))
	}
	return filepath.Join(bundle, "ready-"+hex.EncodeToString(h.Sum(nil))[:16])
}

// initialise makes the ready folder of a bundle, once whoever asks: others
// wait. run runs the tool in a folder with arguments and additions to its
// environment.
func initialise(ctx context.Context, bundle, ready string,
	run func(ctx context.Context, dir string, env []string, args ...string) error) error {
	unlock, err := lockBundle(ctx, bundle)
	if err != nil {
		return err
	}
	defer unlock()
	if _, err := os.Stat(ready); err == nil {
		return nil
	}
	tmp, err := os.MkdirTemp(bundle, ".init-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(tmp)
	if err := copyFolder(filepath.Join(bundle, bundleFiles), tmp); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(tmp, backendFile), []byte(backendContent), 0o600); err != nil {
		return err
	}
	address, stop, err := emptyState()
	if err != nil {
		return err
	}
	defer stop()
	args := []string{"init", "-input=false", "-no-color"}
	if _, err := os.Stat(filepath.Join(tmp, lockHCL)); err == nil {
		args = append(args, "-lockfile=readonly")
	}
	if err := run(ctx, tmp, []string{"TF_HTTP_ADDRESS=" + address}, args...); err != nil {
		return err
	}
	if err := noteSoleProvider(tmp); err != nil {
		return err
	}
	if err := makeReadOnly(tmp); err != nil {
		return err
	}
	return moveInto(tmp, ready)
}

// lockBundle waits for the bundle's lock.
func lockBundle(ctx context.Context, bundle string) (unlock func(), err error) {
	file, err := os.OpenFile(filepath.Join(bundle, bundleLock), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	got := make(chan error, 1)
	go func() { got <- flock(file, unix.LOCK_EX) }()
	select {
	case err := <-got:
		if err != nil {
			file.Close()
			return nil, err
		}
		return func() { file.Close() }, nil
	case <-ctx.Done():
		go func() { <-got; file.Close() }() // the wait cannot be broken off
		return nil, context.Cause(ctx)
	}
}

// emptyState serves a state that is not there: init asks for one, and must not
// depend on an instance's.
func emptyState() (address string, stop func(), err error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", nil, err
	}
	s := &http.Server{Handler: http.NotFoundHandler()}
	go func() { _ = s.Serve(l) }()
	return "http://" + l.Addr().String() + "/", func() { _ = s.Close() }, nil
}

// makeReadOnly guards the files of a ready folder against accidents.
func makeReadOnly(dir string) error {
	return filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		return os.Chmod(path, info.Mode().Perm()&0o555)
	})
}
