package store

import (
	"context"
	"slices"

	"github.com/internal-app-portal/iap/workflow"
)

// writeCommitsAtOnce writes commits with a statement for each table, because on
// PostgreSQL a statement costs a round trip. Executions come first, as in all
// transactions: they lock the rest.
func (db *DB) writeCommitsAtOnce(ctx context.Context, cs []*workflow.Commit, lost commitErrors) error {
	// One order for all, so that two transactions do not wait for each other.
	cs = slices.Clone(cs)
	slices.SortFunc(cs, func(a, b *workflow.Commit) int { return compareText(a.Execution.ID, b.Execution.ID) })
	for _, write := range []func(context.Context, []*workflow.Commit, commitErrors) error{
		db.updateRunningOnes, db.updateEnded, db.finishTasks, db.putTasks, db.deleteTasks, db.putHistory, db.putParts, db.dropParts} {
		if err := write(ctx, cs, lost); err != nil || len(lost) > 0 {
			return err
		}
	}
	return nil
}

func compareText(a, b string) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

func (db *DB) updateRunningOnes(ctx context.Context, cs []*workflow.Commit, lost commitErrors) error {
	var ids []string
	var versions []int64
	var states [][]byte
	byID := map[string]*workflow.Commit{}
	for _, c := range cs {
		if x := c.Execution; !c.New && x.Status == workflow.Running {
			ids, versions, states = append(ids, x.ID), append(versions, x.Version), append(states, x.State)
			byID[x.ID] = c
		}
	}
	if len(ids) == 0 {
		return nil
	}
	written, err := list(ctx, db, opCommit, scalar[string], `UPDATE execution AS x SET state = u.state, version = x.version + 1
		FROM unnest($1::text[], $2::bigint[], $3::bytea[]) AS u (id, version, state)
		WHERE x.id = u.id AND x.version = u.version RETURNING x.id`, ids, versions, states)
	for _, id := range written {
		delete(byID, id)
	}
	if err == nil {
		for _, c := range byID {
			lost.changed(c)
		}
	}
	return err
}

func (db *DB) updateEnded(ctx context.Context, cs []*workflow.Commit, lost commitErrors) error {
	var ids []string
	for _, c := range cs {
		if c.New || c.Execution.Status == workflow.Running {
			continue
		}
		n, err := db.endExecution(ctx, c.Execution)
		if err != nil {
			return err
		}
		if n == 0 {
			lost.changed(c)
			continue
		}
		ids = append(ids, c.Execution.ID)
	}
	if len(ids) == 0 || len(lost) > 0 {
		return nil
	}
	_, err := db.exec(ctx, opCommit, "DELETE FROM execution_part WHERE execution = ANY($1)", ids)
	return err
}

// taskArrays are the keys of rows, column by column.
type taskArrays struct {
	executions, kinds, owners []string
	frames, numbers, attempts []int64
}

func (a *taskArrays) add(k workflow.TaskKey, owner string, attempt int) {
	a.executions, a.kinds, a.owners = append(a.executions, k.Execution), append(a.kinds, string(k.Kind)), append(a.owners, owner)
	a.frames, a.numbers, a.attempts = append(a.frames, k.Frame), append(a.numbers, k.Number), append(a.attempts, int64(attempt))
}

func (db *DB) finishTasks(ctx context.Context, cs []*workflow.Commit, lost commitErrors) error {
	var a taskArrays
	byKey := map[workflow.TaskKey]*workflow.Commit{}
	for _, c := range cs {
		for _, t := range c.Finish {
			a.add(workflow.KeyOf(t), t.Owner, t.Attempt)
			byKey[workflow.KeyOf(t)] = c
		}
	}
	if len(byKey) == 0 {
		return nil
	}
	finished, err := list(ctx, db, opCommit, scanKey, `DELETE FROM task AS t
		USING unnest($1::text[], $2::text[], $3::bigint[], $4::bigint[], $5::text[], $6::bigint[]) AS u (execution, kind, frame, number, owner, attempt)
		WHERE t.execution = u.execution AND t.kind = u.kind AND t.frame = u.frame AND t.number = u.number AND t.owner = u.owner
		AND t.attempt = u.attempt RETURNING t.execution, t.kind, t.frame, t.number`,
		a.executions, a.kinds, a.frames, a.numbers, a.owners, a.attempts)
	for _, k := range finished {
		delete(byKey, k)
	}
	if err == nil {
		for _, c := range byKey {
			lost.taskLost(c)
		}
	}
	return err
}

