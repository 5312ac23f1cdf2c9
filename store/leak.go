package store

import (
	"context"

	"github.com/internal-app-portal/iap/leak"
)

const leakQuery = "SELECT leak FROM leak "

func scanLeak(scan scanner) (l leak.Leak, err error) {
	var t string
	if err := scan(&t); err != nil {
		return l, err
	}
	return l, read(t, &l)
}

// PutLeak implements leak.Store.
func (db *DB) PutLeak(ctx context.Context, l leak.Leak) error {
	t, err := text(l)
	if err != nil {
		return err
	}
	_, err = db.exec(ctx, "store.PutLeak", `INSERT INTO leak (id, platform, kind, resource, gone_at, leak) VALUES ($1, $2, $3, $4, $5, $6)
		ON CONFLICT (id) DO UPDATE SET gone_at = excluded.gone_at, leak = excluded.leak`,
		l.ID, l.Resource.Platform, l.Resource.Kind, l.Resource.ID, ms(l.GoneAt), t)
	return err
}

// Leak implements leak.Store.
func (db *DB) Leak(ctx context.Context, id string) (leak.Leak, error) {
	return one(ctx, db, "store.Leak", scanLeak, db.locked(ctx, leakQuery+"WHERE id = $1"), id)
}

// Leaks implements leak.Store.
func (db *DB) Leaks(ctx context.Context, f leak.Filter) ([]leak.Leak, error) {
	return list(ctx, db, "store.Leaks", scanLeak, leakQuery+`WHERE (gone_at = 0 OR $1) AND ($2 = '' OR id < $2)
		ORDER BY id DESC LIMIT $3`, f.Gone, f.Before, f.Limit)
}

// LockLeaks implements leak.Store: on SQLite writers wait for each other anyway.
func (db *DB) LockLeaks(ctx context.Context) error {
	_, err := list(ctx, db, "store.LockLeaks", scalar[string], db.locked(ctx, "SELECT name FROM setting WHERE name = 'leaks'"))
	return err
}
