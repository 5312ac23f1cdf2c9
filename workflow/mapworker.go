package workflow

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"sync"
	"time"

	iap "github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/asl"
	"github.com/internal-app-portal/iap/workflow/maprun"
)

const (
	// mapRest is how long a run's worker waits for something to happen before it
	// goes away, mapTick how often it looks meanwhile for what other processes did.
	mapRest = 10 * time.Second
	mapTick = time.Second
	// mapPatrol is when a run that rests is looked at all the same.
	mapPatrol = 10 * time.Minute
	// mapRound is how many children one transaction begins or notes at most.
	mapRound = 500
)

// mapWorker does one map run, whose row of the task table it holds: it is the
// only one that begins children and counts them. All it knows is in the
// database, so another one can go on from there at any time.
type mapWorker struct {
	*Engine
	ctx  context.Context
	task Task
	run  MapRun // as it was last read
	wake chan struct{}

	order   asl.MapRunOrder
	env     asl.Env
	machine *asl.Machine // of the execution that waits
	source  *maprun.Source
	batches *asl.MapBatches
	ended   bool // the source has
	// ahead are children that are read, but for which there was no room yet.
	ahead []MapChild
	moved bool // some have ended since this was last looked at
	// redriven is the number of the last child that was taken to be redriven.
	redriven int64
}

// mapWorking is a map run that this process is at work on.
type mapWorking struct {
	wake chan struct{} // has its worker look at what has changed
	gone chan struct{} // is closed when that has let it go
	mu   sync.Mutex
	over bool // guarded by mu: it looks at nothing any more
}

// poke wakes the worker; false when there is none any more.
func (m *mapWorking) poke() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.over {
		return false
	}
	select {
	case m.wake <- struct{}{}:
	default:
	}
	return true
}

// end tells that the worker looks at nothing any more, and whether it was woken
// in vain.
func (m *mapWorking) end() (missed bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.over = true
	return len(m.wake) > 0
}

// runMap works at a map run until it has ended, nothing happens for a while, or
// the engine stops.
func (e *Engine) runMap(t Task) {
	me := &mapWorking{wake: make(chan struct{}, 1), gone: make(chan struct{})}
	for {
		other, twice := e.mapWorkers.LoadOrStore(t.Execution, me)
		if !twice {
			break
		}
		// It has given the row back already, else this would not be here.
		select {
		case <-other.(*mapWorking).gone:
		case <-e.ctx.Done():
			return
		}
	}
	held, ok := e.owned(&t)
	if !ok {
		me.end()
		e.mapWorkers.Delete(t.Execution)
		close(me.gone)
		return
	}
	ctx, cancel := context.WithCancelCause(held)
	defer cancel(nil)
	stop := e.keepTask(ctx, cancel, t)
	w := &mapWorker{Engine: e, ctx: ctx, task: t, wake: me.wake, redriven: -1}
	err := w.work()
	stop()
	missed := me.end()
	e.mapWorkers.Delete(t.Execution)
	close(me.gone)
	w.forget()
	switch {
	case err == nil && missed:
		e.hurryMapRun(t.Execution)
	case err == nil:
		e.lookAgain(t.Execution)
	case ctx.Err() == nil && !errors.Is(err, ErrTaskLost):
		slog.Error("a map run could not go on; it is tried again", "map_run", t.Execution, "err", err)
		w.rest(mapTick)
	}
}

// lookAgain wakes a run that has just gone to rest when something happened
// before that could be seen.
func (e *Engine) lookAgain(id string) {
	more, err := e.Store.UncountedMapChildren(e.ctx, id)
	if more || err != nil {
		e.hurryMapRun(id)
	}
}

// work goes on until there is nothing more to do for this worker.
func (w *mapWorker) work() error {
	rested := time.Duration(0)
	for {
		moved, done, err := w.round()
		if err != nil || done {
			return err
		}
		if moved {
			rested = 0
			continue
		}
		if rested >= mapRest {
			return w.rest(mapPatrol)
		}
		timer := time.NewTimer(mapTick)
		select {
		case <-w.wake:
			rested = 0
		case <-timer.C:
			rested += mapTick
		case <-w.ctx.Done():
			timer.Stop()
			return context.Cause(w.ctx)
		}
		timer.Stop()
	}
}

// rest gives the row back, to be looked at again in a while or when somebody
// hurries it.
func (w *mapWorker) rest(d time.Duration) error {
	return w.persist("letting a map run rest", func() error {
		return w.Tx.Update(w.Engine.ctx, func(ctx context.Context) error {
			if err := w.finishTask(ctx); err != nil {
				return err
			}
			at := w.Now().Add(d)
			iap.AfterCommit(ctx, func() { w.wakeAt(at) })
			return w.Store.PutTask(ctx, Task{Execution: w.task.Execution, Kind: MapTask, RunAt: at})
		})
	})
}

