package event_test

import (
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/event"
	"github.com/internal-app-portal/iap/store"
)

// counted is a store that knows the most events it was asked for at once, and
// fails while it is told to.
type counted struct {
	event.Store
	most  atomic.Int64
	fails atomic.Int64
}

func (c *counted) EventsAfter(ctx context.Context, after int64, limit int) ([]event.Event, error) {
	if c.fails.Add(-1) >= 0 {
		return nil, iap.Errorf("store", iap.Unavailable, "not now")
	}
	events, err := c.Store.EventsAfter(ctx, after, limit)
	c.most.Store(max(c.most.Load(), int64(len(events))))
	return events, err
}

func newLog(t *testing.T) (*event.Log, *store.DB, *counted) {
	t.Helper()
	db, err := store.Open(t.Context(), filepath.Join(t.TempDir(), "iap.db"), store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	c := &counted{Store: db}
	l := event.NewLog(c)
	if err := l.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Stop(context.Background()); _ = db.Close() })
	return l, db, c
}

// some returns n events.
func some(n int) []*event.Event {
	events := make([]*event.Event, n)
	for i := range events {
		events[i] = &event.Event{Source: "/apps", Type: event.AppChanged, Subject: fmt.Sprint(i), Time: time.Now(), Data: json.RawMessage("{}")}
	}
	return events
}

// read takes n events and checks that none is missing, doubled or out of order;
// it returns the most that came at once.
func read(ctx context.Context, sub *event.Subscription, n int) (most int, err error) {
	for want := sub.Position() + 1; n > 0; {
		events, err := sub.Next(ctx)
		if err != nil {
			return most, err
		}
		for _, e := range events {
			if e.Number != want {
				return most, fmt.Errorf("number %d came, not %d", e.Number, want)
			}
			want++
		}
		n -= len(events)
		most = max(most, len(events))
	}
	return most, nil
}

// TestTenThousandAtOnce: all reach each follower, however far it is behind, and
// no more than a part of them is in memory at a time.
func TestTenThousandAtOnce(t *testing.T) {
	const n, atOnce = 10_000, 2048
	l, db, c := newLog(t)
	late := l.Subscribe(0)
	results := make(chan error, 5)
	for range 5 {
		sub := l.Subscribe(-1)
		go func() {
			most, err := read(t.Context(), sub, n)
			if err == nil && most > atOnce {
				err = fmt.Errorf("%d came at once", most)
			}
			results <- err
		}()
	}
	err := db.Update(t.Context(), func(ctx context.Context) error { return l.Append(ctx, some(n)...) })
	if err != nil {
		t.Fatal(err)
	}
	for range 5 {
		if err := <-results; err != nil {
			t.Error(err)
		}
	}
	if most, err := read(t.Context(), late, n); err != nil || most > atOnce {
		t.Errorf("who comes late gets %d at once, %v", most, err)
	}
	if c.most.Load() > atOnce {
		t.Errorf("%d were read from the store at once", c.most.Load())
	}
}

// TestFollowersGoOnAfterAFault: what was committed while the store could not be
// read is told when it can be read again.
func TestFollowersGoOnAfterAFault(t *testing.T) {
	l, _, c := newLog(t)
	sub := l.Subscribe(-1)
	c.fails.Store(2)
	if err := l.Append(t.Context(), some(3)...); err != nil {
		t.Fatal(err)
	}
	if _, err := read(t.Context(), sub, 3); err != nil {
		t.Error(err)
	}
}

// TestNothingIsToldOfWhatWasRolledBack: a follower gets what was committed, with
// no gap where the rest would have been.
func TestNothingIsToldOfWhatWasRolledBack(t *testing.T) {
	l, db, _ := newLog(t)
	sub := l.Subscribe(-1)
	undone := fmt.Errorf("undone")
	err := db.Update(t.Context(), func(ctx context.Context) error {
		if err := l.Append(ctx, some(2)...); err != nil {
			return err
		}
		return undone
	})
	if err == nil {
		t.Fatal("it was committed")
	}
	if err := l.Append(t.Context(), &event.Event{Source: "/apps", Type: event.AppChanged, Subject: "kept", Time: time.Now(), Data: json.RawMessage("{}")}); err != nil {
		t.Fatal(err)
	}
	events, err := sub.Next(t.Context())
	if err != nil || len(events) != 1 || events[0].Subject != "kept" || events[0].Number != 1 {
		t.Errorf("got %+v, %v", events, err)
	}
}
