package workflow_test

import (
	"context"
	"encoding/json"
	"errors"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/internal-app-portal/iap/store"
	"github.com/internal-app-portal/iap/store/pgtest"
	"github.com/internal-app-portal/iap/workflow"
)

// onEach runs a test on both databases with children of both types.
func onEach(t *testing.T, test func(t *testing.T, url, mode string)) {
	for name, url := range map[string]func(testing.TB) string{
		"sqlite":   func(t testing.TB) string { return filepath.Join(t.TempDir(), "test.db") },
		"postgres": pgtest.URL,
	} {
		for _, mode := range modes {
			t.Run(name+"/"+mode, func(t *testing.T) { test(t, url(t), mode) })
		}
	}
}

// faulty is a task that fails for one item until it is repaired, and counts what
// it was called for.
type faulty struct {
	bad      string
	repaired atomic.Bool
	mu       sync.Mutex
	calls    map[string]int
}

func (f *faulty) handlers() map[string]workflow.Handler {
	return map[string]workflow.Handler{"test:one": {Run: func(_ context.Context, c workflow.Call) (json.RawMessage, error) {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.calls[string(c.Arguments)]++
		if string(c.Arguments) == f.bad && !f.repaired.Load() {
			return nil, workflow.FailTask("Test.Broken", "not yet")
		}
		return c.Arguments, nil
	}}}
}

const redriven = "ExecutionStarted MapStateEntered MapStateStarted MapRunStarted MapRunFailed MapStateFailed ExecutionFailed " +
	"ExecutionRedriven MapRunRedriven MapRunSucceeded MapStateSucceeded MapStateExited ExecutionSucceeded"

// TestRedriveOfAMapRun: the same run goes on, and what has succeeded is not done
// again, also by another process.
func TestRedriveOfAMapRun(t *testing.T) {
	onEach(t, func(t *testing.T, url, mode string) {
		const items = 40
		f := &faulty{bad: "30", calls: map[string]int{}}
		db, err := store.Open(t.Context(), url, store.Options{})
		if err != nil {
			t.Fatal(err)
		}
		m := newMapEngine(t, db, "one", nil, f.handlers())
		x := m.begin(t, distributed(mode, `"MaxConcurrency":1,`, taskOne), numbers(items))
		if got := m.wait(t); got.Status != workflow.Failed || got.Error != "States.ExceedToleratedFailureThreshold" {
			t.Fatalf("%+v", got)
		}
		m.stop()
		if err := db.Close(); err != nil { // by which others see that the process is gone
			t.Fatal(err)
		}
		m = newMapEngine(t, openURL(t, url), "two", nil, f.handlers())
		f.repaired.Store(true)
		if _, err := m.Redrive(t.Context(), x.ID); err != nil {
			t.Fatal(err)
		}
		got := m.wait(t)
		if got.Status != workflow.Succeeded || string(got.Output) != numbers(items) {
			t.Fatalf("%s %s: %s", got.Status, got.Cause, got.Output)
		}
		for item, n := range f.calls {
			if want := 1 + strings.Count(item, f.bad); n != want {
				t.Errorf("item %s was worked at %d times, not %d", item, n, want)
			}
		}
		if got := historyTypes(t, m, x.ID); got != redriven {
			t.Errorf("history %s", got)
		}
		runs, err := m.MapRuns(t.Context(), x.ID, "", 10)
		if err != nil || len(runs) != 1 {
			t.Fatal(runs, err)
		}
		r := runs[0]
		if r.RedriveCount != 1 || r.RedrivenAt.IsZero() || r.Status != workflow.Succeeded || r.Total != items ||
			r.Items.Succeeded != items || r.Items.Total() != items || r.Children.Succeeded != items || r.Children.Total() != items {
			t.Errorf("%+v", r)
		}
	})
}

