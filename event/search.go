package event

import (
	"bytes"
	"context"
	"strings"
	"time"
)

// Query chooses events by more than the log has an order for. Each word of Text
// must be in one of an event's attributes or its data, in whatever case.
type Query struct {
	Filter
	Since time.Time // not before
	Text  string
}

// searchAtMost is how many events one Search looks at, and searchPiece how many
// it reads at once.
const (
	searchAtMost = 20_000
	searchPiece  = 500
)

// Found is what a Search came to.
type Found struct {
	Events []Event // newest first
	Next   int64   // what to give as Before for those that follow; 0: there are none
	Cut    bool    // it ended because it had looked at enough, not because it had found enough
}

// Search reads the newest events that q chooses, q.Limit at most. It does not
// look for ever: where what is looked for is rare, it ends early and says where
// to go on. Since is the time in the events, which those from elsewhere choose
// themselves: it ends where a whole piece of the log is older.
func Search(ctx context.Context, log Reader, q Query) (Found, error) {
	var found Found
	f := q.Filter
	f.Limit = q.Limit + 1
	rare := q.Text != "" || !q.Since.IsZero()
	if rare {
		f.Limit = searchPiece
	}
	words := strings.Fields(strings.ToLower(q.Text))
	for looked := 0; looked < searchAtMost; {
		piece, err := log.EventsBefore(ctx, f)
		if err != nil {
			return found, err
		}
		old := 0
		for _, e := range piece {
			f.Before = e.Number
			if e.Time.Before(q.Since) {
				old++
				continue
			}
			if !e.has(words) {
				continue
			}
			if len(found.Events) == q.Limit {
				found.Next = found.Events[q.Limit-1].Number
				return found, nil
			}
			found.Events = append(found.Events, e)
		}
		if len(piece) < f.Limit || old == len(piece) {
			return found, nil
		}
		looked += len(piece)
	}
	found.Next, found.Cut = f.Before, true
	return found, nil
}

// Matches reports whether q chooses an event, as Search would; Before and Limit
// are of no account.
func (q Query) Matches(e Event) bool {
	equal := func(want, got string) bool { return want == "" || want == got }
	return OfType(e.Type, q.Type) && equal(q.Source, e.Source) && equal(q.Subject, e.Subject) && equal(q.Group, e.Group) &&
		(q.Viewer == "" || e.Owner == "" || e.Owner == q.Viewer) && !e.Time.Before(q.Since) && e.has(strings.Fields(strings.ToLower(q.Text)))
}

// OfType reports whether a type is the one that a filter names: exactly, or with
// "*" at the filter's end one that begins so. An empty filter names all.
func OfType(typ, filter string) bool {
	if begin, some := strings.CutSuffix(filter, "*"); some {
		return strings.HasPrefix(typ, begin)
	}
	return filter == "" || typ == filter
}

// has reports whether each of some words, in small letters, is in an event.
func (e Event) has(words []string) bool {
	if len(words) == 0 {
		return true
	}
	attributes := strings.ToLower(strings.Join([]string{e.Type, e.Source, e.Subject, e.ID, e.Owner, e.Group}, "\n"))
	var data []byte
	for _, w := range words {
		if strings.Contains(attributes, w) {
			continue
		}
		if data == nil {
			data = bytes.ToLower(e.Data)
		}
		if !bytes.Contains(data, []byte(w)) {
			return false
		}
	}
	return true
}
