package store_test

import (
	"context"
	"testing"

	"github.com/internal-app-portal/iap/store"
	"github.com/internal-app-portal/iap/store/pgtest"
	"github.com/internal-app-portal/iap/store/storetest"
)

func openURL(t testing.TB, url string, opts store.Options) *store.DB {
	t.Helper()
	db, err := store.Open(context.Background(), url, opts)
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

func TestPostgreSQL(t *testing.T) {
	storetest.Run(t, func(t *testing.T) *store.DB { return openURL(t, pgtest.URL(t), store.Options{}) })
}
