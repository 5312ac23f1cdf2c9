package store

import (
	"context"
	"time"

	iap "github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/event/delivery"
)

// HoldLane implements delivery.Store. The lane of a process that is gone is
// taken without waiting for the end of its lease.
func (db *DB) HoldLane(ctx context.Context, target, owner string, now, until time.Time) (bool, error) {
	const op = "store.HoldLane"
	if _, err := db.Hold(ctx, owner); err != nil {
		return false, err
	}
	n, err := db.exec(ctx, op, `INSERT INTO lane (target, owner, lease_until) VALUES ($1, $2, $3) ON CONFLICT (target) DO UPDATE
		SET owner = excluded.owner, lease_until = excluded.lease_until
		WHERE lane.owner = $2 OR lane.owner = '' OR lane.lease_until <= $4`, target, owner, ms(until), ms(now))
	if err != nil || n > 0 {
		return n > 0, err
	}
	n, err = db.exec(ctx, op, `UPDATE lane SET owner = $2, lease_until = $3 WHERE target = $1 AND owner IN
		(SELECT task.owner FROM lane AS task WHERE task.target = $1 AND `+db.engine.gone()+")", target, owner, ms(until))
	return n > 0, err
}

// LeaveLanes implements delivery.Store.
func (db *DB) LeaveLanes(ctx context.Context, owner string) error {
	return db.Update(ctx, func(ctx context.Context) error {
		db.tx(ctx).due = true
		_, err := db.exec(ctx, "store.LeaveLanes", "UPDATE lane SET owner = '', lease_until = 0 WHERE owner = $1", owner)
		return err
	})
}

// NoteLane implements delivery.Store.
func (db *DB) NoteLane(ctx context.Context, target string, when time.Time, failure string, failures int) error {
	query := "UPDATE lane SET last_ok_at = $2, failures = $3 WHERE target = $1"
	args := []any{target, ms(when), failures}
	if failure != "" {
		query, args = "UPDATE lane SET last_failed_at = $2, failures = $3, last_error = $4 WHERE target = $1", append(args, failure)
	}
	_, err := db.exec(ctx, "store.NoteLane", query, args...)
	return err
}

// behind is true of a delivery d before which another of its subject waits.
const behind = `EXISTS (SELECT 1 FROM delivery b WHERE b.target = d.target AND b.subject = d.subject AND b.status = 'waiting'
	AND b.number < d.number)`

// DueDeliveries implements delivery.Store.
func (db *DB) DueDeliveries(ctx context.Context, t delivery.Target, now time.Time, limit int) ([]delivery.Due, error) {
	scan := func(scan scanner) (out delivery.Due, err error) {
		var before bool
		out.Delivery, err = scanDelivery(func(dest ...any) error {
			event, err := scanEvent(func(more ...any) error { return scan(append(append(dest, more...), &before)...) })
			out.Event = event
			return err
		})
		out.Behind = before
		return out, err
	}
	before := "1 = 0"
	if t.Ordered {
		before = behind
	}
	return list(ctx, db, "store.DueDeliveries", scan, "SELECT "+prefixed("d", deliveryColumns)+", "+prefixed("e", eventColumns)+", "+before+
		` FROM delivery d JOIN event e ON e.number = d.number WHERE d.target = $1 AND d.status = 'waiting' AND d.next_at <= $2
		ORDER BY d.next_at, d.number LIMIT $3`, t.Name, ms(now), limit)
}

// NextDelivery implements delivery.Store.
func (db *DB) NextDelivery(ctx context.Context, target string) (time.Time, bool, error) {
	rows, err := list(ctx, db, "store.NextDelivery", scalar[int64], `SELECT next_at FROM delivery
		WHERE target = $1 AND status = 'waiting' ORDER BY next_at LIMIT 1`, target)
	return at(first(rows)), len(rows) > 0, err
}

// firstOf is the number of the first waiting delivery of the subject $2.
const firstOf = "(SELECT min(f.number) FROM delivery f WHERE f.target = $1 AND f.subject = $2 AND f.status = 'waiting')"

// Park implements delivery.Store.
func (db *DB) Park(ctx context.Context, target, subject string) (int, error) {
	n, err := db.exec(ctx, "store.Park", `UPDATE delivery SET next_at = $3 WHERE target = $1 AND subject = $2 AND status = 'waiting'
		AND next_at < $3 AND number > `+firstOf, target, subject, ms(delivery.ParkedAt()))
	return int(n), err
}

// Unpark implements delivery.Store.
func (db *DB) Unpark(ctx context.Context, target, subject string, now time.Time) error {
	_, err := db.exec(ctx, "store.Unpark", `UPDATE delivery SET next_at = $3 WHERE target = $1 AND subject = $2 AND status = 'waiting'
		AND next_at = $4 AND number = `+firstOf, target, subject, ms(now), ms(delivery.ParkedAt()))
	return err
}

// Hurry implements delivery.Store.
func (db *DB) Hurry(ctx context.Context, target string, now time.Time) error {
	_, err := db.exec(ctx, "store.Hurry", `UPDATE delivery SET next_at = $2 WHERE target = $1 AND status = 'waiting'
		AND next_at > $2 AND next_at < $3`, target, ms(now), ms(delivery.ParkedAt()))
	return err
}

// WriteAttempt implements delivery.Store.
func (db *DB) WriteAttempt(ctx context.Context, d delivery.Delivery, a delivery.Attempt) error {
	const op = "store.WriteAttempt"
	return db.Update(ctx, func(ctx context.Context) error {
		n, err := db.exec(ctx, op, `UPDATE delivery SET status = $4, attempt = $3, next_at = $5, ended_at = $6, reason = $7
			WHERE target = $1 AND number = $2 AND status = 'waiting' AND attempt = $3 - 1 AND redrive = $8`,
			d.Target, d.Number, d.Attempt, string(d.Status), ms(d.NextAt), ms(d.EndedAt), d.Reason, d.Redrive)
		if err != nil {
			return err
		}
		if n == 0 {
			return iap.Errorf(op, iap.Conflict, "somebody else has made attempt %d at delivery %s", d.Attempt, d.ID())
		}
		_, err = db.exec(ctx, op, `INSERT INTO delivery_attempt (target, number, redrive, attempt, made_at, took, code, answer, error)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`, d.Target, d.Number, a.Redrive, a.Number, ms(a.At), a.Took.Milliseconds(),
			a.Code, a.Answer, a.Error)
		return err
	})
}
