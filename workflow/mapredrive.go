package workflow

import (
	"context"
	"errors"
	"log/slog"
	"time"

	iap "github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/asl"
)

// PendingRedrive is the status of a child of a map run that did not succeed and
// is to be redriven. Its execution, if it has one, is still as it ended.
const PendingRedrive Status = "PENDING_REDRIVE"

// redriveMapRun has a run that has ended go on for its Map state, which is
// redriven. The rest is its worker's: until it has put the children in order the
// run is Redriving.
func (s *stepper) redriveMapRun(ctx context.Context, c asl.RedriveMapRun) error {
	if err := s.needTransaction(); err != nil {
		return err
	}
	r, err := s.Store.MapRun(ctx, mapRunID(c.ARN))
	if err != nil {
		return err
	}
	now := s.Now()
	r.Frame, r.Attempt = int64(c.Frame), int64(c.Attempt)
	r.Status, r.StoppedAt, r.Redriving = Running, time.Time{}, true
	r.RedriveCount++
	r.RedrivenAt = now
	if err := s.saveMapRun(ctx, r); err != nil {
		return err
	}
	iap.AfterCommit(ctx, func() { s.hurryMapRun(r.ID) })
	return s.Store.EnsureTask(ctx, Task{Execution: r.ID, Kind: MapTask, RunAt: now})
}

// beginRedrive stops what still runs of before, and then has all children wait
// that did not succeed.
func (w *mapWorker) beginRedrive() error {
	if some, err := w.stopChildren(); some || err != nil {
		return err
	}
	w.forget()
	return w.persist("the redrive of a map run", func() error {
		return w.Tx.Update(w.ctx, func(ctx context.Context) error {
			r, err := w.counted(ctx)
			if err != nil {
				return err
			}
			if r.Status != Running {
				return w.saveMapRun(ctx, r)
			}
			if err := w.Store.MarkMapChildren(ctx, r.ID); err != nil {
				return err
			}
			r.Children, r.Items = awaitRedrive(r.Children), awaitRedrive(r.Items)
			r.Redriving = false
			if r.Express {
				// What ran in memory is gone; children are looked at from the first on.
				r.Children.Running, r.Items.Running, r.Next = 0, 0, 0
			}
			return w.saveMapRun(ctx, r)
		})
	})
}

func awaitRedrive(c asl.MapCounts) asl.MapCounts {
	c.PendingRedrive += c.Failed + c.TimedOut + c.Aborted
	c.Failed, c.TimedOut, c.Aborted, c.NotRedrivable = 0, 0, 0, 0
	return c
}

// takeRedrives takes children that are to be redriven and for which there is
// room, in the transaction of ctx.
func (w *mapWorker) takeRedrives(ctx context.Context, r *MapRun, room int64) ([]MapChild, error) {
	if r.Children.PendingRedrive == 0 || room == 0 {
		return nil, nil
	}
	taken, err := w.Store.TakeRedrives(ctx, r.ID, w.redriven, int(min(room, mapRound)))
	for _, c := range taken {
		r.Children.PendingRedrive--
		r.Children.Running++
		r.Items.PendingRedrive -= c.Items
		r.Items.Running += c.Items
	}
	return taken, err
}

// redriveChild lets the execution of a child go on that is noted as running, or
// begins it when it never was.
func (w *mapWorker) redriveChild(c MapChild) error {
	err := w.persist("redriving a child of a map run", func() error { return w.redrive(w.ctx, c.Execution) })
	switch {
	case err == nil, errors.Is(err, ErrStale): // it runs
		return nil
	case iap.IsKind(err, iap.NotFound):
		return w.beginOne(c)
	case w.ctx.Err() != nil:
		return context.Cause(w.ctx)
	}
	if !errors.Is(err, ErrNotRedrivable) {
		slog.Error("a child of a map run could not be redriven", "map_run", w.run.ID, "child", c.Number, "err", err)
	}
	return w.notRedrivable(c)
}

// notRedrivable leaves a child as it ended, for good.
func (w *mapWorker) notRedrivable(c MapChild) error {
	return w.persist("a child of a map run", func() error {
		return w.Tx.Update(w.ctx, func(ctx context.Context) error {
			if err := w.holds(ctx); err != nil {
				return err
			}
			x, err := w.Store.Execution(ctx, c.Execution)
			if err != nil || x.Status == Running {
				return err
			}
			return w.Store.EndMapChild(ctx, c.Execution, x.Status, x.Status != Succeeded)
		})
	})
}

// keepUntil is up to when the results of Express children are needed for a
// redrive; zero when they are not.
func (w *mapWorker) keepUntil() (time.Time, error) {
	if !w.run.Express || w.run.Status == Succeeded {
		return time.Time{}, nil
	}
	x, err := w.Store.Execution(w.ctx, w.run.Execution)
	switch {
	case iap.IsKind(err, iap.NotFound):
		return time.Time{}, nil
	case err != nil || x.Status == Succeeded:
		return time.Time{}, err
	case x.Status == Running:
		return w.Now().Add(RedrivePeriod), nil
	}
	if until := x.EndedAt.Add(RedrivePeriod); until.After(w.Now()) {
		return until, nil
	}
	return time.Time{}, nil
}
