package store

import (
	"context"
	"time"

	"github.com/internal-app-portal/iap/workflow"
)

// purgeAtOnce is how many states that are too old are removed with each that is
// kept: more than come, so that they do not pile up.
const purgeAtOnce = 4

// KeepState implements workflow.RedriveStore.
func (db *DB) KeepState(ctx context.Context, k workflow.KeptState, before time.Time) error {
	const op = "store.KeepState"
	_, err := db.exec(ctx, op, `INSERT INTO ended_state (execution, state, ended_at) VALUES ($1, $2, $3)
		ON CONFLICT (execution) DO UPDATE SET state = excluded.state, ended_at = excluded.ended_at`,
		k.Execution, filled(k.State), ms(k.EndedAt))
	if err != nil {
		return err
	}
	_, err = db.exec(ctx, op, `DELETE FROM ended_state WHERE execution IN (SELECT execution FROM ended_state
		WHERE ended_at < $1 ORDER BY ended_at LIMIT $2`+db.dialect.skipLocked+")", ms(before), purgeAtOnce)
	return err
}

// KeptState implements workflow.RedriveStore.
func (db *DB) KeptState(ctx context.Context, execution string) (workflow.KeptState, error) {
	return one(ctx, db, "store.KeptState", func(scan scanner) (k workflow.KeptState, err error) {
		var ended int64
		err = scan(&k.Execution, &k.State, &ended)
		k.EndedAt = at(ended)
		return k, err
	}, "SELECT execution, state, ended_at FROM ended_state WHERE execution = $1", execution)
}

// DropState implements workflow.RedriveStore.
func (db *DB) DropState(ctx context.Context, execution string) error {
	_, err := db.exec(ctx, "store.DropState", "DELETE FROM ended_state WHERE execution = $1", execution)
	return err
}

const nestedColumns = "child, parent, frame, attempt, suffix, depth"

func scanNested(scan scanner) (n workflow.Nested, err error) {
	err = scan(&n.Child, &n.Parent, &n.Frame, &n.Attempt, &n.Suffix, &n.Depth)
	return n, err
}

// PutNested implements workflow.NestedStore. An execution that was found by its
// name again belongs to the task that asked last.
func (db *DB) PutNested(ctx context.Context, n workflow.Nested) error {
	_, err := db.exec(ctx, "store.PutNested", "INSERT INTO nested ("+nestedColumns+`) VALUES ($1, $2, $3, $4, $5, $6)
		ON CONFLICT (child) DO UPDATE SET parent = excluded.parent, frame = excluded.frame, attempt = excluded.attempt,
		suffix = excluded.suffix`, n.Child, n.Parent, n.Frame, n.Attempt, n.Suffix, n.Depth)
	return err
}

// NestedIn implements workflow.NestedStore.
func (db *DB) NestedIn(ctx context.Context, child string) (workflow.Nested, error) {
	return one(ctx, db, "store.NestedIn", scanNested, "SELECT "+nestedColumns+" FROM nested WHERE child = $1", child)
}

// NestedOf implements workflow.NestedStore.
func (db *DB) NestedOf(ctx context.Context, parent string, frame, attempt int64) (workflow.Nested, error) {
	return one(ctx, db, "store.NestedOf", scanNested, "SELECT "+nestedColumns+
		" FROM nested WHERE parent = $1 AND frame = $2 AND attempt = $3", parent, frame, attempt)
}
