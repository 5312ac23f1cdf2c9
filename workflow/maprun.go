package workflow

import (
	"context"
	"encoding/json"
	"strconv"
	"strings"

	iap "github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/asl"
	"github.com/internal-app-portal/iap/asl/items"
)

// MapRun returns one map run, or NotFound.
func (e *Engine) MapRun(ctx context.Context, id string) (MapRun, error) {
	r, err := e.Store.MapRun(ctx, id)
	if err != nil {
		return r, err
	}
	return e.shown(ctx, r)
}

// MapRuns returns at most limit map runs of an execution, newest first, with IDs
// before before (empty: from the newest).
func (e *Engine) MapRuns(ctx context.Context, execution, before string, limit int) ([]MapRun, error) {
	runs, err := e.Store.MapRuns(ctx, execution, before, limit)
	for i := range runs {
		if err == nil {
			runs[i], err = e.shown(ctx, runs[i])
		}
	}
	return runs, err
}

// shown adds what is not kept in the row of a run: what is not begun yet, and
// the executions whose time for a redrive is over, which nobody tells of.
func (e *Engine) shown(ctx context.Context, r MapRun) (MapRun, error) {
	r = r.pending()
	before := e.Now().Add(-RedrivePeriod)
	if r.Express || r.Children.Unsuccessful() == r.Children.NotRedrivable || r.StartedAt.After(before) {
		return r, nil
	}
	late, err := e.Store.LateMapChildren(ctx, r.ID, before)
	r.Children.NotRedrivable += late.Children
	r.Items.NotRedrivable += late.Items
	return r, err
}

// pending counts what is not begun yet, as far as that is known.
func (r MapRun) pending() MapRun {
	r.Items.Pending, r.Children.Pending = 0, 0
	if r.Total >= 0 {
		r.Items.Pending = max(0, r.Total-r.Items.Total())
	}
	if r.Single {
		r.Children.Pending = r.Items.Pending
	}
	return r
}

// MapRunChange are the settings of a map run that can change while it runs; nil
// leaves one as it is.
type MapRunChange struct {
	MaxConcurrency      *int64
	ToleratedCount      *int64
	ToleratedPercentage *float64
}

// UpdateMapRun changes the settings of a map run. Errors: Invalid, NotFound,
// Conflict when the run has ended.
func (e *Engine) UpdateMapRun(ctx context.Context, id string, c MapRunChange) error {
	const op = "workflow.UpdateMapRun"
	switch {
	case c.MaxConcurrency != nil && *c.MaxConcurrency < 0:
		return iap.FieldErrorf(op, "maxConcurrency", "is %d; it must be 0 or more", *c.MaxConcurrency)
	case c.ToleratedCount != nil && *c.ToleratedCount < 0:
		return iap.FieldErrorf(op, "toleratedFailureCount", "is %d; it must be 0 or more", *c.ToleratedCount)
	case c.ToleratedPercentage != nil && !(*c.ToleratedPercentage >= 0 && *c.ToleratedPercentage <= 100):
		return iap.FieldErrorf(op, "toleratedFailurePercentage", "is %g; it must be from 0 to 100", *c.ToleratedPercentage)
	}
	return e.Tx.Update(ctx, func(ctx context.Context) error {
		r, err := e.Store.MapRun(ctx, id)
		if err != nil {
			return err
		}
		if r.Status != Running {
			return iap.Errorf(op, iap.Conflict, "the map run has ended")
		}
		if c.MaxConcurrency != nil {
			r.MaxConcurrency = *c.MaxConcurrency
		}
		if c.ToleratedCount != nil {
			r.ToleratedCount = c.ToleratedCount
		}
		if c.ToleratedPercentage != nil {
			r.ToleratedPercentage = c.ToleratedPercentage
		}
		iap.AfterCommit(ctx, func() { e.hurryMapRun(id) })
		return e.saveMapRun(ctx, r)
	})
}

// newMapRun makes the ARN of a run.
func (s *stepper) newMapRun(_ asl.FrameID, _ int, label string) string {
	machine, _, _ := strings.Cut(s.def.name, "/")
	return MapRun{ID: iap.NewID(s.Now()), Machine: machine, Label: label}.ARN()
}

