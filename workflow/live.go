package workflow

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"

	iap "github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/asl"
)

// maxCached bounds the bytes of States that are kept between the steps of
// executions whose calls are under way.
const maxCached = 64 << 20

// live is an execution that this process is at work on. What comes for it
// queues; one goroutine at a time takes all that has come in one step and one
// commit, so that the iterations of a Map do not wait for each other's.
type live struct {
	id    string
	queue []*request // guarded by lives.mu, as are busy and calls
	busy  bool       // a goroutine is at it, which alone uses what follows
	calls int        // goroutines that run its calls

	execution *kept       // nil: to be read
	outdated  atomic.Bool // kept is older than what is committed
	advance   *Task       // the row of transitions to be taken that this process holds
}

// kept is an execution as the last commit left it.
type kept struct {
	x        Execution
	def      *parsedMachine
	state    *asl.State
	splitter *asl.Splitter
	ready    []asl.FrameID
	isNew    bool // nothing was committed yet
	size     int64
}

// request is something that happened to an execution.
type request struct {
	signal  asl.Signal // nil: take the transitions that wait
	row     *Task      // of this process; it ends with the request
	answers *TaskKey   // the row of a call that is answered from outside
	err     error      // of this request alone
	done    chan error
}

// lives are the executions that this process is at work on.
type lives struct {
	mu     sync.Mutex
	m      map[string]*live
	closed bool // nothing is begun any more
	cached atomic.Int64
}

// close has requests refused from now on; those that were made are answered.
func (s *lives) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
}

// submit has a request taken and waits for its commit.
func (e *Engine) submit(id string, r *request) error {
	r.done = make(chan error, 1)
	e.lives.mu.Lock()
	l := e.lives.get(id)
	e.lives.add(e, l, r)
	e.lives.mu.Unlock()
	return <-r.done
}

// submitNew is submit for an execution that is to be inserted.
func (e *Engine) submitNew(k *kept, r *request) error {
	r.done = make(chan error, 1)
	e.lives.mu.Lock()
	l := e.lives.get(k.x.ID)
	if l.busy || l.execution != nil {
		e.lives.mu.Unlock()
		return iap.Errorf("workflow.StartExecution", iap.Conflict, "there is an execution %s already", k.x.ID)
	}
	l.execution = k
	e.lives.add(e, l, r)
	e.lives.mu.Unlock()
	return <-r.done
}

// get returns the execution, made when it is not there; mu is held.
func (s *lives) get(id string) *live {
	l := s.m[id]
	if l == nil {
		l = &live{id: id}
		if s.m == nil {
			s.m = map[string]*live{}
		}
		s.m[id] = l
	}
	return l
}

// add queues a request and sees to it that somebody takes it; mu is held.
func (s *lives) add(e *Engine, l *live, r *request) {
	if s.closed {
		r.done <- iap.E("workflow.submit", iap.Unavailable, errStopped)
		s.tidy(l)
		return
	}
	l.queue = append(l.queue, r)
	if !l.busy {
		l.busy = true
		e.work.Go(func() { e.drain(l) })
	}
}

// outdate has an execution read again before its next step.
func (s *lives) outdate(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if l := s.m[id]; l != nil {
		l.outdated.Store(true)
	}
}

// called counts the goroutines that run calls of an execution.
func (s *lives) called(id string, n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	l := s.get(id)
	l.calls += n
	s.tidy(l)
}

// tidy forgets an execution that nobody is at work on: one that waits costs no
// memory. mu is held.
func (s *lives) tidy(l *live) {
	if !l.busy && l.calls == 0 && len(l.queue) == 0 {
		s.forget(l)
		delete(s.m, l.id)
	}
}

// forget has the execution read again.
func (s *lives) forget(l *live) {
	if l.execution != nil {
		s.cached.Add(-l.execution.size)
		l.execution = nil
	}
}

// drain takes what has come until there is no more.
func (e *Engine) drain(l *live) {
	for {
		e.lives.mu.Lock()
		rs := l.queue
		l.queue = nil
		more := l.execution != nil && len(l.execution.ready) > 0 && l.advance != nil && e.owns(l.advance)
		if len(rs) == 0 && !more {
			l.busy = false
			if l.execution != nil && e.lives.cached.Load() > maxCached {
				e.lives.forget(l)
			}
			e.lives.tidy(l)
			e.lives.mu.Unlock()
			return
		}
		e.lives.mu.Unlock()
		e.take(l, rs)
	}
}

