package workflow

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/internal-app-portal/iap/asl"
	"github.com/internal-app-portal/iap/workflow/memory"
)

const (
	// maxInMemory bounds the children of a map run that run in memory at once.
	maxInMemory = 256
	// mapFlush is how long what became of them waits for others to be written
	// together with it.
	mapFlush = 50 * time.Millisecond
)

// roundInMemory runs Express children until there are no more or the run has
// ended. What became of them is written many at a time; those that were not
// written when the process died are run again.
func (w *mapWorker) roundInMemory() (moved, done bool, err error) {
	there, err := w.Store.MapChildNumbers(w.ctx, w.run.ID, w.run.Next)
	if err != nil {
		return false, false, err
	}
	r := &inMemory{mapWorker: w, of: w.run, low: w.run.Next, ended: map[int64]bool{}, again: map[int64]bool{},
		answers: make(chan MapChild, maxInMemory)}
	for _, c := range there {
		if c.Status == PendingRedrive {
			r.again[c.Number] = true
			r.againItems += c.Items
		} else {
			r.ended[c.Number] = true
		}
	}
	ctx, cancel := context.WithCancel(w.ctx)
	var work sync.WaitGroup
	err = r.all(ctx, &work)
	cancel()
	work.Wait()
	if err != nil || w.run.halted() {
		return true, false, err
	}
	return true, false, w.succeed()
}

// inMemory is the work at the Express children of a run.
type inMemory struct {
	*mapWorker
	// of is the run as it was at the beginning, which children may read beside
	// each other.
	of      MapRun
	answers chan MapChild
	// running and items are the children that run, and their items.
	running, items int64
	results        []MapChild
	// low is the first child that has not ended; ended are those after it that
	// have.
	low   int64
	ended map[int64]bool
	// again are those that are to be run again and were not begun yet.
	again      map[int64]bool
	againItems int64
}

func (r *inMemory) all(ctx context.Context, work *sync.WaitGroup) error {
	tick := time.NewTicker(mapFlush)
	defer tick.Stop()
	for more := true; ; {
		for more && r.running < r.atOnce(maxInMemory) && len(r.results) < mapRound {
			b, ok, err := r.batch()
			if err != nil {
				return err
			}
			if more = ok; ok && !r.ended[b.Number] {
				r.begin(ctx, work, b)
			}
		}
		if len(r.results) >= mapRound || r.running == 0 {
			if err := r.flush(!more); err != nil {
				return err
			}
			if r.run.halted() || !more && r.running == 0 {
				return nil
			}
		}
		select {
		case c := <-r.answers:
			r.running--
			r.items -= c.Items
			if ctx.Err() == nil {
				r.results = append(r.results, c)
			}
		case <-tick.C:
			if err := r.flush(!more); err != nil {
				return err
			}
			if r.run.halted() {
				return nil
			}
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

func (r *inMemory) begin(ctx context.Context, work *sync.WaitGroup, b asl.MapBatch) {
	r.running++
	r.items += b.Items
	if r.again[b.Number] {
		delete(r.again, b.Number)
		r.againItems -= b.Items
	}
	work.Go(func() { r.answers <- r.child(ctx, b) })
}

// flush writes what has ended, and moves on where the run begins anew.
func (r *inMemory) flush(last bool) error {
	low, items := r.low, asl.MapCounts{}
	children := asl.MapCounts{}
	for _, c := range r.results {
		r.ended[c.Number] = true
		children.Ended(aslStatus(c.Status), 1)
		items.Ended(aslStatus(c.Status), c.Items)
	}
	for r.ended[low] {
		low++
	}
	err := r.persist("the children of a map run", func() error {
		return r.Tx.Update(r.ctx, func(ctx context.Context) error {
			if err := r.holds(ctx); err != nil {
				return err
			}
			run, err := r.Store.MapRun(ctx, r.run.ID)
			if err != nil {
				return err
			}
			run.Children, run.Items = added(run.Children, children), added(run.Items, items)
			run.Children.Running, run.Items.Running = r.running, r.items
			if !run.halted() {
				run.Children.PendingRedrive, run.Items.PendingRedrive = int64(len(r.again)), r.againItems
				run.Next = low
			}
			if last {
				run.Total = run.Items.Total()
			}
			if err := r.Store.InsertMapChildren(ctx, r.results); err != nil {
				return err
			}
			if err := r.saveMapRun(ctx, run); err != nil {
				return err
			}
			r.run = run
			return nil
		})
	})
	if err != nil {
		return err
	}
	for ; r.low < low; r.low++ {
		delete(r.ended, r.low)
	}
	r.results = r.results[:0]
	return r.tolerated(&r.run)
}

func endedOf(c asl.MapCounts) int64 { return c.Succeeded + c.Unsuccessful() }

func added(a, b asl.MapCounts) asl.MapCounts {
	a.Succeeded += b.Succeeded
	a.Failed += b.Failed
	a.TimedOut += b.TimedOut
	a.Aborted += b.Aborted
	return a
}

// child runs one child in memory.
func (r *inMemory) child(ctx context.Context, b asl.MapBatch) MapChild {
	name := fmt.Sprintf("%s-%d", r.of.ID, b.Number)
	machine := r.of.Machine + "/" + r.of.Label
	x := ExpressExecution{ID: name, ARN: ExecutionARN(machine, name), Name: name, Machine: machine,
		StateMachine: r.of.StateMachine, Owner: r.of.Owner, Input: json.RawMessage(b.Input.String()), StartedAt: r.Now()}
	run := &expressRun{Engine: r.Engine, x: x}
	c := MapChild{MapRun: r.of.ID, Number: b.Number, Items: b.Items, Counted: true, StartedAt: x.StartedAt}
	result, err := memory.Run(ctx, r.machine.Sub(r.of.Graph), b.Input, memory.Options{Env: run.expressEnv(x),
		Start: x.StartedAt, Timeout: expressTimeout, Task: run.do, Buckets: r.Buckets})
	c.EndedAt = r.Now()
	switch {
	case err == nil:
		c.Status, c.Output = Status(result.Status), json.RawMessage(result.Output.String())
		c.Error, c.Cause = text(result.Error), text(result.Cause)
	default:
		c.Status, c.Error, c.Cause = Failed, "States.Runtime", "The execution failed by a fault of the portal."
		if errors.Is(err, asl.ErrInput) {
			c.Cause = "The input is too large."
		} else if ctx.Err() == nil {
			slog.Error("a child of a map run failed by a fault of the portal", "execution", x.ARN, "err", err)
		}
	}
	if c.Status != Succeeded || r.order.Transformation() == asl.TransformNone {
		c.Input = slices.Clone(x.Input)
	}
	return c
}

func text(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}
