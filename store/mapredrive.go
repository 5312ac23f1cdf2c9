package store

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/internal-app-portal/iap/workflow"
)

// MarkMapChildren implements workflow.MapRunStore.
func (db *DB) MarkMapChildren(ctx context.Context, run string) error {
	_, err := db.exec(ctx, "store.MarkMapChildren", "UPDATE map_child SET status = $1, counted = 1, final = 0 WHERE map_run = $2 AND status IN ($3, $4, $5)",
		string(workflow.PendingRedrive), run, string(workflow.Failed), string(workflow.TimedOut), string(workflow.Aborted))
	return err
}

// TakeRedrives implements workflow.MapRunStore.
func (db *DB) TakeRedrives(ctx context.Context, run string, after int64, limit int) ([]workflow.MapChild, error) {
	var taken []workflow.MapChild
	err := db.Update(ctx, func(ctx context.Context) (err error) {
		taken, err = list(ctx, db, "store.TakeRedrives", func(scan scanner) (c workflow.MapChild, err error) {
			var input string
			err = scan(&c.MapRun, &c.Number, &c.Items, &c.Execution, &c.Status, &input)
			c.Input = raw(input)
			return c, err
		}, `UPDATE map_child SET status = $1, counted = 0 WHERE map_run = $2 AND number IN (SELECT number FROM map_child
			WHERE map_run = $2 AND status = $3 AND number > $4 ORDER BY number LIMIT $5)
			RETURNING map_run, number, items, execution, status, input`,
			string(workflow.Running), run, string(workflow.PendingRedrive), after, limit)
		return err
	})
	slices.SortFunc(taken, func(a, b workflow.MapChild) int { return cmp.Compare(a.Number, b.Number) })
	return taken, err
}

// EnsureTask implements workflow.MapRunStore.
func (db *DB) EnsureTask(ctx context.Context, t workflow.Task) error {
	return db.Update(ctx, func(ctx context.Context) error {
		n, err := db.exec(ctx, "store.EnsureTask", `INSERT INTO task (execution, kind, frame, number, state, resource, payload, run_at, owner,
			lease_until, attempt) VALUES ($1, $2, $3, $4, '', '', '', $5, '', 0, 0)
			ON CONFLICT (execution, kind, frame, number) DO UPDATE SET run_at = excluded.run_at WHERE task.owner = ''`,
			t.Execution, string(t.Kind), t.Frame, t.Number, ms(t.RunAt))
		if n > 0 {
			db.tx(ctx).due = true
		}
		return err
	})
}

// HurryTask implements workflow.MapRunStore.
func (db *DB) HurryTask(ctx context.Context, execution string, kind workflow.TaskKind, when time.Time) error {
	_, err := db.exec(ctx, "store.HurryTask", "UPDATE task SET run_at = $1 WHERE execution = $2 AND kind = $3 AND owner = ''",
		ms(when), execution, string(kind))
	return err
}
