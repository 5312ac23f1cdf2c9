package delivery

import (
	"context"
	"math/rand/v2"
	"sync"
	"time"

	"golang.org/x/time/rate"

	iap "github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/event"
)

const (
	// Parallel is how many attempts at one target are made at once.
	Parallel = 16
	// breakAfter is how many attempts in a row may fail before a target is taken
	// as down: it then gets few at once, until one succeeds.
	breakAfter   = 10
	parallelDown = 8
	// pauseDown is how long what came of attempts at a target that is down is
	// gathered: written down one by one, failures that come at once would take
	// the database from what others wait for.
	pauseDown = 20 * time.Millisecond
	// maxWrites is how often is tried to write down what came of an attempt,
	// before the attempt is made again.
	maxWrites = 50
	noteEvery = time.Second // how the last attempts went
	// stopGrace is how long attempts under way may take when the portal stops: a
	// target that was cut off gets the same again.
	stopGrace = 2 * time.Second
	// clockSlack is how far a clock may go back without being taken as put back.
	clockSlack = time.Second
)

// lane makes the deliveries to one target. Its goroutine alone uses what is
// below the line.
type lane struct {
	s    *Service
	name string
	wake chan struct{}

	mu     sync.Mutex
	target Target
	rest   time.Time // until when it wants nothing, as it said by Retry-After

	cancel   context.CancelFunc // nothing more is begun
	attempts context.Context    // of what is under way
	cut      context.CancelFunc
	done     chan struct{}

	// ----
	held     time.Time // until when the lane is held
	seen     time.Time // the last time that the clock showed
	busy     map[int64]string
	subjects map[string]bool // of an ordered target, those being delivered
	ended    chan outcome
	failures int
	noted    [2]time.Time // when a failure and a success were kept last
	limit    *rate.Limiter
}

// outcome is what an attempt came to.
type outcome struct {
	due     Due
	attempt Attempt
	result  Result
}

func newLane(s *Service, t Target) *lane {
	return &lane{s: s, name: t.Name, target: t, wake: make(chan struct{}, 1), done: make(chan struct{}), busy: map[int64]string{},
		subjects: map[string]bool{}, ended: make(chan outcome, Parallel), limit: rate.NewLimiter(rate.Inf, 1)}
}

func (l *lane) Wake() {
	select {
	case l.wake <- struct{}{}:
	default:
	}
}

// set changes the target, which then rests no longer.
func (l *lane) set(t Target) {
	l.mu.Lock()
	l.target, l.rest = t, time.Time{}
	l.mu.Unlock()
	l.Wake()
}

func (l *lane) get() Target {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.target
}

// restUntil has the target be left alone until a time.
func (l *lane) restUntil(at time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if at.After(l.rest) || at.IsZero() {
		l.rest = at
	}
}

func (l *lane) resting() time.Time {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.rest
}

func (l *lane) start(ctx context.Context) {
	l.attempts, l.cut = context.WithCancel(context.WithoutCancel(ctx))
	ctx, l.cancel = context.WithCancel(ctx)
	go l.run(ctx)
}

// stop cuts off what is under way.
func (l *lane) stop() {
	l.cancel()
	l.cut()
	<-l.done
}

func (l *lane) run(ctx context.Context) {
	defer close(l.done)
	defer l.cut()
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			for len(l.busy) > 0 { // they end, or are cut off
				l.end(ctx, l.gather(ctx, <-l.ended))
			}
			return
		case <-l.wake:
		case <-timer.C:
		case o := <-l.ended:
			l.end(ctx, l.gather(ctx, o))
		}
		wait, err := l.turn(ctx)
		if err != nil && ctx.Err() == nil {
			l.s.log.Warn("delivering to a target failed in the portal; trying again", "target", l.name, "err", err)
			wait = pauseAfterFault
		}
		timer.Reset(wait)
	}
}

