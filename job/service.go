package job

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/event"
)

// Events is the log that a Service appends to; *event.Log is one.
type Events interface {
	// Append adds events in the transaction of ctx.
	Append(ctx context.Context, events ...*event.Event) error
}

// Config is what a Service is made of. Store, Tx, Runner, Events and Prepare
// are required.
type Config struct {
	Store  Store
	Tx     iap.Transactor
	Runner Runner
	Events Events

	// Prepare makes the Spec of a job that is about to start, outside of a
	// transaction; the Service fills in ID and Kind. After an Unavailable, Full
	// or Timeout error (see WaitFor) the job stays queued, says what it waits
	// for, and is tried again; after others it ends as Failed.
	Prepare func(ctx context.Context, j Job) (Spec, error)
	// OnStart is called in the transaction that marks a job as running. Its
	// errors are taken as those of Prepare are. Nil: nothing is called.
	OnStart func(ctx context.Context, j Job) error
	// OnWait is called in the transaction that notes what a job waits for
	// besides its turn, or that it no longer does. Nil: nothing is called.
	OnWait func(ctx context.Context, j Job) error
	// CheckOutputs is called outside of a transaction with a job whose apply
	// succeeded, Upstream set. An Invalid error ends the job as Failed with
	// ErrOutputs, an Unavailable one with ErrUnavailable. Nil: all are right.
	CheckOutputs func(ctx context.Context, j Job) error
	// OnEnd is called in the transaction that ends a job, whichever way. The
	// transaction is tried until it succeeds. Nil: nothing is called.
	OnEnd func(ctx context.Context, j Job) error

	Parallel int              // how many jobs run at once; 0: 4
	Now      func() time.Time // nil: time.Now
	Logger   *slog.Logger     // nil: slog.Default()
	// Failpoint is called with the name of the place before and after each
	// side effect and each commit. Nil: nothing is called.
	Failpoint func(name string)
}

// Service queues jobs, starts them in turn on its Runner, follows them to
// their end, and finds them again after a restart. See doc.go for what always
// holds.
type Service struct {
	cfg Config

	wake chan struct{} // capacity 1: the queue or the free places changed

	mu      sync.Mutex
	workers map[string]*worker       // jobs that this process is at, by ID
	retries map[string]*retry        // queued jobs that wait for something besides their turn
	logs    map[string]chan struct{} // closed when a queued job leaves the queue
	life    *life                    // from the last Start on; nil before the first
}

// life is what one Start began.
type life struct {
	stop    context.CancelCauseFunc
	stopped bool           // guarded by the Service's mu
	done    sync.WaitGroup // the dispatcher and the workers
}

// New returns a Service that does nothing until Start.
func New(cfg Config) *Service {
	if cfg.Parallel <= 0 {
		cfg.Parallel = 4
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.Default()
	}
	if cfg.Failpoint == nil {
		cfg.Failpoint = func(string) {}
	}
	none := func(context.Context, Job) error { return nil }
	if cfg.OnStart == nil {
		cfg.OnStart = none
	}
	if cfg.OnWait == nil {
		cfg.OnWait = none
	}
	if cfg.OnEnd == nil {
		cfg.OnEnd = none
	}
	if cfg.CheckOutputs == nil {
		cfg.CheckOutputs = none
	}
	return &Service{cfg: cfg, wake: make(chan struct{}, 1), workers: map[string]*worker{},
		retries: map[string]*retry{}, logs: map[string]chan struct{}{}}
}

// WaitError is an error of Prepare or OnStart that says what a job waits for.
type WaitError struct {
	For string // "Docker"
	Err error
}

// WaitFor returns an error that keeps a job in the queue until what is there,
// which people read as "waiting for" what: "Docker".
func WaitFor(what string, err error) error {
	return iap.E("job.Prepare", iap.Unavailable, &WaitError{For: what, Err: err})
}

// Error returns the cause.
func (e *WaitError) Error() string { return e.Err.Error() }

// Unwrap returns the cause.
func (e *WaitError) Unwrap() error { return e.Err }

