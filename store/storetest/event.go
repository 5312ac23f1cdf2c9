package storetest

import (
	"context"
	"encoding/json"
	"testing"

	iap "github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/event"
	"github.com/internal-app-portal/iap/store"
)

func testEvents(t *testing.T, open Open) {
	db, ctx := open(t), context.Background()
	last, err := db.LastEventNumber(ctx)
	must(t, err)
	same(t, "number of none", last, 0)

	a := &event.Event{ID: "1", Source: "/instances", Type: event.InstanceChanged, Subject: "i", Time: epoch, Owner: "ann",
		Group: "i", Data: json.RawMessage(`{"text":"é \u0000"}`)}
	b := &event.Event{ID: "1", Source: "/jobs", Type: event.JobChanged, Subject: "j", Time: later(1), Group: "i"}
	c := &event.Event{ID: "2", Source: "/jobs", Type: event.JobChanged, Subject: "j", Time: later(2)}
	must(t, db.AppendEvents(ctx))
	must(t, db.AppendEvents(ctx, a, b))
	must(t, db.AppendEvents(ctx, c))
	same(t, "numbers", []int64{a.Number, b.Number, c.Number}, []int64{1, 2, 3})

	t.Run("after", func(t *testing.T) {
		got, err := db.EventsAfter(ctx, 0, 2)
		must(t, err)
		same(t, "the first two", got, []event.Event{*a, *b})
		got, err = db.EventsAfter(ctx, 2, 2)
		must(t, err)
		same(t, "the rest", got, []event.Event{*c})
		got, err = db.EventsAfter(ctx, 3, 2)
		must(t, err)
		same(t, "none", len(got), 0)
	})
	t.Run("of a group", func(t *testing.T) {
		got, err := db.EventsOf(ctx, "i")
		must(t, err)
		same(t, "events", got, []event.Event{*a, *b})
		got, err = db.EventsOf(ctx, "")
		must(t, err)
		same(t, "of no group", len(got), 0)
	})
	t.Run("of a large group", func(t *testing.T) { eventsOfMany(t, open(t)) })
	t.Run("last", func(t *testing.T) {
		last, err := db.LastEventNumber(ctx)
		must(t, err)
		same(t, "number", last, 3)
	})
}

func eventsOfMany(t *testing.T, db *store.DB) {
	ctx := context.Background()
	put := func(n int) {
		var events []*event.Event
		for range n {
			e := newEvent(iap.NewID(epoch))
			e.Group = "g"
			events = append(events, e)
		}
		must(t, db.AppendEvents(ctx, events...))
	}
	numbers := func() (out []int64) {
		events, err := db.EventsOf(ctx, "g")
		must(t, err)
		return ids(events, func(e event.Event) int64 { return e.Number })
	}
	put(event.FirstOf + 1)
	same(t, "all", len(numbers()), event.FirstOf+1)
	put(event.LastOf - 1)
	same(t, "still all", len(numbers()), event.FirstOf+event.LastOf)
	put(7)
	got := numbers()
	same(t, "no more", len(got), event.FirstOf+event.LastOf)
	same(t, "the last of the first", got[event.FirstOf-1], event.FirstOf)
	same(t, "the first of the last", got[event.FirstOf], event.FirstOf+8)
	same(t, "the last", got[len(got)-1], event.FirstOf+event.LastOf+7)
}
