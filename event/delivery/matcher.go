package delivery

import (
	"context"
	"slices"
	"sync"
	"time"

	iap "github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/event"
)

const (
	// lagMost is how far the place in the database may lag behind where nothing
	// matches.
	lagMost = 1000
	// matchAtOnce is how many events are matched before the first of them is
	// delivered.
	matchAtOnce = 200
	// pauseAfterFault is how long after a fault of the database it is tried again.
	pauseAfterFault = 200 * time.Millisecond
)

// matcher applies the rules to the log.
type matcher struct {
	s      *Service
	sub    *event.Subscription
	rules  []compiled
	stored int64 // the place that the database has
	at     int64 // the last event that was matched

	cancel context.CancelFunc
	done   sync.WaitGroup
}

// compiled is a rule that is ready to be applied.
type compiled struct {
	Rule
	when *Expression
}

func (m *matcher) start(ctx context.Context) error {
	if err := m.resume(ctx); err != nil {
		return err
	}
	ctx, m.cancel = context.WithCancel(context.WithoutCancel(ctx))
	m.done.Go(func() { m.run(ctx) })
	return nil
}

func (m *matcher) stop() {
	if m.cancel != nil {
		m.cancel()
		m.done.Wait()
	}
}

// resume takes up from the place that the database has, or from the first event
// after it that a rule is for: without rules, a long log is not read.
func (m *matcher) resume(ctx context.Context) (err error) {
	first := m.s.Log.Last() // rules that are made from now on are for later events
	if m.stored, err = m.s.Store.Matched(ctx); err != nil {
		return err
	}
	if err := m.load(ctx); err != nil {
		return err
	}
	for _, r := range m.rules {
		first = min(first, r.After)
	}
	m.at = max(m.stored, first)
	m.sub = m.s.Log.Subscribe(m.at)
	return nil
}

// load reads the rules.
func (m *matcher) load(ctx context.Context) error {
	rules, err := m.s.Store.Rules(ctx)
	if err != nil {
		return err
	}
	known := map[string]*Expression{}
	for _, r := range m.rules {
		known[r.When] = r.when
	}
	m.rules = m.rules[:0]
	for _, r := range rules {
		if r.Paused {
			continue
		}
		x, err := known[r.When], error(nil)
		if x == nil {
			x, err = CompileCondition("when", r.When)
		}
		if err != nil { // it was checked when it was saved, perhaps by an earlier portal
			m.s.log.Error("a rule cannot be applied", "rule", r.Name, "err", err)
			continue
		}
		m.rules = append(m.rules, compiled{r, x})
	}
	return nil
}

func (m *matcher) run(ctx context.Context) {
	for ctx.Err() == nil {
		events, err := m.sub.Next(ctx)
		for part := range slices.Chunk(events, matchAtOnce) {
			if err == nil {
				err = m.take(ctx, part)
			}
		}
		if err == nil {
			continue
		}
		if ctx.Err() != nil {
			return
		}
		if !iap.IsKind(err, iap.Conflict) { // Conflict: another replica was faster
			m.s.log.Warn("matching events failed; trying again", "err", err)
			pause(ctx, pauseAfterFault)
		}
		for m.resume(ctx) != nil && ctx.Err() == nil {
			pause(ctx, pauseAfterFault)
		}
	}
}

func pause(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

// take matches events and writes what came of it.
func (m *matcher) take(ctx context.Context, events []event.Event) error {
	var found []Delivery
	for _, e := range events {
		if e.Type == event.RuleChanged {
			if err := m.load(ctx); err != nil {
				return err
			}
		}
		found = append(found, m.match(e)...)
		m.at = e.Number
	}
	if len(found) == 0 && m.at-m.stored < lagMost {
		return nil
	}
	m.s.Failpoint("delivery.match.before")
	if err := m.s.Store.Match(ctx, m.stored, m.at, found); err != nil {
		return err
	}
	m.s.Failpoint("delivery.match.after")
	m.stored = m.at
	if len(found) > 0 {
		m.s.lanes.Wake()
	}
	return nil
}

// match returns the deliveries of an event.
func (m *matcher) match(e event.Event) (out []Delivery) {
	if len(m.rules) == 0 {
		return nil
	}
	vars := NewVars(e)
	var now time.Time
	seen := map[string]bool{}
	for _, r := range m.rules {
		if e.Number <= r.After {
			continue
		}
		if ok, err := r.when.Chooses(vars); err != nil || !ok {
			continue
		}
		if now.IsZero() {
			now = m.s.Now()
		}
		for _, t := range r.Targets {
			if !seen[t] {
				seen[t] = true
				out = append(out, Delivery{Number: e.Number, Target: t, Rule: r.Name, Subject: e.Subject, EventType: e.Type,
					Status: Waiting, Since: now, NextAt: now})
			}
		}
	}
	return out
}
