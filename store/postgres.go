package store

import (
	"context"

	iap "github.com/internal-app-portal/iap"
)

func openPostgres(context.Context, *DB, string) error {
	return iap.Errorf("store.Open", iap.Unavailable, "PostgreSQL is not supported yet")
}
