package store

import (
	"context"

	iap "github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/job"
)

// stateAttempts is how often InsertState looks for the next number when
// another replica takes it at the same moment.
const stateAttempts = 8

func scanState(scan scanner) (v job.StateVersion, err error) {
	var created int64
	err = scan(&v.Instance, &v.Number, &v.Serial, &v.Lineage, &v.Data, &created, &v.Job)
	v.CreatedAt = at(created)
	return v, err
}

func scanLock(scan scanner) (l job.StateLock, err error) {
	var created int64
	err = scan(&l.Instance, &l.ID, &l.Job, &l.Info, &created)
	l.CreatedAt = at(created)
	return l, err
}

// State implements job.StateStore.
func (db *DB) State(ctx context.Context, instance string) (job.StateVersion, error) {
	return one(ctx, db, "store.State", scanState, `SELECT instance, number, serial, lineage, data, created_at, job
		FROM state_version WHERE instance = $1 ORDER BY number DESC LIMIT 1`, instance)
}

// InsertState implements job.StateStore; at least one version is kept.
func (db *DB) InsertState(ctx context.Context, v job.StateVersion, keep int) error {
	return db.Update(ctx, func(ctx context.Context) error {
		number, err := db.insertState(ctx, v)
		if err != nil {
			return err
		}
		_, err = db.exec(ctx, "store.InsertState", "DELETE FROM state_version WHERE instance = $1 AND number <= $2",
			v.Instance, number-int64(max(keep, 1)))
		return err
	})
}

func (db *DB) insertState(ctx context.Context, v job.StateVersion) (int64, error) {
	const op = "store.InsertState"
	for range stateAttempts {
		numbers, err := list(ctx, db, op, scalar[int64], `INSERT INTO state_version
			(instance, number, serial, lineage, data, created_at, job)
			SELECT CAST($1 AS TEXT), coalesce(max(number), 0) + 1, CAST($2 AS BIGINT), CAST($3 AS TEXT), $4, CAST($5 AS BIGINT), CAST($6 AS TEXT)
			FROM state_version WHERE instance = $1 ON CONFLICT DO NOTHING RETURNING number`,
			v.Instance, v.Serial, v.Lineage, v.Data, ms(v.CreatedAt), v.Job)
		if err != nil || len(numbers) > 0 {
			return first(numbers), err
		}
	}
	return 0, iap.Errorf(op, iap.Conflict, "other states of the instance are written at the same time")
}

func first[T any](vs []T) (v T) {
	if len(vs) > 0 {
		v = vs[0]
	}
	return v
}

// Lock implements job.StateStore.
func (db *DB) Lock(ctx context.Context, instance string) (job.StateLock, error) {
	return one(ctx, db, "store.Lock", scanLock,
		"SELECT instance, id, job, info, created_at FROM state_lock WHERE instance = $1", instance)
}

// Locks implements job.StateStore, in the order of instances.
func (db *DB) Locks(ctx context.Context) ([]job.StateLock, error) {
	return list(ctx, db, "store.Locks", scanLock,
		"SELECT instance, id, job, info, created_at FROM state_lock ORDER BY instance")
}

// InsertLock implements job.StateStore.
func (db *DB) InsertLock(ctx context.Context, l job.StateLock) error {
	const op = "store.InsertLock"
	n, err := db.exec(ctx, op, `INSERT INTO state_lock (instance, id, job, info, created_at) VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT DO NOTHING`, l.Instance, l.ID, l.Job, filled(l.Info), ms(l.CreatedAt))
	if err == nil && n == 0 {
		err = iap.Errorf(op, iap.Conflict, "the state is locked already")
	}
	return err
}

// DeleteLock implements job.StateStore.
func (db *DB) DeleteLock(ctx context.Context, instance, id string) error {
	const op = "store.DeleteLock"
	n, err := db.exec(ctx, op, "DELETE FROM state_lock WHERE instance = $1 AND id = $2", instance, id)
	if err == nil && n == 0 {
		err = iap.Errorf(op, iap.NotFound, "there is no lock %s on the state", id)
	}
	return err
}
