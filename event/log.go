package event

import (
	"context"
	"log/slog"
	"sync"
	"time"

	iap "github.com/internal-app-portal/iap"
)

// ringSize is how many of the newest events are kept in memory for those who
// follow; who is further behind reads from the store.
const ringSize = 2048

// Log appends events and tells all who follow, by their numbers. One
// goroutine reads what was committed, once for all followers: a follower
// holds nothing but a number, so that a slow one costs no memory.
type Log struct {
	store Store

	mu      sync.Mutex
	ring    []Event       // the newest events, oldest first
	last    int64         // number of the newest event known
	changed chan struct{} // closed and replaced when last grows
	started bool

	wake   chan struct{}
	cancel context.CancelFunc
	done   chan struct{}
}

// NewLog returns a log over store. Start must be called before Subscribe.
func NewLog(store Store) *Log {
	return &Log{store: store, changed: make(chan struct{}), wake: make(chan struct{}, 1)}
}

// Start begins to follow the store from its newest event.
func (l *Log) Start(ctx context.Context) error {
	last, err := l.store.LastEventNumber(ctx)
	if err != nil {
		return err
	}
	l.mu.Lock()
	l.last, l.started = last, true
	l.mu.Unlock()
	ctx, l.cancel = context.WithCancel(context.WithoutCancel(ctx))
	l.done = make(chan struct{})
	go l.run(ctx)
	return nil
}

// Stop ends following and waits for it.
func (l *Log) Stop(context.Context) error {
	if l.cancel != nil {
		l.cancel()
		<-l.done
	}
	return nil
}

// Append adds events in the transaction of ctx and has followers told after
// the commit.
func (l *Log) Append(ctx context.Context, events ...*Event) error {
	for _, e := range events {
		if e.ID == "" {
			e.ID = iap.NewID(e.Time)
		}
	}
	if err := l.store.AppendEvents(ctx, events...); err != nil {
		return err
	}
	iap.AfterCommit(ctx, l.Wake)
	return nil
}

// Wake has the log look for new events; it never blocks.
func (l *Log) Wake() {
	select {
	case l.wake <- struct{}{}:
	default:
	}
}

// Last returns the number of the newest event that followers know.
func (l *Log) Last() int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.last
}

func (l *Log) run(ctx context.Context) {
	defer close(l.done)
	for {
		select {
		case <-ctx.Done():
			return
		case <-l.wake:
		}
		if err := l.read(ctx); err != nil && ctx.Err() == nil {
			slog.Warn("reading the event log failed; trying again", "err", err)
			time.AfterFunc(200*time.Millisecond, l.Wake) // harmless after the end
		}
	}
}

// read takes all that is new into the ring.
func (l *Log) read(ctx context.Context) error {
	for {
		events, err := l.store.EventsAfter(ctx, l.Last(), ringSize/2)
		if err != nil {
			return err
		}
		if len(events) == 0 {
			return nil
		}
		l.publish(events)
	}
}

func (l *Log) publish(events []Event) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.ring = append(l.ring, events...)
	if over := len(l.ring) - ringSize; over > 0 {
		l.ring = append([]Event(nil), l.ring[over:]...)
	}
	l.last = events[len(events)-1].Number
	close(l.changed)
	l.changed = make(chan struct{})
}

// Subscription is one follower's place in the log. It is used by one
// goroutine at a time and needs no closing.
type Subscription struct {
	log   *Log
	after int64
}

// Subscribe follows the log from the event after number; a negative number
// means from now on.
func (l *Log) Subscribe(number int64) *Subscription {
	if number < 0 {
		number = l.Last()
	}
	return &Subscription{log: l, after: number}
}

// Position returns the number of the last event that Next returned.
func (s *Subscription) Position() int64 { return s.after }

// Next returns the next events, at least one, in order and without gaps. It
// blocks until there are any, or returns ctx's error.
func (s *Subscription) Next(ctx context.Context) ([]Event, error) {
	for {
		events, changed, err := s.Poll(ctx)
		if err != nil || len(events) > 0 {
			return events, err
		}
		select {
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		case <-changed:
		}
	}
}

// Poll returns the next events as Next does, without waiting for any: where
// there are none, changed is closed when there may be some.
func (s *Subscription) Poll(ctx context.Context) (events []Event, changed <-chan struct{}, err error) {
	events, behind, changed := s.log.after(s.after)
	if behind {
		if events, err = s.log.store.EventsAfter(ctx, s.after, 500); err != nil {
			return nil, nil, err
		}
	}
	if len(events) > 0 {
		s.after = events[len(events)-1].Number
	}
	return events, changed, nil
}

// after returns the events in memory above number; behind is true when memory
// does not reach back that far.
func (l *Log) after(number int64) (events []Event, behind bool, changed <-chan struct{}) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if number >= l.last {
		return nil, false, l.changed
	}
	if len(l.ring) == 0 || l.ring[0].Number > number+1 {
		return nil, true, l.changed
	}
	return append([]Event(nil), l.ring[number+1-l.ring[0].Number:]...), false, l.changed
}
