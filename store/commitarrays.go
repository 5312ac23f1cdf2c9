package store

import (
	"context"
	"slices"

	"github.com/internal-app-portal/iap/workflow"
)

// writeCommitsAtOnce writes commits with a statement for each table, and all of
// them in two round trips: first what may turn out not to be wanted any more.
// Executions come first, as in all transactions: they lock the rest.
func (db *DB) writeCommitsAtOnce(ctx context.Context, cs []*workflow.Commit, lost commitErrors) error {
	cs = inOrder(cs)
	t := db.tx(ctx)
	fenced := slices.Concat(updateRunningOnes(cs, lost), updateEnded(cs, lost), finishTasks(cs, lost))
	if err := t.pipeline(ctx, opCommit, fenced); err != nil || len(lost) > 0 {
		return err
	}
	rest, err := restOf(cs)
	if err != nil {
		return err
	}
	return t.pipeline(ctx, opCommit, rest)
}

// inOrder returns commits in the one order for all, so that two transactions do
// not wait for each other.
func inOrder(cs []*workflow.Commit) []*workflow.Commit {
	cs = slices.Clone(cs)
	slices.SortFunc(cs, func(a, b *workflow.Commit) int { return compareText(a.Execution.ID, b.Execution.ID) })
	return cs
}

// restOf are the statements that follow when all commits may be written.
func restOf(cs []*workflow.Commit) ([]statement, error) {
	history, err := putHistory(cs)
	return slices.Concat(dropEnded(cs), putTasks(cs), deleteTasks(cs), history, putParts(cs), dropParts(cs)), err
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

func updateRunningOnes(cs []*workflow.Commit, lost commitErrors) []statement {
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
	return []statement{{query: `UPDATE execution AS x SET state = u.state, version = x.version + 1
		FROM unnest($1::text[], $2::bigint[], $3::bytea[]) AS u (id, version, state)
		WHERE x.id = u.id AND x.version = u.version RETURNING x.id`, args: []any{ids, versions, states}, must: int64(len(ids)),
		row: func(scan scanner) error {
			id, err := scalar[string](scan)
			delete(byID, id)
			return err
		},
		done: func(int64) {
			for _, c := range byID {
				lost.changed(c)
			}
		}}}
}

// updateEnded are a statement for each execution: that is one of many steps.
func updateEnded(cs []*workflow.Commit, lost commitErrors) (out []statement) {
	for _, c := range cs {
		if c.New || c.Execution.Status == workflow.Running {
			continue
		}
		out = append(out, statement{query: updateExecution + " RETURNING id", args: endOf(c.Execution), must: 1, done: func(changed int64) {
			if changed == 0 {
				lost.changed(c)
			}
		}})
	}
	return out
}

// dropEnded removes what only running executions have.
func dropEnded(cs []*workflow.Commit) []statement {
	var ids []string
	for _, c := range cs {
		if !c.New && c.Execution.Status != workflow.Running {
			ids = append(ids, c.Execution.ID)
		}
	}
	if len(ids) == 0 {
		return nil
	}
	return []statement{{query: "DELETE FROM execution_part WHERE execution = ANY($1)", args: []any{ids}},
		{query: "DELETE FROM task WHERE execution = ANY($1)", args: []any{ids}}}
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

func finishTasks(cs []*workflow.Commit, lost commitErrors) []statement {
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
	return []statement{{query: `DELETE FROM task AS t
		USING unnest($1::text[], $2::text[], $3::bigint[], $4::bigint[], $5::text[], $6::bigint[]) AS u (execution, kind, frame, number, owner, attempt)
		WHERE t.execution = u.execution AND t.kind = u.kind AND t.frame = u.frame AND t.number = u.number AND t.owner = u.owner
		AND t.attempt = u.attempt RETURNING t.execution, t.kind, t.frame, t.number`,
		args: []any{a.executions, a.kinds, a.frames, a.numbers, a.owners, a.attempts},
		must: int64(len(byKey)),
		row: func(scan scanner) error {
			k, err := scanKey(scan)
			delete(byKey, k)
			return err
		},
		done: func(int64) {
			for _, c := range byKey {
				lost.taskLost(c)
			}
		}}}
}

func scanKey(scan scanner) (k workflow.TaskKey, err error) {
	err = scan(&k.Execution, &k.Kind, &k.Frame, &k.Number)
	return k, err
}

func deleteTasks(cs []*workflow.Commit) []statement {
	var a taskArrays
	for _, c := range cs {
		if c.Execution.Status != workflow.Running {
			continue // all of them go
		}
		for _, k := range c.Delete {
			a.add(k, "", 0)
		}
	}
	if len(a.kinds) == 0 {
		return nil
	}
	return []statement{{query: `DELETE FROM task AS t
		USING unnest($1::text[], $2::text[], $3::bigint[], $4::bigint[]) AS u (execution, kind, frame, number)
		WHERE t.execution = u.execution AND t.kind = u.kind AND t.frame = u.frame AND t.number = u.number`,
		args: []any{a.executions, a.kinds, a.frames, a.numbers}}}
}

func putTasks(cs []*workflow.Commit) []statement {
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
	return []statement{{query: "INSERT INTO task (" + taskColumns + `) SELECT * FROM unnest($1::text[], $2::text[],
		$3::bigint[], $4::bigint[], $5::text[], $6::text[], $7::text[], $8::bigint[], $9::text[], $10::bigint[], $11::bigint[])` +
		onTaskConflict, args: []any{a.executions, a.kinds, a.frames, a.numbers, states, resources, payloads, runs, a.owners, leases, a.attempts}}}
}

func putHistory(cs []*workflow.Commit) ([]statement, error) {
	var executions, events []string
	var numbers, lasts []int64
	for _, c := range cs {
		rows, err := historyRows(c.History)
		if err != nil {
			return nil, err
		}
		for _, r := range rows {
			executions, events = append(executions, r.execution), append(events, cleanText(r.events))
			numbers, lasts = append(numbers, r.number), append(lasts, r.last)
		}
	}
	if len(numbers) == 0 {
		return nil, nil
	}
	return []statement{{query: `INSERT INTO history (execution, number, last, events)
		SELECT * FROM unnest($1::text[], $2::bigint[], $3::bigint[], $4::text[])`, args: []any{executions, numbers, lasts, events}}}, nil
}

func putParts(cs []*workflow.Commit) []statement {
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
	return []statement{{query: `INSERT INTO execution_part (execution, name, data)
		SELECT * FROM unnest($1::text[], $2::text[], $3::text[])
		ON CONFLICT (execution, name) DO UPDATE SET data = excluded.data`, args: []any{executions, names, texts}}}
}

func dropParts(cs []*workflow.Commit) []statement {
	var executions, names []string
	for _, c := range cs {
		for _, name := range c.DropParts {
			executions, names = append(executions, c.Execution.ID), append(names, name)
		}
	}
	if len(names) == 0 {
		return nil
	}
	return []statement{{query: `DELETE FROM execution_part AS p USING unnest($1::text[], $2::text[]) AS u (execution, name)
		WHERE p.execution = u.execution AND p.name = u.name`, args: []any{executions, names}}}
}
