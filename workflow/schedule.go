package workflow

import (
	"errors"
	"log/slog"
	"math"
	"time"

	"github.com/internal-app-portal/iap/asl"
)

// claimLimit is how many rows are claimed at once.
const claimLimit = 128

// longestSleep bounds how long it takes until the rows of a process that died
// are seen, where nothing tells of its death.
const longestSleep = time.Second

// lookAgain bounds how late a due row is done when the clock was set, or the
// machine slept: timers go by neither.
const lookAgain = 5 * time.Second

// schedule claims due rows and does them, until the engine stops. It sleeps
// until it is woken or the next row is due.
func (e *Engine) schedule() {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-e.ctx.Done():
			return
		case <-e.wake:
		case <-timer.C:
		}
		timer.Reset(e.claim())
	}
}

// wakeAt has the engine look for due work at a time; it never blocks.
func (e *Engine) wakeAt(at time.Time) {
	if at.UnixMilli() < e.due.Load() {
		e.Wake()
	}
}

// claim does what is due and returns how long to sleep.
func (e *Engine) claim() time.Duration {
	for e.ctx.Err() == nil {
		e.due.Store(math.MaxInt64) // whoever leaves a row while it is looked for has it looked for again
		if sleep := e.untilNext(); sleep > 0 {
			return sleep
		}
		id := e.me.Load()
		if id.ctx.Err() != nil {
			return longestSleep // whoever finds a new name wakes
		}
		tasks, err := e.Store.ClaimTasks(id.ctx, id.owner, e.Now(), e.Lease, claimLimit)
		if err != nil {
			if id.ctx.Err() == nil {
				slog.Warn("due tasks could not be claimed; trying again", "err", err)
			}
			return longestSleep
		}
		for _, t := range tasks {
			e.dispatch(t)
		}
		if len(tasks) == 0 {
			return time.Millisecond // somebody else was quicker
		}
	}
	return longestSleep
}

// untilNext returns how long it is to the next row that is due; 0 when one is.
func (e *Engine) untilNext() time.Duration {
	at, ok, err := e.Store.NextTaskAt(e.ctx)
	if err != nil {
		return longestSleep
	}
	sleep := lookAgain
	if ok {
		sleep = at.Sub(e.Now())
	}
	if sleep <= 0 {
		return 0
	}
	sleep = min(max(sleep, time.Millisecond), lookAgain)
	e.due.Store(e.Now().Add(sleep).UnixMilli())
	return sleep
}

func (e *Engine) dispatch(t Task) {
	switch t.Kind {
	case CallTask:
		e.beginCall(t)
	case MapTask:
		e.spawn(func() { e.runMap(t) })
	case Advance:
		e.spawn(func() { e.fire(t, nil) })
	case Timer:
		e.spawn(func() { e.fire(t, asl.TimerFired{Frame: asl.FrameID(t.Frame), ID: asl.TimerID(t.Number)}) })
	}
}

// fire commits what a claimed advance or timer asks for, together with the end
// of its row. One that comes too late changes nothing but that the row goes.
func (e *Engine) fire(t Task, sig asl.Signal) {
	err := e.persist("a due task", func() error { return e.submit(t.Execution, &request{signal: sig, row: &t}) })
	if err != nil && !errors.Is(err, ErrTaskLost) && e.ctx.Err() == nil {
		slog.Error("a due task failed", "execution", t.Execution, "kind", t.Kind, "err", err)
	}
}
