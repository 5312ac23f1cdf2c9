package store

import (
	"context"
	"strings"
	"time"
)

// toldAt is what retention looks at of an event.
type toldAt struct {
	number int64
	at     time.Time
	own    bool // told by the portal, and so at that time
}

func scanToldAt(scan scanner) (e toldAt, err error) {
	var when int64
	var typ string
	err = scan(&e.number, &typ, &when)
	e.at, e.own = at(when), strings.HasPrefix(typ, "iap.")
	return e, err
}

// PruneEvents implements event.KeepStore.
func (db *DB) PruneEvents(ctx context.Context, before time.Time, count int64, limit int) (n int, err error) {
	const op = "store.PruneEvents"
	err = db.Update(ctx, func(ctx context.Context) error {
		oldest, err := list(ctx, db, op, scanToldAt, "SELECT number, type, happened_at FROM event ORDER BY number LIMIT $1", limit)
		if err != nil || len(oldest) == 0 {
			return err
		}
		upTo, err := db.needless(ctx, oldest, before, count)
		if err != nil {
			return err
		}
		n = 0
		for n < len(oldest) && oldest[n].number <= upTo {
			n++
		}
		if n == 0 {
			return nil
		}
		for _, table := range []string{"delivery_attempt", "delivery", "event"} {
			if _, err := db.exec(ctx, op, "DELETE FROM "+table+" WHERE number <= $1", oldest[n-1].number); err != nil {
				return err
			}
		}
		return nil
	})
	return n, err
}

// needless returns the number up to which the oldest events may be deleted.
func (db *DB) needless(ctx context.Context, oldest []toldAt, before time.Time, count int64) (int64, error) {
	const op = "store.PruneEvents"
	upTo, err := db.olderThan(ctx, oldest, before)
	if err != nil {
		return 0, err
	}
	if count > 0 {
		last, err := db.LastEventNumber(ctx)
		if err != nil {
			return 0, err
		}
		upTo = max(upTo, last-count)
	}
	matched, err := db.Matched(ctx)
	if err != nil {
		return 0, err
	}
	open, err := list(ctx, db, op, scalar[int64], "SELECT number FROM delivery WHERE status IN ('waiting', 'dead') ORDER BY number LIMIT 1")
	if err != nil {
		return 0, err
	}
	if len(open) > 0 {
		upTo = min(upTo, open[0]-1)
	}
	return min(upTo, matched), nil
}

// olderThan returns the number of the last of the oldest events that was told before
// a time; 0: none was. The portal's own events say when that was; others say of
// themselves when they have happened, and are as old as the next of the portal's own.
func (db *DB) olderThan(ctx context.Context, oldest []toldAt, before time.Time) (int64, error) {
	if before.IsZero() {
		return 0, nil
	}
	var upTo int64
	for _, e := range oldest {
		if !e.own {
			continue
		}
		if !e.at.Before(before) {
			return upTo, nil
		}
		upTo = e.number
	}
	last := oldest[len(oldest)-1]
	if upTo == last.number {
		return upTo, nil
	}
	next, err := list(ctx, db, "store.PruneEvents", scanToldAt, `SELECT number, type, happened_at FROM event
		WHERE number > $1 AND type >= 'iap.' AND type < 'iap/' ORDER BY number LIMIT 1`, last.number)
	if err == nil && len(next) > 0 && next[0].at.Before(before) {
		upTo = last.number
	}
	return upTo, err
}

// OldestEventNumber implements event.KeepStore.
func (db *DB) OldestEventNumber(ctx context.Context) (int64, error) {
	oldest, err := list(ctx, db, "store.OldestEventNumber", scalar[int64], "SELECT number FROM event ORDER BY number LIMIT 1")
	if err != nil || len(oldest) > 0 {
		return first(oldest), err
	}
	last, err := db.LastEventNumber(ctx)
	return last + 1, err
}
