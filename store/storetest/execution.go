package storetest

import (
	"context"
	"encoding/json"
	"testing"

	iap "github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/store"
	"github.com/internal-app-portal/iap/workflow"
)

func newMachine(id, name string) workflow.StateMachine {
	return workflow.StateMachine{ID: id, Name: name, Definition: []byte(`{"a": 1}`), CreatedAt: epoch}
}

func newExecution(id, machine, name string) workflow.Execution {
	return workflow.Execution{ID: id, Name: name, StateMachine: machine, Status: workflow.Running,
		Input: json.RawMessage(`{"a": 12345678901234567890}`), State: []byte("\x00state"), StartedAt: epoch}
}

func newHistory(execution string, number int64) workflow.HistoryEvent {
	return workflow.HistoryEvent{Execution: execution, Number: number, Previous: number - 1, Type: "TaskScheduled",
		Time: later(int(number)), Details: json.RawMessage(`{"n":1}`)}
}

func testExecutions(t *testing.T, open Open) {
	for name, test := range map[string]func(*testing.T, *store.DB){
		"machines": machines, "executions": executions, "update": executionUpdate, "history": history,
	} {
		t.Run(name, func(t *testing.T) { test(t, open(t)) })
	}
}

func machines(t *testing.T, db *store.DB) {
	ctx := context.Background()
	_, err := db.StateMachine(ctx, "m")
	wantKind(t, err, iap.NotFound)
	must(t, db.PutStateMachine(ctx, newMachine("m", "life")))
	must(t, db.PutStateMachine(ctx, newMachine("m", "life")))
	got, err := db.StateMachine(ctx, "m")
	must(t, err)
	same(t, "machine", got, newMachine("m", "life"))
}

func executions(t *testing.T, db *store.DB) {
	ctx := context.Background()
	wantKind(t, db.InsertExecution(ctx, newExecution("1", "m", "one")), iap.NotFound)
	must(t, db.PutStateMachine(ctx, newMachine("m", "life")))
	must(t, db.PutStateMachine(ctx, newMachine("m2", "life"))) // changed, under the same name
	must(t, db.PutStateMachine(ctx, newMachine("n", "sweep")))
	must(t, db.InsertExecution(ctx, newExecution("1", "m", "one")))
	wantKind(t, db.InsertExecution(ctx, newExecution("2", "m2", "one")), iap.Conflict)
	must(t, db.InsertExecution(ctx, newExecution("2", "n", "one")))
	must(t, db.InsertExecution(ctx, newExecution("3", "m", "three")))
	ended := newExecution("3", "m", "three")
	ended.Status = workflow.Failed
	must(t, db.UpdateExecution(ctx, ended))

	got, err := db.Execution(ctx, "1")
	must(t, err)
	same(t, "execution", got, newExecution("1", "m", "one"))
	_, err = db.Execution(ctx, "4")
	wantKind(t, err, iap.NotFound)
	for _, c := range []struct {
		status workflow.Status
		before string
		limit  int
		want   []string
	}{{"", "", 9, []string{"3", "2", "1"}}, {"", "3", 1, []string{"2"}}, {workflow.Running, "", 9, []string{"2", "1"}},
		{workflow.Running, "2", 9, []string{"1"}}, {workflow.Aborted, "", 9, []string{}}} {
		list, err := db.Executions(ctx, c.status, c.before, c.limit)
		must(t, err)
		same(t, "list", ids(list, func(e workflow.Execution) string { return e.ID }), c.want)
	}
}

func executionUpdate(t *testing.T, db *store.DB) {
	ctx := context.Background()
	must(t, db.PutStateMachine(ctx, newMachine("m", "life")))
	must(t, db.InsertExecution(ctx, newExecution("1", "m", "one")))
	e := newExecution("1", "m", "one")
	e.Status, e.Output, e.Error, e.Cause = workflow.Failed, json.RawMessage(`[1]`), "E", "because"
	e.State, e.EndedAt = nil, later(9)
	must(t, db.UpdateExecution(ctx, e))
	wantKind(t, db.UpdateExecution(ctx, e), iap.Conflict)
	e.Version++
	got, err := db.Execution(ctx, "1")
	must(t, err)
	same(t, "execution", got, e)
}

func history(t *testing.T, db *store.DB) {
	ctx := context.Background()
	must(t, db.AppendHistory(ctx))
	must(t, db.AppendHistory(ctx, newHistory("x", 1), newHistory("x", 2), newHistory("y", 1)))
	must(t, db.AppendHistory(ctx, newHistory("x", 3)))
	wantKind(t, db.AppendHistory(ctx, newHistory("x", 3), newHistory("x", 4)), iap.Conflict)
	wantKind(t, db.AppendHistory(ctx, newHistory("x", 4), newHistory("x", 3)), iap.Invalid)
	got, err := db.History(ctx, "x", 0, 2)
	must(t, err)
	same(t, "the first", got, []workflow.HistoryEvent{newHistory("x", 1), newHistory("x", 2)})
	got, err = db.History(ctx, "x", 2, 9)
	must(t, err)
	same(t, "the rest", got, []workflow.HistoryEvent{newHistory("x", 3)})
}
