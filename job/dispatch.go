package job

import (
	"context"
	"errors"
	"time"

	"github.com/internal-app-portal/iap"
)

// The limits of the time between two attempts at the same thing.
const (
	backoffMin = 100 * time.Millisecond
	backoffMax = 2 * time.Second
)

// retry says when a queued job that could not start is tried again.
type retry struct {
	at    time.Time
	pause time.Duration
}

// signal wakes the dispatcher; it never blocks.
func (s *Service) signal() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// dispatch starts queued jobs in their turn until ctx ends. It sleeps until
// it is signalled or a job's backoff is over.
func (s *Service) dispatch(ctx context.Context) {
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		timer.Reset(s.fill(ctx))
		select {
		case <-ctx.Done():
			return
		case <-s.wake:
		case <-timer.C:
		}
	}
}

// fill gives the free places to the jobs that are next, and returns how long
// nothing will be due unless a signal comes.
func (s *Service) fill(ctx context.Context) time.Duration {
	if s.free() == 0 {
		return time.Hour
	}
	queue, err := s.cfg.Store.JobsByStatus(ctx, Queued)
	if err != nil {
		if ctx.Err() == nil {
			s.cfg.Logger.WarnContext(ctx, "the queue of jobs cannot be read", "error", err)
		}
		return backoffMax
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	pause, now := time.Hour, time.Now()
	for _, j := range queue {
		if len(s.workers) >= s.cfg.Parallel {
			return time.Hour // the one that ends will signal
		}
		if s.workers[j.ID] != nil {
			continue
		}
		if r := s.retries[j.ID]; r != nil && r.at.After(now) {
			pause = min(pause, r.at.Sub(now))
			continue
		}
		s.launch(ctx, j)
	}
	return pause
}

func (s *Service) free() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return max(0, s.cfg.Parallel-len(s.workers))
}

// launch has a worker take up a job. s.mu is held.
func (s *Service) launch(ctx context.Context, j Job) {
	w := &worker{s: s, id: j.ID, cancelled: make(chan struct{}, 1)}
	s.workers[j.ID] = w
	s.life.done.Go(func() {
		defer s.release(j.ID)
		w.run(ctx, j)
	})
}

// release frees the place of a job.
func (s *Service) release(id string) {
	s.mu.Lock()
	delete(s.workers, id)
	s.mu.Unlock()
	s.signal()
}

// postpone has a queued job tried again later.
func (s *Service) postpone(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.retries[id]
	if r == nil {
		r = &retry{pause: backoffMin / 2}
		s.retries[id] = r
	}
	r.pause = min(2*r.pause, backoffMax)
	r.at = time.Now().Add(r.pause)
}

// given notes that the runner has the job of w, so that there is a log.
func (s *Service) given(w *worker) {
	s.mu.Lock()
	w.given = true
	s.mu.Unlock()
	s.left(w.id)
}

// left tells those who wait for a job's log that the runner has the job, or
// never will.
func (s *Service) left(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.retries, id)
	if c := s.logs[id]; c != nil {
		close(c)
		delete(s.logs, id)
	}
}

// cancelWorker has the worker of a job tell the runner to stop it.
func (s *Service) cancelWorker(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if w := s.workers[id]; w != nil {
		select {
		case w.cancelled <- struct{}{}:
		default:
		}
	}
}

// passing reports whether the same may succeed later.
func passing(err error) bool {
	switch iap.KindOf(err) {
	case iap.Unavailable, iap.Full, iap.Timeout:
		return true
	}
	return false
}

// waitingFor returns what people read that a job waits for.
func waitingFor(err error) string {
	var w *WaitError
	if errors.As(err, &w) {
		return w.For
	}
	if iap.IsKind(err, iap.Full) {
		return "room on the disk"
	}
	return "the platform"
}

// message returns what a person may read of an error.
func message(err error) string {
	var e *iap.Error
	if errors.As(err, &e) && e.Kind != iap.Internal {
		if e.Field != "" {
			return e.Field + ": " + e.Message()
		}
		return e.Message()
	}
	return "an internal error of the portal; its log has the details"
}

// pause waits for d; false when ctx ended first.
func pause(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}
