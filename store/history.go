package store

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"

	iap "github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/workflow"
)

// historyRow is a row of history: the events of one commit.
type historyRow struct {
	execution    string
	number, last int64
	events       string
}

const (
	// rowEvents and rowBytes bound one row, so that a page of a history does
	// not have much more read than it shows.
	rowEvents = 64
	rowBytes  = 256 << 10
)

// historyRows packs events, of which those of one execution follow each other.
func historyRows(events []workflow.HistoryEvent) ([]historyRow, error) {
	var rows []historyRow
	var b []byte
	for i, h := range events {
		follows := i > 0 && events[i-1].Execution == h.Execution
		if follows && events[i-1].Number+1 != h.Number {
			return nil, iap.Errorf("store.AppendHistory", iap.Invalid, "after event %d of %s comes %d", events[i-1].Number, h.Execution, h.Number)
		}
		if n := len(rows); !follows || rows[n-1].last-rows[n-1].number+1 >= rowEvents || len(b) >= rowBytes {
			if n > 0 {
				rows[n-1].events = string(append(b, ']'))
			}
			rows = append(rows, historyRow{execution: h.Execution, number: h.Number})
			b = append(b[:0], '[')
		} else {
			b = append(b, ',')
		}
		rows[len(rows)-1].last = h.Number
		b = appendEvent(b, h)
	}
	if len(rows) > 0 {
		rows[len(rows)-1].events = string(append(b, ']'))
	}
	return rows, nil
}

func appendEvent(b []byte, h workflow.HistoryEvent) []byte {
	b = strconv.AppendInt(append(b, '['), h.Previous, 10)
	typ, _ := json.Marshal(h.Type) // cannot fail
	b = append(append(append(b, ','), typ...), ',')
	b = append(strconv.AppendInt(b, ms(h.Time), 10), ',')
	if len(h.Details) == 0 {
		b = append(b, "null"...)
	} else {
		b = append(b, h.Details...)
	}
	return append(b, ']')
}

// unpack is the reverse of historyRows.
func (r historyRow) unpack() ([]workflow.HistoryEvent, error) {
	var packed [][4]json.RawMessage
	if err := json.Unmarshal([]byte(r.events), &packed); err != nil {
		return nil, fmt.Errorf("the history of %s from event %d: %w", r.execution, r.number, err)
	}
	out := make([]workflow.HistoryEvent, len(packed))
	for i, p := range packed {
		h := &out[i]
		h.Execution, h.Number = r.execution, r.number+int64(i)
		var when int64
		for j, to := range []any{&h.Previous, &h.Type, &when} {
			if err := json.Unmarshal(p[j], to); err != nil {
				return nil, fmt.Errorf("event %d of %s: %w", h.Number, r.execution, err)
			}
		}
		h.Time = at(when)
		if string(p[3]) != "null" {
			h.Details = p[3]
		}
	}
	return out, nil
}

const insertHistory = "INSERT INTO history (execution, number, last, events) VALUES ($1, $2, $3, $4)"

// AppendHistory implements workflow.Store; Conflict when a number is taken.
func (db *DB) AppendHistory(ctx context.Context, events ...workflow.HistoryEvent) error {
	rows, err := historyRows(events)
	if err != nil || len(rows) == 0 {
		return err
	}
	return db.Update(ctx, func(ctx context.Context) error {
		for _, r := range rows {
			if _, err := db.exec(ctx, "store.AppendHistory", insertHistory, r.execution, r.number, r.last, r.events); err != nil {
				return err
			}
		}
		return nil
	})
}

func scanHistoryRow(scan scanner) (r historyRow, err error) {
	err = scan(&r.execution, &r.number, &r.last, &r.events)
	return r, err
}

// pageRows is how many rows of a history are read at once.
const pageRows = 128

// History implements workflow.Store.
func (db *DB) History(ctx context.Context, execution string, after int64, limit int) ([]workflow.HistoryEvent, error) {
	return db.pages(ctx, `SELECT execution, number, last, events FROM history WHERE execution = $1 AND number >=
		coalesce((SELECT max(number) FROM history WHERE execution = $1 AND number <= $2), 0)
		AND last >= $2 ORDER BY number LIMIT $3`, execution, limit, after+1,
		func(h workflow.HistoryEvent, from int64) bool { return h.Number >= from },
		func(last workflow.HistoryEvent) int64 { return last.Number + 1 })
}

// HistoryBefore implements workflow.Store.
func (db *DB) HistoryBefore(ctx context.Context, execution string, before int64, limit int) ([]workflow.HistoryEvent, error) {
	if before <= 0 {
		before = 1 << 62
	}
	return db.pages(ctx, `SELECT execution, number, last, events FROM history WHERE execution = $1 AND number <= $2
		ORDER BY number DESC LIMIT $3`, execution, limit, before-1,
		func(h workflow.HistoryEvent, from int64) bool { return h.Number <= from },
		func(last workflow.HistoryEvent) int64 { return last.Number - 1 })
}

// pages reads rows, page by page, until there are limit events.
func (db *DB) pages(ctx context.Context, query, execution string, limit int, from int64,
	wanted func(workflow.HistoryEvent, int64) bool, next func(workflow.HistoryEvent) int64) ([]workflow.HistoryEvent, error) {
	var out []workflow.HistoryEvent
	for len(out) < limit {
		n := min(limit-len(out), pageRows)
		rows, err := list(ctx, db, "store.History", scanHistoryRow, query, execution, from, n)
		if err != nil {
			return nil, err
		}
		for _, r := range rows {
			events, err := r.unpack()
			if err != nil {
				return nil, iap.E("store.History", iap.Internal, err)
			}
			if next(events[0]) < events[0].Number {
				slices.Reverse(events)
			}
			for _, h := range events {
				if wanted(h, from) && len(out) < limit {
					out = append(out, h)
				}
			}
		}
		if len(rows) < n || len(out) == 0 {
			return out, nil
		}
		from = next(out[len(out)-1])
	}
	return out, nil
}

func scanPart(scan scanner) (p workflow.Part, err error) {
	err = scan(&p.Name, &p.Text)
	return p, err
}

// Parts implements workflow.Store.
func (db *DB) Parts(ctx context.Context, execution string) ([]workflow.Part, error) {
	return list(ctx, db, "store.Parts", scanPart, "SELECT name, data FROM execution_part WHERE execution = $1", execution)
}
