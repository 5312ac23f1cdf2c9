package store

import (
	"context"
	"encoding/json"
	"time"

	iap "github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/schedule"
)

const (
	scheduleColumns = `name, cron, zone, state_machine, input, grace, paused, owner, built_in, next_at, next_local,
		created_at, updated_at, updated_by`
	scheduleQuery = "SELECT " + scheduleColumns + " FROM schedule "
	firingColumns = "schedule, local, due_at, fired_at, outcome, execution, reason, fired_by, skipped"
	firingQuery   = "SELECT " + firingColumns + " FROM schedule_firing "
)

func scanSchedule(scan scanner) (s schedule.Schedule, err error) {
	var input string
	var grace, paused, builtIn, next, created, updated int64
	err = scan(&s.Name, &s.Cron, &s.Zone, &s.StateMachine, &input, &grace, &paused, &s.Owner, &builtIn, &next, &s.NextLocal,
		&created, &updated, &s.UpdatedBy)
	s.Input, s.Grace = json.RawMessage(input), time.Duration(grace)*time.Millisecond
	s.Paused, s.BuiltIn = paused != 0, builtIn != 0
	s.NextAt, s.CreatedAt, s.UpdatedAt = at(next), at(created), at(updated)
	return s, err
}

// InsertSchedule implements schedule.Store. After a Conflict the transaction can
// go on.
func (db *DB) InsertSchedule(ctx context.Context, s schedule.Schedule) error {
	const op = "store.InsertSchedule"
	n, err := db.exec(ctx, op, "INSERT INTO schedule ("+scheduleColumns+`)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14) ON CONFLICT DO NOTHING`,
		s.Name, s.Cron, s.Zone, s.StateMachine, string(s.Input), s.Grace.Milliseconds(), flag(s.Paused), s.Owner,
		flag(s.BuiltIn), ms(s.NextAt), s.NextLocal, ms(s.CreatedAt), ms(s.UpdatedAt), s.UpdatedBy)
	if err == nil && n == 0 {
		err = iap.Errorf(op, iap.Conflict, "there is a schedule %q already", s.Name)
	}
	return err
}

// UpdateSchedule implements schedule.Store.
func (db *DB) UpdateSchedule(ctx context.Context, s schedule.Schedule) error {
	const op = "store.UpdateSchedule"
	n, err := db.exec(ctx, op, `UPDATE schedule SET cron = $2, zone = $3, state_machine = $4, input = $5, grace = $6,
		paused = $7, next_at = $8, next_local = $9, updated_at = $10, updated_by = $11 WHERE name = $1`,
		s.Name, s.Cron, s.Zone, s.StateMachine, string(s.Input), s.Grace.Milliseconds(), flag(s.Paused),
		ms(s.NextAt), s.NextLocal, ms(s.UpdatedAt), s.UpdatedBy)
	if err == nil && n == 0 {
		err = iap.E(op, iap.NotFound, nil)
	}
	return err
}

// DeleteSchedule implements schedule.Store.
func (db *DB) DeleteSchedule(ctx context.Context, name string) error {
	const op = "store.DeleteSchedule"
	return db.Update(ctx, func(ctx context.Context) error {
		if _, err := db.exec(ctx, op, "DELETE FROM schedule_firing WHERE schedule = $1", name); err != nil {
			return err
		}
		_, err := db.exec(ctx, op, "DELETE FROM schedule WHERE name = $1", name)
		return err
	})
}

// Schedule implements schedule.Store. In a transaction the row is locked until
// its end.
func (db *DB) Schedule(ctx context.Context, name string) (schedule.Schedule, error) {
	return one(ctx, db, "store.Schedule", scanSchedule, db.locked(ctx, scheduleQuery+"WHERE name = $1"), name)
}

// Schedules implements schedule.Store.
func (db *DB) Schedules(ctx context.Context) ([]schedule.Schedule, error) {
	return list(ctx, db, "store.Schedules", scanSchedule, scheduleQuery+"ORDER BY name")
}

func scanFiring(scan scanner) (f schedule.Firing, err error) {
	var due, fired int64
	err = scan(&f.Schedule, &f.Local, &due, &fired, &f.Outcome, &f.Execution, &f.Reason, &f.By, &f.Skipped)
	f.DueAt, f.FiredAt = at(due), at(fired)
	return f, err
}

// InsertFiring implements schedule.Store. After a Conflict the transaction can
// go on.
func (db *DB) InsertFiring(ctx context.Context, f schedule.Firing) error {
	const op = "store.InsertFiring"
	n, err := db.exec(ctx, op, "INSERT INTO schedule_firing ("+firingColumns+`)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT DO NOTHING`,
		f.Schedule, f.Local, ms(f.DueAt), ms(f.FiredAt), string(f.Outcome), f.Execution, f.Reason, f.By, f.Skipped)
	if err == nil && n == 0 {
		err = iap.Errorf(op, iap.Conflict, "%s was fired for %s already", f.Schedule, f.Local)
	}
	return err
}

// Firing implements schedule.Store.
func (db *DB) Firing(ctx context.Context, name, local string) (schedule.Firing, error) {
	return one(ctx, db, "store.Firing", scanFiring, firingQuery+"WHERE schedule = $1 AND local = $2", name, local)
}

// Firings implements schedule.Store.
func (db *DB) Firings(ctx context.Context, name string, limit int) ([]schedule.Firing, error) {
	return list(ctx, db, "store.Firings", scanFiring, firingQuery+"WHERE schedule = $1 ORDER BY fired_at DESC, local DESC LIMIT $2", name, limit)
}

// DeleteFirings implements schedule.Store.
func (db *DB) DeleteFirings(ctx context.Context, name string, newest int) error {
	_, err := db.exec(ctx, "store.DeleteFirings", `DELETE FROM schedule_firing WHERE schedule = $1 AND fired_at <
		(SELECT fired_at FROM schedule_firing WHERE schedule = $1 ORDER BY fired_at DESC LIMIT 1 OFFSET $2)`, name, newest-1)
	return err
}
