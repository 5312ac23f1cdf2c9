package store

import (
	"context"

	iap "github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/workflow"
)

const activityQuery = "SELECT name, created_at FROM activity "

func scanActivity(scan scanner) (a workflow.Activity, err error) {
	var created int64
	err = scan(&a.Name, &created)
	a.CreatedAt = at(created)
	return a, err
}

// InsertActivity implements workflow.ActivityStore. After a Conflict the
// transaction can go on.
func (db *DB) InsertActivity(ctx context.Context, a workflow.Activity) error {
	const op = "store.InsertActivity"
	n, err := db.exec(ctx, op, "INSERT INTO activity (name, created_at) VALUES ($1, $2) ON CONFLICT DO NOTHING", a.Name, ms(a.CreatedAt))
	if err == nil && n == 0 {
		err = iap.Errorf(op, iap.Conflict, "there is an activity %s already", a.Name)
	}
	return err
}

// Activity implements workflow.ActivityStore.
func (db *DB) Activity(ctx context.Context, name string) (workflow.Activity, error) {
	return one(ctx, db, "store.Activity", scanActivity, activityQuery+"WHERE name = $1", name)
}

// Activities implements workflow.ActivityStore.
func (db *DB) Activities(ctx context.Context, after string, limit int) ([]workflow.Activity, error) {
	return list(ctx, db, "store.Activities", scanActivity, activityQuery+"WHERE name > $1 ORDER BY name LIMIT $2", after, limit)
}

// DeleteActivity implements workflow.ActivityStore.
func (db *DB) DeleteActivity(ctx context.Context, name string) error {
	return db.Update(ctx, func(ctx context.Context) error {
		if _, err := db.exec(ctx, "store.DeleteActivity", "DELETE FROM activity WHERE name = $1", name); err != nil {
			return err
		}
		if _, err := db.exec(ctx, "store.DeleteActivity", "DELETE FROM activity_task WHERE activity = $1", name); err != nil {
			return err
		}
		_, err := db.exec(ctx, "store.DeleteActivity", "DELETE FROM tag WHERE resource = $1", workflow.ActivityARN(name))
		return err
	})
}

func scanActivityTask(scan scanner) (t workflow.ActivityTask, err error) {
	var input string
	err = scan(&t.Execution, &t.Frame, &t.Attempt, &t.ID, &t.Activity, &input)
	t.Input = raw(input)
	return t, err
}

// PutActivityTask implements workflow.ActivityStore. Other replicas are told.
func (db *DB) PutActivityTask(ctx context.Context, t workflow.ActivityTask) error {
	return db.Update(ctx, func(ctx context.Context) error {
		db.tx(ctx).due = true
		_, err := db.exec(ctx, "store.PutActivityTask", `INSERT INTO activity_task (execution, frame, attempt, id, activity, input)
			VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING`, t.Execution, t.Frame, t.Attempt, t.ID, t.Activity, string(t.Input))
		return err
	})
}

// TakeActivityTask implements workflow.ActivityStore.
func (db *DB) TakeActivityTask(ctx context.Context, activity string) (t workflow.ActivityTask, err error) {
	err = db.Update(ctx, func(ctx context.Context) error {
		t, err = db.takeActivityTask(ctx, activity)
		return err
	})
	return t, err
}

func (db *DB) takeActivityTask(ctx context.Context, activity string) (workflow.ActivityTask, error) {
	return one(ctx, db, "store.TakeActivityTask", scanActivityTask, `DELETE FROM activity_task WHERE (execution, frame, attempt) IN
		(SELECT execution, frame, attempt FROM activity_task WHERE activity = $1 ORDER BY id LIMIT 1`+db.dialect.skipLocked+`)
		RETURNING execution, frame, attempt, id, activity, input`, activity)
}

// HasActivityTask implements workflow.ActivityStore.
func (db *DB) HasActivityTask(ctx context.Context, activity string) (bool, error) {
	rows, err := list(ctx, db, "store.HasActivityTask", scalar[int64], "SELECT 1 FROM activity_task WHERE activity = $1 LIMIT 1", activity)
	return len(rows) > 0, err
}

// DeleteActivityTask implements workflow.ActivityStore.
func (db *DB) DeleteActivityTask(ctx context.Context, execution string, frame, attempt int64) error {
	_, err := db.exec(ctx, "store.DeleteActivityTask", "DELETE FROM activity_task WHERE execution = $1 AND frame = $2 AND attempt = $3",
		execution, frame, attempt)
	return err
}
