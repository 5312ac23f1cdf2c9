package store

import (
	"context"

	iap "github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/event"
)

const eventColumns = "number, id, source, type, subject, happened_at, owner, group_id, data"

func scanEvent(scan scanner) (e event.Event, err error) {
	var when int64
	var data string
	err = scan(&e.Number, &e.ID, &e.Source, &e.Type, &e.Subject, &when, &e.Owner, &e.Group, &data)
	e.Time, e.Data = at(when), raw(data)
	return e, err
}

// AppendEvents implements event.Store. A (source, id) that is in the log
// already has the Update fail with Conflict. Reads in the same transaction do
// not see the new events.
func (db *DB) AppendEvents(ctx context.Context, events ...*event.Event) error {
	if len(events) == 0 {
		return nil
	}
	return db.Update(ctx, func(ctx context.Context) error {
		t := db.tx(ctx)
		t.events = append(t.events, events...)
		return nil
	})
}

// writeEvents numbers and writes the events of the transaction. It is the last
// thing before the commit, because it locks the counter for everybody else.
func (t *tx) writeEvents(ctx context.Context) error {
	const op = "store.AppendEvents"
	if len(t.events) == 0 {
		return nil
	}
	rows, err := list(ctx, t.db, op, scalar[int64],
		"UPDATE counter SET value = value + $1 WHERE name = 'event' RETURNING value", len(t.events))
	if err != nil {
		return err
	}
	if len(rows) != 1 {
		return t.fail(op, iap.Errorf(op, iap.Internal, "the counter of events is gone"))
	}
	number := rows[0] - int64(len(t.events))
	for _, e := range t.events {
		number++
		_, err := t.db.exec(ctx, op, "INSERT INTO event ("+eventColumns+") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
			number, e.ID, e.Source, e.Type, e.Subject, ms(e.Time), e.Owner, e.Group, string(e.Data))
		if err != nil {
			return err
		}
		e.Number = number
	}
	return nil
}

// unnumber takes the numbers back after a rollback. A nil t did not begin.
func (t *tx) unnumber() {
	if t == nil {
		return
	}
	for _, e := range t.events {
		e.Number = 0
	}
}

// EventsAfter implements event.Store.
func (db *DB) EventsAfter(ctx context.Context, after int64, limit int) ([]event.Event, error) {
	return list(ctx, db, "store.EventsAfter", scanEvent,
		"SELECT "+eventColumns+" FROM event WHERE number > $1 ORDER BY number LIMIT $2", after, limit)
}

// EventsOf implements event.Store.
func (db *DB) EventsOf(ctx context.Context, group string) ([]event.Event, error) {
	return list(ctx, db, "store.EventsOf", scanEvent,
		"SELECT "+eventColumns+" FROM event WHERE group_id = $1 AND group_id <> '' ORDER BY number", group)
}

// LastEventNumber implements event.Store.
func (db *DB) LastEventNumber(ctx context.Context) (int64, error) {
	return one(ctx, db, "store.LastEventNumber", scalar[int64], "SELECT value FROM counter WHERE name = 'event'")
}
