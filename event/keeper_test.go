package event_test

import (
	"context"
	"encoding/json"
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"github.com/internal-app-portal/iap/event"
	"github.com/internal-app-portal/iap/event/delivery"
	"github.com/internal-app-portal/iap/store"
	"github.com/internal-app-portal/iap/store/pgtest"
)

// kept is a log on a database, with events of an hour each: number n was told n hours
// after the beginning.
type kept struct {
	t     *testing.T
	db    *store.DB
	begin time.Time
}

func onBoth(t *testing.T, test func(t *testing.T, k kept)) {
	for name, url := range map[string]func() string{"sqlite": func() string { return filepath.Join(t.TempDir(), "iap.db") },
		"postgres": func() string { return "" }} {
		t.Run(name, func(t *testing.T) {
			at := url()
			if at == "" {
				at = pgtest.URL(t)
			}
			db, err := store.Open(t.Context(), at, store.Options{})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = db.Close() })
			test(t, kept{t, db, time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)})
		})
	}
}

// tell appends events of types; those of others say that they have happened long ago.
func (k kept) tell(n int, typ string) {
	k.t.Helper()
	last, err := k.db.LastEventNumber(k.t.Context())
	if err != nil {
		k.t.Fatal(err)
	}
	var events []*event.Event
	for i := range n {
		at := k.begin.Add(time.Duration(last+int64(i)+1) * time.Hour)
		if typ[:4] != "iap." {
			at = k.begin.AddDate(-30, 0, 0)
		}
		events = append(events, &event.Event{ID: at.String() + typ + string(rune('a'+i%26)) + time.Duration(i).String(), Source: "/t", Type: typ, Time: at, Data: json.RawMessage(`{}`)})
	}
	if err := k.db.AppendEvents(k.t.Context(), events...); err != nil {
		k.t.Fatal(err)
	}
}

// match notes that the rules were applied up to a number, and adds deliveries.
func (k kept) match(to int64, ds ...delivery.Delivery) {
	k.t.Helper()
	from, err := k.db.Matched(k.t.Context())
	if err == nil {
		err = k.db.Match(k.t.Context(), from, to, ds)
	}
	if err != nil {
		k.t.Fatal(err)
	}
}

// prune keeps what is told at or after an hour, and so many events, and checks which
// is the oldest then, and that none is missing after it.
func (k kept) prune(hour int, count, oldest int64) {
	k.t.Helper()
	keep := event.Keep{Count: count}
	now := k.begin.AddDate(1, 0, 0)
	if hour > 0 {
		keep.Age = now.Sub(k.begin.Add(time.Duration(hour) * time.Hour))
	}
	keeper := &event.Keeper{Store: k.db, Keep: keep, Now: func() time.Time { return now }, Logger: slog.Default()}
	if _, err := keeper.Prune(k.t.Context()); err != nil {
		k.t.Fatal(err)
	}
	got, err := k.db.OldestEventNumber(k.t.Context())
	if err != nil || got != oldest {
		k.t.Errorf("the oldest is %d, %v; want %d", got, err, oldest)
	}
	events, err := k.db.EventsAfter(k.t.Context(), 0, 10000)
	if err != nil {
		k.t.Fatal(err)
	}
	for i, e := range events {
		if e.Number != oldest+int64(i) {
			k.t.Fatalf("event %d follows %d", e.Number, oldest+int64(i)-1)
		}
	}
}

func TestKeepsByAgeAndCount(t *testing.T) {
	onBoth(t, func(t *testing.T, k kept) {
		k.prune(5, 1, 1) // of an empty log
		k.tell(1500, event.JobChanged)
		k.match(1500)
		k.prune(0, 0, 1)
		k.prune(700, 0, 700)
		k.prune(700, 1000, 700)
		k.prune(700, 500, 1001)
		k.tell(600, "ci.ended") // which are as old as what is told after them
		k.match(2100)
		k.prune(1500, 0, 1500)
		k.prune(2200, 0, 1501)
		k.tell(1, event.JobChanged)
		k.match(2101)
		k.prune(2102, 0, 2102)
	})
}

// TestNeverPastWhatIsOpen: an event that was not matched, or of which a delivery waits
// or is dead, is kept with all that follow it; what was delivered goes with its event.
func TestNeverPastWhatIsOpen(t *testing.T) {
	onBoth(t, func(t *testing.T, k kept) {
		k.tell(100, event.JobChanged)
		d := func(n int64, s delivery.Status) delivery.Delivery {
			return delivery.Delivery{Number: n, Target: "t", Rule: "r", EventType: event.JobChanged, Status: s}
		}
		k.match(40, d(10, delivery.Delivered), d(20, delivery.Waiting), d(30, delivery.Dead))
		k.prune(0, 1, 20)
		if err := k.db.WriteAttempt(t.Context(), func() delivery.Delivery { x := d(20, delivery.Delivered); x.Attempt = 1; return x }(), delivery.Attempt{Number: 1}); err != nil {
			t.Fatal(err)
		}
		k.prune(0, 1, 30)
		if err := k.db.Drop(t.Context(), 30, "t", "not needed", k.begin); err != nil {
			t.Fatal(err)
		}
		k.prune(0, 1, 41)
		k.match(100)
		k.prune(0, 1, 100)
		left, err := k.db.Deliveries(context.Background(), delivery.Filter{Limit: 10})
		if err != nil || len(left) != 0 {
			t.Errorf("deliveries are left of events that are gone: %v, %v", left, err)
		}
	})
}