// take has the requests taken, together when that is possible.
func (e *Engine) take(l *live, rs []*request) {
	err := e.turn(l, rs)
	if err != nil && len(rs) > 1 {
		// One of them is in the way of all.
		for _, r := range rs {
			r.err = nil
			r.answer(e.turn(l, []*request{r}))
		}
		return
	}
	for _, r := range rs {
		r.answer(err)
	}
	if err != nil && len(rs) == 0 {
		e.advanceFailed(l, err)
	}
}

func (r *request) answer(err error) {
	if err == nil {
		err = r.err
	}
	r.done <- err
}

// tries is how often a step is taken again at once because the execution was
// changed by somebody else.
const tries = 5

// turn takes requests in one commit. After an error the execution is read again.
func (e *Engine) turn(l *live, rs []*request) error {
	for n := 1; ; n++ {
		err := e.attempt(l, rs)
		if err == nil {
			return nil
		}
		e.lives.forget(l)
		if !errors.Is(err, ErrChanged) || n == tries {
			return err
		}
		for _, r := range rs {
			r.err = nil
		}
	}
}

// attempt is turn, once. A machine whose handlers work in the step has it taken
// in a transaction; all others' steps are worked out outside of any, so that
// many can be written at once.
func (e *Engine) attempt(l *live, rs []*request) error {
	if l.outdated.Swap(false) && (l.execution == nil || !l.execution.isNew) {
		e.lives.forget(l)
	}
	if l.advance != nil && !e.owns(l.advance) {
		l.advance = nil // others may take it, and what it is for
	}
	if l.execution == nil || !l.execution.def.inStep.Load() {
		err := e.attemptIn(e.ctx, l, rs, false)
		if !errors.Is(err, errNeedsTransaction) {
			return err
		}
		e.restart(l)
	}
	return e.Tx.Update(context.WithoutCancel(e.ctx), func(ctx context.Context) error {
		for _, r := range rs {
			r.err = nil
		}
		err := e.attemptIn(ctx, l, rs, true)
		e.restart(l) // the transaction may be lost; what was committed is kept after it
		return err
	})
}

// restart has a step that was broken off begin anew.
func (e *Engine) restart(l *live) {
	if k := l.execution; k != nil && k.isNew {
		l.execution = newKept(k.x, k.def)
		return
	}
	e.lives.forget(l)
}

// errNeedsTransaction breaks off a step that turns out to need one.
var errNeedsTransaction = errors.New("the step needs a transaction")

// attemptIn takes requests; inTx says that ctx carries a transaction.
func (e *Engine) attemptIn(ctx context.Context, l *live, rs []*request, inTx bool) error {
	if l.execution == nil {
		k, err := e.read(ctx, l.id)
		if errors.Is(err, ErrStale) {
			return stale(rs, err)
		}
		if err != nil {
			return err
		}
		l.execution = k
	}
	k := l.execution
	if inTx && k.isNew {
		if err := e.Store.InsertExecution(ctx, k.x); err != nil {
			return err
		}
		k = &kept{x: k.x, def: k.def, state: k.state, splitter: k.splitter}
	}
	s := &stepper{Engine: e, kept: k, inTx: inTx, advance: l.advance}
	if err := s.takeAll(context.WithValue(ctx, steppingKey{}, l.id), rs); err != nil {
		return err
	}
	if !s.changed() {
		return nil
	}
	if err := s.commit(ctx); err != nil {
		return err
	}
	if inTx {
		iap.AfterCommit(ctx, func() { e.committed(l, s) })
		return nil
	}
	e.committed(l, s)
	return nil
}

// stale answers requests to an execution that has ended. Their rows went with
// its end.
func stale(rs []*request, err error) error {
	for _, r := range rs {
		if r.row == nil {
			r.err = err
		}
	}
	return nil
}

// committed keeps what a commit has left, and begins what follows from it.
func (e *Engine) committed(l *live, s *stepper) {
	k := s.kept
	k.isNew = false
	k.x.Version++
	l.advance = s.advance
	e.lives.mu.Lock()
	if l.execution != k {
		e.lives.forget(l)
	} else {
		e.lives.cached.Add(-k.size)
	}
	l.execution = nil
	if k.x.Status == Running {
		k.size = int64(len(k.x.State)) + 1024 + s.partBytes
		e.lives.cached.Add(k.size)
		l.execution = k
	}
	e.lives.mu.Unlock()
	for _, fn := range s.after {
		fn()
	}
}

// advanceFailed gives the row of transitions that could not be taken back, so
// that they are tried again in a while.
func (e *Engine) advanceFailed(l *live, err error) {
	t := l.advance
	l.advance = nil
	if t == nil || errors.Is(err, ErrStale) || e.ctx.Err() != nil {
		return
	}
	e.spawn(func() { e.fire(*t, nil) })
}
