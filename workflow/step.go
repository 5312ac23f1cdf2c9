package workflow

import (
	"context"
	"encoding/json"
	"errors"
	"math/rand/v2"
	"slices"

	iap "github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/asl"
	"github.com/internal-app-portal/iap/asl/value"
	"github.com/internal-app-portal/iap/event"
)

// maxPerCommit bounds the signals that one transaction takes, so that a state
// machine which loops for ever shares the database with the others.
const maxPerCommit = 32

// ErrStale is the cause of a Conflict: the execution has ended, or waits for
// something else by now. Nothing was written.
var ErrStale = errors.New("nobody waits for this any more")

// signal gives sig to an execution in a transaction: that of ctx, or its own.
// What no longer fits is a Conflict and changes nothing.
func (e *Engine) signal(ctx context.Context, id string, sig asl.Signal) error {
	return e.Tx.Update(ctx, func(ctx context.Context) error {
		return e.step(ctx, id, nil, sig)
	})
}

// stepper is one transaction's work on one execution.
type stepper struct {
	*Engine
	x       Execution
	machine *asl.Machine
	name    string
	state   *asl.State
	signals []asl.Signal  // to be taken in this commit, in order
	ready   []asl.FrameID // frames with a transition to take
	history []HistoryEvent
}

// step takes signals and what follows at once from them; without signals, the
// transitions that an earlier step left to be taken. state is given for a new
// execution alone.
func (e *Engine) step(ctx context.Context, id string, state *asl.State, signals ...asl.Signal) error {
	if ctx.Value(steppingKey{}) == id {
		// A handler of this very step has something answered, such as the job
		// that it cancels: the step is moving on from there.
		return iap.E("workflow.step", iap.Conflict, ErrStale)
	}
	x, err := e.Store.Execution(ctx, id)
	if err != nil {
		return err
	}
	if x.Status != Running {
		return iap.E("workflow.step", iap.Conflict, ErrStale)
	}
	p, err := e.machine(ctx, x.StateMachine)
	if err != nil {
		return err
	}
	if state == nil {
		state = &asl.State{}
		if err := json.Unmarshal(x.State, state); err != nil {
			return err
		}
	}
	s := &stepper{Engine: e, x: x, machine: p.machine, name: p.name, state: state, signals: signals}
	if len(signals) == 0 {
		s.ready = state.Ready()
	}
	if err := s.run(context.WithValue(ctx, steppingKey{}, id)); err != nil {
		return err
	}
	return s.commit(ctx)
}

// laterKey marks the context of a step that takes no transitions.
type laterKey struct{}

// steppingKey marks the context of handlers with the execution whose step they
// are part of.
type steppingKey struct{}

// run steps until nothing is left that needs no commit in between. Results of
// handlers are always taken, since nobody else knows them; transitions wait
// for the next commit when this one has grown long.
func (s *stepper) run(ctx context.Context) error {
	later := ctx.Value(laterKey{}) != nil
	for n := 0; ; n++ {
		sig, ok := s.next(n < maxPerCommit && !later)
		if !ok {
			return nil
		}
		out, err := asl.Step(s.machine, s.state, sig, s.env())
		if errors.Is(err, asl.ErrStale) {
			if n == 0 {
				return iap.E("workflow.step", iap.Conflict, ErrStale)
			}
			continue // a sibling's failure overtook it
		}
		if err != nil {
			return err
		}
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
		details, err := json.Marshal(ev)
		if err != nil {
			return err
		}
		s.history = append(s.history, HistoryEvent{Execution: s.x.ID, Number: ev.ID, Previous: ev.PreviousEventID,
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
		s.x.Output = json.RawMessage(c.Output.String())
	}
	if c.Error != nil {
		s.x.Error = *c.Error
	}
	if c.Cause != nil {
		s.x.Cause = *c.Cause
	}
	s.signals, s.ready = nil, nil
}

// commit writes what run has come to.
func (s *stepper) commit(ctx context.Context) error {
	s.x.State = nil
	if s.x.Status == Running {
		b, err := json.Marshal(s.state)
		if err != nil {
			return err
		}
		s.x.State = b
	}
	if err := s.Store.UpdateExecution(ctx, s.x); err != nil {
		return err
	}
	if err := s.Store.AppendHistory(ctx, s.history...); err != nil {
		return err
	}
	if err := s.Log.Append(ctx, s.changed()); err != nil {
		return err
	}
	if s.x.Status == Running {
		return s.advanceLater(ctx)
	}
	if err := s.Store.DeleteTasks(ctx, s.x.ID); err != nil {
		return err
	}
	if err := s.keepState(ctx, s.x, s.state); err != nil {
		return err
	}
	return s.OnEnd(ctx, s.x)
}

// advanceLater leaves a row for the frames that still have a transition to
// take, or removes it when there is none.
func (s *stepper) advanceLater(ctx context.Context) error {
	if len(s.ready) == 0 {
		return nil
	}
	t := Task{Execution: s.x.ID, Kind: Advance, RunAt: s.Now()}
	if err := s.Store.PutTask(ctx, t); err != nil {
		return err
	}
	iap.AfterCommit(ctx, s.Wake)
	return nil
}

// changed is the event by which pages that show an execution learn of it.
func (s *stepper) changed() *event.Event {
	var states []string
	for _, id := range framesInOrder(s.state) {
		states = append(states, s.state.Frames[id].State)
	}
	data, _ := json.Marshal(struct {
		ID     string   `json:"id"`
		Status Status   `json:"status"`
		States []string `json:"states,omitempty"`
	}{s.x.ID, s.x.Status, states})
	return &event.Event{Source: "/executions", Type: event.ExecutionChanged, Subject: s.x.ID,
		Time: s.Now(), Owner: event.AdminsOnly, Group: s.x.ID, Data: data}
}

func (s *stepper) env() asl.Env {
	return asl.Env{
		Now:     s.Now(),
		Rand:    rand.Float64,
		NewUUID: newUUID,
		NewTaskToken: func(f asl.FrameID, attempt int) string {
			return s.token(taskRef{execution: s.x.ID, frame: int64(f), attempt: int64(attempt)})
		},
		Execution: asl.ExecutionInfo{
			ID:        "arn:iap:states:::execution:" + s.name + ":" + s.x.Name,
			Name:      s.x.Name,
			Input:     value.Trusted(string(s.x.Input)),
			StartTime: s.x.StartedAt, RedriveCount: s.x.RedriveCount,
		},
		StateMachine: asl.StateMachineInfo{ID: "arn:iap:states:::stateMachine:" + s.name, Name: s.name},
		Limits:       s.Limits,
	}
}

func framesInOrder(s *asl.State) []asl.FrameID {
	ids := make([]asl.FrameID, 0, len(s.Frames))
	for id := range s.Frames {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	return ids
}