func scanKey(scan scanner) (k workflow.TaskKey, err error) {
	err = scan(&k.Execution, &k.Kind, &k.Frame, &k.Number)
	return k, err
}

func (db *DB) deleteTasks(ctx context.Context, cs []*workflow.Commit, _ commitErrors) error {
	var a taskArrays
	var ended []string
	for _, c := range cs {
		if c.Execution.Status != workflow.Running {
			if !c.New {
				ended = append(ended, c.Execution.ID)
			}
			continue
		}
		for _, k := range c.Delete {
			a.add(k, "", 0)
		}
	}
	if len(ended) > 0 {
		if _, err := db.exec(ctx, opCommit, "DELETE FROM task WHERE execution = ANY($1)", ended); err != nil {
			return err
		}
	}
	if len(a.kinds) == 0 {
		return nil
	}
	_, err := db.exec(ctx, opCommit, `DELETE FROM task AS t
		USING unnest($1::text[], $2::text[], $3::bigint[], $4::bigint[]) AS u (execution, kind, frame, number)
		WHERE t.execution = u.execution AND t.kind = u.kind AND t.frame = u.frame AND t.number = u.number`,
		a.executions, a.kinds, a.frames, a.numbers)
	return err
}

func (db *DB) putTasks(ctx context.Context, cs []*workflow.Commit, _ commitErrors) error {
	var a taskArrays
	var states, resources, payloads []string
	var runs, leases []int64
	for _, c := range cs {
		if c.Execution.Status != workflow.Running {
			continue
		}
		for _, t := range c.Put {
			a.add(workflow.KeyOf(t), cleanText(t.Owner), t.Attempt)
			states, resources = append(states, cleanText(t.State)), append(resources, cleanText(t.Resource))
			payloads = append(payloads, cleanText(string(t.Payload)))
			runs, leases = append(runs, ms(t.RunAt)), append(leases, ms(t.LeaseUntil))
		}
	}
	if len(runs) == 0 {
		return nil
	}
	_, err := db.exec(ctx, opCommit, "INSERT INTO task ("+taskColumns+`) SELECT * FROM unnest($1::text[], $2::text[],
		$3::bigint[], $4::bigint[], $5::text[], $6::text[], $7::text[], $8::bigint[], $9::text[], $10::bigint[], $11::bigint[])`+
		onTaskConflict, a.executions, a.kinds, a.frames, a.numbers, states, resources, payloads, runs, a.owners, leases, a.attempts)
	return err
}

func (db *DB) putHistory(ctx context.Context, cs []*workflow.Commit, _ commitErrors) error {
	var executions, events []string
	var numbers, lasts []int64
	for _, c := range cs {
		rows, err := historyRows(c.History)
		if err != nil {
			return err
		}
		for _, r := range rows {
			executions, events = append(executions, r.execution), append(events, cleanText(r.events))
			numbers, lasts = append(numbers, r.number), append(lasts, r.last)
		}
	}
	if len(numbers) == 0 {
		return nil
	}
	_, err := db.exec(ctx, opCommit, `INSERT INTO history (execution, number, last, events)
		SELECT * FROM unnest($1::text[], $2::bigint[], $3::bigint[], $4::text[])`, executions, numbers, lasts, events)
	return err
}

func (db *DB) putParts(ctx context.Context, cs []*workflow.Commit, _ commitErrors) error {
	var executions, names, texts []string
	for _, c := range cs {
		if c.Execution.Status != workflow.Running {
			continue
		}
		for _, p := range c.Parts {
			executions, names, texts = append(executions, c.Execution.ID), append(names, p.Name), append(texts, cleanText(p.Text))
		}
	}
	if len(names) == 0 {
		return nil
	}
	_, err := db.exec(ctx, opCommit, `INSERT INTO execution_part (execution, name, data)
		SELECT * FROM unnest($1::text[], $2::text[], $3::text[])
		ON CONFLICT (execution, name) DO UPDATE SET data = excluded.data`, executions, names, texts)
	return err
}

func (db *DB) dropParts(ctx context.Context, cs []*workflow.Commit, _ commitErrors) error {
	var executions, names []string
	for _, c := range cs {
		for _, name := range c.DropParts {
			executions, names = append(executions, c.Execution.ID), append(names, name)
		}
	}
	if len(names) == 0 {
		return nil
	}
	_, err := db.exec(ctx, opCommit, `DELETE FROM execution_part AS p USING unnest($1::text[], $2::text[]) AS u (execution, name)
		WHERE p.execution = u.execution AND p.name = u.name`, executions, names)
	return err
}
