package store

import (
	"context"
	"slices"
	"time"

	iap "github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/workflow"
)

const taskColumns = "execution, kind, frame, number, state, resource, payload, run_at, owner, lease_until, attempt"

func scanTask(scan scanner) (t workflow.Task, err error) {
	var payload string
	var run, lease int64
	err = scan(&t.Execution, &t.Kind, &t.Frame, &t.Number, &t.State, &t.Resource, &payload, &run, &t.Owner, &lease,
		&t.Attempt)
	t.Payload, t.RunAt, t.LeaseUntil = raw(payload), at(run), at(lease)
	return t, err
}

const onTaskConflict = ` ON CONFLICT (execution, kind, frame, number) DO UPDATE SET state = excluded.state,
	resource = excluded.resource, payload = excluded.payload, run_at = excluded.run_at, owner = excluded.owner,
	lease_until = excluded.lease_until, attempt = excluded.attempt`

const finishTask = `DELETE FROM task WHERE execution = $1 AND kind = $2 AND frame = $3 AND number = $4
	AND owner = $5 AND attempt = $6`

// PutTask implements workflow.Store.
func (db *DB) PutTask(ctx context.Context, t workflow.Task) error {
	return db.Update(ctx, func(ctx context.Context) error {
		db.tx(ctx).due = true
		return db.putTask(ctx, t)
	})
}

