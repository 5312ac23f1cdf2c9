package web

import (
	"context"
	"slices"
	"sync"

	"github.com/internal-app-portal/iap/workflow"
)

// keptReplays is how many replays are kept; each has read a history, so that a
// page that is shown anew reads what came since.
const keptReplays = 32

// mostEvents is how much of a history is read for a page.
const mostEvents = 100_000

// replays keeps the replays of the executions that were looked at last.
type replays struct {
	mu   sync.Mutex
	all  map[string]*keptReplay
	used []string // IDs, the one used last at the end
}

type keptReplay struct {
	mu sync.Mutex
	*replay
	last int64
}

// get returns the replay of an execution, which is the caller's until release.
func (c *replays) get(id string, definition []byte) (k *keptReplay, release func()) {
	c.mu.Lock()
	k = c.all[id]
	if k == nil {
		k = &keptReplay{replay: newReplay(definition)}
		if c.all == nil {
			c.all = map[string]*keptReplay{}
		}
		c.all[id] = k
	}
	if i := slices.Index(c.used, id); i >= 0 {
		c.used = slices.Delete(c.used, i, i+1)
	}
	if c.used = append(c.used, id); len(c.used) > keptReplays {
		delete(c.all, c.used[0])
		c.used = c.used[1:]
	}
	c.mu.Unlock()
	k.mu.Lock()
	return k, k.mu.Unlock
}

// catchUp reads what the history has beyond what was read.
func (k *keptReplay) catchUp(ctx context.Context, history func(ctx context.Context, after int64, limit int) ([]workflow.HistoryEvent, error)) error {
	const piece = 2000
	for k.last < mostEvents {
		events, err := history(ctx, k.last, piece)
		if err != nil {
			return err
		}
		for _, e := range events {
			k.take(e)
			k.last = e.Number
		}
		if len(events) < piece {
			return nil
		}
	}
	return nil
}