// finishTask removes the row in the transaction of ctx, when it is still this
// worker's.
func (w *mapWorker) finishTask(ctx context.Context) error {
	err := w.Store.FinishTask(ctx, w.task)
	if iap.IsKind(err, iap.Conflict) {
		return iap.E("workflow.finishTask", iap.Conflict, ErrTaskLost)
	}
	return err
}

// holds checks in the transaction of ctx that nobody else has taken the run
// over: a worker that was away for too long must not count anything.
func (w *mapWorker) holds(ctx context.Context) error {
	err := w.Store.RenewTask(ctx, w.task, w.Now().Add(w.Lease))
	if iap.IsKind(err, iap.Conflict) {
		return iap.E("workflow.holds", iap.Conflict, ErrTaskLost)
	}
	return err
}

// round does the next piece of work: moved tells that there was some, done that
// there is none left for ever.
func (w *mapWorker) round() (moved, done bool, err error) {
	if w.run, err = w.Store.MapRun(w.ctx, w.task.Execution); err != nil {
		return false, false, err
	}
	if w.run.Status != Running {
		return w.clean()
	}
	if w.run.Redriving {
		return true, false, w.beginRedrive()
	}
	if err = w.open(); err == nil {
		if w.run.Express {
			moved, done, err = w.roundInMemory()
		} else {
			moved, done, err = w.roundOfExecutions()
		}
	}
	var failed *asl.MapError
	if errors.As(err, &failed) {
		return true, false, w.end(asl.MapRunEnded{Status: asl.Failed, Error: failed.Name, Cause: failed.Cause})
	}
	return moved, done, err
}

// open makes the items ready to be read on from where the run is.
func (w *mapWorker) open() error {
	if w.batches != nil {
		return nil
	}
	text, err := w.Store.MapOrder(w.ctx, w.run.ID)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(text, &w.order); err != nil {
		return iap.E("workflow.open", iap.Internal, err)
	}
	x, err := w.Store.Execution(w.ctx, w.run.Execution)
	if err != nil {
		return err
	}
	p, err := w.definition(w.ctx, x)
	if err != nil {
		return err
	}
	w.machine = p.machine
	w.env = (&stepper{Engine: w.Engine, kept: &kept{x: x, def: p}}).env()
	if w.source, err = maprun.Open(w.ctx, &w.order, w.Buckets); err != nil {
		return err
	}
	if w.batches, err = asl.NewMapBatches(w.machine, w.order, w.source, w.env); err != nil {
		return err
	}
	if !w.run.Express {
		// Those whose rows an earlier process wrote, and nothing more.
		left, err := w.Store.UnstartedMapChildren(w.ctx, w.run.ID)
		if err != nil {
			return err
		}
		if err := w.each(left, w.redriveChild); err != nil {
			return err
		}
	}
	for range w.run.Next {
		if _, ok, err := w.batch(); err != nil || !ok {
			return err
		}
	}
	return nil
}

// forget has the items read from the first on.
func (w *mapWorker) forget() {
	if w.source != nil {
		_ = w.source.Close() // it was only read
	}
	w.source, w.batches, w.ended, w.ahead, w.redriven = nil, nil, false, nil, -1
}

// batch reads the next batch; false after the last.
func (w *mapWorker) batch() (asl.MapBatch, bool, error) {
	if w.ended {
		return asl.MapBatch{}, false, nil
	}
	b, err := w.batches.Next()
	if errors.Is(err, io.EOF) {
		w.ended = true
		return b, false, nil
	}
	return b, err == nil, err
}

// tolerated is an error when more items failed than may.
func (w *mapWorker) tolerated(r *MapRun) error {
	if e := r.tolerance().Check(r.Items.Unsuccessful(), r.Total); e != nil {
		return e
	}
	return nil
}

func (w *mapWorker) atOnce(limit int64) int64 {
	if m := w.run.MaxConcurrency; m > 0 {
		return min(m, limit)
	}
	return limit
}

// keepTask renews the lease of a row that this process works at; ctx is cancelled
// when it is lost. The returned function ends that.
func (e *Engine) keepTask(ctx context.Context, cancel context.CancelCauseFunc, t Task) (stop func()) {
	done := make(chan struct{})
	var work sync.WaitGroup
	work.Go(func() {
		tick := time.NewTicker(e.Lease / 3)
		defer tick.Stop()
		for {
			select {
			case <-done:
				return
			case <-ctx.Done():
				return
			case <-tick.C:
			}
			if err := e.Store.RenewTask(ctx, t, e.Now().Add(e.Lease)); iap.IsKind(err, iap.Conflict) {
				cancel(ErrTaskLost)
				return
			}
		}
	})
	return func() {
		close(done)
		work.Wait()
	}
}
