package storetest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"

	iap "github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/event"
	"github.com/internal-app-portal/iap/job"
	"github.com/internal-app-portal/iap/store"
)

func testConcurrency(t *testing.T, open Open) {
	for name, test := range map[string]func(*testing.T, *store.DB){
		"numbers without gaps": concurrentNumbers,
		"hooks in order":       concurrentHooks,
		"one live instance":    concurrentInstances,
		"versions":             concurrentVersions,
		"counter":              concurrentCounter,
		"one job":              concurrentJob,
		"one instance":         concurrentInstance,
	} {
		t.Run(name, func(t *testing.T) { test(t, open(t)) })
	}
}

// together calls fn from n goroutines and returns what they returned.
func together(n int, fn func(i int) error) []error {
	errs := make([]error, n)
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() { errs[i] = fn(i) })
	}
	wg.Wait()
	return errs
}

func noErrors(t *testing.T, errs []error) {
	t.Helper()
	must(t, errors.Join(errs...))
}

func newEvent(id string) *event.Event {
	return &event.Event{ID: id, Source: "/test", Type: "t", Time: epoch}
}

// Every third transaction is rolled back: its events leave no gap, and it
// takes no other with it.
func concurrentNumbers(t *testing.T, db *store.DB) {
	const goroutines, each = 64, 9
	ctx := context.Background()
	noErrors(t, together(goroutines, func(g int) error {
		for n := range each {
			a, b := newEvent(fmt.Sprintf("%d-%d-a", g, n)), newEvent(fmt.Sprintf("%d-%d-b", g, n))
			err := db.Update(ctx, func(tx context.Context) error {
				if err := db.AppendEvents(tx, a, b); err != nil {
					return err
				}
				if n%3 == 1 {
					return errRefused
				}
				return put(tx, db, a.ID, "1")
			})
			if n%3 == 1 {
				if !errors.Is(err, errRefused) || a.Number != 0 {
					return fmt.Errorf("rolled back: got error %v and number %d", err, a.Number)
				}
				continue
			}
			if err != nil || b.Number != a.Number+1 {
				return fmt.Errorf("got error %v, numbers %d and %d", err, a.Number, b.Number)
			}
		}
		return nil
	}))
	events, err := db.EventsAfter(ctx, 0, 10_000)
	must(t, err)
	same(t, "number of events", len(events), goroutines*each*2/3*2)
	for i, e := range events {
		if e.Number != int64(i+1) {
			t.Fatalf("event %d has number %d", i+1, e.Number)
		}
	}
}

func concurrentHooks(t *testing.T, db *store.DB) {
	ctx := context.Background()
	var order []int64 // no lock: hooks never run at once
	noErrors(t, together(64, func(g int) error {
		e := newEvent(fmt.Sprint(g))
		done := false
		err := db.Update(ctx, func(tx context.Context) error {
			iap.AfterCommit(tx, func() { order, done = append(order, e.Number), true })
			return db.AppendEvents(tx, e)
		})
		if err == nil && !done {
			err = errors.New("the hook had not run when Update returned")
		}
		return err
	}))
	for i, n := range order {
		if n != int64(i+1) {
			t.Fatalf("hooks ran in the order %v", order)
		}
	}
	same(t, "hooks", len(order), 64)
}

func concurrentInstances(t *testing.T, db *store.DB) {
	ctx := context.Background()
	made := 0
	for i, err := range together(50, func(i int) error {
		return db.InsertInstance(ctx, newInstance(fmt.Sprint(i), "ann", "todo", fmt.Sprint("h", i)))
	}) {
		if err == nil {
			made++
			continue
		}
		var e *iap.Error
		if !errors.As(err, &e) || e.Kind != iap.Conflict || e.Field != "owner" {
			t.Errorf("insert %d: %v", i, err)
		}
	}
	same(t, "instances made", made, 1)
}

func concurrentVersions(t *testing.T, db *store.DB) {
	ctx := context.Background()
	noErrors(t, together(20, func(int) error {
		_, err := db.InsertVersion(ctx, newVersion("todo"))
		return err
	}))
	versions, err := db.Versions(ctx, "todo")
	must(t, err)
	same(t, "versions", len(versions), 20)
	same(t, "newest", versions[0].Number, 20)
}

// An execution's row is locked by who reads it in a transaction, so that no
// change of it is lost.
func concurrentCounter(t *testing.T, db *store.DB) {
	ctx := context.Background()
	must(t, db.PutStateMachine(ctx, newMachine("m", "life")))
	must(t, db.InsertExecution(ctx, newExecution("1", "m", "one")))
	noErrors(t, together(20, func(int) error {
		return db.Update(ctx, func(tx context.Context) error {
			e, err := db.Execution(tx, "1")
			if err != nil {
				return err
			}
			e.State = append(e.State, '.')
			return db.UpdateExecution(tx, e)
		})
	}))
	e, err := db.Execution(ctx, "1")
	must(t, err)
	same(t, "changes", len(e.State), len(newExecution("1", "m", "one").State)+20)
	same(t, "version", e.Version, 20)
}

// The same is so of a job: steps that come while somebody cancels it do not
// take the request back, and no step is lost.
func concurrentJob(t *testing.T, db *store.DB) {
	ctx := context.Background()
	must(t, db.InsertJob(ctx, newJob("1", "i", job.Running)))
	noErrors(t, together(20, func(n int) error {
		return db.Update(ctx, func(tx context.Context) error {
			j, err := db.Job(tx, "1")
			if err != nil {
				return err
			}
			if n == 7 {
				j.CancelledBy = "ann"
			}
			j.Steps = append(j.Steps, job.Step{Name: fmt.Sprint(n), StartedAt: epoch})
			return db.UpdateJob(tx, j)
		})
	}))
	j, err := db.Job(ctx, "1")
	must(t, err)
	same(t, "steps", len(j.Steps), 20)
	same(t, "cancelled by", j.CancelledBy, "ann")
}

// Of an instance no change is refused either.
func concurrentInstance(t *testing.T, db *store.DB) {
	ctx := context.Background()
	must(t, db.InsertInstance(ctx, newInstance("1", "ann", "todo", "h")))
	noErrors(t, together(20, func(int) error {
		return db.Update(ctx, func(tx context.Context) error {
			i, err := db.Instance(tx, "1")
			if err != nil {
				return err
			}
			i.Reason += "."
			return db.UpdateInstance(tx, i)
		})
	}))
	i, err := db.Instance(ctx, "1")
	must(t, err)
	same(t, "changes", len(i.Reason), len(newInstance("1", "ann", "todo", "h").Reason)+20)
}
