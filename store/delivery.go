package store

import (
	"context"
	"fmt"
	"strings"
	"time"

	iap "github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/event/delivery"
)

const deliveryColumns = "number, target, rule, subject, event_type, status, attempt, since, next_at, ended_at, reason, redrive"

func scanDelivery(scan scanner) (d delivery.Delivery, err error) {
	var since, next, ended int64
	err = scan(&d.Number, &d.Target, &d.Rule, &d.Subject, &d.EventType, &d.Status, &d.Attempt, &since, &next, &ended, &d.Reason, &d.Redrive)
	d.Since, d.NextAt, d.EndedAt = at(since), at(next), at(ended)
	return d, err
}

// prefixed puts a table's alias before each of some columns.
func prefixed(alias, columns string) string {
	return alias + "." + strings.ReplaceAll(columns, ", ", ", "+alias+".")
}

// deliveriesAtOnce is how many rows one statement inserts: of 12 parameters each.
const deliveriesAtOnce = 100

func (db *DB) insertDeliveries(ctx context.Context, ds []delivery.Delivery) error {
	for len(ds) > 0 {
		part := ds[:min(deliveriesAtOnce, len(ds))]
		ds = ds[len(part):]
		var rows strings.Builder
		var args []any
		for i, d := range part {
			if i > 0 {
				rows.WriteString(", ")
			}
			n := len(args)
			fmt.Fprintf(&rows, "($%d, $%d, $%d, $%d, $%d, $%d, $%d, $%d, $%d, $%d, $%d, $%d)",
				n+1, n+2, n+3, n+4, n+5, n+6, n+7, n+8, n+9, n+10, n+11, n+12)
			args = append(args, d.Number, d.Target, d.Rule, d.Subject, d.EventType, string(d.Status), d.Attempt, ms(d.Since), ms(d.NextAt),
				ms(d.EndedAt), d.Reason, d.Redrive)
		}
		if _, err := db.exec(ctx, "store.Match", "INSERT INTO delivery ("+deliveryColumns+") VALUES "+rows.String(), args...); err != nil {
			return err
		}
	}
	return nil
}

// where returns the condition of a filter, with its arguments added to args.
func where(f delivery.Filter, args []any) (string, []any) {
	var parts []string
	add := func(format string, v any) {
		args = append(args, v)
		parts = append(parts, fmt.Sprintf(format, len(args)))
	}
	if f.Target != "" {
		add("target = $%d", f.Target)
	}
	if begin, some := strings.CutSuffix(f.EventType, "*"); some {
		add("event_type >= $%d", begin)
		add("event_type < $%d", begin+"\U0010FFFF")
	} else if f.EventType != "" {
		add("event_type = $%d", f.EventType)
	}
	if !f.Since.IsZero() {
		add("ended_at >= $%d", ms(f.Since))
	}
	if f.Status != "" { // a literal, so that partial indexes are used
		parts = append(parts, "status = '"+string(f.Status)+"'")
	}
	if f.Number != 0 {
		add("number = $%d", f.Number)
	}
	if f.Redrive != "" {
		add("redrive = $%d", f.Redrive)
	}
	if number, target, err := delivery.ParseID(f.Before); err == nil {
		args = append(args, number, target)
		n := len(args)
		parts = append(parts, fmt.Sprintf("(number < $%d OR number = $%d AND target > $%d)", n-1, n-1, n))
	}
	if len(parts) == 0 {
		return "1 = 1", args
	}
	return strings.Join(parts, " AND "), args
}

// known reports whether a status is one, and so may be put into SQL.
func known(s delivery.Status) bool {
	switch s {
	case "", delivery.Waiting, delivery.Delivered, delivery.Dead, delivery.Dropped:
		return true
	}
	return false
}

// Deliveries implements delivery.Store.
func (db *DB) Deliveries(ctx context.Context, f delivery.Filter) ([]delivery.Delivery, error) {
	const op = "store.Deliveries"
	if !known(f.Status) {
		return nil, iap.FieldErrorf(op, "status", "%.40q is no status of a delivery", string(f.Status))
	}
	condition, args := where(f, nil)
	args = append(args, f.Limit)
	return list(ctx, db, op, scanDelivery, "SELECT "+deliveryColumns+" FROM delivery WHERE "+condition+fmt.Sprintf(" ORDER BY number DESC, target LIMIT $%d", len(args)), args...)
}

// Attempts implements delivery.Store.
func (db *DB) Attempts(ctx context.Context, number int64, target string) ([]delivery.Attempt, error) {
	scan := func(scan scanner) (a delivery.Attempt, err error) {
		var made, took int64
		err = scan(&a.Number, &made, &took, &a.Code, &a.Answer, &a.Error, &a.Redrive)
		a.At, a.Took = at(made), time.Duration(took)*time.Millisecond
		return a, err
	}
	return list(ctx, db, "store.Attempts", scan, `SELECT attempt, made_at, took, code, answer, error, redrive FROM delivery_attempt
		WHERE number = $1 AND target = $2 ORDER BY redrive, attempt`, number, target)
}

type count struct {
	key, status string
	n           int
}

func (db *DB) counts(ctx context.Context, query string, args ...any) ([]count, error) {
	scan := func(scan scanner) (c count, err error) {
		err = scan(&c.key, &c.status, &c.n)
		return c, err
	}
	return list(ctx, db, "store.counts", scan, query, args...)
}

// Drop implements delivery.Store.
func (db *DB) Drop(ctx context.Context, number int64, target, reason string, now time.Time) error {
	const op = "store.Drop"
	n, err := db.exec(ctx, op, `UPDATE delivery SET status = 'dropped', reason = $3, ended_at = $4
		WHERE target = $1 AND number = $2 AND status = 'dead'`, target, number, reason, ms(now))
	if err == nil && n == 0 {
		err = iap.Errorf(op, iap.Conflict, "it is not a dead letter any more")
	}
	return err
}

// Health implements delivery.Store.
func (db *DB) Health(ctx context.Context) (map[string]delivery.Health, error) {
	counts, err := db.counts(ctx, `SELECT target, status, count(*) FROM delivery WHERE status IN ('waiting', 'dead')
		GROUP BY target, status`)
	if err != nil {
		return nil, err
	}
	type row struct {
		target string
		health delivery.Health
	}
	rows, err := list(ctx, db, "store.Health", func(scan scanner) (r row, err error) {
		var ok, failed int64
		err = scan(&r.target, &ok, &failed, &r.health.LastError, &r.health.Failures)
		r.health.LastOK, r.health.LastFailed = at(ok), at(failed)
		return r, err
	}, "SELECT target, last_ok_at, last_failed_at, last_error, failures FROM lane")
	out := map[string]delivery.Health{}
	for _, r := range rows {
		out[r.target] = r.health
	}
	for _, c := range counts {
		h := out[c.key]
		if c.status == string(delivery.Dead) {
			h.Dead = c.n
		} else {
			h.Waiting = c.n
		}
		out[c.key] = h
	}
	return out, err
}
