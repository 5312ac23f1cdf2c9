package instance

import (
	"context"
	"time"
)

// ActivityKind says in which way an app was used.
type ActivityKind string

// The ways of using an app: by its address alone. Pages of the portal and health
// checks are no use.
const (
	ByRequest ActivityKind = "request"
	ByStream  ActivityKind = "stream" // server-sent events
	BySocket  ActivityKind = "websocket"
)

// Activity is the last use of an instance's app. What is open counts as use for
// as long as it is open.
type Activity struct {
	At   time.Time    `json:"at"` // now, while anything is open
	Kind ActivityKind `json:"kind"`
	Open int          `json:"open,omitempty"` // requests, streams and WebSockets that are open
}

// How old the stored activity of an instance may be before it is written anew:
// that much is forgotten when the portal is killed.
const (
	activityKept     = 10 * time.Second // of one that may end when idle
	activityKeptLong = time.Minute      // of others, where it is only shown
)

// ActivityOf returns the last use of an instance's app, as far as this process
// knows; the zero value when there was none.
func (s *Service) ActivityOf(i Instance) Activity {
	stored := i.Active
	stored.Open = 0 // what was open then
	if s.Activity == nil {
		return stored
	}
	if seen := s.Activity(i.HostName); seen.At.After(stored.At) {
		return seen
	}
	return stored
}

// noteActivity stores what was used since it was stored last, all in one commit;
// requests themselves write nothing.
func (s *Service) noteActivity(ctx context.Context, live []Instance) error {
	news := map[string]Activity{}
	for n := range live {
		i := &live[n]
		if i.Status != Running {
			continue
		}
		old := activityKeptLong
		if i.IdleLimit > 0 {
			old = min(activityKept, i.IdleLimit/10)
		}
		if a := s.ActivityOf(*i); a.At.Sub(i.Active.At) >= old {
			news[i.ID], i.Active = a, a
		}
	}
	if len(news) == 0 {
		return nil
	}
	return s.Store.NoteActivity(ctx, news)
}
