package store

import (
	"context"

	iap "github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/workflow"
)

const executionQuery = `SELECT id, name, machine, status, input, output, error, cause, state, version, started_at, ended_at,
	owner, redrive_count, redriven_at, map_run, graph FROM execution `

func scanMachine(scan scanner) (m workflow.StateMachine, err error) {
	var created int64
	err = scan(&m.ID, &m.Name, &m.Definition, &created)
	m.CreatedAt = at(created)
	return m, err
}

func scanExecution(scan scanner) (e workflow.Execution, err error) {
	var input, output string
	var begun, ended, redriven int64
	err = scan(&e.ID, &e.Name, &e.StateMachine, &e.Status, &input, &output, &e.Error, &e.Cause, &e.State, &e.Version,
		&begun, &ended, &e.Owner, &e.RedriveCount, &redriven, &e.MapRun, &e.Graph)
	e.Input, e.Output, e.StartedAt, e.EndedAt, e.RedrivenAt = raw(input), raw(output), at(begun), at(ended), at(redriven)
	return e, err
}

// PutStateMachine implements workflow.Store.
func (db *DB) PutStateMachine(ctx context.Context, m workflow.StateMachine) error {
	_, err := db.exec(ctx, "store.PutStateMachine", `INSERT INTO state_machine (id, name, definition, created_at)
		VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING`, m.ID, m.Name, filled(m.Definition), ms(m.CreatedAt))
	return err
}

// StateMachine implements workflow.Store.
func (db *DB) StateMachine(ctx context.Context, id string) (workflow.StateMachine, error) {
	return one(ctx, db, "store.StateMachine", scanMachine,
		"SELECT id, name, definition, created_at FROM state_machine WHERE id = $1", id)
}

// InsertExecution implements workflow.Store. After a Conflict the transaction
// can go on. NotFound when its state machine was never put.
func (db *DB) InsertExecution(ctx context.Context, e workflow.Execution) error {
	const op = "store.InsertExecution"
	return db.Update(ctx, func(ctx context.Context) error {
		n, err := db.exec(ctx, op, insertExecution, newOf(e)...)
		if err != nil || n == 1 {
			return err
		}
		machine, err := one(ctx, db, op, scalar[string], "SELECT name FROM state_machine WHERE id = $1", e.StateMachine)
		if iap.IsKind(err, iap.NotFound) {
			return iap.Errorf(op, iap.NotFound, "there is no state machine %s", e.StateMachine)
		}
		if err != nil {
			return err
		}
		return iap.Errorf(op, iap.Conflict, "there is an execution %s of %s already", e.Name, machine)
	})
}

const insertExecution = `INSERT INTO execution (id, name, machine, machine_name, status, input, output, error,
	cause, state, version, started_at, ended_at, owner, map_run, graph)
	SELECT $1, $2, m.id, m.name, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15
	FROM state_machine m WHERE m.id = $3 ON CONFLICT DO NOTHING`

// newOf are the parameters of insertExecution.
func newOf(e workflow.Execution) []any {
	return []any{e.ID, e.Name, e.StateMachine, string(e.Status), string(e.Input), string(e.Output), e.Error, e.Cause, e.State,
		e.Version, ms(e.StartedAt), ms(e.EndedAt), e.Owner, e.MapRun, e.Graph}
}

// UpdateExecution implements workflow.Store. Name, state machine, input and
// start never change.
func (db *DB) UpdateExecution(ctx context.Context, e workflow.Execution) error {
	const op = "store.UpdateExecution"
	n, err := db.endExecution(ctx, e)
	if err == nil && n == 0 {
		err = iap.Errorf(op, iap.Conflict, "the execution %s: %w", e.ID, workflow.ErrChanged)
	}
	return err
}

// endExecution writes all that may change of an execution, and reports whether
// it was as it was read.
func (db *DB) endExecution(ctx context.Context, e workflow.Execution) (n int64, err error) {
	return db.exec(ctx, "store.UpdateExecution", updateExecution, endOf(e)...)
}

const updateExecution = `UPDATE execution SET status = $1, output = $2, error = $3, cause = $4, state = $5,
	ended_at = $6, redrive_count = $7, redriven_at = $8, version = version + 1 WHERE id = $9 AND version = $10`

// endOf are the parameters of updateExecution.
func endOf(e workflow.Execution) []any {
	return []any{string(e.Status), string(e.Output), e.Error, e.Cause, e.State, ms(e.EndedAt), e.RedriveCount,
		ms(e.RedrivenAt), e.ID, e.Version}
}

// Execution implements workflow.Store. In a transaction the row is locked until
// its end.
func (db *DB) Execution(ctx context.Context, id string) (workflow.Execution, error) {
	return one(ctx, db, "store.Execution", scanExecution, db.locked(ctx, executionQuery+"WHERE id = $1"), id)
}

// Executions implements workflow.Store.
func (db *DB) Executions(ctx context.Context, status workflow.Status, before string, limit int) ([]workflow.Execution, error) {
	where, args := "WHERE map_run = '' AND id < $2", []any{limit, before}
	if before == "" {
		where, args[1] = "WHERE map_run = '' AND id > $2", ""
	}
	if status != "" {
		where += " AND status = $3"
		args = append(args, string(status))
	}
	return list(ctx, db, "store.Executions", scanExecution, executionQuery+where+" ORDER BY id DESC LIMIT $1", args...)
}
