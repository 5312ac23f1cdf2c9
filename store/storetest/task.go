package storetest

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"
	"testing"
	"time"

	iap "github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/store"
	"github.com/internal-app-portal/iap/workflow"
)

func newTask(execution string, run time.Time) workflow.Task {
	return workflow.Task{Execution: execution, Kind: workflow.CallTask, Frame: 1, Number: 2, State: "S", Resource: "arn:x",
		Payload: json.RawMessage(`{}`), RunAt: run}
}

func testTasks(t *testing.T, open Open) {
	for name, test := range map[string]func(*testing.T, *store.DB){
		"claim": taskClaim, "put and delete": taskPut, "lease": taskLease, "fences": taskFences, "release": taskRelease,
		"each to one": taskEachToOne,
	} {
		t.Run(name, func(t *testing.T) { test(t, open(t)) })
	}
}

func claim(t *testing.T, db *store.DB, owner string, now time.Time, limit int) []workflow.Task {
	t.Helper()
	tasks, err := db.ClaimTasks(context.Background(), owner, now, time.Second, limit)
	must(t, err)
	return tasks
}

func execution(t workflow.Task) string { return t.Execution }

func taskClaim(t *testing.T, db *store.DB) {
	ctx := context.Background()
	begun := time.Now()
	look, ok, err := db.NextTaskAt(ctx)
	must(t, err)
	if ok && look.Before(begun) { // replicas look again after a while
		t.Errorf("something is due at %s", look)
	}
	for i, name := range []string{"c", "a", "d", "b"} {
		must(t, db.PutTask(ctx, newTask(name, later([]int{3, 1, 40, 2}[i]))))
	}
	same(t, "too early", len(claim(t, db, "p", epoch, 9)), 0)
	got := claim(t, db, "p", later(10), 2)
	same(t, "first two", ids(got, execution), []string{"a", "b"})
	want := newTask("a", later(1))
	want.Owner, want.LeaseUntil, want.Attempt = "p", later(1010), 1
	same(t, "task", got[0], want)
	next, ok, err := db.NextTaskAt(ctx)
	must(t, err)
	same(t, "anything left", ok, true)
	same(t, "next", next, later(3))
	same(t, "the rest that is due", ids(claim(t, db, "q", later(10), 9), execution), []string{"c"})
	same(t, "nothing", len(claim(t, db, "q", later(10), 9)), 0)
	next, ok, err = db.NextTaskAt(ctx)
	must(t, err)
	same(t, "anything waits", ok, true)
	same(t, "next of those that wait", next, later(40))
	_, err = db.ClaimTasks(ctx, "", epoch, time.Second, 1)
	wantKind(t, err, iap.Invalid)
}

func taskPut(t *testing.T, db *store.DB) {
	ctx := context.Background()
	must(t, db.PutTask(ctx, newTask("a", epoch)))
	claim(t, db, "p", epoch, 9)
	again := newTask("a", later(5)) // replaces it, and so nobody holds it
	again.State = "T"
	must(t, db.PutTask(ctx, again))
	timer := newTask("a", later(5))
	timer.Kind = workflow.Timer
	must(t, db.PutTask(ctx, timer))
	must(t, db.DeleteTask(ctx, "a", workflow.Timer, 1, 2))
	must(t, db.DeleteTask(ctx, "a", workflow.Timer, 1, 2))
	got := claim(t, db, "p", later(5), 9)
	same(t, "tasks", len(got), 1)
	same(t, "state", got[0].State, "T")
	same(t, "attempt", got[0].Attempt, 1)
	must(t, db.PutTask(ctx, newTask("b", later(5))))
	must(t, db.DeleteTasks(ctx, "a"))
	same(t, "left", ids(claim(t, db, "p", later(9999), 9), execution), []string{"b"})
}

func taskLease(t *testing.T, db *store.DB) {
	must(t, db.PutTask(context.Background(), newTask("a", epoch)))
	first := claim(t, db, "p", epoch, 9)[0]
	must(t, db.PutTask(context.Background(), newTask("later", later(1001))))
	next, ok, err := db.NextTaskAt(context.Background())
	must(t, err)
	same(t, "a lease ends", ok, true)
	same(t, "its end", next, later(1000))
	same(t, "while the lease lasts", len(claim(t, db, "q", later(999), 9)), 0)
	second := claim(t, db, "q", later(1000), 9)
	same(t, "when it is over", len(second), 1)
	same(t, "attempt", second[0].Attempt, 2)
	wantKind(t, db.FinishTask(context.Background(), first), iap.Conflict)
	must(t, db.FinishTask(context.Background(), second[0]))
}

func taskFences(t *testing.T, db *store.DB) {
	ctx := context.Background()
	must(t, db.PutTask(ctx, newTask("a", epoch)))
	held := claim(t, db, "p", epoch, 9)[0]
	other, old := held, held
	other.Owner, old.Attempt = "q", 0
	for _, task := range []workflow.Task{other, old} {
		wantKind(t, db.FinishTask(ctx, task), iap.Conflict)
		wantKind(t, db.RenewTask(ctx, task, later(5000)), iap.Conflict)
	}
	must(t, db.RenewTask(ctx, held, later(5000)))
	same(t, "renewed", len(claim(t, db, "q", later(4999), 9)), 0)
	must(t, db.FinishTask(ctx, held))
	wantKind(t, db.FinishTask(ctx, held), iap.Conflict)
	wantKind(t, db.RenewTask(ctx, held, later(5000)), iap.Conflict)
}

// Tasks of the caller's own stay; those of a process that never was alive are
// freed.
func taskRelease(t *testing.T, db *store.DB) {
	ctx := context.Background()
	must(t, db.PutTask(ctx, newTask("b", later(1))))
	same(t, "mine", ids(claim(t, db, "p", later(1), 9), execution), []string{"b"})
	dead := newTask("a", epoch)
	dead.Owner, dead.LeaseUntil, dead.Attempt = "dead", later(99_999), 1
	must(t, db.PutTask(ctx, dead))
	must(t, db.ReleaseTasks(ctx, "p"))
	got := claim(t, db, "p", later(1), 9)
	same(t, "freed", ids(got, execution), []string{"a"})
	same(t, "attempt", got[0].Attempt, 2)
}

func taskEachToOne(t *testing.T, db *store.DB) {
	ctx := context.Background()
	const tasks = 100
	must(t, db.Update(ctx, func(tx context.Context) error {
		for n := range tasks {
			must(t, db.PutTask(tx, newTask(fmt.Sprint(n), epoch)))
		}
		return nil
	}))
	var mu sync.Mutex
	seen := map[string]int{}
	noErrors(t, together(8, func(g int) error {
		for {
			got, err := db.ClaimTasks(ctx, fmt.Sprint("p", g), later(1), time.Hour, 3)
			if err != nil || len(got) == 0 {
				return err
			}
			mu.Lock()
			for _, task := range got {
				seen[task.Execution]++
			}
			mu.Unlock()
		}
	}))
	same(t, "tasks given out", len(seen), tasks)
	for name, n := range seen {
		if n != 1 {
			t.Errorf("task %s was given out %d times", name, n)
		}
	}
}
