package storetest

import (
	"context"
	"testing"
	"time"

	iap "github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/store"
	"github.com/internal-app-portal/iap/workflow"
)

func testRedrives(t *testing.T, open Open) {
	for name, test := range map[string]func(*testing.T, *store.DB){
		"kept states": keptStates, "nested": nested, "reopened": reopened,
	} {
		t.Run(name, func(t *testing.T) { test(t, open(t)) })
	}
}

func keptStates(t *testing.T, db *store.DB) {
	ctx := context.Background()
	_, err := db.KeptState(ctx, "1")
	wantKind(t, err, iap.NotFound)
	kept := func(id string, ms int) workflow.KeptState {
		return workflow.KeptState{Execution: id, State: []byte("\x00state " + id), EndedAt: later(ms)}
	}
	for i, id := range []string{"1", "2", "3"} {
		must(t, db.KeepState(ctx, kept(id, i), epoch))
	}
	must(t, db.KeepState(ctx, kept("1", 5), later(2))) // anew, and those that ended before 2 go
	got, err := db.KeptState(ctx, "1")
	must(t, err)
	same(t, "kept state", got, kept("1", 5))
	_, err = db.KeptState(ctx, "2")
	wantKind(t, err, iap.NotFound)
	_, err = db.KeptState(ctx, "3")
	must(t, err)
	must(t, db.DropState(ctx, "1"))
	must(t, db.DropState(ctx, "1"))
	_, err = db.KeptState(ctx, "1")
	wantKind(t, err, iap.NotFound)
}

func nested(t *testing.T, db *store.DB) {
	ctx := context.Background()
	_, err := db.NestedIn(ctx, "child")
	wantKind(t, err, iap.NotFound)
	n := workflow.Nested{Child: "child", Parent: "parent", Frame: 3, Attempt: 2, Suffix: ".sync:2", Depth: 4}
	must(t, db.PutNested(ctx, n))
	got, err := db.NestedIn(ctx, "child")
	must(t, err)
	same(t, "by the child", got, n)
	got, err = db.NestedOf(ctx, "parent", 3, 2)
	must(t, err)
	same(t, "by the parent", got, n)
	_, err = db.NestedOf(ctx, "parent", 3, 1)
	wantKind(t, err, iap.NotFound)
	n.Attempt = 7 // found by its name again
	must(t, db.PutNested(ctx, n))
	got, err = db.NestedIn(ctx, "child")
	must(t, err)
	same(t, "by the child again", got, n)
}

// reopened: what a redrive writes is all there, and a writer of before is
// refused.
func reopened(t *testing.T, db *store.DB) {
	ctx := context.Background()
	must(t, db.PutStateMachine(ctx, newMachine("m", "life")))
	x := newExecution("1", "m", "one")
	x.Owner = "ann"
	must(t, db.InsertExecution(ctx, x))
	x.Status, x.Error, x.Cause, x.State, x.EndedAt = workflow.Failed, "E", "C", nil, later(1)
	must(t, db.UpdateExecution(ctx, x))
	old := x
	x.Version++
	x.Status, x.Error, x.Cause, x.State, x.EndedAt = workflow.Running, "", "", []byte("again"), time.Time{}
	x.RedriveCount, x.RedrivenAt = 1, later(2)
	must(t, db.UpdateExecution(ctx, x))
	x.Version++
	got, err := db.Execution(ctx, "1")
	must(t, err)
	same(t, "redriven execution", got, x)
	wantKind(t, db.UpdateExecution(ctx, old), iap.Conflict)
}
