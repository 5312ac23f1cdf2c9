package storetest

import (
	"context"
	"errors"
	"testing"

	iap "github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/event"
	"github.com/internal-app-portal/iap/store"
)

func testTransactions(t *testing.T, open Open) {
	for name, test := range map[string]func(*testing.T, *store.DB){
		"commit": txCommit, "rollback": txRollback, "nested": txNested, "panic": txPanic, "goexit": txGoexit,
		"cancelled before": txCancelledBefore, "cancelled within": txCancelledWithin, "hooks": txHooks,
		"conflict goes on": txConflictGoesOn, "swallowed error": txSwallowed, "context outlives": txOutlived, "closed": txClosed,
	} {
		t.Run(name, func(t *testing.T) { test(t, open(t)) })
	}
}

func setting(t *testing.T, ctx context.Context, db *store.DB, name string) string {
	t.Helper()
	v, err := db.Setting(ctx, name)
	if iap.IsKind(err, iap.NotFound) {
		return "none"
	}
	must(t, err)
	return string(v)
}

func put(ctx context.Context, db *store.DB, name, value string) error {
	return db.PutSetting(ctx, name, []byte(value))
}

func txCommit(t *testing.T, db *store.DB) {
	ctx := context.Background()
	must(t, db.Update(ctx, func(tx context.Context) error {
		must(t, put(tx, db, "a", "1"))
		same(t, "within", setting(t, tx, db, "a"), "1")
		same(t, "outside", setting(t, ctx, db, "a"), "none")
		return nil
	}))
	same(t, "after", setting(t, ctx, db, "a"), "1")
}

func txRollback(t *testing.T, db *store.DB) {
	ctx := context.Background()
	err := db.Update(ctx, func(tx context.Context) error {
		must(t, put(tx, db, "a", "1"))
		return errRefused
	})
	if !errors.Is(err, errRefused) {
		t.Fatalf("got %v, want the function's own error", err)
	}
	same(t, "after", setting(t, ctx, db, "a"), "none")
}

func txNested(t *testing.T, db *store.DB) {
	ctx := context.Background()
	err := db.Update(ctx, func(tx context.Context) error {
		must(t, db.Update(tx, func(tx context.Context) error { return put(tx, db, "a", "1") }))
		same(t, "outer", setting(t, tx, db, "a"), "1")
		return errRefused
	})
	if !errors.Is(err, errRefused) {
		t.Fatal(err)
	}
	same(t, "after", setting(t, ctx, db, "a"), "none")
}

func txPanic(t *testing.T, db *store.DB) {
	ctx := context.Background()
	func() {
		defer func() {
			if recover() == nil {
				t.Error("the panic did not reach the caller")
			}
		}()
		_ = db.Update(ctx, func(tx context.Context) error {
			must(t, put(tx, db, "a", "1"))
			panic("boom")
		})
	}()
	must(t, put(ctx, db, "b", "2"))
	same(t, "what panicked", setting(t, ctx, db, "a"), "none")
	same(t, "what followed", setting(t, ctx, db, "b"), "2")
}

func txGoexit(t *testing.T, db *store.DB) {
	ctx := context.Background()
	t.Run("leaves", func(t *testing.T) {
		_ = db.Update(ctx, func(tx context.Context) error {
			must(t, put(tx, db, "a", "1"))
			t.SkipNow()
			return nil
		})
	})
	must(t, put(ctx, db, "b", "2"))
	same(t, "what left", setting(t, ctx, db, "a"), "none")
}

func txCancelledBefore(t *testing.T, db *store.DB) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	err := db.Update(ctx, func(context.Context) error {
		t.Error("was called")
		return nil
	})
	if !errors.Is(err, context.Canceled) {
		t.Fatalf("got %v", err)
	}
}

// Whether what was begun is committed depends on the database; it must be all
// or nothing, told truly, and without harm to others.
func txCancelledWithin(t *testing.T, db *store.DB) {
	ctx, cancel := context.WithCancel(context.Background())
	err := db.Update(ctx, func(tx context.Context) error {
		if err := put(tx, db, "a", "1"); err != nil {
			return err
		}
		cancel()
		return put(tx, db, "b", "1")
	})
	want := "1"
	if err != nil {
		want = "none"
	}
	background := context.Background()
	same(t, "first write", setting(t, background, db, "a"), want)
	same(t, "second write", setting(t, background, db, "b"), want)
	must(t, put(background, db, "c", "1"))
}

func txHooks(t *testing.T, db *store.DB) {
	ctx := context.Background()
	var got []string
	must(t, db.Update(ctx, func(tx context.Context) error {
		iap.AfterCommit(tx, func() { got = append(got, setting(t, ctx, db, "a")) })
		iap.AfterCommit(tx, func() { got = append(got, "second") })
		return put(tx, db, "a", "committed")
	}))
	err := db.Update(ctx, func(tx context.Context) error {
		iap.AfterCommit(tx, func() { got = append(got, "rolled back") })
		return errRefused
	})
	if !errors.Is(err, errRefused) {
		t.Fatal(err)
	}
	same(t, "hooks", got, []string{"committed", "second"})
}

func txConflictGoesOn(t *testing.T, db *store.DB) {
	ctx := context.Background()
	must(t, db.InsertInstance(ctx, newInstance("1", "ann", "todo", "a")))
	must(t, db.Update(ctx, func(tx context.Context) error {
		wantKind(t, db.InsertInstance(tx, newInstance("2", "ann", "todo", "b")), iap.Conflict)
		live, err := db.LiveInstance(tx, "ann", "todo")
		must(t, err)
		same(t, "the one that there is", live.ID, "1")
		return put(tx, db, "a", "1")
	}))
	same(t, "after", setting(t, ctx, db, "a"), "1")
}

// A function that hides an SQL error must not be told that it was committed.
func txSwallowed(t *testing.T, db *store.DB) {
	ctx := context.Background()
	e := func(id string) *event.Event { return &event.Event{ID: id, Source: "/s", Time: epoch} }
	must(t, db.AppendEvents(ctx, e("1")))
	err := db.Update(ctx, func(tx context.Context) error {
		must(t, put(tx, db, "a", "1"))
		must(t, db.InsertLock(tx, newLock("i", "l")))
		must(t, db.AppendHistory(tx, newHistory("x", 1)))
		_ = db.AppendHistory(tx, newHistory("x", 1))
		return nil
	})
	wantKind(t, err, iap.Conflict)
	same(t, "after", setting(t, ctx, db, "a"), "none")
	wantKind(t, db.AppendEvents(ctx, e("2"), e("1")), iap.Conflict)
	last, err := db.LastEventNumber(ctx)
	must(t, err)
	same(t, "last number", last, 1)
}

func txClosed(t *testing.T, db *store.DB) {
	must(t, db.Close())
	must(t, db.Close())
	wantKind(t, put(context.Background(), db, "a", "1"), iap.Unavailable)
}

// A context that outlives its transaction is one without a transaction.
func txOutlived(t *testing.T, db *store.DB) {
	ctx := context.Background()
	var old context.Context
	must(t, db.Update(ctx, func(tx context.Context) error {
		old = tx
		return put(tx, db, "a", "1")
	}))
	same(t, "reading", setting(t, old, db, "a"), "1")
	err := db.Update(ctx, func(context.Context) error {
		same(t, "reading with the other's", setting(t, old, db, "a"), "1")
		return errRefused
	})
	if !errors.Is(err, errRefused) {
		t.Fatal(err)
	}
	must(t, put(old, db, "b", "2"))
	same(t, "what was written", setting(t, ctx, db, "b"), "2")
}
