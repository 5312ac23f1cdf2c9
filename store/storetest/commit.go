package storetest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"testing"

	iap "github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/event"
	"github.com/internal-app-portal/iap/store"
	"github.com/internal-app-portal/iap/workflow"
)

func testCommits(t *testing.T, open Open) {
	for name, test := range map[string]func(*testing.T, *store.DB){
		"all at once": commitAll, "nothing of one that is late": commitLate, "the end": commitEnd,
		"many at once": commitMany, "in a transaction": commitInUpdate, "long histories": longHistory,
	} {
		t.Run(name, func(t *testing.T) { test(t, open(t)) })
	}
}

// begun inserts a running execution.
func begun(t *testing.T, db *store.DB, id string) workflow.Execution {
	t.Helper()
	must(t, db.PutStateMachine(context.Background(), newMachine("m", "life")))
	x := newExecution(id, "m", "name of "+id)
	must(t, db.WriteCommit(context.Background(), &workflow.Commit{Execution: x, New: true,
		History: []workflow.HistoryEvent{newHistory(id, 1)}}))
	x.Version = 1
	return x
}

func stored(t *testing.T, db *store.DB, id string) workflow.Execution {
	t.Helper()
	x, err := db.Execution(context.Background(), id)
	must(t, err)
	return x
}

func claimed(t *testing.T, db *store.DB) []workflow.Task {
	t.Helper()
	tasks, err := db.ClaimTasks(context.Background(), "me", later(1000), later(2000).Sub(later(1000)), 99)
	must(t, err)
	return tasks
}

func timer(execution string, number int64) workflow.Task {
	return workflow.Task{Execution: execution, Kind: workflow.Timer, Number: number, RunAt: later(int(number)), Payload: json.RawMessage(`{}`)}
}

func commitAll(t *testing.T, db *store.DB) {
	ctx := context.Background()
	x := begun(t, db, "x")
	same(t, "inserted", stored(t, db, "x"), x)
	x.State = []byte("next")
	e := &event.Event{ID: "e", Source: "/s", Time: epoch}
	must(t, db.WriteCommit(ctx, &workflow.Commit{Execution: x, History: []workflow.HistoryEvent{newHistory("x", 2), newHistory("x", 3)},
		Put: []workflow.Task{timer("x", 1), timer("x", 2)}, Parts: []workflow.Part{{Name: "a", Text: "1"}, {Name: "b", Text: "2"}},
		Events: []*event.Event{e}}))
	x.Version = 2
	same(t, "the row", stored(t, db, "x"), x)
	history, err := db.History(ctx, "x", 0, 9)
	must(t, err)
	same(t, "history", history, []workflow.HistoryEvent{newHistory("x", 1), newHistory("x", 2), newHistory("x", 3)})
	if e.Number != 1 {
		t.Errorf("the event has number %d", e.Number)
	}
	tasks := claimed(t, db)
	if len(tasks) != 2 {
		t.Fatalf("got the tasks %+v", tasks)
	}
	must(t, db.WriteCommit(ctx, &workflow.Commit{Execution: x, Finish: tasks[:1], Delete: []workflow.TaskKey{workflow.KeyOf(tasks[1])},
		Put: []workflow.Task{timer("x", 3)}, Parts: []workflow.Part{{Name: "b", Text: "3"}}, DropParts: []string{"a"}}))
	same(t, "tasks left", ids(claimed(t, db), func(t workflow.Task) int64 { return t.Number }), []int64{3})
	parts, err := db.Parts(ctx, "x")
	must(t, err)
	same(t, "parts", parts, []workflow.Part{{Name: "b", Text: "3"}})
}

// commitLate: a writer that read an older version, or lost its task, writes
// nothing at all.
func commitLate(t *testing.T, db *store.DB) {
	ctx := context.Background()
	x := begun(t, db, "x")
	old := x
	old.Version = 0
	all := func(x workflow.Execution) *workflow.Commit {
		return &workflow.Commit{Execution: x, History: []workflow.HistoryEvent{newHistory("x", 2)}, Put: []workflow.Task{timer("x", 1)},
			Parts: []workflow.Part{{Name: "a", Text: "1"}}, Events: []*event.Event{{ID: "e", Source: "/s", Time: epoch}}}
	}
	err := db.WriteCommit(ctx, all(old))
	wantKind(t, err, iap.Conflict)
	if !errors.Is(err, workflow.ErrChanged) {
		t.Errorf("got %v", err)
	}
	c := all(x)
	c.Finish = []workflow.Task{timer("x", 9)}
	if err := db.WriteCommit(ctx, c); !errors.Is(err, workflow.ErrTaskLost) {
		t.Errorf("got %v", err)
	}
	wantKind(t, db.WriteCommit(ctx, &workflow.Commit{Execution: x, New: true}), iap.Conflict)
	same(t, "the row", stored(t, db, "x"), x)
	history, err := db.History(ctx, "x", 1, 9)
	must(t, err)
	parts, err := db.Parts(ctx, "x")
	must(t, err)
	last, err := db.LastEventNumber(ctx)
	must(t, err)
	if n := len(history) + len(parts) + len(claimed(t, db)) + int(last); n != 0 {
		t.Errorf("%d things were written", n)
	}
}