// turn begins what is due and says how long there is nothing to do.
func (l *lane) turn(ctx context.Context) (time.Duration, error) {
	t := l.get()
	if t.Rate > 0 {
		l.limit.SetLimit(rate.Limit(t.Rate))
	} else {
		l.limit.SetLimit(rate.Inf)
	}
	if !t.Active() {
		return lookAgain, nil
	}
	now := l.s.Now().Round(0)
	// Kept while all places are taken, too: else another replica would make the
	// attempts that are under way.
	if held, err := l.hold(ctx, now); err != nil || !held {
		return lookAgain, err
	}
	if err := l.look(ctx, now); err != nil {
		return 0, err
	}
	room := Parallel
	if l.failures >= breakAfter {
		room = parallelDown
	}
	if len(l.busy) >= room {
		return lookAgain, nil
	}
	if rest := l.resting(); now.Before(rest) {
		return min(rest.Sub(now), lookAgain), nil
	}
	return l.beginDue(ctx, t, now, room)
}

// beginDue begins what is due while there is room.
func (l *lane) beginDue(ctx context.Context, t Target, now time.Time, room int) (time.Duration, error) {
	due, err := l.s.Store.DueDeliveries(ctx, t, now, room+len(l.busy))
	if err != nil {
		return 0, err
	}
	some := false
	for _, d := range due {
		wait, ok, err := l.begin(ctx, t, d, room)
		if err != nil || wait > 0 {
			return wait, err
		}
		if ok {
			some = true
		}
	}
	if some && len(l.busy) < room {
		return 0, nil // there may be more
	}
	return l.untilNext(ctx, now)
}

// look has what waits be due when the clock was put back: it would wait for as
// long as the clock was ahead.
func (l *lane) look(ctx context.Context, now time.Time) error {
	if now.Before(l.seen.Add(-clockSlack)) {
		l.restUntil(time.Time{})
		if err := l.s.Store.Hurry(ctx, l.name, now); err != nil {
			return err
		}
	}
	l.seen = now
	return nil
}

// hold takes or keeps the lane.
func (l *lane) hold(ctx context.Context, now time.Time) (bool, error) {
	if now.Before(l.held.Add(-renew)) {
		return true, nil
	}
	until, owner := now.Add(lease), l.s.lanes.name()
	ok, err := l.s.Store.HoldLane(ctx, l.name, owner, now, until)
	if ok {
		l.held = until
	}
	if iap.IsKind(err, iap.Conflict) {
		l.s.lanes.rename(owner)
	}
	return ok, err
}

// begin begins an attempt, if there is room for it and nothing before it. wait
// is how long the target's rate has it wait; ok says that it no longer is among
// what is due.
func (l *lane) begin(ctx context.Context, t Target, d Due, room int) (wait time.Duration, ok bool, err error) {
	if _, busy := l.busy[d.Number]; busy || len(l.busy) >= room {
		return 0, false, nil
	}
	if t.Ordered && (d.Behind || l.subjects[d.Subject]) {
		n, err := l.s.Store.Park(ctx, l.name, d.Subject)
		return 0, n > 0, err
	}
	if r := l.limit.Reserve(); r.Delay() > 0 {
		wait = r.Delay()
		r.Cancel()
		return wait, false, nil
	}
	l.busy[d.Number] = d.Subject
	if t.Ordered {
		l.subjects[d.Subject] = true
	}
	go func() {
		l.s.Failpoint("delivery.send.before")
		a, r := l.s.send(l.attempts, t, Message{ID: MessageID(d.Event), Event: d.Event, Attempt: d.Attempt + 1})
		l.s.Failpoint("delivery.send.after")
		l.ended <- outcome{d, a, r}
	}()
	return 0, true, nil
}

// untilNext is how long until the next delivery is due.
func (l *lane) untilNext(ctx context.Context, now time.Time) (time.Duration, error) {
	next, ok, err := l.s.Store.NextDelivery(ctx, l.name)
	if err != nil || !ok || len(l.busy) > 0 && !next.After(now) {
		return lookAgain, err
	}
	return min(max(next.Sub(l.s.Now()), 0), lookAgain), nil
}

// gather returns what has ended by now, so that it is written down at once.
func (l *lane) gather(ctx context.Context, first outcome) []outcome {
	all := []outcome{first}
	if l.failures >= breakAfter {
		pause(ctx, pauseDown)
	}
	for {
		select {
		case o := <-l.ended:
			all = append(all, o)
		default:
			return all
		}
	}
}

