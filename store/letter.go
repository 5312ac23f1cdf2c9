package store

import (
	"context"
	"fmt"
	"time"

	iap "github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/event/delivery"
)

// again is what a dead letter becomes that is redriven.
const again = "UPDATE delivery SET status = 'waiting', attempt = 0, since = $1, next_at = $1, ended_at = 0, reason = '', redrive = $2 "

// PutRedrive implements delivery.Store.
func (db *DB) PutRedrive(ctx context.Context, r delivery.Redrive) error {
	_, err := db.exec(ctx, "store.PutRedrive", `INSERT INTO redrive (`+redriveColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
		ON CONFLICT (id) DO UPDATE SET taken = excluded.taken, told = excluded.told`,
		r.ID, r.Target, r.EventType, r.UpTo, ms(r.BegunAt), ms(r.Since), r.BegunBy, flag(r.Taken), r.Told)
	return err
}

const redriveColumns = "id, target, event_type, up_to, begun_at, since, begun_by, taken, told"

func scanRedrive(scan scanner) (r delivery.Redrive, err error) {
	var begun, since, taken int64
	err = scan(&r.ID, &r.Target, &r.EventType, &r.UpTo, &begun, &since, &r.BegunBy, &taken, &r.Told)
	r.BegunAt, r.Since, r.Taken = at(begun), at(since), taken != 0
	return r, err
}

// Redrives implements delivery.Store.
func (db *DB) Redrives(ctx context.Context) ([]delivery.Redrive, error) {
	return list(ctx, db, "store.Redrives", scanRedrive, "SELECT "+redriveColumns+" FROM redrive ORDER BY id")
}

// HoldRedrive implements delivery.Store.
func (db *DB) HoldRedrive(ctx context.Context, id string) (delivery.Redrive, error) {
	return one(ctx, db, "store.HoldRedrive", scanRedrive, db.locked(ctx, "SELECT "+redriveColumns+" FROM redrive WHERE id = $1"), id)
}

// EndRedrive implements delivery.Store.
func (db *DB) EndRedrive(ctx context.Context, id string) error {
	_, err := db.exec(ctx, "store.EndRedrive", "DELETE FROM redrive WHERE id = $1", id)
	return err
}

// RedriveNext implements delivery.Store. A letter that this redrive has taken
// already, and that has died again, is left as it is. The status is asked for
// twice, because another replica may be faster.
func (db *DB) RedriveNext(ctx context.Context, r delivery.Redrive, now time.Time, limit int) (n int, err error) {
	condition, args := where(delivery.Filter{Status: delivery.Dead, Target: r.Target, EventType: r.EventType, Since: r.Since}, []any{ms(now), r.ID, r.UpTo})
	args = append(args, limit)
	err = db.Update(ctx, func(ctx context.Context) error {
		db.tx(ctx).due = true
		k, err := db.exec(ctx, "store.RedriveNext", again+`WHERE status = 'dead' AND (target, number) IN (SELECT target, number FROM delivery WHERE `+
			condition+fmt.Sprintf(" AND redrive <> $2 AND number <= $3 ORDER BY number, target LIMIT $%d)", len(args)), args...)
		n = int(k)
		return err
	})
	return n, err
}

// RedriveOne implements delivery.Store.
func (db *DB) RedriveOne(ctx context.Context, number int64, target, id string, now time.Time) error {
	const op = "store.RedriveOne"
	return db.Update(ctx, func(ctx context.Context) error {
		db.tx(ctx).due = true
		n, err := db.exec(ctx, op, again+"WHERE target = $3 AND number = $4 AND status = 'dead'", ms(now), id, target, number)
		if err == nil && n == 0 {
			err = iap.Errorf(op, iap.Conflict, "it is not a dead letter any more")
		}
		return err
	})
}

// RedriveProgress implements delivery.Store.
func (db *DB) RedriveProgress(ctx context.Context, id string) (p delivery.Progress, err error) {
	counts, err := db.counts(ctx, `SELECT status, CASE WHEN attempt > 0 THEN 'tried' ELSE '' END, count(*) FROM delivery
		WHERE redrive = $1 AND redrive <> '' GROUP BY 1, 2`, id)
	for _, c := range counts {
		p.Total += c.n
		switch delivery.Status(c.key) {
		case delivery.Waiting:
			p.Waiting += c.n
			if c.status == "tried" {
				p.Failing = c.n
			}
		case delivery.Delivered:
			p.Delivered += c.n
		case delivery.Dead:
			p.Dead += c.n
		case delivery.Dropped:
			p.Dropped += c.n
		}
	}
	return p, err
}