func mapRunID(arn string) string { return arn[strings.LastIndexByte(arn, ':')+1:] }

// startMapRun stores the run that a Map state orders, and begins it after the
// commit.
func (s *stepper) startMapRun(ctx context.Context, c asl.StartMapRun) error {
	if err := s.needTransaction(); err != nil {
		return err
	}
	machine, _, _ := strings.Cut(s.def.name, "/")
	r := MapRun{ID: mapRunID(c.Order.ARN), Execution: s.x.ID, Frame: int64(c.Frame), Attempt: int64(c.Attempt),
		Machine: machine, StateMachine: s.x.StateMachine, Label: c.Order.Label, State: c.Order.State, Graph: c.Order.Graph,
		Express: c.Order.Express, Single: c.Order.Batcher == nil, Owner: s.x.Owner, Status: Running, MaxConcurrency: c.Order.MaxConcurrency,
		ToleratedCount: c.Order.ToleratedCount, ToleratedPercentage: c.Order.ToleratedPercentage, Total: -1, StartedAt: s.Now()}
	if c.Order.Reader == nil { // else they are counted as they are read
		r.Total = items.Count(c.Order.Items.Value())
	}
	order, err := json.Marshal(c.Order)
	if err != nil {
		return err
	}
	if err := s.Store.InsertMapRun(ctx, r, order); err != nil {
		return err
	}
	now := s.Now()
	t := Task{Execution: r.ID, Kind: MapTask, RunAt: now, Owner: s.me.Load().owner, LeaseUntil: now.Add(s.Lease), Attempt: 1}
	if err := s.Store.PutTask(ctx, t); err != nil {
		return err
	}
	iap.AfterCommit(ctx, func() { s.spawn(func() { s.runMap(t) }) })
	return s.Log.Append(ctx, s.mapRunTold(r))
}

// stopMapRun has a run end whose Map state is no longer there.
func (s *stepper) stopMapRun(ctx context.Context, c asl.StopMapRun) error {
	if err := s.needTransaction(); err != nil {
		return err
	}
	r, err := s.Store.MapRun(ctx, mapRunID(c.ARN))
	if err != nil || r.Status != Running {
		return err
	}
	r.Status, r.StoppedAt, r.Redriving = Aborted, s.Now(), false
	iap.AfterCommit(ctx, func() { s.hurryMapRun(r.ID) })
	return s.saveMapRun(ctx, r)
}

// hurryMapRun has the run's worker look at what has changed; one that rests is
// woken.
func (e *Engine) hurryMapRun(id string) {
	if w, ok := e.mapWorkers.Load(id); ok && w.(*mapWorking).poke() {
		return
	}
	if _, waking := e.mapWaking.LoadOrStore(id, true); waking {
		return
	}
	e.spawn(func() {
		err := e.persist("waking a map run", func() error {
			e.mapWaking.Delete(id)
			return e.Store.HurryTask(e.ctx, id, MapTask, e.Now())
		})
		if err == nil {
			e.Wake()
		}
	})
}

// definition is what an execution runs: its state machine or, of a child of a map
// run, the part of it that the Map state holds.
func (e *Engine) definition(ctx context.Context, x Execution) (*parsedMachine, error) {
	p, err := e.machine(ctx, x.StateMachine)
	if err != nil || x.MapRun == "" {
		return p, err
	}
	key := x.StateMachine + "#" + strconv.Itoa(x.Graph)
	if sub, ok := e.machines.get(key); ok {
		return sub, nil
	}
	if x.Graph < 0 || x.Graph >= len(p.machine.Graphs) {
		return nil, iap.Errorf("workflow.definition", iap.Internal, "the state machine %s has no graph %d", p.name, x.Graph)
	}
	sub := &parsedMachine{name: p.name + "/" + p.machine.MapLabel(x.Graph), machine: p.machine.Sub(x.Graph)}
	e.machines.put(key, sub)
	return sub, nil
}
