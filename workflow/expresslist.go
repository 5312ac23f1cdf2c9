package workflow

import (
	"cmp"
	"slices"

	iap "github.com/internal-app-portal/iap"
)

// expressRing keeps the newest executions that ended.
type expressRing struct {
	limit, maxBytes int
	list            []ExpressExecution // in the order of their ends
	bytes           int
}

func (g *expressRing) add(x ExpressExecution) {
	g.list = append(g.list, x)
	g.bytes += x.size()
	drop := 0
	for drop < len(g.list)-1 && (len(g.list)-drop > g.limit || g.bytes > g.maxBytes) {
		g.bytes -= g.list[drop].size()
		g.list[drop] = ExpressExecution{}
		drop++
	}
	g.list = g.list[drop:]
}

// size is about what an execution takes in memory, in bytes.
func (x ExpressExecution) size() int {
	n := 512 + len(x.Input) + len(x.Output) + len(x.Cause)
	for _, e := range x.History {
		n += 512 + e.Details.Input.Len() + e.Details.Output.Len() + e.Details.Parameters.Len()
	}
	return n
}

// List returns what runs and the newest of what has ended, newest first, of one
// state machine or, when machine is empty, of all; at most limit.
func (r *ExpressRuns) List(machine string, limit int) []ExpressExecution {
	r.mu.Lock()
	defer r.mu.Unlock()
	var out []ExpressExecution
	take := func(x ExpressExecution) {
		if machine == "" || x.Machine == machine {
			x.History = nil
			out = append(out, x)
		}
	}
	for _, x := range r.running {
		take(x)
	}
	for _, x := range r.ended.list {
		take(x)
	}
	slices.SortFunc(out, func(a, b ExpressExecution) int { return cmp.Compare(b.number, a.number) })
	return out[:min(limit, len(out))]
}

// Get returns one that runs or is remembered, by its ARN or ID; NotFound when
// there is none (any more).
func (r *ExpressRuns) Get(ref string) (ExpressExecution, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, x := range r.running {
		if x.ID == ref || x.ARN == ref {
			return x, nil
		}
	}
	for _, x := range r.ended.list {
		if x.ID == ref || x.ARN == ref {
			return x, nil
		}
	}
	return ExpressExecution{}, iap.Errorf("workflow.Express", iap.NotFound,
		"there is no Express execution %q, or it is so long ago that nothing is remembered of it", ref)
}

// ExpressCounts are for monitoring.
type ExpressCounts struct {
	Running int
	// Ended counts by status since the process started.
	Ended map[Status]int64
}

// Counts tells how many run and have ended.
func (r *ExpressRuns) Counts() ExpressCounts {
	r.mu.Lock()
	defer r.mu.Unlock()
	c := ExpressCounts{Running: len(r.running), Ended: map[Status]int64{}}
	for s, n := range r.counts {
		c.Ended[s] = n
	}
	return c
}
