package store

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	iap "github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/workflow"
)

func scanMapRun(scan scanner) (r workflow.MapRun, err error) {
	var document string
	if err = scan(&document); err == nil {
		err = json.Unmarshal([]byte(document), &r)
	}
	return r, err
}

// InsertMapRun implements workflow.MapRunStore.
func (db *DB) InsertMapRun(ctx context.Context, r workflow.MapRun, order []byte) error {
	const op = "store.InsertMapRun"
	document, err := json.Marshal(r)
	if err != nil {
		return iap.E(op, iap.Internal, err)
	}
	return db.Update(ctx, func(ctx context.Context) error {
		if _, err := db.exec(ctx, op, "INSERT INTO map_run (id, execution, document) VALUES ($1, $2, $3)",
			r.ID, r.Execution, string(document)); err != nil {
			return err
		}
		_, err := db.exec(ctx, op, "INSERT INTO map_order (map_run, document) VALUES ($1, $2)", r.ID, string(order))
		return err
	})
}

// MapRun implements workflow.MapRunStore.
func (db *DB) MapRun(ctx context.Context, id string) (workflow.MapRun, error) {
	return one(ctx, db, "store.MapRun", scanMapRun, db.locked(ctx, "SELECT document FROM map_run WHERE id = $1"), id)
}

// MapOrder implements workflow.MapRunStore.
func (db *DB) MapOrder(ctx context.Context, id string) ([]byte, error) {
	text, err := one(ctx, db, "store.MapOrder", scalar[string], "SELECT document FROM map_order WHERE map_run = $1", id)
	return []byte(text), err
}

// UpdateMapRun implements workflow.MapRunStore.
func (db *DB) UpdateMapRun(ctx context.Context, r workflow.MapRun) error {
	document, err := json.Marshal(r)
	if err != nil {
		return iap.E("store.UpdateMapRun", iap.Internal, err)
	}
	_, err = db.exec(ctx, "store.UpdateMapRun", "UPDATE map_run SET document = $1 WHERE id = $2", string(document), r.ID)
	return err
}

// MapRuns implements workflow.MapRunStore.
func (db *DB) MapRuns(ctx context.Context, execution, before string, limit int) ([]workflow.MapRun, error) {
	where, args := "execution = $1 AND id < $2", []any{execution, before, limit}
	if before == "" {
		where = "execution = $1 AND id > $2"
	}
	return list(ctx, db, "store.MapRuns", scanMapRun, "SELECT document FROM map_run WHERE "+where+" ORDER BY id DESC LIMIT $3", args...)
}

// childRows is how many children one statement inserts on PostgreSQL, which takes
// 65,535 parameters. On SQLite a statement with many named parameters costs more
// than many statements.
const childRows = 500

// InsertMapChildren implements workflow.MapRunStore.
func (db *DB) InsertMapChildren(ctx context.Context, children []workflow.MapChild) error {
	return db.Update(ctx, func(ctx context.Context) error {
		for len(children) > 0 {
			n := 1
			if db.dialect.replicas {
				n = min(len(children), childRows)
			}
			if err := db.insertMapChildren(ctx, children[:n]); err != nil {
				return err
			}
			children = children[n:]
		}
		return nil
	})
}

func (db *DB) insertMapChildren(ctx context.Context, children []workflow.MapChild) error {
	var b strings.Builder
	b.WriteString(`INSERT INTO map_child (map_run, number, items, execution, status, counted, input, output, error, cause,
		started_at, ended_at) VALUES `)
	args := make([]any, 0, 12*len(children))
	for i, c := range children {
		if i > 0 {
			b.WriteByte(',')
		}
		for k := range 12 {
			fmt.Fprintf(&b, "%c$%d", "(,"[min(k, 1)], len(args)+k+1)
		}
		b.WriteByte(')')
		args = append(args, c.MapRun, c.Number, c.Items, c.Execution, string(c.Status), flag(c.Counted), string(c.Input),
			string(c.Output), c.Error, c.Cause, ms(c.StartedAt), ms(c.EndedAt))
	}
	b.WriteString(` ON CONFLICT (map_run, number) DO UPDATE SET status = excluded.status, counted = excluded.counted,
		input = excluded.input, output = excluded.output, error = excluded.error, cause = excluded.cause,
		started_at = excluded.started_at, ended_at = excluded.ended_at`)
	_, err := db.exec(ctx, "store.InsertMapChildren", b.String(), args...)
	return err
}

// EndMapChild implements workflow.MapRunStore. That the execution is not empty is
// said for the sake of the index, which has only those.
func (db *DB) EndMapChild(ctx context.Context, execution string, status workflow.Status, final bool) error {
	_, err := db.exec(ctx, "store.EndMapChild", "UPDATE map_child SET status = $1, final = $4 WHERE execution = $2 AND execution > '' AND status = $3",
		string(status), execution, string(workflow.Running), flag(final))
	return err
}

// The conditions of the indexes that lead to the children which run, and to those
// which have ended and are not counted.
const (
	childRuns  = "counted = 0 AND status = 'RUNNING'"
	childEnded = "counted = 0 AND status <> 'RUNNING'"
)

