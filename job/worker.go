package job

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/internal-app-portal/iap"
)

// worker takes one job from the queue, or from where the last process left
// it, to its end.
type worker struct {
	s         *Service
	id        string
	cancelled chan struct{} // capacity 1: the runner is to be told
	given     bool          // the runner has the job; guarded by s.mu
}

var errLeft = errors.New("the job is no longer in the queue")

// run is done when the job has ended, was put back, or ctx ended.
func (w *worker) run(ctx context.Context, j Job) {
	if j.Status == Queued {
		spec, err := w.prepare(ctx, j)
		if err != nil {
			w.refused(ctx, j, err)
			return
		}
		if j, err = w.begin(ctx); err != nil {
			w.refused(ctx, j, err)
			return
		}
		if !w.start(ctx, j, &spec) {
			return
		}
	}
	if j.CancelledBy != "" {
		w.s.cancelWorker(w.id)
	}
	w.s.given(w)
	stopTelling := w.tellRunner(ctx)
	defer stopTelling()
	w.follow(ctx, j)
}

func (w *worker) prepare(ctx context.Context, j Job) (Spec, error) {
	w.s.cfg.Failpoint("job.prepare.before")
	spec, err := w.s.cfg.Prepare(ctx, j)
	w.s.cfg.Failpoint("job.prepare.after")
	spec.ID, spec.Kind = j.ID, j.Kind
	return spec, err
}

// begin marks the job as running.
func (w *worker) begin(ctx context.Context) (Job, error) {
	s := w.s
	var j Job
	s.cfg.Failpoint("job.running.before")
	err := s.cfg.Tx.Update(ctx, func(ctx context.Context) error {
		var err error
		if j, err = s.cfg.Store.Job(ctx, w.id); err != nil {
			return err
		}
		if j.Status != Queued {
			return errLeft
		}
		place := j.Position
		j.Status, j.Position, j.Waiting, j.StartedAt = Running, 0, "", s.cfg.Now()
		if err := s.cfg.Store.UpdateJob(ctx, j); err != nil {
			return err
		}
		if err := s.cfg.OnStart(ctx, j); err != nil {
			return err
		}
		if err := s.tell(ctx, j); err != nil {
			return err
		}
		return s.tellQueue(ctx, place)
	})
	s.cfg.Failpoint("job.running.after")
	return j, err
}

// refused keeps a job in the queue that cannot start now, and ends one that
// never can.
func (w *worker) refused(ctx context.Context, j Job, err error) {
	switch {
	case ctx.Err() != nil || errors.Is(err, errLeft):
		return
	case passing(err):
		w.s.postpone(w.id)
		w.wait(ctx, waitingFor(err))
	default:
		w.s.cfg.Logger.WarnContext(ctx, "a job cannot start", "job", w.id, "error", err)
		w.finish(ctx, Result{Status: Failed, Error: failure(j.Kind), Reason: message(err)})
	}
}

// failure is the name of the error of a job that failed for no special cause.
func failure(k Kind) string {
	if k == Destroy {
		return ErrDestroyFailed
	}
	return ErrApplyFailed
}

// wait stores what the job waits for, when that is news.
func (w *worker) wait(ctx context.Context, what string) {
	s := w.s
	err := s.cfg.Tx.Update(ctx, func(ctx context.Context) error {
		j, err := s.cfg.Store.Job(ctx, w.id)
		if err != nil || j.Status.Ended() || j.Waiting == what {
			return err
		}
		j.Waiting = what
		if err := s.cfg.Store.UpdateJob(ctx, j); err != nil {
			return err
		}
		if err := s.cfg.OnWait(ctx, j); err != nil {
			return err
		}
		return s.tell(ctx, j)
	})
	if err != nil && ctx.Err() == nil {
		s.cfg.Logger.WarnContext(ctx, "what a job waits for could not be stored", "job", w.id, "error", err)
	}
}

