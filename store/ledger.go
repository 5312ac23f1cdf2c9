package store

import (
	"context"
	"time"

	"github.com/internal-app-portal/iap/instance"
)

func scanLedgerEntry(scan scanner) (e instance.LedgerEntry, err error) {
	var ready, ended, until, price, watts int64
	err = scan(&e.App, &e.Owner, &e.Status, &ready, &ended, &e.SavedBy, &until, &price, &watts)
	e.ReadyAt, e.EndedAt, e.SavedUntil = at(ready), at(ended), at(until)
	e.Price = priceOf(price, watts)
	return e, err
}

// priceOf returns a price of millionths of money an hour, and of thousandths of
// watts.
func priceOf(price, watts int64) instance.Price {
	return instance.Price{Hour: float64(price) / 1e6, Watts: float64(watts) / 1e3}
}

// LedgerEntries implements instance.LedgerStore. What certifies versions is
// nobody's cost.
func (db *DB) LedgerEntries(ctx context.Context, owner string, from, to time.Time) ([]instance.LedgerEntry, error) {
	query := `SELECT app, owner, status, ready_at, ended_at, saved_by, saved_until, price, watts FROM instance
		WHERE ready_at > 0 AND ready_at < $1 AND (ended_at = 0 OR ended_at >= $2) AND purpose <> $3`
	args := []any{ms(to), ms(from), string(instance.ForCertification)}
	if owner != "" {
		query, args = query+" AND owner = $4", append(args, owner)
	}
	return list(ctx, db, "store.LedgerEntries", scanLedgerEntry, query, args...)
}
