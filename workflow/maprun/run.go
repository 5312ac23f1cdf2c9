package maprun

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/internal-app-portal/iap/asl"
	"github.com/internal-app-portal/iap/asl/value"
	"github.com/internal-app-portal/iap/bucket"
)

// Child is one execution to be run: a batch of items.
type Child struct {
	Number                     int64
	Name, ARN, StateMachineARN string
	Machine                    *asl.Machine
	Input                      value.JSON
	Start                      time.Time // on the virtual clock
}

// Ended is how a child ended, and when.
type Ended struct {
	Status       asl.Status
	Output       value.JSON
	Error, Cause *string
	At           time.Time
}

// Options say how to do a map run in memory.
type Options struct {
	Buckets bucket.Buckets // nil: there are none
	// Env is that of the execution which the Map state is part of.
	Env asl.Env
	// Virtual: children are run one after the other, each as if it had begun when
	// there was room for it. Else they run beside each other.
	Virtual bool
	Now     time.Time
	// AtOnce bounds how many children run beside each other, besides the order's
	// MaxConcurrency. 0: 64.
	AtOnce int
	// Child runs one child. An error breaks the run off.
	Child func(context.Context, Child) (Ended, error)
}

const defaultAtOnce = 64

// Run does the map run of an order of an execution of m and tells how it ended,
// and when. An error is the one of Child, or of ctx.
func Run(ctx context.Context, m *asl.Machine, c asl.StartMapRun, o Options) (asl.MapRunEnded, time.Time, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	r := &run{Options: o, ctx: ctx, cancel: cancel, order: c.Order, sub: m.Sub(c.Order.Graph), total: -1, end: o.Now,
		waiting: map[int64]asl.MapResult{}}
	ended := asl.MapRunEnded{Frame: c.Frame, Attempt: c.Attempt, Status: asl.Succeeded}
	out, err := r.all(m)
	var failed *asl.MapError
	switch {
	case errors.As(err, &failed):
		ended.Status, ended.Error, ended.Cause = asl.Failed, failed.Name, failed.Cause
	case err != nil:
		return ended, r.end, err
	}
	ended.Output = out
	return ended, r.end, nil
}

// run is one map run. Its fields belong to the goroutine of Run.
type run struct {
	Options
	ctx     context.Context
	cancel  context.CancelFunc
	order   asl.MapRunOrder
	sub     *asl.Machine
	batches *asl.MapBatches
	results Results

	items, failed int64
	total         int64 // of the items; -1 while it is not known
	end           time.Time
	// waiting are results that come before others are there.
	waiting map[int64]asl.MapResult
	next    int64
}

func (r *run) all(m *asl.Machine) (value.JSON, error) {
	source, err := Open(r.ctx, &r.order, r.Buckets)
	if err != nil {
		return value.JSON{}, err
	}
	defer source.Close() //nolint:errcheck // it was only read
	if r.batches, err = asl.NewMapBatches(m, r.order, source, r.Env); err != nil {
		return value.JSON{}, err
	}
	if r.results, err = NewResults(r.ctx, &r.order, r.Buckets, r.Env.Limits); err != nil {
		return value.JSON{}, err
	}
	defer r.results.Close()
	if r.Virtual {
		err = r.sequence()
	} else {
		err = r.beside()
	}
	if err != nil {
		return value.JSON{}, err
	}
	return r.results.Finish()
}

// batch gives the next batch; false after the last.
func (r *run) batch() (asl.MapBatch, bool, error) {
	if err := r.ctx.Err(); err != nil {
		return asl.MapBatch{}, false, context.Cause(r.ctx)
	}
	b, err := r.batches.Next()
	if errors.Is(err, io.EOF) {
		r.total = r.items
		return b, false, r.tolerated()
	}
	r.items += b.Items
	return b, err == nil, err
}

func (r *run) tolerated() error {
	if e := r.order.Tolerance().Check(r.failed, r.total); e != nil {
		return e
	}
	return nil
}

func (r *run) child(b asl.MapBatch, start time.Time) Child {
	id := r.order.ARN[max(len(r.order.ARN)-36, 0):]
	name := fmt.Sprintf("%s-%d", id, b.Number)
	machine := r.Env.StateMachine.ID
	return Child{Number: b.Number, Name: name, ARN: ChildARN(machine, r.order.Label, name),
		StateMachineARN: ChildMachine(machine, r.order.Label), Machine: r.sub, Input: b.Input, Start: start}
}

// take counts what became of a child, and hands it on when its turn has come.
func (r *run) take(c Child, items int64, e Ended) error {
	if e.At.After(r.end) {
		r.end = e.At
	}
	if e.Status != asl.Succeeded {
		r.failed += items
		if err := r.tolerated(); err != nil {
			return err
		}
	}
	r.waiting[c.Number] = asl.MapResult{Number: c.Number, Name: c.Name, ARN: c.ARN, StateMachineARN: c.StateMachineARN,
		Status: e.Status, Input: c.Input, Output: e.Output, Error: e.Error, Cause: e.Cause, Started: c.Start, Stopped: e.At}
	for {
		result, ok := r.waiting[r.next]
		if !ok {
			return nil
		}
		delete(r.waiting, r.next)
		r.next++
		if err := r.results.Add(result); err != nil {
			return err
		}
	}
}

// sequence runs children one after the other on the virtual clock.
func (r *run) sequence() error {
	var places places
	for {
		b, more, err := r.batch()
		if err != nil || !more {
			return err
		}
		c := r.child(b, places.take(r.Now, r.order.MaxConcurrency))
		e, err := r.Child(r.ctx, c)
		if err != nil {
			return err
		}
		places.give(e.At)
		if err := r.take(c, b.Items, e); err != nil {
			return err
		}
	}
}
