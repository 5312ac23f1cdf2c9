package workflow

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"

	iap "github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/asl"
	"github.com/internal-app-portal/iap/asl/value"
)

// maxPerCommit bounds the signals that one transaction takes, so that a state
// machine which loops for ever shares the database with the others.
const maxPerCommit = 32

// ErrStale is the cause of a Conflict: the execution has ended, or waits for
// something else by now. Nothing was written.
var ErrStale = errors.New("nobody waits for this any more")

func errStale() error { return iap.E("workflow.step", iap.Conflict, ErrStale) }

// signal gives sig to an execution: in the transaction of ctx, or in a commit of
// its own. What no longer fits is a Conflict and changes nothing.
func (e *Engine) signal(ctx context.Context, id string, sig asl.Signal) error {
	if iap.InUpdate(ctx) {
		return e.Tx.Update(ctx, func(ctx context.Context) error { return e.step(ctx, id, &request{signal: sig}) })
	}
	return e.submit(id, &request{signal: sig})
}

// step takes a request in the transaction of ctx, of which it is a part.
func (e *Engine) step(ctx context.Context, id string, r *request) error {
	if ctx.Value(steppingKey{}) == id {
		// A handler of this very step has something answered, such as the job
		// that it cancels: the step is moving on from there.
		return errStale()
	}
	k, err := e.read(ctx, id)
	if err != nil {
		return err
	}
	return e.stepIn(ctx, k, r)
}

// stepIn takes a request in the transaction of ctx.
func (e *Engine) stepIn(ctx context.Context, k *kept, r *request) error {
	k.isNew = false // it is inserted
	s := &stepper{Engine: e, kept: k, inTx: true}
	if err := s.takeAll(context.WithValue(ctx, steppingKey{}, k.x.ID), []*request{r}); err != nil {
		return err
	}
	if r.err != nil || !s.changed() {
		return r.err
	}
	if err := s.commit(ctx); err != nil {
		return err
	}
	iap.AfterCommit(ctx, func() {
		e.lives.outdate(k.x.ID)
		if t := s.advance; t != nil {
			e.spawn(func() { e.fire(*t, nil) })
		}
		for _, fn := range s.after {
			fn()
		}
	})
	return nil
}

// read reads a running execution, in the transaction of ctx when there is one.
func (e *Engine) read(ctx context.Context, id string) (*kept, error) {
	x, err := e.Store.Execution(ctx, id)
	if err != nil {
		return nil, err
	}
	if x.Status != Running {
		return nil, errStale()
	}
	p, err := e.definition(ctx, x)
	if err != nil {
		return nil, err
	}
	k := &kept{x: x, def: p}
	if k.state, k.splitter, err = e.join(ctx, x); err != nil {
		return nil, err
	}
	k.ready = k.state.Ready()
	return k, nil
}

// join reads the State of a running execution.
func (e *Engine) join(ctx context.Context, x Execution) (*asl.State, *asl.Splitter, error) {
	var texts map[string]string
	if asl.IsSplit(x.State) {
		parts, err := e.Store.Parts(ctx, x.ID)
		if err != nil {
			return nil, nil, err
		}
		texts = make(map[string]string, len(parts))
		for _, p := range parts {
			texts[p.Name] = p.Text
		}
	}
	return asl.Join(x.State, texts)
}

// loadState reads the State of a running execution, for who does not change it.
// Row and parts are read one after the other, so it is done in a transaction or
// again when the execution moved on in between.
func (e *Engine) loadState(ctx context.Context, x Execution) (*asl.State, error) {
	for {
		s, _, err := e.join(ctx, x)
		if err == nil && !asl.IsSplit(x.State) || iap.InUpdate(ctx) {
			return s, err
		}
		again, err2 := e.Store.Execution(ctx, x.ID)
		if err2 != nil || again.Version == x.Version || again.Status != Running {
			return s, errors.Join(err, err2)
		}
		x = again
	}
}

// stepper is one commit's work on one execution.
type stepper struct {
	*Engine
	*kept
	inTx    bool
	signals []asl.Signal // to be taken in this commit, in order
	taken   int
	w       Commit
	advance *Task    // the row of transitions left, held by this process
	after   []func() // what follows the commit

	partBytes int64
}

// laterKey marks the context of a step that takes no transitions.
type laterKey struct{}

// steppingKey marks the context of handlers with the execution whose step they
// are part of.
type steppingKey struct{}