// CountMapChildren implements workflow.MapRunStore.
func (db *DB) CountMapChildren(ctx context.Context, run string) ([]workflow.MapTally, error) {
	var out []workflow.MapTally
	err := db.Update(ctx, func(ctx context.Context) error {
		type row struct {
			status workflow.Status
			items  int64
			final  int64
		}
		rows, err := list(ctx, db, "store.CountMapChildren", func(scan scanner) (r row, err error) {
			err = scan(&r.status, &r.items, &r.final)
			return r, err
		}, "UPDATE map_child SET counted = 1 WHERE map_run = $1 AND "+childEnded+" RETURNING status, items, final", run)
		at := map[workflow.Status]int{}
		for _, r := range rows {
			i, ok := at[r.status]
			if !ok {
				i = len(out)
				at[r.status] = i
				out = append(out, workflow.MapTally{Status: r.status})
			}
			out[i].Children++
			out[i].Items += r.items
			out[i].FinalChildren += r.final
			out[i].FinalItems += r.final * r.items
		}
		return err
	})
	return out, err
}

// UncountedMapChildren implements workflow.MapRunStore.
func (db *DB) UncountedMapChildren(ctx context.Context, run string) (bool, error) {
	rows, err := list(ctx, db, "store.UncountedMapChildren", scalar[bool],
		"SELECT EXISTS (SELECT 1 FROM map_child WHERE map_run = $1 AND "+childEnded+")", run)
	return first(rows), err
}

func scanMapChild(scan scanner) (c workflow.MapChild, err error) {
	var input, output string
	var begun, ended int64
	err = scan(&c.MapRun, &c.Number, &c.Items, &c.Execution, &c.Status, &input, &output, &c.Error, &c.Cause, &begun, &ended, &c.RedriveCount)
	c.Input, c.Output, c.StartedAt, c.EndedAt = raw(input), raw(output), at(begun), at(ended)
	return c, err
}

// MapChildren implements workflow.MapRunStore.
func (db *DB) MapChildren(ctx context.Context, run string, after int64, limit int) ([]workflow.MapChild, error) {
	return list(ctx, db, "store.MapChildren", scanMapChild, `SELECT c.map_run, c.number, c.items, c.execution, c.status,
		coalesce(x.input, c.input), coalesce(x.output, c.output), coalesce(x.error, c.error), coalesce(x.cause, c.cause),
		coalesce(x.started_at, c.started_at), coalesce(x.ended_at, c.ended_at), coalesce(x.redrive_count, 0)
		FROM map_child c LEFT JOIN execution x ON x.id = c.execution
		WHERE c.map_run = $1 AND c.number > $2 ORDER BY c.number LIMIT $3`, run, after, limit)
}

// MapChildNumbers implements workflow.MapRunStore.
func (db *DB) MapChildNumbers(ctx context.Context, run string, from int64) ([]workflow.MapChild, error) {
	return list(ctx, db, "store.MapChildNumbers", func(scan scanner) (c workflow.MapChild, err error) {
		err = scan(&c.Number, &c.Items, &c.Status)
		return c, err
	}, "SELECT number, items, status FROM map_child WHERE map_run = $1 AND number >= $2 ORDER BY number", run, from)
}

// RunningMapChildren implements workflow.MapRunStore.
func (db *DB) RunningMapChildren(ctx context.Context, run string, limit int) ([]string, error) {
	return list(ctx, db, "store.RunningMapChildren", scalar[string],
		"SELECT execution FROM map_child WHERE map_run = $1 AND "+childRuns+" LIMIT $2", run, limit)
}

// ClearMapChildren implements workflow.MapRunStore.
func (db *DB) ClearMapChildren(ctx context.Context, run string, limit int) (int64, error) {
	return db.exec(ctx, "store.ClearMapChildren", `DELETE FROM map_child WHERE map_run = $1 AND execution = '' AND number IN
		(SELECT number FROM map_child WHERE map_run = $1 AND execution = '' ORDER BY number LIMIT $2)`, run, limit)
}

// UnstartedMapChildren implements workflow.MapRunStore.
func (db *DB) UnstartedMapChildren(ctx context.Context, run string) ([]workflow.MapChild, error) {
	return list(ctx, db, "store.UnstartedMapChildren", scanMapChild, `SELECT c.map_run, c.number, c.items, c.execution, c.status,
		c.input, c.output, c.error, c.cause, c.started_at, c.ended_at, 0
		FROM map_child c LEFT JOIN execution x ON x.id = c.execution
		WHERE c.map_run = $1 AND c.status = 'RUNNING' AND c.counted = 0 AND c.execution > '' AND (x.id IS NULL OR x.status <> 'RUNNING')
		ORDER BY c.number`, run)
}

// LateMapChildren implements workflow.MapRunStore.
func (db *DB) LateMapChildren(ctx context.Context, run string, before time.Time) (workflow.MapTally, error) {
	return one(ctx, db, "store.LateMapChildren", func(scan scanner) (t workflow.MapTally, err error) {
		err = scan(&t.Children, &t.Items)
		return t, err
	}, `SELECT count(*), CAST(coalesce(sum(c.items), 0) AS BIGINT) FROM map_child c JOIN execution x ON x.id = c.execution
		WHERE c.map_run = $1 AND c.status IN ($2, $3, $4) AND c.final = 0 AND x.ended_at BETWEEN 1 AND $5`,
		run, string(workflow.Failed), string(workflow.TimedOut), string(workflow.Aborted), ms(before)-1)
}
