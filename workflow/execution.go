package workflow

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	iap "github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/asl"
	"github.com/internal-app-portal/iap/asl/value"
)

// StartRequest says what to start.
type StartRequest struct {
	ID           string // empty: a new one
	Name         string // empty: the ID
	StateMachine string // ID, from PutStateMachine
	Input        json.RawMessage
	Owner        string // ID of who starts it, for whom its tasks act
	// Later leaves even the first transition for after the commit: what starts
	// executions in the step of another must not run them in it.
	Later bool

	mapRun string // of a child of a map run, with its graph
	graph  int
}

// StartExecution begins an execution, in the transaction of ctx when there is
// one: what the first states do in the database is then part of it.
// Errors: Conflict when the name is taken, NotFound when there is no such state
// machine, Invalid when the input is not JSON.
func (e *Engine) StartExecution(ctx context.Context, r StartRequest) (Execution, error) {
	now := e.Now()
	if r.ID == "" {
		r.ID = iap.NewID(now)
	}
	if r.Name == "" {
		r.Name = r.ID
	}
	input, err := value.FromText(string(r.Input))
	if err != nil {
		return Execution{}, iap.FieldErrorf("workflow.StartExecution", "input", "it is not JSON: %v", err)
	}
	x := Execution{ID: r.ID, Name: r.Name, StateMachine: r.StateMachine, Status: Running, Input: r.Input, StartedAt: now, Owner: r.Owner,
		MapRun: r.mapRun, Graph: r.graph}
	start := &request{signal: asl.Start{Input: input}}
	p, err := e.definition(ctx, x)
	if err != nil {
		return Execution{}, err
	}
	if !iap.InUpdate(ctx) && !r.Later {
		return x, badInput(e.submitNew(newKept(x, p), start))
	}
	return x, e.Tx.Update(ctx, func(ctx context.Context) error {
		if err := e.Store.InsertExecution(ctx, x); err != nil {
			return err
		}
		if r.Later {
			ctx = context.WithValue(ctx, laterKey{}, true)
		}
		return badInput(e.stepIn(ctx, newKept(x, p), start))
	})
}

// badInput makes the refusal of an input one of the field.
func badInput(err error) error {
	if !errors.Is(err, asl.ErrInput) {
		return err
	}
	return iap.FieldErrorf("workflow.StartExecution", "input", "%s", asl.InputProblem(err))
}

func newKept(x Execution, p *parsedMachine) *kept {
	return &kept{x: x, def: p, state: &asl.State{}, splitter: &asl.Splitter{}, isNew: true}
}

// StopExecution aborts an execution; an ended one is left as it is.
func (e *Engine) StopExecution(ctx context.Context, id, errorName, cause string) error {
	return e.signal(ctx, id, asl.Stop{Error: errorName, Cause: cause})
}

// Succeed gives the task of a token its result, in the transaction of ctx when
// there is one. Conflict when nobody waits for it any more.
func (e *Engine) Succeed(ctx context.Context, token string, output any) error {
	out, err := marshal(output)
	if err != nil {
		return err
	}
	r, err := e.taskOf(token)
	if err != nil {
		return err
	}
	return e.answer(ctx, r, asl.TaskSucceeded{Frame: asl.FrameID(r.frame), Attempt: int(r.attempt), Output: out})
}

// Fail fails the task of a token, as Succeed succeeds it.
func (e *Engine) Fail(ctx context.Context, token, errorName, cause string) error {
	r, err := e.taskOf(token)
	if err != nil {
		return err
	}
	return e.answer(ctx, r, asl.TaskFailed{
		Frame: asl.FrameID(r.frame), Attempt: int(r.attempt), Error: errorName, Cause: cause})
}

// answer gives the result of a task from outside; a call that was at it is cut
// off.
func (e *Engine) answer(ctx context.Context, r taskRef, sig asl.Signal) error {
	key := TaskKey{r.execution, CallTask, r.frame, r.attempt}
	q := &request{signal: sig, answers: &key}
	if iap.InUpdate(ctx) {
		return e.Tx.Update(ctx, func(ctx context.Context) error {
			iap.AfterCommit(ctx, func() { e.cancelCall(key) })
			return e.step(ctx, r.execution, q)
		})
	}
	err := e.submit(r.execution, q)
	if err == nil {
		e.cancelCall(key)
	}
	return err
}

// IsRunning reports whether there is an execution that has not ended.
func (e *Engine) IsRunning(ctx context.Context, id string) (bool, error) {
	x, err := e.Store.Execution(ctx, id)
	if iap.IsKind(err, iap.NotFound) {
		return false, nil
	}
	return err == nil && x.Status == Running, err
}

// Waiting is a task of which an execution awaits the result.
type Waiting struct {
	State    string
	Resource asl.Resource
	Token    string
}

// Awaits returns the tasks that an execution awaits, in the order of their
// frames: so that who knows the execution need not keep tokens.
func (e *Engine) Awaits(ctx context.Context, id string) ([]Waiting, error) {
	x, err := e.Store.Execution(ctx, id)
	if err != nil || x.Status != Running {
		return nil, err
	}
	p, err := e.machine(ctx, x.StateMachine)
	if err != nil {
		return nil, err
	}
	s, err := e.loadState(ctx, x)
	if err != nil {
		return nil, err
	}
	var out []Waiting
	for _, id := range framesInOrder(s) {
		f := s.Frames[id]
		if f.Phase != asl.PhaseTask {
			continue
		}
		ref := taskRef{execution: x.ID, frame: int64(id), attempt: int64(f.Attempt)}
		out = append(out, Waiting{
			State:    f.State,
			Resource: p.machine.Graphs[f.Graph].State(f.State).Resource,
			Token:    e.token(ref),
		})
	}
	return out, nil
}

func marshal(v any) (value.JSON, error) {
	if v == nil {
		return value.MustText("{}"), nil
	}
	b, err := json.Marshal(v)
	if err != nil {
		return value.JSON{}, err
	}
	return value.FromText(string(b))
}

// Definition returns the name and the text of the state machine of an
// execution.
func (e *Engine) Definition(ctx context.Context, execution string) (StateMachine, error) {
	x, err := e.Store.Execution(ctx, execution)
	if err != nil {
		return StateMachine{}, err
	}
	return e.Store.StateMachine(ctx, x.StateMachine)
}

// Duration returns how long the execution took, up to now while it runs.
func (x Execution) Duration(now time.Time) time.Duration {
	if x.EndedAt.IsZero() {
		return now.Sub(x.StartedAt)
	}
	return x.EndedAt.Sub(x.StartedAt)
}
