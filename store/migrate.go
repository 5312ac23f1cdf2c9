package store

import (
	"context"
	"database/sql"
	"embed"
	"io/fs"
	"strconv"
	"strings"

	"github.com/pressly/goose/v3"

	iap "github.com/internal-app-portal/iap"
)

//go:embed migrations
var migrationFiles embed.FS

// migrations says where the migrations of a database are and how to run them.
type migrations struct {
	folder  string
	dialect goose.Dialect
	options []goose.ProviderOption
}

var sqliteMigrations = migrations{folder: "migrations/sqlite", dialect: goose.DialectSQLite3}

// migrate brings the tables up to date. The common case, that nothing is to
// do, costs one query.
func migrate(ctx context.Context, db *DB, pool *sql.DB, m migrations) error {
	const op = "store.Open"
	files, err := fs.Sub(migrationFiles, m.folder)
	if err != nil {
		return err
	}
	newest, err := newestMigration(files)
	if err != nil {
		return err
	}
	var have sql.NullInt64
	err = pool.QueryRowContext(ctx, "SELECT max(version_id) FROM goose_db_version WHERE is_applied").Scan(&have)
	switch {
	case err == nil && have.Int64 == newest:
		return nil
	case err == nil && have.Int64 > newest:
		return iap.FieldErrorf(op, "database", "is at version %d, this portal knows up to %d: run the newer portal that wrote it",
			have.Int64, newest)
	case err != nil && db.engine.errorKind(err) != iap.Internal:
		return err // locked or down; else there is no such table yet
	}
	provider, err := goose.NewProvider(m.dialect, pool, files, append(m.options, goose.WithDisableGlobalRegistry(true))...)
	if err != nil {
		return err
	}
	_, err = provider.Up(ctx)
	return err
}

func newestMigration(files fs.FS) (newest int64, err error) {
	names, err := fs.Glob(files, "*.sql")
	for _, name := range names {
		number, _, _ := strings.Cut(name, "_")
		n, err := strconv.ParseInt(number, 10, 64)
		if err != nil {
			return 0, err
		}
		newest = max(newest, n)
	}
	return newest, err
}
