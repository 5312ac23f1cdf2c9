package bucket_test

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	iap "github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/bucket"
)

func open(t *testing.T) (*bucket.Folder, string) {
	t.Helper()
	dir := t.TempDir()
	f, err := bucket.OpenFolder(filepath.Join(dir, "buckets"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Close() })
	return f, dir
}

func write(t *testing.T, f *bucket.Folder, key, text string) error {
	t.Helper()
	w, err := f.Create(t.Context(), "data", key)
	if err != nil {
		return err
	}
	defer w.Close()
	if _, err := io.WriteString(w, text); err != nil {
		t.Fatal(err)
	}
	return w.Commit()
}

func read(t *testing.T, f *bucket.Folder, key string) (string, error) {
	t.Helper()
	r, err := f.Open(t.Context(), "data", key)
	if err != nil {
		return "", err
	}
	defer r.Close()
	b, err := io.ReadAll(r)
	return string(b), err
}

func keys(t *testing.T, f *bucket.Folder, prefix string) string {
	t.Helper()
	var all []string
	for o, err := range f.List(t.Context(), "data", prefix) {
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, fmt.Sprintf("%s:%d", o.Key, o.Size))
	}
	return strings.Join(all, " ")
}

func TestObjects(t *testing.T) {
	f, _ := open(t)
	if got := keys(t, f, ""); got != "" {
		t.Errorf("a bucket that is not there has %s", got)
	}
	for _, key := range []string{"a/b", "a-b", "a/c/d", "a.b", "ab"} {
		if err := write(t, f, key, key); err != nil {
			t.Fatal(err)
		}
	}
	// In the order of the bytes: "-" and "." come before "/".
	if got, want := keys(t, f, ""), "a-b:3 a.b:3 a/b:3 a/c/d:5 ab:2"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if got, want := keys(t, f, "a/"), "a/b:3 a/c/d:5"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if got, want := keys(t, f, "a/c"), "a/c/d:5"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if err := write(t, f, "a/b", "new"); err != nil {
		t.Fatal(err)
	}
	if got, err := read(t, f, "a/b"); got != "new" || err != nil {
		t.Error(got, err)
	}
	if err := f.Delete(t.Context(), "data", "a/b"); err != nil {
		t.Error(err)
	}
	if err := f.Delete(t.Context(), "data", "a/b"); err != nil {
		t.Error("the second delete:", err)
	}
	for _, key := range []string{"a/b", "a", "ab/c", "none"} {
		if _, err := read(t, f, key); !iap.IsKind(err, iap.NotFound) {
			t.Errorf("%s: %v", key, err)
		}
	}
}

func TestNothingIsThereBeforeTheCommit(t *testing.T) {
	f, dir := open(t)
	w, err := f.Create(t.Context(), "data", "half")
	if err != nil {
		t.Fatal(err)
	}
	_, _ = io.WriteString(w, "half of it")
	if _, err := read(t, f, "half"); !iap.IsKind(err, iap.NotFound) {
		t.Error(err)
	}
	if err := w.Close(); err != nil {
		t.Error(err)
	}
	left, err := os.ReadDir(filepath.Join(dir, "buckets"))
	if err != nil || len(left) != 0 {
		t.Error(left, err)
	}
}

func TestKeysThatAreInEachOthersWay(t *testing.T) {
	f, _ := open(t)
	if err := write(t, f, "a", "1"); err != nil {
		t.Fatal(err)
	}
	if err := write(t, f, "a/b", "2"); !iap.IsKind(err, iap.Conflict) {
		t.Error(err)
	}
	if err := write(t, f, "c/d", "3"); err != nil {
		t.Fatal(err)
	}
	if err := write(t, f, "c", "4"); !iap.IsKind(err, iap.Conflict) {
		t.Error(err)
	}
}

