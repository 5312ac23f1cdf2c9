package catalog_test

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/catalog"
)

func TestBlobs(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a", "blobs")
	blobs, err := catalog.OpenBlobs("file://" + dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, data := range [][]byte{{}, []byte("hello"), bytes.Repeat([]byte("x"), 1<<20)} {
		sha, err := blobs.Put(t.Context(), data)
		if err != nil {
			t.Fatal(err)
		}
		if again, err := blobs.Put(t.Context(), data); err != nil || again != sha {
			t.Errorf("put twice: %s, %v", again, err)
		}
		if got, err := blobs.Get(t.Context(), sha); err != nil || !bytes.Equal(got, data) {
			t.Errorf("got %d bytes, %v", len(got), err)
		}
	}
	for _, sha := range []string{"", "x", "../../etc/passwd", strings.Repeat("a", 64), strings.Repeat("/", 64), strings.Repeat("A", 64)} {
		if _, err := blobs.Get(t.Context(), sha); !iap.IsKind(err, iap.NotFound) {
			t.Errorf("%q: %v", sha, err)
		}
	}
	if left, err := filepath.Glob(filepath.Join(dir, "tmp-*")); err != nil || len(left) > 0 {
		t.Errorf("left: %v, %v", left, err)
	}
}

func TestDamagedBlobIsNoticedAndMended(t *testing.T) {
	dir := t.TempDir()
	blobs, err := catalog.OpenBlobs(dir)
	if err != nil {
		t.Fatal(err)
	}
	sha, err := blobs.Put(t.Context(), []byte("hello"))
	if err != nil {
		t.Fatal(err)
	}
	err = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		return os.WriteFile(path, []byte("jello"), 0o600)
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := blobs.Get(t.Context(), sha); !iap.IsKind(err, iap.Internal) || !strings.Contains(err.Error(), "damaged") {
		t.Errorf("got %v", err)
	}
	if _, err := blobs.Put(t.Context(), []byte("hello")); err != nil {
		t.Fatal(err)
	}
	if got, err := blobs.Get(t.Context(), sha); err != nil || string(got) != "hello" {
		t.Errorf("got %q, %v", got, err)
	}
}

func TestBlobsElsewhere(t *testing.T) {
	for _, address := range []string{"s3://bucket", "file://host/x", "file://", "http://x/y"} {
		_, err := catalog.OpenBlobs(address)
		refused(t, address, err, "blobs", "want file:///path")
	}
}

// TestFullDisk fills a small file system in memory, which only root can make.
func TestFullDisk(t *testing.T) {
	if runtime.GOOS != "linux" || os.Geteuid() != 0 {
		t.Skip("needs root on Linux to mount a small file system")
	}
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=256k"); err != nil {
		t.Skipf("cannot mount a small file system: %v", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, syscall.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	blobs, err := catalog.OpenBlobs(dir)
	if err != nil {
		t.Fatal(err)
	}
	small, err := blobs.Put(t.Context(), []byte("small"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := blobs.Put(t.Context(), bytes.Repeat([]byte("x"), 1<<20)); !iap.IsKind(err, iap.Full) {
		t.Errorf("got %v", err)
	}
	if got, err := blobs.Get(t.Context(), small); err != nil || string(got) != "small" {
		t.Errorf("reading: %q, %v", got, err)
	}
	if _, err := blobs.Put(t.Context(), bytes.Repeat([]byte("y"), 64<<10)); err != nil {
		t.Errorf("it does not recover: %v", err)
	}
}
