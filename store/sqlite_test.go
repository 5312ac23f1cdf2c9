package store_test

import (
	"context"
	"path/filepath"
	"testing"

	"github.com/internal-app-portal/iap/store"
	"github.com/internal-app-portal/iap/store/storetest"
)

func openFile(t testing.TB, path string, opts store.Options) *store.DB {
	t.Helper()
	db, err := store.Open(context.Background(), "sqlite:"+path, opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db
}

func TestSQLite(t *testing.T) {
	storetest.Run(t, func(t *testing.T) *store.DB {
		return openFile(t, filepath.Join(t.TempDir(), "iap 100%?#.db"), store.Options{})
	})
}
