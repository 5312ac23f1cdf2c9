package event

import (
	"context"

	iap "github.com/internal-app-portal/iap"
)

// InboxStore is what an Inbox needs beside the log.
type InboxStore interface {
	// EventOf returns the event with a source and an id. NotFound when there is
	// none.
	EventOf(ctx context.Context, source, id string) (Event, error)
}

// Inbox takes events from outside into the log, each (source, id) once.
type Inbox struct {
	Log   *Log
	Store InboxStore
	Tx    iap.Transactor
}

// takeTries is how often events are taken again, of which somebody else has
// just taken some.
const takeTries = 5

// Take commits events and returns all of them with their numbers: those that
// are in the log already as they are there. owner is whom they concern. All are
// taken or none.
func (b *Inbox) Take(ctx context.Context, owner string, events []*Event) (out []Event, err error) {
	for range takeTries {
		out, err = b.take(ctx, owner, events)
		if !iap.IsKind(err, iap.Conflict) {
			break
		}
	}
	return out, err
}

func (b *Inbox) take(ctx context.Context, owner string, events []*Event) ([]Event, error) {
	known := map[[2]string]*Event{}
	err := b.Tx.Update(ctx, func(ctx context.Context) error {
		clear(known)
		var fresh []*Event
		for _, e := range events {
			key := [2]string{e.Source, e.ID}
			if known[key] != nil {
				continue
			}
			old, err := b.Store.EventOf(ctx, e.Source, e.ID)
			switch {
			case err == nil:
				known[key] = &old
			case !iap.IsKind(err, iap.NotFound):
				return err
			default:
				e.Owner = owner
				known[key] = e
				fresh = append(fresh, e)
			}
		}
		if len(fresh) == 0 {
			return nil
		}
		return b.Log.Append(ctx, fresh...)
	})
	if err != nil {
		return nil, err
	}
	out := make([]Event, 0, len(events))
	for _, e := range events {
		out = append(out, *known[[2]string{e.Source, e.ID}])
	}
	return out, nil
}

// Filter chooses events; empty fields choose all.
type Filter struct {
	Type    string // exactly, or with "*" at the end all that begin so
	Source  string
	Subject string
	Group   string
	Viewer  string // what this person may see; empty: everything
	Before  int64  // numbers below; 0: all
	Limit   int
}

// Reader reads the log backwards.
type Reader interface {
	// EventsBefore returns events, newest first.
	EventsBefore(ctx context.Context, f Filter) ([]Event, error)
	// EventAt returns one event. NotFound when there is none.
	EventAt(ctx context.Context, number int64) (Event, error)
}
