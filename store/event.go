package store

import (
	"context"
	"fmt"
	"slices"
	"strings"

	iap "github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/event"
)

const opAppend = "store.AppendEvents"

const eventColumns = "number, id, source, type, subject, happened_at, owner, group_id, data, extensions"

func scanEvent(scan scanner) (e event.Event, err error) {
	var when int64
	var data, extensions string
	err = scan(&e.Number, &e.ID, &e.Source, &e.Type, &e.Subject, &when, &e.Owner, &e.Group, &data, &extensions)
	e.Time, e.Data, e.Extensions = at(when), raw(data), raw(extensions)
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
	if len(t.events) == 0 {
		return nil
	}
	write := t.writeEach
	if t.db.dialect.arrays {
		write = t.writeAtOnce
	}
	number, err := write(ctx)
	if err != nil {
		return err
	}
	for i, e := range t.events {
		e.Number = number + int64(i)
	}
	return nil
}

// writeEach returns the number of the first of the events.
func (t *tx) writeEach(ctx context.Context) (int64, error) {
	last, err := one(ctx, t.db, opAppend, scalar[int64],
		"UPDATE counter SET value = value + $1 WHERE name = 'event' RETURNING value", len(t.events))
	number := last - int64(len(t.events)) + 1
	for i, e := range t.events {
		if err != nil {
			return 0, err
		}
		_, err = t.db.exec(ctx, opAppend, "INSERT INTO event ("+eventColumns+") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
			number+int64(i), e.ID, e.Source, e.Type, e.Subject, ms(e.Time), e.Owner, e.Group, string(e.Data), string(e.Extensions))
	}
	return number, err
}

// appendAtOnce is writeEach in one statement, so that the counter is locked for
// one round trip and the commit.
const appendAtOnce = `WITH counted AS (
		UPDATE counter SET value = value + $1 WHERE name = 'event' RETURNING value - $1 AS before)
	INSERT INTO event (number, id, source, type, subject, owner, group_id, data, extensions, happened_at)
	SELECT counted.before + e.place, e.id, e.source, e.type, e.subject, e.owner, e.group_id, e.data, e.extensions, e.happened_at
	FROM counted, unnest($2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[], $10::bigint[])
		WITH ORDINALITY AS e (id, source, type, subject, owner, group_id, data, extensions, happened_at, place)
	RETURNING number`

// eventArrays are the parameters of appendAtOnce.
func eventArrays(events []*event.Event) []any {
	var texts [8][]string
	var times []int64
	for _, e := range events {
		for i, s := range []string{e.ID, e.Source, e.Type, e.Subject, e.Owner, e.Group, string(e.Data), string(e.Extensions)} {
			texts[i] = append(texts[i], cleanText(s))
		}
		times = append(times, ms(e.Time))
	}
	return []any{int64(len(events)), texts[0], texts[1], texts[2], texts[3], texts[4], texts[5], texts[6], texts[7], times}
}

// writeAtOnce returns the number of the first of the events.
func (t *tx) writeAtOnce(ctx context.Context) (int64, error) {
	numbers, err := list(ctx, t.db, opAppend, scalar[int64], appendAtOnce, eventArrays(t.events)...)
	if err != nil {
		return 0, err
	}
	if len(numbers) != len(t.events) {
		return 0, t.fail(opAppend, iap.Errorf(opAppend, iap.Internal, "%d of %d events were written", len(numbers), len(t.events)))
	}
	return slices.Min(numbers), nil
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
	const of = "SELECT " + eventColumns + " FROM event WHERE group_id = $1 AND group_id <> '' ORDER BY number "
	return list(ctx, db, "store.EventsOf", scanEvent, "SELECT "+eventColumns+" FROM (SELECT * FROM ("+of+
		"LIMIT $2) AS oldest UNION SELECT * FROM ("+of+"DESC LIMIT $3) AS newest) AS part ORDER BY number",
		group, event.FirstOf, event.LastOf)
}

// LastEventNumber implements event.Store.
func (db *DB) LastEventNumber(ctx context.Context) (int64, error) {
	return one(ctx, db, "store.LastEventNumber", scalar[int64], "SELECT value FROM counter WHERE name = 'event'")
}

// EventOf implements event.InboxStore.
func (db *DB) EventOf(ctx context.Context, source, id string) (event.Event, error) {
	return one(ctx, db, "store.EventOf", scanEvent, "SELECT "+eventColumns+" FROM event WHERE source = $1 AND id = $2", source, id)
}

// EventAt implements event.Reader.
func (db *DB) EventAt(ctx context.Context, number int64) (event.Event, error) {
	return one(ctx, db, "store.EventAt", scanEvent, "SELECT "+eventColumns+" FROM event WHERE number = $1", number)
}

// EventsBefore implements event.Reader.
func (db *DB) EventsBefore(ctx context.Context, f event.Filter) ([]event.Event, error) {
	condition, args := "1 = 1", []any{}
	add := func(format string, v any) {
		args = append(args, v)
		condition += fmt.Sprintf(" AND "+format, len(args))
	}
	if begin, some := strings.CutSuffix(f.Type, "*"); some {
		add("type >= $%d", begin)
		add("type < $%d", begin+"\U0010FFFF")
	} else if f.Type != "" {
		add("type = $%d", f.Type)
	}
	for column, v := range map[string]string{"source": f.Source, "subject": f.Subject, "group_id": f.Group} {
		if v != "" {
			add(column+" = $%d", v)
		}
	}
	if f.Viewer != "" {
		add("(owner = '' OR owner = $%d)", f.Viewer)
	}
	if f.Before > 0 {
		add("number < $%d", f.Before)
	}
	args = append(args, f.Limit)
	return list(ctx, db, "store.EventsBefore", scanEvent, "SELECT "+eventColumns+" FROM event WHERE "+condition+
		fmt.Sprintf(" ORDER BY number DESC LIMIT $%d", len(args)), args...)
}
