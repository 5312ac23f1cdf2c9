package local

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

func TestPruneKeepsTheNewestAndThoseUnderWay(t *testing.T) {
	r, err := New(Config{Data: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	for n := range 6 {
		f := folder(filepath.Join(r.cfg.Data, "jobs", fmt.Sprintf("job%d", n)))
		if err := os.MkdirAll(string(f), 0o700); err != nil {
			t.Fatal(err)
		}
		if n == 1 {
			continue // no result: it has not ended
		}
		if err := os.WriteFile(f.path(resultFile), []byte("{}"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := r.prune(2); err != nil {
		t.Fatal(err)
	}
	entries, err := os.ReadDir(filepath.Join(r.cfg.Data, "jobs"))
	if err != nil {
		t.Fatal(err)
	}
	var left string
	for _, e := range entries {
		left += e.Name() + " "
	}
	if want := "job1 job4 job5 "; left != want {
		t.Errorf("left are %swant %s", left, want)
	}
}
