package local_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/internal-app-portal/iap/runner/local"
)

// stopping is a source of bundles of a portal that is stopped when one is read.
type stopping struct {
	bundles
	stop context.CancelFunc
}

func (s stopping) Bundle(ctx context.Context, key string) ([]byte, error) {
	s.stop()
	return s.bundles.Bundle(ctx, key)
}

// A portal that stops does not wait for preparations that were not begun.
func TestNothingIsPreparedAfterTheStop(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	data := t.TempDir()
	r, err := local.New(local.Config{Data: data, Bundles: stopping{bundles{"one": {"main.tf": ""}}, stop}})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if err := r.Warm(ctx, "one"); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	there, err := os.ReadDir(filepath.Join(data, "bundles", "one"))
	if err != nil || len(there) != 1 {
		t.Errorf("beside the files there is something of %v, %v", there, err)
	}
}
