package workflow

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/internal-app-portal/iap/asl"
)

// claimLimit is how many rows are claimed at once.
const claimLimit = 128

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

// claim does what is due and returns how long to sleep.
func (e *Engine) claim() time.Duration {
	for {
		tasks, err := e.Store.ClaimTasks(e.ctx, e.Owner, e.Now(), lease, claimLimit)
		if err != nil {
			if e.ctx.Err() == nil {
				slog.Warn("due tasks could not be claimed; trying again", "err", err)
			}
			return time.Second
		}
		for _, t := range tasks {
			e.dispatch(t)
		}
		if len(tasks) < claimLimit {
			return e.untilNext()
		}
	}
}

// untilNext returns how long it is to the next row that is due, a day when
// there is none.
func (e *Engine) untilNext() time.Duration {
	at, ok, err := e.Store.NextTaskAt(e.ctx)
	switch {
	case err != nil:
		return time.Second
	case !ok:
		return 24 * time.Hour
	}
	return min(max(at.Sub(e.Now()), time.Millisecond), 24*time.Hour)
}

func (e *Engine) dispatch(t Task) {
	switch t.Kind {
	case CallTask:
		e.spawn(func() { e.runCall(t) })
	case Advance:
		e.spawn(func() {
			e.fire(t, func(ctx context.Context) error { return e.step(ctx, t.Execution, nil) })
		})
	case Timer:
		e.spawn(func() {
			e.fire(t, func(ctx context.Context) error {
				return e.step(ctx, t.Execution, nil, asl.TimerFired{Frame: asl.FrameID(t.Frame), ID: asl.TimerID(t.Number)})
			})
		})
	}
}

// fire commits what a claimed advance or timer asks for, together with the end
// of its row.
func (e *Engine) fire(t Task, do func(ctx context.Context) error) {
	err := e.persist("a due task", func() error {
		return e.Tx.Update(e.ctx, func(ctx context.Context) error {
			if err := e.finish(ctx, t); err != nil {
				return err
			}
			err := do(ctx)
			if errors.Is(err, ErrStale) {
				return nil // overtaken: the row goes, nothing else changes
			}
			return err
		})
	})
	if err != nil && !errors.Is(err, errLost) && e.ctx.Err() == nil {
		slog.Error("a due task failed", "execution", t.Execution, "kind", t.Kind, "err", err)
	}
}
