package workflow

import (
	"context"
	"encoding/json"
	"log/slog"
	"sync"
	"time"

	iap "github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/event"
)

// tellEvery is how often the progress of one execution is told at most.
const tellEvery = 100 * time.Millisecond

// progress tells of running executions, each at most once in an interval. What
// it tells is not part of the commits that it tells of: who dies before telling
// leaves the execution to a process that goes on with it, and tells.
type progress struct {
	mu      sync.Mutex
	last    map[string]time.Time // when an execution was told of
	pending map[string][]string  // states of executions that changed since
	ended   map[string]bool      // executions that ended since the last flush
	kick    chan struct{}
}

func newProgress() progress {
	return progress{last: map[string]time.Time{}, pending: map[string][]string{}, ended: map[string]bool{},
		kick: make(chan struct{}, 1)}
}

// end is called before the commit that tells of the end: nothing is told of the
// execution after it.
func (p *progress) end(id string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.ended[id] = true
	delete(p.pending, id)
	delete(p.last, id)
}

func (p *progress) hasEnded(id string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.ended[id]
}

// now reports whether an execution may be told of at once, and notes that it is.
func (p *progress) now(id string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	t := time.Now()
	if t.Sub(p.last[id]) < tellEvery {
		return false
	}
	p.last[id] = t
	delete(p.pending, id)
	p.wake()
	return true
}

// later has an execution told of at the end of the interval.
func (p *progress) later(id string, states []string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.ended[id] {
		return
	}
	p.pending[id] = states
	p.wake()
}

func (p *progress) wake() {
	select {
	case p.kick <- struct{}{}:
	default:
	}
}

// flush returns what is to be told, and forgets executions that are quiet.
func (p *progress) flush() (pending map[string][]string, idle bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	t := time.Now()
	for id, last := range p.last {
		if _, again := p.pending[id]; !again && t.Sub(last) >= tellEvery {
			delete(p.last, id)
		}
	}
	pending = p.pending
	for id := range pending {
		p.last[id] = t
	}
	p.pending, p.ended = map[string][]string{}, map[string]bool{}
	return pending, len(p.last) == 0
}

// tell tells of progress until the engine stops.
func (e *Engine) tell() {
	for {
		select {
		case <-e.ctx.Done():
			return
		case <-e.progress.kick:
		}
		for idle := false; !idle; {
			select {
			case <-e.ctx.Done():
				return
			case <-time.After(tellEvery):
			}
			idle = e.tellPending(e.ctx)
		}
	}
}

func (e *Engine) tellPending(ctx context.Context) (idle bool) {
	pending, idle := e.progress.flush()
	if len(pending) == 0 {
		return idle
	}
	err := e.Tx.Update(ctx, func(ctx context.Context) error {
		events := make([]*event.Event, 0, len(pending))
		for id, states := range pending {
			if e.progress.hasEnded(id) {
				continue
			}
			if run, execution, ok := mapRunOf(id); ok {
				events = append(events, e.mapRunTold(MapRun{ID: run, Execution: execution, Status: Running}))
				continue
			}
			events = append(events, e.told(id, Running, states))
		}
		return e.Log.Append(ctx, events...)
	})
	if err != nil && e.ctx.Err() == nil {
		slog.Warn("the progress of executions could not be told", "executions", len(pending), "err", err)
	}
	return idle
}

// told is the event by which pages that show an execution learn of it.
func (e *Engine) told(id string, status Status, states []string) *event.Event {
	data, _ := json.Marshal(struct { // cannot fail
		ID     string   `json:"id"`
		Status Status   `json:"status"`
		States []string `json:"states,omitempty"`
	}{id, status, states})
	now := e.Now()
	return &event.Event{ID: iap.NewID(now), Source: "/executions", Type: event.ExecutionChanged, Subject: id,
		Time: now, Owner: event.AdminsOnly, Group: id, Data: data}
}
