package store_test

import (
	"context"
	"fmt"
	"slices"
	"testing"

	iap "github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/event"
	"github.com/internal-app-portal/iap/store"
	"github.com/internal-app-portal/iap/store/pgtest"
	"github.com/internal-app-portal/iap/workflow"
)

// newCommit inserts an execution and tells of it.
func newCommit(id string) *workflow.Commit {
	return &workflow.Commit{Execution: workflow.Execution{ID: id, Name: id, StateMachine: "m", Status: workflow.Running}, New: true,
		Events: []*event.Event{{ID: id, Source: "/s", Type: "t"}}}
}

func withMachine(t *testing.T, url string, opts store.Options) *store.DB {
	t.Helper()
	db := openURL(t, url, opts)
	if err := db.PutStateMachine(t.Context(), workflow.StateMachine{ID: "m", Name: "m"}); err != nil {
		t.Fatal(err)
	}
	return db
}

// gone is cutOff that waits until the server has let go of the connections.
const gone = "SELECT pg_terminate_backend(pid, 20000) FROM pg_stat_activity WHERE application_name = 'iap' AND datname = current_database()"

// A connection that was lost while nobody used it is nobody's concern.
func TestCommitAfterLostConnections(t *testing.T) {
	url := pgtest.URL(t)
	db := withMachine(t, url, store.Options{})
	for i := range 3 {
		admin(t, url, gone)
		if err := db.WriteCommit(t.Context(), newCommit(fmt.Sprint("x", i))); err != nil {
			t.Errorf("commit %d: %v", i, err)
		}
	}
}

// Whatever becomes of the connection during a commit, the commit is there as a
// whole when it was said to be, and can be made again when not.
func TestConnectionLostInACommit(t *testing.T) {
	for _, when := range []string{"before", "after"} {
		t.Run(when, func(t *testing.T) {
			url := pgtest.URL(t)
			cut := false
			db := withMachine(t, url, store.Options{Failpoint: func(name string) {
				if cut && name == "store.commit."+when {
					cut = false
					admin(t, url, gone)
				}
			}})
			cut = true
			err := db.WriteCommit(t.Context(), newCommit("x"))
			if when == "before" && iap.IsKind(err, iap.Unavailable) { // it may not know
				err = db.WriteCommit(t.Context(), newCommit("x"))
			}
			if err != nil {
				t.Fatal(err)
			}
			wantEvents(t, db, "x")
		})
	}
}

// Commits that share a transaction in which one is late are written without it,
// and their events are numbered as if it had never been.
func TestLateCommitAmongOthers(t *testing.T) {
	db := withMachine(t, pgtest.URL(t), store.Options{})
	if err := db.WriteCommit(t.Context(), newCommit("x")); err != nil {
		t.Fatal(err)
	}
	late := newCommit("x")
	late.New, late.Execution.Version = false, 7
	answers := make(chan error, 3)
	release, held := make(chan struct{}), make(chan struct{})
	go func() { // has the others queue up behind it
		c := newCommit("first")
		c.Then = func(context.Context) error { close(held); <-release; return nil }
		answers <- db.WriteCommit(context.Background(), c)
	}()
	<-held
	lost := make(chan error, 1)
	go func() { lost <- db.WriteCommit(context.Background(), late) }()
	for _, id := range []string{"y", "z"} {
		go func() { answers <- db.WriteCommit(context.Background(), newCommit(id)) }()
	}
	close(release)
	for range 3 {
		if err := <-answers; err != nil {
			t.Error(err)
		}
	}
	if err := <-lost; !iap.IsKind(err, iap.Conflict) {
		t.Errorf("the late one: %v", err)
	}
	wantEvents(t, db, "first", "x", "y", "z")
}

// wantEvents checks that the log has the events, numbered from 1.
func wantEvents(t *testing.T, db *store.DB, want ...string) {
	t.Helper()
	events, err := db.EventsAfter(t.Context(), 0, 99)
	if err != nil {
		t.Fatal(err)
	}
	var ids []string
	for i, e := range events {
		if ids = append(ids, e.ID); e.Number != int64(i+1) {
			t.Errorf("event %d has the number %d", i, e.Number)
		}
	}
	if slices.Sort(ids); !slices.Equal(ids, want) {
		t.Errorf("events: %v; want %v", ids, want)
	}
}