// TestRedriveOfAStoppedMapRun redrives while the children of before are still
// being stopped, several times.
func TestRedriveOfAStoppedMapRun(t *testing.T) {
	onEach(t, func(t *testing.T, url, mode string) {
		const items = 60
		var free atomic.Bool
		began := make(chan string, 10*items)
		m := newMapEngine(t, openURL(t, url), "one", nil, map[string]workflow.Handler{"test:one": {Run: func(ctx context.Context, c workflow.Call) (json.RawMessage, error) {
			if free.Load() {
				return c.Arguments, nil
			}
			began <- string(c.Arguments)
			<-ctx.Done()
			return nil, ctx.Err()
		}}})
		x := m.begin(t, distributed(mode, `"MaxConcurrency":7,`, taskOne), numbers(items))
		for range 3 {
			<-began
			if err := m.StopExecution(t.Context(), x.ID, "", ""); err != nil {
				t.Fatal(err)
			}
			if got := m.wait(t); got.Status != workflow.Aborted {
				t.Fatal(got.Status)
			}
			if _, err := m.Redrive(t.Context(), x.ID); err != nil {
				t.Fatal(err)
			}
			for len(began) > 0 {
				<-began
			}
		}
		free.Store(true)
		if err := m.StopExecution(t.Context(), x.ID, "", ""); err != nil {
			t.Fatal(err)
		}
		m.wait(t)
		if _, err := m.Redrive(t.Context(), x.ID); err != nil {
			t.Fatal(err)
		}
		if got := m.wait(t); string(got.Output) != numbers(items) {
			t.Fatalf("%s %s: %s", got.Status, got.Cause, got.Output)
		}
		runs, err := m.MapRuns(t.Context(), x.ID, "", 10)
		if err != nil || len(runs) != 1 || runs[0].RedriveCount != 4 || runs[0].Items.Succeeded != items || runs[0].Items.Total() != items {
			t.Errorf("%+v %v", runs, err)
		}
	})
}

// TestRedriveOfChildrenThatCannotBe counts them as failed again.
func TestRedriveOfChildrenThatCannotBe(t *testing.T) {
	f := &faulty{bad: "2", calls: map[string]int{}}
	m := newMapEngine(t, newDB(t), "one", nil, f.handlers())
	x := m.begin(t, distributed("STANDARD", `"MaxConcurrency":1,`, taskOne), numbers(5))
	m.wait(t)
	runs, err := m.MapRuns(t.Context(), x.ID, "", 1)
	if err != nil {
		t.Fatal(err)
	}
	children, err := m.Store.MapChildren(t.Context(), runs[0].ID, 1, 1)
	if err != nil || children[0].Status != workflow.Failed {
		t.Fatal(children, err)
	}
	child, err := m.Store.Execution(t.Context(), children[0].Execution)
	if err != nil {
		t.Fatal(err)
	}
	if r, err := m.Redrivable(t.Context(), child); err != nil || r.Status != "REDRIVABLE_BY_MAP_RUN" {
		t.Errorf("%+v %v", r, err)
	}
	if _, err := m.Redrive(t.Context(), child.ID); !errors.Is(err, workflow.ErrNotRedrivable) {
		t.Errorf("a child by itself: %v", err)
	}
	if err := m.Store.DropState(t.Context(), child.ID); err != nil {
		t.Fatal(err)
	}
	f.repaired.Store(true)
	if _, err := m.Redrive(t.Context(), x.ID); err != nil {
		t.Fatal(err)
	}
	if got := m.wait(t); got.Status != workflow.Failed {
		t.Errorf("%+v", got)
	}
	r, err := m.MapRun(t.Context(), runs[0].ID)
	if err != nil || r.Items.Failed != 1 || r.Items.NotRedrivable != 1 || r.Children.NotRedrivable != 1 || r.Items.PendingRedrive != 0 {
		t.Errorf("%+v %v", r, err)
	}
}

// TestFailuresThatCannotBeRedriven are counted when they happen: of a child whose
// history has no room left, and later of all whose time is over.
func TestFailuresThatCannotBeRedriven(t *testing.T) {
	onEach(t, func(t *testing.T, url, mode string) {
		if mode != "STANDARD" {
			return // a redrive begins those anew
		}
		f := &faulty{bad: "2", calls: map[string]int{}}
		db := openURL(t, url)
		m := newMapEngine(t, db, "one", nil, f.handlers())
		x := m.begin(t, distributed(mode, `"ToleratedFailurePercentage":100,`, `{
			"One":{"Type":"Choice","Choices":[{"Variable":"$","NumericEquals":1,"Next":"Ever"}],"Default":"Two"},
			"Ever":{"Type":"Pass","Next":"Ever"},
			"Two":{"Type":"Task","Resource":"arn:iap:states:::test:one","End":true}}`), "[1,2,3]")
		if got := m.wait(t); got.Status != workflow.Succeeded {
			t.Fatalf("%+v", got)
		}
		check := func(e *workflow.Engine, want int64) {
			t.Helper()
			runs, err := e.MapRuns(t.Context(), x.ID, "", 1)
			if err != nil || len(runs) != 1 {
				t.Fatal(runs, err)
			}
			if r := runs[0]; r.Items.Failed != 2 || r.Items.NotRedrivable != want || r.Children.NotRedrivable != want {
				t.Errorf("want %d: %+v", want, r)
			}
		}
		check(m.Engine, 1)
		later := func() time.Time { return time.Now().Add(workflow.RedrivePeriod + time.Hour) }
		check(workflow.New(workflow.Config{Store: db, Tx: db, Now: later}), 2)
	})
}
