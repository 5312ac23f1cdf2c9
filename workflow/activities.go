package workflow

import (
	"context"
	"encoding/json"
	"errors"
	"sync"
	"time"

	iap "github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/asl"
)

// Activity is a queue of tasks that workers outside of the portal take.
type Activity struct {
	Name      string
	CreatedAt time.Time
}

// ActivityTask is a task that waits for a worker.
type ActivityTask struct {
	Execution string
	Frame     int64
	Attempt   int64
	ID        string // sorts by the time it was scheduled
	Activity  string // name
	Input     json.RawMessage
}

// ActivityStore keeps activities and the tasks no worker has taken yet.
// Everything but reading takes part in the transaction of ctx.
type ActivityStore interface {
	// InsertActivity fails with Conflict when the name is taken.
	InsertActivity(ctx context.Context, a Activity) error
	Activity(ctx context.Context, name string) (Activity, error)
	// Activities returns at most limit, in the order of names above after.
	Activities(ctx context.Context, after string, limit int) ([]Activity, error)
	// DeleteActivity removes an activity with its tasks and tags.
	DeleteActivity(ctx context.Context, name string) error
	PutActivityTask(ctx context.Context, t ActivityTask) error
	// TakeActivityTask removes the oldest task and returns it, or NotFound.
	TakeActivityTask(ctx context.Context, activity string) (ActivityTask, error)
	HasActivityTask(ctx context.Context, activity string) (bool, error)
	// DeleteActivityTask removes a task; removing what is not there is harmless.
	DeleteActivityTask(ctx context.Context, execution string, frame, attempt int64) error
}

// ActivitiesConfig is what Activities need.
type ActivitiesConfig struct {
	Store  ActivityStore
	Tx     iap.Transactor
	Engine *Engine // may be set after NewActivities, before the first use
	Now    func() time.Time
	// MaxWorkers is how many may wait for tasks of one activity; 0: 1000, as on
	// AWS.
	MaxWorkers int
}

// Activities hands the tasks of activities to workers. A task is a row until a
// worker takes it; its removal and the event that tells of it are one commit,
// so that no two workers get the same. Waiting workers are woken by the commit
// that brings a task, and ask no database meanwhile.
type Activities struct {
	ActivitiesConfig
	mu      sync.Mutex
	waiting map[string]*waiters // by activity
}

// waiters are the workers that wait for one activity.
type waiters struct {
	n     int
	tasks chan struct{} // closed and replaced when there may be tasks
}

// NewActivities returns the service; its Handler belongs into the engine's
// handlers under ActivityHandler.
func NewActivities(cfg ActivitiesConfig) *Activities {
	if cfg.MaxWorkers == 0 {
		cfg.MaxWorkers = 1000
	}
	return &Activities{ActivitiesConfig: cfg, waiting: map[string]*waiters{}}
}

// ActivityHandler is the key of the handler of activities.
const ActivityHandler = "activity:"

// Handler queues the tasks of activities for workers.
func (s *Activities) Handler() Handler {
	return Handler{
		Commit: func(ctx context.Context, c Call) (json.RawMessage, error) {
			a, ok := ParseARN(portalARN(c.Resource.ARN))
			if !ok {
				return nil, FailTask("States.Runtime", "%q is not the ARN of an activity of this portal, such as %s",
					c.Resource.ARN, ActivityARN("NAME"))
			}
			if _, err := s.Activity(ctx, a.Name); iap.IsKind(err, iap.NotFound) {
				return nil, FailTask("States.Runtime", "The activity %s does not exist.", c.Resource.ARN)
			} else if err != nil {
				return nil, err
			}
			iap.AfterCommit(ctx, func() { s.wake(a.Name) })
			return nil, s.Store.PutActivityTask(ctx, ActivityTask{Execution: c.Execution, Frame: c.Frame, Attempt: c.Attempt,
				ID: iap.NewID(s.Now()), Activity: a.Name, Input: c.Arguments})
		},
		Cancel: func(ctx context.Context, c Call) error {
			return s.Store.DeleteActivityTask(ctx, c.Execution, c.Frame, c.Attempt)
		},
	}
}

// Create creates an activity; one that is there is given again. Errors: Invalid
// (ErrName).
func (s *Activities) Create(ctx context.Context, name string) (a Activity, created bool, err error) {
	if !ValidName(name) {
		return a, false, refuse("workflow.CreateActivity", iap.Invalid, "name", ErrName)
	}
	err = s.Tx.Update(ctx, func(ctx context.Context) error {
		a, created = Activity{Name: name, CreatedAt: s.Now()}, true
		err := s.Store.InsertActivity(ctx, a)
		if iap.IsKind(err, iap.Conflict) {
			created = false
			a, err = s.Store.Activity(ctx, name)
		}
		return err
	})
	return a, created, err
}