// Enqueue adds a job to the queue in the transaction of ctx and returns it as
// stored; it starts in its turn, after the commit. An empty ID is set. Needed
// are Instance, Owner and Kind; App, Version and Token are kept as they are.
func (s *Service) Enqueue(ctx context.Context, j Job) (Job, error) {
	const op = "job.Enqueue"
	if j.Kind != Apply && j.Kind != Destroy {
		return Job{}, iap.FieldErrorf(op, "kind", "%q is not a kind of job: %q or %q", j.Kind, Apply, Destroy)
	}
	now := s.cfg.Now()
	if j.ID == "" {
		j.ID = iap.NewID(now)
	}
	j.Status, j.CreatedAt = Queued, now
	err := s.cfg.Tx.Update(ctx, func(ctx context.Context) error {
		if err := s.cfg.Store.InsertJob(ctx, j); err != nil {
			return err
		}
		stored, err := s.cfg.Store.Job(ctx, j.ID)
		if err != nil {
			return err
		}
		j = stored
		iap.AfterCommit(ctx, s.signal)
		return s.tell(ctx, j)
	})
	if err != nil {
		return Job{}, err
	}
	return j, nil
}

// Cancel stops a job in the transaction of ctx: one in the queue ends at once
// as Cancelled; a running one is marked, and the runner is told after the
// commit. Conflict when it has ended; NotFound.
func (s *Service) Cancel(ctx context.Context, actorID, jobID string) error {
	return s.cfg.Tx.Update(ctx, func(ctx context.Context) error {
		j, err := s.cfg.Store.Job(ctx, jobID)
		if err != nil {
			return err
		}
		switch {
		case j.Status.Ended():
			return iap.Errorf("job.Cancel", iap.Conflict, "the job has ended already: %s", j.Status)
		case j.Status == Queued:
			j.CancelledBy = actorID
			return s.end(ctx, j, Result{Status: Cancelled, Error: ErrCancelled, Reason: "cancelled while it was queued"})
		case j.CancelledBy != "":
			return nil
		}
		j.CancelledBy = actorID
		if err := s.cfg.Store.UpdateJob(ctx, j); err != nil {
			return err
		}
		iap.AfterCommit(ctx, func() { s.cancelWorker(jobID) })
		return s.tell(ctx, j)
	})
}

// Get returns one job, or NotFound.
func (s *Service) Get(ctx context.Context, id string) (Job, error) {
	return s.cfg.Store.Job(ctx, id)
}

// List returns the jobs that a filter chooses, newest first.
func (s *Service) List(ctx context.Context, f Filter) ([]Job, error) {
	if f.Limit <= 0 {
		f.Limit = 50
	}
	f.Limit = min(f.Limit, 500)
	return s.cfg.Store.Jobs(ctx, f)
}

// Of returns the jobs of an instance, oldest first.
func (s *Service) Of(ctx context.Context, instance string) ([]Job, error) {
	return s.cfg.Store.JobsOf(ctx, instance)
}

// QueuePosition returns a job's place in the queue from 1, or 0 when it is not
// in the queue; NotFound.
func (s *Service) QueuePosition(ctx context.Context, id string) (int, error) {
	j, err := s.cfg.Store.Job(ctx, id)
	return j.Position, err
}

// Live reports whether a job is queued or running; errors of the store count
// as living, so that nothing is taken from a job that may be there.
func (s *Service) Live(ctx context.Context, id string) bool {
	j, err := s.cfg.Store.Job(ctx, id)
	if err != nil {
		return !iap.IsKind(err, iap.NotFound)
	}
	return !j.Status.Ended()
}

// Start takes up the jobs that are running and begins to start those in the
// queue. It returns an error when the store cannot be read, Conflict when it
// was started already. ctx bounds Start alone, not what it starts.
func (s *Service) Start(ctx context.Context) error {
	running, err := s.cfg.Store.JobsByStatus(ctx, Running)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.life != nil && !s.life.stopped {
		return iap.Errorf("job.Start", iap.Conflict, "the service was started already")
	}
	ctx, stop := context.WithCancelCause(context.WithoutCancel(ctx))
	s.life = &life{stop: stop}
	for _, j := range running {
		s.launch(ctx, j)
	}
	l := s.life
	l.done.Go(func() { s.dispatch(ctx) })
	s.signal()
	return nil
}

var errStopped = errors.New("the portal is stopping")

// Stop ends what Start began and waits for it; running jobs go on without the
// portal. The error is that of ctx when it ended first.
func (s *Service) Stop(ctx context.Context) error {
	s.mu.Lock()
	l := s.life
	if l != nil {
		l.stopped = true
	}
	s.mu.Unlock()
	if l == nil {
		return nil
	}
	l.stop(errStopped)
	done := make(chan struct{})
	go func() { l.done.Wait(); close(done) }()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