// takeAll takes requests and then the transitions that wait.
func (s *stepper) takeAll(ctx context.Context, rs []*request) error {
	for _, r := range rs {
		if r.row != nil && !s.owns(r.row) {
			r.err = errTaskLost()
			continue
		}
		if r.row != nil {
			s.takeRow(r)
		}
		if r.answers != nil {
			s.w.drop(*r.answers)
		}
		if r.signal == nil {
			continue
		}
		s.signals = append(s.signals, r.signal)
		switch err := s.run(ctx, false); {
		case errors.Is(err, ErrStale) && r.row == nil:
			r.err = err
		case err != nil && !errors.Is(err, ErrStale):
			return err
		}
	}
	return s.run(ctx, true)
}

// takeRow ends the row of a request with this commit.
func (s *stepper) takeRow(r *request) {
	if r.row.Kind == Advance {
		s.advance = r.row // commit decides whether it is still needed
		return
	}
	s.w.Finish = append(s.w.Finish, *r.row)
}

// changed reports whether there is anything to commit.
func (s *stepper) changed() bool {
	return s.taken > 0 || len(s.w.Finish) > 0 || (s.advance != nil && len(s.ready) == 0)
}

// run steps until nothing is left that needs no commit in between. Results of
// handlers are always taken, since nobody else knows them; transitions wait
// for the next commit when this one has grown long. What a request says that
// does not fit is ErrStale.
func (s *stepper) run(ctx context.Context, advance bool) error {
	later := ctx.Value(laterKey{}) != nil
	for first := true; ; first = false {
		sig, ok := s.next(advance && !later && s.taken < maxPerCommit)
		if !ok {
			return nil
		}
		out, err := asl.Step(s.def.machine, s.state, sig, s.env())
		if errors.Is(err, asl.ErrStale) {
			if first && !advance {
				return errStale()
			}
			continue // a sibling's failure overtook it
		}
		if err != nil {
			return err
		}
		s.taken++
		if err := s.take(ctx, out); err != nil {
			return err
		}
	}
}

// next returns what to step with; transitions only where more is true.
func (s *stepper) next(more bool) (asl.Signal, bool) {
	switch {
	case len(s.signals) > 0:
		sig := s.signals[0]
		s.signals = s.signals[1:]
		return sig, true
	case len(s.ready) > 0 && more:
		f := s.ready[0]
		s.ready = s.ready[1:]
		return asl.Advance{Frame: f}, true
	}
	return nil, false
}

func (s *stepper) take(ctx context.Context, out asl.Outcome) error {
	for _, ev := range out.Events {
		details, err := ev.MarshalJSON()
		if err != nil {
			return err
		}
		s.w.History = append(s.w.History, HistoryEvent{Execution: s.x.ID, Number: ev.ID, Previous: ev.PreviousEventID,
			Type: ev.Type, Time: ev.Timestamp, Details: details})
	}
	for _, c := range out.Commands {
		if err := s.command(ctx, c); err != nil {
			return err
		}
	}
	s.ready = append(s.ready, out.Ready...)
	if c := out.Complete; c != nil {
		s.complete(c)
	}
	return nil
}

func (s *stepper) complete(c *asl.Complete) {
	s.x.Status = Status(c.Status)
	s.x.EndedAt = s.Now()
	if c.Status == asl.Succeeded {
		s.x.Output = []byte(c.Output.String())
	}
	if c.Error != nil {
		s.x.Error = *c.Error
	}
	if c.Cause != nil {
		s.x.Cause = *c.Cause
	}
	s.signals, s.ready = nil, nil
}

// env is what asl.Step may know.
func (s *stepper) env() asl.Env {
	return asl.Env{
		Now:     s.Now(),
		Rand:    rand.Float64,
		NewUUID: newUUID,
		JSONata: s.JSONata,
		NewTaskToken: func(f asl.FrameID, attempt int) string {
			return s.token(taskRef{execution: s.x.ID, frame: int64(f), attempt: int64(attempt)})
		},
		NewMapRun: s.newMapRun,
		Execution: asl.ExecutionInfo{
			ID:        "arn:iap:states:::execution:" + s.def.name + ":" + s.x.Name,
			Name:      s.x.Name,
			Input:     s.input(),
			StartTime: s.x.StartedAt, RedriveCount: s.x.RedriveCount,
		},
		StateMachine: asl.StateMachineInfo{ID: "arn:iap:states:::stateMachine:" + s.def.name, Name: s.def.name},
		Limits:       s.limitsOf(s.def.name),
	}
}

func (k *kept) input() value.JSON { return value.Trusted(string(k.x.Input)) }

func framesInOrder(s *asl.State) []asl.FrameID {
	ids := make([]asl.FrameID, 0, len(s.Frames))
	for id := range s.Frames {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	return ids
}
