package workflow

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	iap "github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/asl"
	"github.com/internal-app-portal/iap/bucket"
	"github.com/internal-app-portal/iap/event"
)

// Call is one task that a handler is asked to do.
type Call struct {
	Execution string
	Frame     int64
	Attempt   int64
	State     string // name of the state
	Resource  asl.Resource
	Arguments json.RawMessage
	Token     string // for Engine.Succeed and Engine.Fail
	// Owner is the ID of the person who started the execution, or iap.System's.
	Owner string
	// Input is that of the execution; of a call that runs after the commit it is
	// not given.
	Input json.RawMessage
}

// Handler does the tasks of one resource. Exactly one of Commit and Run is
// set.
type Handler struct {
	// Commit runs in the transaction of the step, and only reads and writes the
	// database. For a resource with .sync or .waitForTaskToken it submits the
	// work; what it returns is then the answer of the submission. A *TaskError
	// fails the task (return it before anything was written); any other error
	// rolls the step back, to be tried again.
	Commit func(ctx context.Context, c Call) (json.RawMessage, error)
	// Run runs after the commit, outside of any transaction, at least once: it
	// must stand being repeated after a crash. ctx ends when the task is
	// cancelled or the engine stops.
	Run func(ctx context.Context, c Call) (json.RawMessage, error)
	// Cancel is told, in the transaction of the step, that the result of a
	// submitted task is no longer wanted. Nil: nothing to do.
	Cancel func(ctx context.Context, c Call) error
}

// TaskError fails a task with an error name that Retry and Catch match.
type TaskError struct{ Name, Cause string }

// Error returns the name and the cause.
func (e *TaskError) Error() string { return e.Name + ": " + e.Cause }

// FailTask makes a TaskError.
func FailTask(name, format string, args ...any) error {
	return &TaskError{Name: name, Cause: fmt.Sprintf(format, args...)}
}

// Config is what an Engine needs.
type Config struct {
	Store    Store
	Tx       iap.Transactor
	Log      *event.Log
	Now      func() time.Time
	Owner    string             // names this process in leases; unique for each start
	Lease    time.Duration      // how long a claimed row is its owner's, unless renewed; 0: a minute
	Handlers map[string]Handler // by resource without its suffix: "job:apply"
	Limits   asl.Limits
	// Boundless are names of state machines whose histories have no limit.
	Boundless []string
	// Buckets is what distributed Map states read from and write to; nil: there
	// are none.
	Buckets bucket.Buckets
	// JSONata evaluates the expressions of definitions in that language; nil:
	// they fail.
	JSONata asl.Evaluator
	// TokenKey signs the task tokens; it is secret and stays the same. Without
	// one tokens can be made up: for tests alone.
	TokenKey []byte
	// OnEnd is called in the transaction that ends an execution, whichever way;
	// nil: nothing.
	OnEnd func(ctx context.Context, x Execution) error
	// Failpoint is called before and after every side effect; nil: nothing.
	Failpoint func(name string)
}

// Engine runs executions. See doc.go for its invariants.
type Engine struct {
	Config
	me       atomic.Pointer[identity]
	machines machineCache
	running  sync.Map // TaskKey → *running: the calls under way
	lives    lives
	progress progress
	// mapWorkers are the map runs that this process is at work on, each with what
	// wakes its worker; mapWaking those that are being woken.
	mapWorkers, mapWaking sync.Map

	wake   chan struct{}
	due    atomic.Int64    // when schedule wakes next, Unix milliseconds
	ctx    context.Context // ends when the engine stops
	cancel context.CancelCauseFunc
	work   sync.WaitGroup
}

var errStopped = errors.New("the engine is stopping")

// New returns an engine that is not started yet.
func New(cfg Config) *Engine {
	if cfg.Failpoint == nil {
		cfg.Failpoint = func(string) {}
	}
	if cfg.OnEnd == nil {
		cfg.OnEnd = func(context.Context, Execution) error { return nil }
	}
	if cfg.Lease == 0 {
		cfg.Lease = defaultLease
	}
	e := &Engine{Config: cfg, wake: make(chan struct{}, 1), progress: newProgress()}
	e.ctx, e.cancel = context.WithCancelCause(context.Background())
	e.me.Store(e.newIdentity(cfg.Owner))
	return e
}

// Start takes up what an earlier process left and begins to work.
func (e *Engine) Start(ctx context.Context) error {
	if err := e.enter(ctx, e.me.Load()); err != nil {
		return err
	}
	e.spawn(e.keepIdentity)
	e.spawn(e.schedule)
	e.spawn(e.tell)
	e.spawn(e.keepLeases)
	e.Wake()
	return nil
}

// Stop ends what runs and waits for it. Calls that are cut off are made again
// by the next process.
func (e *Engine) Stop(ctx context.Context) error {
	e.lives.close()
	e.cancel(errStopped)
	e.work.Wait()
	e.tellPending(context.WithoutCancel(ctx))
	return nil
}

// Wake has the engine look for due work; it never blocks.
func (e *Engine) Wake() {
	select {
	case e.wake <- struct{}{}:
	default:
	}
}

// spawn runs fn in a goroutine that Stop waits for.
func (e *Engine) spawn(fn func()) {
	if e.ctx.Err() != nil {
		return
	}
	e.work.Go(fn)
}

// persist retries fn, which commits something that must not be lost, until it
// works, until trying again makes no sense, or until the engine stops.
func (e *Engine) persist(what string, fn func() error) error {
	delay := 20 * time.Millisecond
	for {
		err := fn()
		if err == nil || !temporary(err) || e.ctx.Err() != nil {
			return err
		}
		slog.Warn("the database is not available; trying again", "what", what, "err", err, "in", delay)
		select {
		case <-e.ctx.Done():
			return errStopped
		case <-time.After(delay):
		}
		delay = min(2*delay, 2*time.Second)
	}
}

// temporary reports whether the same may work later. A Conflict that is neither
// lost nor stale nor a redrive that is refused is another transaction that changed the same rows first.
func temporary(err error) bool {
	switch iap.KindOf(err) {
	case iap.Unavailable, iap.Full, iap.Timeout:
		return true
	case iap.Conflict:
		return !errors.Is(err, ErrTaskLost) && !errors.Is(err, ErrStale) && !errors.Is(err, ErrOwnerLost) && !errors.Is(err, ErrNotRedrivable)
	}
	return false
}