// Activity returns one, or NotFound (ErrNoActivity).
func (s *Activities) Activity(ctx context.Context, name string) (Activity, error) {
	a, err := s.Store.Activity(ctx, name)
	if iap.IsKind(err, iap.NotFound) {
		return a, refuse("workflow.Activity", iap.NotFound, "", ErrNoActivity)
	}
	return a, err
}

// List returns at most limit activities in the order of their names, from behind
// after.
func (s *Activities) List(ctx context.Context, after string, limit int) ([]Activity, error) {
	return s.Store.Activities(ctx, after, limit)
}

// Delete removes an activity; one that is not there is removed already. Tasks
// that wait for it run into their time-outs.
func (s *Activities) Delete(ctx context.Context, name string) error {
	if err := s.Store.DeleteActivity(ctx, name); err != nil {
		return err
	}
	s.wake(name)
	return nil
}

// Wake has all workers look for tasks: after another replica's commit.
func (s *Activities) Wake() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, w := range s.waiting {
		w.wake()
	}
}

func (s *Activities) wake(activity string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if w := s.waiting[activity]; w != nil {
		w.wake()
	}
}

func (w *waiters) wake() {
	close(w.tasks)
	w.tasks = make(chan struct{})
}

// Take gives a worker the oldest task of an activity, and waits for one until
// ctx ends; then it returns no token and no error. Errors: NotFound
// (ErrNoActivity), Limit.
func (s *Activities) Take(ctx context.Context, activity, worker string) (token string, input json.RawMessage, err error) {
	w, err := s.join(activity)
	if err != nil {
		return "", nil, err
	}
	defer s.leave(activity, w)
	for {
		s.mu.Lock()
		tasks := w.tasks // before looking, so that none comes unseen
		s.mu.Unlock()
		if _, err := s.Activity(ctx, activity); err != nil {
			return "", nil, ended(ctx, err)
		}
		token, input, err = s.takeNow(ctx, activity, worker)
		if err != nil || token != "" {
			return token, input, ended(ctx, err)
		}
		select {
		case <-ctx.Done():
			return "", nil, nil
		case <-tasks:
		}
	}
}

// ended drops an error that only says that ctx has ended.
func ended(ctx context.Context, err error) error {
	if ctx.Err() != nil && err != nil && !errors.Is(err, ErrNoActivity) {
		return nil
	}
	return err
}

func (s *Activities) join(activity string) (*waiters, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	w := s.waiting[activity]
	if w == nil {
		w = &waiters{tasks: make(chan struct{})}
		s.waiting[activity] = w
	}
	if w.n >= s.MaxWorkers {
		return nil, iap.Errorf("workflow.Take", iap.Limit, "%d workers wait for this activity already", w.n)
	}
	w.n++
	return w, nil
}

func (s *Activities) leave(activity string, w *waiters) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if w.n--; w.n == 0 {
		delete(s.waiting, activity)
	}
}

// takeNow takes a task that is still wanted, when there is one. Looking first
// spares the single writer of the database those who find nothing.
func (s *Activities) takeNow(ctx context.Context, activity, worker string) (token string, input json.RawMessage, err error) {
	for {
		has, err := s.Store.HasActivityTask(ctx, activity)
		if err != nil || !has {
			return "", nil, err
		}
		var t ActivityTask
		var stale bool
		err = s.Tx.Update(ctx, func(ctx context.Context) error {
			if t, err = s.Store.TakeActivityTask(ctx, activity); err != nil {
				return err
			}
			err = s.Engine.Begun(ctx, t, worker)
			stale = errors.Is(err, ErrStale)
			if stale {
				return nil // nobody waits for it any more: it is only removed
			}
			return err
		})
		switch {
		case err == nil && stale:
		case err == nil:
			return s.Engine.token(taskRef{t.Execution, t.Frame, t.Attempt}), t.Input, nil
		case !iap.IsKind(err, iap.NotFound): // NotFound: another worker was quicker
			return "", nil, err
		}
	}
}

// Begun notes that a worker has taken a task up. It is called in a transaction.
func (e *Engine) Begun(ctx context.Context, t ActivityTask, worker string) error {
	return e.signal(ctx, t.Execution, asl.TaskStarted{Frame: asl.FrameID(t.Frame), Attempt: int(t.Attempt), WorkerName: worker})
}

// Heartbeat tells that the worker of a task is alive. Errors: Invalid (ErrToken),
// Conflict (ErrStale).
func (e *Engine) Heartbeat(ctx context.Context, token string) error {
	r, err := e.taskOf(token)
	if err != nil {
		return err
	}
	return e.signal(ctx, r.execution, asl.TaskHeartbeat{Frame: asl.FrameID(r.frame), Attempt: int(r.attempt)})
}