// start hands a running job to the runner, for as long as it takes. A nil
// spec is prepared. false: the job ended or ctx did.
func (w *worker) start(ctx context.Context, j Job, spec *Spec) bool {
	for delay := backoffMin; ; delay = min(2*delay, backoffMax) {
		err := w.startOnce(ctx, j, spec)
		if err == nil {
			w.s.given(w)
			if delay > backoffMin {
				w.wait(ctx, "")
			}
			return true
		}
		if ctx.Err() != nil {
			return false
		}
		if !passing(err) {
			w.s.cfg.Logger.WarnContext(ctx, "the runner refused a job", "job", w.id, "error", err)
			w.finish(ctx, Result{Status: Failed, Error: failure(j.Kind), Reason: message(err)})
			return false
		}
		w.wait(ctx, waitingFor(err))
		timer := time.NewTimer(delay)
		select {
		case <-ctx.Done():
			timer.Stop()
			return false
		case <-w.cancelled:
			timer.Stop()
			w.finish(ctx, Result{Status: Cancelled, Error: ErrCancelled, Reason: "cancelled before it began"})
			return false
		case <-timer.C:
		}
	}
}

func (w *worker) startOnce(ctx context.Context, j Job, spec *Spec) error {
	if spec == nil {
		made, err := w.prepare(ctx, j)
		if err != nil {
			return err
		}
		spec = &made
	}
	w.s.cfg.Failpoint("job.start.before")
	err := w.s.cfg.Runner.Start(ctx, *spec)
	w.s.cfg.Failpoint("job.start.after")
	return err
}

// tellRunner passes requests to cancel on to the runner until the returned
// function is called.
func (w *worker) tellRunner(ctx context.Context) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	var done sync.WaitGroup
	done.Go(func() {
		select {
		case <-ctx.Done():
			return
		case <-w.cancelled:
		}
		for delay := backoffMin; ; delay = min(2*delay, backoffMax) {
			w.s.cfg.Failpoint("job.cancel.before")
			err := w.s.cfg.Runner.Cancel(ctx, w.id)
			w.s.cfg.Failpoint("job.cancel.after")
			if err == nil || !pause(ctx, delay) {
				return
			}
			w.s.cfg.Logger.WarnContext(ctx, "the runner could not be told to cancel a job", "job", w.id, "error", err)
		}
	})
	return func() { cancel(); done.Wait() }
}

// follow waits for the end of a job that was given to the runner and ends it.
func (w *worker) follow(ctx context.Context, j Job) {
	for delay := backoffMin; ; delay = min(2*delay, backoffMax) {
		res, err := w.s.cfg.Runner.Wait(ctx, w.id, func(steps []Step) { w.progress(ctx, steps) })
		switch {
		case err == nil:
			w.conclude(ctx, j, res)
			return
		case ctx.Err() != nil:
			return
		case iap.IsKind(err, iap.NotFound):
			// The last process died between its commit and the start.
			if j.CancelledBy != "" {
				w.finish(ctx, Result{Status: Cancelled, Error: ErrCancelled, Reason: "cancelled before it began"})
				return
			}
			if !w.start(ctx, j, nil) {
				return
			}
		default:
			w.s.cfg.Logger.ErrorContext(ctx, "the end of a job cannot be awaited", "job", w.id, "error", err)
			if !pause(ctx, delay) {
				return
			}
		}
	}
}

// progress stores the steps. A failure is passed over: the next change and
// the end bring them again.
func (w *worker) progress(ctx context.Context, steps []Step) {
	s := w.s
	s.cfg.Failpoint("job.step.before")
	err := s.cfg.Tx.Update(ctx, func(ctx context.Context) error {
		j, err := s.cfg.Store.Job(ctx, w.id)
		if err != nil || j.Status != Running {
			return err
		}
		j.Steps = steps
		if err := s.cfg.Store.UpdateJob(ctx, j); err != nil {
			return err
		}
		return s.tell(ctx, j)
	})
	s.cfg.Failpoint("job.step.after")
	if err != nil && ctx.Err() == nil {
		s.cfg.Logger.WarnContext(ctx, "the steps of a job could not be stored", "job", w.id, "error", err)
	}
}
