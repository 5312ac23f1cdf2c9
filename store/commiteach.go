package store

import (
	"context"

	"github.com/internal-app-portal/iap/workflow"
)

// writeEachCommit writes commits row by row, which costs SQLite no round trip.
func (db *DB) writeEachCommit(ctx context.Context, cs []*workflow.Commit, lost commitErrors) error {
	for _, c := range cs {
		ok, err := db.writeExecution(ctx, c)
		if err != nil {
			return err
		}
		if !ok {
			lost.changed(c)
			continue
		}
		if err := db.writeTasks(ctx, c, lost); err != nil {
			return err
		}
		if err := db.AppendHistory(ctx, c.History...); err != nil {
			return err
		}
		if err := db.writeParts(ctx, c); err != nil {
			return err
		}
	}
	return nil
}

const updateRunning = "UPDATE execution SET state = $1, version = version + 1 WHERE id = $2 AND version = $3"

// writeExecution writes the row when it is as it was read. While the execution
// runs, nothing but its State changes.
func (db *DB) writeExecution(ctx context.Context, c *workflow.Commit) (ok bool, err error) {
	x := c.Execution
	if c.New {
		return true, nil
	}
	var n int64
	if x.Status == workflow.Running {
		n, err = db.exec(ctx, opCommit, updateRunning, x.State, x.ID, x.Version)
	} else {
		n, err = db.endExecution(ctx, x)
	}
	return n == 1, err
}

func (db *DB) writeTasks(ctx context.Context, c *workflow.Commit, lost commitErrors) error {
	for _, t := range c.Finish {
		n, err := db.exec(ctx, opCommit, finishTask, t.Execution, string(t.Kind), t.Frame, t.Number, t.Owner, t.Attempt)
		if err != nil {
			return err
		}
		if n == 0 {
			lost.taskLost(c)
			return nil
		}
	}
	if c.Execution.Status != workflow.Running {
		if c.New {
			return nil
		}
		return db.DeleteTasks(ctx, c.Execution.ID)
	}
	for _, t := range c.Put {
		if err := db.putTask(ctx, t); err != nil {
			return err
		}
	}
	for _, k := range c.Delete {
		if err := db.DeleteTask(ctx, k.Execution, k.Kind, k.Frame, k.Number); err != nil {
			return err
		}
	}
	return nil
}

func (db *DB) writeParts(ctx context.Context, c *workflow.Commit) error {
	if c.Execution.Status != workflow.Running {
		if c.New {
			return nil
		}
		_, err := db.exec(ctx, opCommit, "DELETE FROM execution_part WHERE execution = $1", c.Execution.ID)
		return err
	}
	for _, p := range c.Parts {
		_, err := db.exec(ctx, opCommit, `INSERT INTO execution_part (execution, name, data) VALUES ($1, $2, $3)
			ON CONFLICT (execution, name) DO UPDATE SET data = excluded.data`, c.Execution.ID, p.Name, p.Text)
		if err != nil {
			return err
		}
	}
	for _, name := range c.DropParts {
		_, err := db.exec(ctx, opCommit, "DELETE FROM execution_part WHERE execution = $1 AND name = $2", c.Execution.ID, name)
		if err != nil {
			return err
		}
	}
	return nil
}
