package store

import (
	"context"
	"time"

	iap "github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/event/delivery"
)

const ruleColumns = "name, condition, targets, paused, after_number, created_at, updated_at, updated_by"

func scanRule(scan scanner) (r delivery.Rule, err error) {
	var targets string
	var paused, created, updated int64
	if err = scan(&r.Name, &r.When, &targets, &paused, &r.After, &created, &updated, &r.UpdatedBy); err != nil {
		return r, err
	}
	r.Paused, r.CreatedAt, r.UpdatedAt = paused != 0, at(created), at(updated)
	return r, read(targets, &r.Targets)
}

// Rules implements delivery.Store.
func (db *DB) Rules(ctx context.Context) ([]delivery.Rule, error) {
	return list(ctx, db, "store.Rules", scanRule, "SELECT "+ruleColumns+" FROM rule ORDER BY name")
}

// PutRule implements delivery.Store.
func (db *DB) PutRule(ctx context.Context, r delivery.Rule) error {
	const op = "store.PutRule"
	targets, err := text(r.Targets)
	if err != nil {
		return iap.E(op, iap.Internal, err)
	}
	_, err = db.exec(ctx, op, "INSERT INTO rule ("+ruleColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
		ON CONFLICT (name) DO UPDATE SET condition = excluded.condition, targets = excluded.targets, paused = excluded.paused,
		after_number = excluded.after_number, updated_at = excluded.updated_at, updated_by = excluded.updated_by`,
		r.Name, r.When, targets, flag(r.Paused), r.After, ms(r.CreatedAt), ms(r.UpdatedAt), r.UpdatedBy)
	return err
}

// DeleteRule implements delivery.Store.
func (db *DB) DeleteRule(ctx context.Context, name string) error {
	_, err := db.exec(ctx, "store.DeleteRule", "DELETE FROM rule WHERE name = $1", name)
	return err
}

const targetColumns = `name, kind, settings, secret, attempts, backoff, timeout, rate, ordered, paused, disabled, created_at,
	updated_at, updated_by`

func scanTarget(scan scanner) (t delivery.Target, err error) {
	var settings string
	var backoff, timeout, ordered, paused, created, updated int64
	err = scan(&t.Name, &t.Kind, &settings, &t.Secret, &t.Attempts, &backoff, &timeout, &t.Rate, &ordered, &paused, &t.Disabled,
		&created, &updated, &t.UpdatedBy)
	if err != nil {
		return t, err
	}
	t.Backoff, t.Timeout = time.Duration(backoff)*time.Millisecond, time.Duration(timeout)*time.Millisecond
	t.Ordered, t.Paused, t.CreatedAt, t.UpdatedAt = ordered != 0, paused != 0, at(created), at(updated)
	return t, read(settings, &t.Settings)
}

// Targets implements delivery.Store.
func (db *DB) Targets(ctx context.Context) ([]delivery.Target, error) {
	return list(ctx, db, "store.Targets", scanTarget, "SELECT "+targetColumns+" FROM target ORDER BY name")
}

// PutTarget implements delivery.Store.
func (db *DB) PutTarget(ctx context.Context, t delivery.Target) error {
	const op = "store.PutTarget"
	settings, err := text(t.Settings)
	if err != nil {
		return iap.E(op, iap.Internal, err)
	}
	_, err = db.exec(ctx, op, "INSERT INTO target ("+targetColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12,
		$13, $14) ON CONFLICT (name) DO UPDATE SET kind = excluded.kind, settings = excluded.settings, secret = excluded.secret,
		attempts = excluded.attempts, backoff = excluded.backoff, timeout = excluded.timeout, rate = excluded.rate,
		ordered = excluded.ordered, paused = excluded.paused, disabled = excluded.disabled, updated_at = excluded.updated_at,
		updated_by = excluded.updated_by`, t.Name, string(t.Kind), settings, t.Secret, t.Attempts, t.Backoff.Milliseconds(),
		t.Timeout.Milliseconds(), t.Rate, flag(t.Ordered), flag(t.Paused), t.Disabled, ms(t.CreatedAt), ms(t.UpdatedAt), t.UpdatedBy)
	return err
}

// DeleteTarget implements delivery.Store.
func (db *DB) DeleteTarget(ctx context.Context, name, reason string, now time.Time) error {
	const op = "store.DeleteTarget"
	return db.Update(ctx, func(ctx context.Context) error {
		if _, err := db.exec(ctx, op, "DELETE FROM target WHERE name = $1", name); err != nil {
			return err
		}
		if _, err := db.exec(ctx, op, "DELETE FROM lane WHERE target = $1", name); err != nil {
			return err
		}
		_, err := db.exec(ctx, op, `UPDATE delivery SET status = 'dropped', reason = $2, ended_at = $3
			WHERE target = $1 AND status IN ('waiting', 'dead')`, name, reason, ms(now))
		return err
	})
}

// Matched implements delivery.Store.
func (db *DB) Matched(ctx context.Context) (int64, error) {
	return one(ctx, db, "store.Matched", scalar[int64], "SELECT value FROM counter WHERE name = 'matched'")
}

// Match implements delivery.Store. Other replicas are told.
func (db *DB) Match(ctx context.Context, from, to int64, ds []delivery.Delivery) error {
	const op = "store.Match"
	return db.Update(ctx, func(ctx context.Context) error {
		n, err := db.exec(ctx, op, "UPDATE counter SET value = $2 WHERE name = 'matched' AND value = $1", from, to)
		if err != nil {
			return err
		}
		if n == 0 {
			return iap.Errorf(op, iap.Conflict, "the events after %d were matched by another portal", from)
		}
		if len(ds) == 0 {
			return nil
		}
		db.tx(ctx).due = true
		return db.insertDeliveries(ctx, ds)
	})
}