func (db *DB) putTask(ctx context.Context, t workflow.Task) error {
	_, err := db.exec(ctx, "store.PutTask", "INSERT INTO task ("+taskColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8,
		$9, $10, $11)`+onTaskConflict, t.Execution, string(t.Kind), t.Frame, t.Number, t.State, t.Resource,
		string(t.Payload), ms(t.RunAt), t.Owner, ms(t.LeaseUntil), t.Attempt)
	return err
}

// DeleteTask implements workflow.Store.
func (db *DB) DeleteTask(ctx context.Context, execution string, kind workflow.TaskKind, frame, number int64) error {
	_, err := db.exec(ctx, "store.DeleteTask",
		"DELETE FROM task WHERE execution = $1 AND kind = $2 AND frame = $3 AND number = $4",
		execution, string(kind), frame, number)
	return err
}

// DeleteTasks implements workflow.Store.
func (db *DB) DeleteTasks(ctx context.Context, execution string) error {
	_, err := db.exec(ctx, "store.DeleteTasks", "DELETE FROM task WHERE execution = $1", execution)
	return err
}

// ClaimTasks implements workflow.Store: free tasks first, in the order in
// which they are due. On PostgreSQL replicas skip what another is claiming, and
// take the tasks of one that is gone without waiting for the end of its leases.
func (db *DB) ClaimTasks(ctx context.Context, owner string, now time.Time, lease time.Duration, limit int) (out []workflow.Task, err error) {
	if owner == "" {
		return nil, iap.FieldErrorf("store.ClaimTasks", "owner", "is empty; give the name of the process")
	}
	if _, err := db.Hold(ctx, owner); err != nil {
		return nil, err
	}
	err = db.Update(ctx, func(ctx context.Context) error {
		out, err = db.claim(ctx, "owner = '' AND run_at <= $3", owner, now, lease, limit)
		if err != nil || len(out) >= limit {
			return err
		}
		left := "owner > '' AND lease_until <= $3"
		strangers, err := db.strangers(ctx, owner)
		if err != nil {
			return err
		}
		if strangers {
			left = "owner > '' AND (lease_until <= $3 OR (owner <> $1 AND " + db.engine.gone() + "))"
		}
		late, err := db.claim(ctx, left, owner, now, lease, limit-len(out))
		out = append(out, late...)
		return err
	})
	return out, err
}

// strangers reports whether tasks are held by others than owner. It costs next
// to nothing, where the condition of an owner that is gone reads all locks of
// the server; on SQLite nobody else is alive, or ever comes to life.
func (db *DB) strangers(ctx context.Context, owner string) (bool, error) {
	if !db.dialect.replicas {
		return false, nil
	}
	rows, err := list(ctx, db, "store.ClaimTasks", scalar[bool], `SELECT
		EXISTS (SELECT 1 FROM task WHERE owner > '' AND owner < $1) OR EXISTS (SELECT 1 FROM task WHERE owner > $1)`, owner)
	return first(rows), err
}

func (db *DB) claim(ctx context.Context, which, owner string, now time.Time, lease time.Duration, limit int) ([]workflow.Task, error) {
	tasks, err := list(ctx, db, "store.ClaimTasks", scanTask, `UPDATE task SET owner = $1, lease_until = $2,
		attempt = attempt + 1 WHERE (execution, kind, frame, number) IN (SELECT execution, kind, frame, number FROM task
		WHERE `+which+" ORDER BY run_at LIMIT $4"+db.dialect.skipLocked+") RETURNING "+taskColumns,
		owner, ms(now.Add(lease)), ms(now), limit)
	slices.SortStableFunc(tasks, func(a, b workflow.Task) int { return a.RunAt.Compare(b.RunAt) })
	return tasks, err
}

// FinishTask implements workflow.Store.
func (db *DB) FinishTask(ctx context.Context, t workflow.Task) error {
	const op = "store.FinishTask"
	n, err := db.exec(ctx, op, finishTask, t.Execution, string(t.Kind), t.Frame, t.Number, t.Owner, t.Attempt)
	if err == nil && n == 0 {
		err = iap.Errorf(op, iap.Conflict, "the task is no longer held by %s", t.Owner)
	}
	return err
}

// RenewTask implements workflow.Store.
func (db *DB) RenewTask(ctx context.Context, t workflow.Task, until time.Time) error {
	const op = "store.RenewTask"
	n, err := db.exec(ctx, op, `UPDATE task SET lease_until = $7 WHERE execution = $1 AND kind = $2 AND frame = $3
		AND number = $4 AND owner = $5 AND attempt = $6`, t.Execution, string(t.Kind), t.Frame, t.Number, t.Owner,
		t.Attempt, ms(until))
	if err == nil && n == 0 {
		err = iap.Errorf(op, iap.Conflict, "the task is no longer held by %s", t.Owner)
	}
	return err
}

// Hold implements workflow.Store. On PostgreSQL a process lives for as long as
// the session that holds its advisory lock.
func (db *DB) Hold(ctx context.Context, owner string) (lost <-chan struct{}, err error) {
	return db.engine.own(ctx, owner)
}

// ReleaseTasks implements workflow.Store. On PostgreSQL a process is known to
// be gone when the session is that held its advisory lock.
func (db *DB) ReleaseTasks(ctx context.Context, owner string) error {
	if _, err := db.Hold(ctx, owner); err != nil {
		return err
	}
	_, err := db.exec(ctx, "store.ReleaseTasks", `UPDATE task SET owner = '', lease_until = 0
		WHERE owner > '' AND owner <> $1 AND `+db.engine.gone(), owner)
	return err
}

// lookEvery is how often replicas look whether one of them has died, so that its
// work goes on within a second.
const lookEvery = 250 * time.Millisecond

// NextTaskAt implements workflow.Store: when the first free task is due or the
// first lease ends, so that somebody looks after the tasks of one that died. On
// PostgreSQL that is at once when the owner of a task is gone, and never later
// than after lookEvery, since nobody tells of a death.
func (db *DB) NextTaskAt(ctx context.Context) (time.Time, bool, error) {
	const op = "store.NextTaskAt"
	rows, err := list(ctx, db, op, scalar[int64], `SELECT next FROM (
		SELECT min(run_at) AS next FROM task WHERE owner = '' UNION ALL
		SELECT min(lease_until) FROM task WHERE owner > '') AS first WHERE next IS NOT NULL ORDER BY next LIMIT 1`)
	next, ok := at(first(rows)), len(rows) > 0
	if err != nil || !db.dialect.replicas {
		return next, ok, err
	}
	// Goes from one owner to the next in the index, whatever the number of tasks.
	begun := time.Now()
	dead, err := list(ctx, db, op, scanLook, `WITH RECURSIVE owners (owner) AS (
			SELECT min(t.owner) FROM task t WHERE t.owner > ''
			UNION ALL
			SELECT (SELECT min(t.owner) FROM task t WHERE t.owner > owners.owner) FROM owners WHERE owners.owner IS NOT NULL)
		SELECT EXISTS (SELECT 1 FROM owners AS task WHERE task.owner IS NOT NULL AND `+db.engine.gone()+"), "+serverTime)
	if err != nil {
		return next, ok, err
	}
	db.clock.set(dead[0].server, begun)
	if dead[0].found {
		return at(1), true, nil
	}
	if look := db.Now().Add(lookEvery); !ok || look.Before(next) {
		next = look
	}
	return next, true, nil
}

// look is what a look at the other replicas has shown.
type look struct {
	found  bool // rows of one that is gone
	server time.Time
}

func scanLook(scan scanner) (l look, err error) {
	var micros int64
	err = scan(&l.found, &micros)
	l.server = time.UnixMicro(micros)
	return l, err
}
