package workflow

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"sync"

	iap "github.com/internal-app-portal/iap"
)

const (
	// maxExecutions bounds the children of a map run that are executions of their
	// own and run at once, as AWS does.
	maxExecutions = 10_000
	// starters is how many are begun at the same time: their commits share one.
	starters = 256
)

// roundOfExecutions counts the children that have ended and begins others. A
// child is a row before it is an execution, so that it is begun once whatever
// happens in between.
func (w *mapWorker) roundOfExecutions() (moved, done bool, err error) {
	room := w.atOnce(maxExecutions) - w.run.Children.Running
	var next []MapChild
	var items int64
	for int64(len(next)) < min(max(room, mapRound/4), mapRound) && len(w.ahead) == 0 {
		b, ok, err := w.batch()
		if err != nil {
			return false, false, err
		}
		if !ok {
			break
		}
		next = append(next, MapChild{MapRun: w.run.ID, Number: b.Number, Items: b.Items, Status: Running,
			Execution: iap.NewID(w.Now()), Input: json.RawMessage(b.Input.String())})
	}
	w.ahead = append(w.ahead, next...)
	var begin, again []MapChild
	err = w.persist("the children of a map run", func() error {
		return w.Tx.Update(w.ctx, func(ctx context.Context) error {
			begin, again, items = nil, nil, 0
			r, err := w.counted(ctx)
			if err != nil {
				return err
			}
			if w.run = r; r.halted() {
				return w.saveMapRun(ctx, r)
			}
			if again, err = w.takeRedrives(ctx, &r, max(0, w.atOnce(maxExecutions)-r.Children.Running)); err != nil {
				return err
			}
			room := max(0, w.atOnce(maxExecutions)-r.Children.Running)
			begin = w.ahead[:min(int64(len(w.ahead)), room)]
			for _, c := range begin {
				items += c.Items
			}
			r.Children.Running += int64(len(begin))
			r.Items.Running += items
			r.Next += int64(len(begin))
			if w.ended && len(begin) == len(w.ahead) {
				r.Total = r.Items.Total()
			}
			w.run = r
			if err := w.Store.InsertMapChildren(ctx, begin); err != nil {
				return err
			}
			return w.saveMapRun(ctx, r)
		})
	})
	if err != nil {
		return false, false, err
	}
	w.ahead = w.ahead[len(begin):]
	if len(again) > 0 {
		w.redriven = again[len(again)-1].Number
	}
	if err := errors.Join(w.each(again, w.redriveChild), w.each(begin, w.beginOne)); err != nil {
		return false, false, err
	}
	return w.settled(len(begin)+len(again) > 0)
}

// counted reads the run and counts what has ended since; whatever follows, the
// run must be saved in the transaction of ctx.
func (w *mapWorker) counted(ctx context.Context) (MapRun, error) {
	if err := w.holds(ctx); err != nil {
		return MapRun{}, err
	}
	r, err := w.Store.MapRun(ctx, w.run.ID)
	if err != nil {
		return r, err
	}
	tallies, err := w.Store.CountMapChildren(ctx, r.ID)
	for _, t := range tallies {
		r.Children.Running -= t.Children
		r.Items.Running -= t.Items
		r.Children.Ended(aslStatus(t.Status), t.Children)
		r.Items.Ended(aslStatus(t.Status), t.Items)
		r.Children.NotRedrivable += t.FinalChildren
		r.Items.NotRedrivable += t.FinalItems
		w.moved = true
	}
	return r, err
}

// settled tells what the counts mean for the run.
func (w *mapWorker) settled(moved bool) (bool, bool, error) {
	moved = moved || w.moved
	w.moved = false
	if err := w.tolerated(&w.run); err != nil {
		return true, false, err
	}
	if w.ended && len(w.ahead) == 0 && w.run.Children.Running+w.run.Children.PendingRedrive == 0 && !w.run.halted() {
		return true, false, w.succeed()
	}
	return moved, false, nil
}

// each does something with children whose rows are there, many at a time.
func (w *mapWorker) each(children []MapChild, do func(MapChild) error) error {
	work := make(chan MapChild)
	var all sync.WaitGroup
	var mu sync.Mutex
	var failed error
	for range min(starters, len(children)) {
		all.Go(func() {
			for c := range work {
				if err := do(c); err != nil {
					mu.Lock()
					failed = errors.Join(failed, err)
					mu.Unlock()
				}
			}
		})
	}
	for _, c := range children {
		work <- c
	}
	close(work)
	all.Wait()
	return failed
}

// beginOne starts one child. One that cannot be started has failed; one that was
// started before is left as it is.
func (w *mapWorker) beginOne(c MapChild) error {
	err := w.persist("starting a child of a map run", func() error {
		_, err := w.StartExecution(w.ctx, StartRequest{ID: c.Execution, StateMachine: w.run.StateMachine,
			Input: c.Input, Owner: w.run.Owner, mapRun: w.run.ID, graph: w.run.Graph})
		if iap.IsKind(err, iap.Conflict) {
			if _, there := w.Store.Execution(w.ctx, c.Execution); there == nil {
				return nil
			}
		}
		return err
	})
	if err == nil || w.ctx.Err() != nil {
		return context.Cause(w.ctx)
	}
	slog.Error("a child of a map run could not be started", "map_run", w.run.ID, "child", c.Number, "err", err)
	return w.persist("a child of a map run", func() error {
		return w.Store.EndMapChild(w.ctx, c.Execution, Failed, false)
	})
}