func commitEnd(t *testing.T, db *store.DB) {
	ctx := context.Background()
	x := begun(t, db, "x")
	must(t, db.WriteCommit(ctx, &workflow.Commit{Execution: x, Put: []workflow.Task{timer("x", 1)}, Parts: []workflow.Part{{Name: "a", Text: "1"}}}))
	x.Version, x.Status, x.State, x.Output, x.EndedAt = 2, workflow.Succeeded, nil, json.RawMessage(`1`), later(5)
	then := 0
	refused := &workflow.Commit{Execution: x, Then: func(context.Context) error { then++; return errRefused }}
	if err := db.WriteCommit(ctx, refused); !errors.Is(err, errRefused) {
		t.Errorf("got %v", err)
	}
	must(t, db.WriteCommit(ctx, &workflow.Commit{Execution: x, Then: func(ctx context.Context) error {
		then++
		return db.PutSetting(ctx, "ended", []byte("x"))
	}}))
	x.Version = 3
	same(t, "the row", stored(t, db, "x"), x)
	if n := len(claimed(t, db)); n != 0 || then != 2 {
		t.Errorf("%d tasks are left; then was called %d times", n, then)
	}
	parts, err := db.Parts(ctx, "x")
	must(t, err)
	same(t, "parts", len(parts), 0)
}

// commitMany: commits that come at once share transactions; one that must not
// be written leaves the others be.
func commitMany(t *testing.T, db *store.DB) {
	const n = 40
	var xs []workflow.Execution
	for i := range n {
		xs = append(xs, begun(t, db, fmt.Sprint("x", i)))
	}
	errs := make([]error, n)
	var wg sync.WaitGroup
	for i, x := range xs {
		wg.Go(func() {
			if i%10 == 3 {
				x.Version = 7
			}
			errs[i] = db.WriteCommit(context.Background(), &workflow.Commit{Execution: x,
				History: []workflow.HistoryEvent{newHistory(x.ID, 2)}, Put: []workflow.Task{timer(x.ID, 1)}})
		})
	}
	wg.Wait()
	for i, x := range xs {
		if late := i%10 == 3; late != errors.Is(errs[i], workflow.ErrChanged) || late != (stored(t, db, x.ID).Version == 1) {
			t.Errorf("%s: %v", x.ID, errs[i])
		}
	}
	if got := len(claimed(t, db)); got != n-n/10 {
		t.Errorf("%d tasks were written", got)
	}
}

func commitInUpdate(t *testing.T, db *store.DB) {
	x := begun(t, db, "x")
	err := db.Update(context.Background(), func(ctx context.Context) error {
		must(t, db.WriteCommit(ctx, &workflow.Commit{Execution: x, Put: []workflow.Task{timer("x", 1)}}))
		again, err := db.Execution(ctx, "x")
		must(t, err)
		same(t, "version", again.Version, 2)
		return errRefused
	})
	if !errors.Is(err, errRefused) {
		t.Fatal(err)
	}
	same(t, "the row", stored(t, db, "x"), x)
	same(t, "tasks", len(claimed(t, db)), 0)
}

// longHistory: pages of a history that is kept in rows of many events, forward
// and backward, begin and end where they are asked to.
func longHistory(t *testing.T, db *store.DB) {
	ctx := context.Background()
	var all []workflow.HistoryEvent
	for next := int64(1); next <= 700; {
		var some []workflow.HistoryEvent
		for range next%150 + 1 {
			some = append(some, newHistory("x", next))
			next++
		}
		must(t, db.AppendHistory(ctx, some...))
		all = append(all, some...)
	}
	last := len(all)
	for _, c := range []struct{ after, limit int }{{0, 1}, {0, 1000}, {1, 64}, {63, 2}, {64, 1}, {100, 333}, {last - 1, 5}, {last, 5}} {
		got, err := db.History(ctx, "x", int64(c.after), c.limit)
		must(t, err)
		same(t, fmt.Sprint("after ", c.after), numbers(got), numbers(all[c.after:min(last, c.after+c.limit)]))
	}
	for _, c := range []struct{ before, limit int }{{0, 3}, {0, 1000}, {last + 1, 1}, {66, 3}, {2, 9}, {1, 9}, {300, 200}} {
		got, err := db.HistoryBefore(ctx, "x", int64(c.before), c.limit)
		must(t, err)
		end := c.before - 1
		if c.before == 0 {
			end = last
		}
		var want []int64
		for n := end; n > 0 && len(want) < c.limit; n-- {
			want = append(want, int64(n))
		}
		same(t, fmt.Sprint("before ", c.before), numbers(got), append([]int64{}, want...))
	}
}

func numbers(events []workflow.HistoryEvent) []int64 {
	return ids(events, func(h workflow.HistoryEvent) int64 { return h.Number })
}