func TestNamesThatAreRefused(t *testing.T) {
	f, dir := open(t)
	outside := filepath.Join(dir, "secret")
	if err := os.WriteFile(outside, []byte("secret"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{"", "..", "../secret", "a/../../secret", "/a", "a//b", "a/", ".", "./a", "a\x00b", "a\nb", `a\b`, "\xff",
		strings.Repeat("k", 1025), strings.Repeat("k", 256)} {
		if err := write(t, f, key, "x"); !iap.IsKind(err, iap.Invalid) {
			t.Errorf("key %.20q: %v", key, err)
		}
	}
	for _, name := range []string{"", "ab", "..", "../x", "Data", "da_ta", "-data", "data.", "a..b", strings.Repeat("b", 64), "da/ta"} {
		if _, err := f.Open(t.Context(), name, "key"); !iap.IsKind(err, iap.Invalid) {
			t.Errorf("bucket %.20q: %v", name, err)
		}
		for _, err := range f.List(t.Context(), name, "") {
			if !iap.IsKind(err, iap.Invalid) {
				t.Errorf("listing %.20q: %v", name, err)
			}
		}
	}
	if err := write(t, f, "there", "x"); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(outside, filepath.Join(dir, "buckets", "data", "link")); err != nil {
		t.Fatal(err)
	}
	if text, err := read(t, f, "link"); err == nil {
		t.Errorf("a link led out of the buckets: %q", text)
	}
	if got := keys(t, f, ""); got != "there:1" {
		t.Error(got)
	}
}

func TestNamesAndStat(t *testing.T) {
	f, dir := open(t)
	if err := os.WriteFile(filepath.Join(dir, "buckets", "stray"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := write(t, f, "a/b", "text"); err != nil {
		t.Fatal(err)
	}
	if names, err := f.Names(t.Context()); err != nil || fmt.Sprint(names) != "[data]" {
		t.Errorf("%v %v", names, err)
	}
	if o, err := f.Stat(t.Context(), "data", "a/b"); err != nil || o.Size != 4 || o.Key != "a/b" {
		t.Errorf("%+v %v", o, err)
	}
	for _, key := range []string{"a", "a/c", "a/b/c"} {
		if _, err := f.Stat(t.Context(), "data", key); !iap.IsKind(err, iap.NotFound) {
			t.Errorf("%s: %v", key, err)
		}
	}
	if _, err := f.Stat(t.Context(), "data", "../data/a/b"); !iap.IsKind(err, iap.Invalid) {
		t.Error(err)
	}
}

// TestDeleteLeavesNoFolders: a key can be that of an object again where others
// had it before their last slash, and an empty bucket is gone.
func TestDeleteLeavesNoFolders(t *testing.T) {
	f, _ := open(t)
	for _, key := range []string{"a/b/c", "a/d"} {
		if err := write(t, f, key, ""); err != nil {
			t.Fatal(err)
		}
	}
	for _, key := range []string{"a", "a/b", "a/b/c"} { // the first two are no objects
		if err := f.Delete(t.Context(), "data", key); err != nil {
			t.Fatal(err)
		}
	}
	if err := write(t, f, "a/b", "now an object"); err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{"a/b", "a/d"} {
		if err := f.Delete(t.Context(), "data", key); err != nil {
			t.Fatal(err)
		}
	}
	if names, err := f.Names(t.Context()); err != nil || len(names) > 0 {
		t.Errorf("%v %v", names, err)
	}
}

func TestOpenRemovesWhatWasAbandoned(t *testing.T) {
	f, dir := open(t)
	for _, name := range []string{"_new-old", "_new-young"} {
		if err := os.WriteFile(filepath.Join(dir, "buckets", name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	before := time.Now().Add(-48 * time.Hour)
	if err := os.Chtimes(filepath.Join(dir, "buckets", "_new-old"), before, before); err != nil {
		t.Fatal(err)
	}
	_ = f.Close()
	again, err := bucket.OpenFolder(filepath.Join(dir, "buckets"))
	if err != nil {
		t.Fatal(err)
	}
	defer again.Close()
	left, _ := filepath.Glob(filepath.Join(dir, "buckets", "*"))
	if len(left) != 1 || filepath.Base(left[0]) != "_new-young" {
		t.Errorf("left: %v", left)
	}
}