// end writes down what came of attempts. One that was cut off counts for nothing.
func (l *lane) end(ctx context.Context, ended []outcome) {
	var count []outcome
	for _, o := range ended {
		delete(l.busy, o.due.Number)
		delete(l.subjects, o.due.Subject)
		if rest := o.result.rest(); rest > 0 {
			l.restUntil(l.s.Now().Add(rest))
		}
		if l.attempts.Err() == nil || o.result.Err == "" {
			count = append(count, o)
		}
	}
	if len(count) == 0 {
		return
	}
	ctx = context.WithoutCancel(ctx)
	t := l.get()
	for range maxWrites {
		err := l.write(ctx, t, count)
		if err == nil {
			return
		}
		l.s.log.Warn("what came of deliveries could not be written down; trying again", "target", l.name, "err", err)
		pause(ctx, pauseAfterFault)
	}
}

// write writes outcomes in one transaction. What somebody else has written down
// already is left as it is.
func (l *lane) write(ctx context.Context, t Target, ended []outcome) error {
	now, failures := l.s.Now(), l.failures
	l.s.Failpoint("delivery.write.before")
	err := l.s.Tx.Update(ctx, func(ctx context.Context) error {
		failures = l.failures
		for _, o := range ended {
			err := l.writeOne(ctx, t, o, now)
			if err != nil && !iap.IsKind(err, iap.Conflict) {
				return err
			}
			if o.result.Err != "" {
				failures++
				continue
			}
			if failures >= breakAfter { // it is up again
				if err := l.s.Store.Hurry(ctx, l.name, now); err != nil {
					return err
				}
			}
			failures = 0
		}
		return l.note(ctx, ended[len(ended)-1].result, failures, now)
	})
	if err == nil {
		l.s.Failpoint("delivery.write.after")
		l.failures = failures
		for _, o := range ended {
			l.s.redriver.note(o.due.Redrive)
		}
	}
	return err
}

// writeOne writes down an attempt and what follows from it. Conflict when
// somebody else has.
func (l *lane) writeOne(ctx context.Context, t Target, o outcome, now time.Time) error {
	d := o.due.Delivery
	d.Attempt++
	d.Reason, o.attempt.Redrive = o.result.Err, d.Redrive
	if o.result.Err == "" {
		d.Status, d.EndedAt = Delivered, now
	} else if next, again := t.next(d, o.result, now, rand.Float64()); again {
		d.NextAt = next
	} else {
		d.Status, d.EndedAt = Dead, now
	}
	if err := l.s.Store.WriteAttempt(ctx, d, o.attempt); err != nil {
		return err
	}
	return l.follow(ctx, t, d, o, now)
}

// note keeps how the last attempts went: now and then, and whenever the target
// begins to fail, is down, or works again.
func (l *lane) note(ctx context.Context, r Result, failures int, now time.Time) error {
	same := (failures > 0) == (l.failures > 0) && (failures >= breakAfter) == (l.failures >= breakAfter)
	last := &l.noted[flag(r.Err == "")]
	if same && now.Sub(*last).Abs() < noteEvery {
		return nil
	}
	*last = now
	return l.s.Store.NoteLane(ctx, l.name, now, r.Err, failures)
}

func flag(b bool) int {
	if b {
		return 1
	}
	return 0
}

// follow does what follows from the end of an attempt, in its transaction.
func (l *lane) follow(ctx context.Context, t Target, d Delivery, o outcome, now time.Time) error {
	if d.Status != Waiting && t.Ordered {
		if err := l.s.Store.Unpark(ctx, l.name, d.Subject, now); err != nil {
			return err
		}
	}
	if d.Status == Dead && d.EventType != event.DeliveryDead {
		data := DeadLetter{Delivery: d.ID(), Target: d.Target, Rule: d.Rule, Number: d.Number, Type: d.EventType, Attempts: d.Attempt, Reason: d.Reason}
		err := l.s.Log.Append(ctx, &event.Event{Source: "/deliveries", Type: event.DeliveryDead, Subject: d.ID(), Time: now,
			Owner: event.AdminsOnly, Data: mustJSON(data)})
		if err != nil {
			return err
		}
	}
	if !o.result.Gone {
		return nil
	}
	return l.s.change(ctx, l.name, "disabled", iap.System.ID, func(t *Target) bool {
		if t.Disabled != "" || o.attempt.At.Before(t.UpdatedAt) {
			return false // somebody has changed or resumed the target since that was asked
		}
		t.Disabled = "it answered 410 Gone on " + now.UTC().Format(time.RFC3339)
		return true
	})
}
