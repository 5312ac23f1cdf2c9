package workflow

import (
	"context"
	"encoding/json"
	"errors"

	iap "github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/asl"
)

// Nested ties an execution to the task of another that has started it.
type Nested struct {
	Child   string
	Parent  string
	Frame   int64
	Attempt int64
	// Suffix is the resource's: "", ".sync", ".sync:2" or ".waitForTaskToken".
	Suffix string
	// Depth is 1 for a child of an execution that nobody's task has started.
	Depth int
}

// maxDepth bounds executions that start executions that start …, so that one
// that starts itself comes to an end.
const maxDepth = 50

// NestedStore keeps which execution was started by which.
type NestedStore interface {
	PutNested(ctx context.Context, n Nested) error
	// NestedIn returns what has started an execution, or NotFound.
	NestedIn(ctx context.Context, child string) (Nested, error)
	// NestedOf returns what a task has started, or NotFound.
	NestedOf(ctx context.Context, parent string, frame, attempt int64) (Nested, error)
}

// NestedConfig is what Nesting needs.
type NestedConfig struct {
	Store    NestedStore
	Machines *Machines
	Express  *ExpressRuns // nil: Express state machines cannot be started
}

// Nesting is the task states:startExecution. A parent that waits for a child is
// rows and nothing else: the child's end leaves a call for the parent, which
// tells it the result; the end of the waiting leaves one for the child, which
// stops it.
type Nesting struct{ NestedConfig }

// NewNesting returns the tasks. Its Ended must be called by Config.OnEnd.
func NewNesting(cfg NestedConfig) *Nesting { return &Nesting{cfg} }

// internalService is before the names of the calls that the engine leaves for
// itself; they check that no definition has named them.
const internalService = "internal"

const (
	resourceAnswer = "arn:iap:states:::" + internalService + ":answer"
	resourceStop   = "arn:iap:states:::" + internalService + ":stop"
)

// Handlers returns what does the task, for the engine.
func (n *Nesting) Handlers() map[string]Handler {
	return map[string]Handler{
		StartDoc.Key():              {Commit: n.startChild, Cancel: n.cancel},
		internalService + ":answer": {Run: n.answer},
		internalService + ":stop":   {Run: n.stop},
	}
}

// startArguments are those of states:startExecution.
type startArguments struct {
	StateMachineArn string
	Name            string
	Input           json.RawMessage
}

func (n *Nesting) startChild(ctx context.Context, c Call) (json.RawMessage, error) {
	var a startArguments
	if err := StartDoc.Read(c.Arguments, &a); err != nil {
		return nil, badStart(err)
	}
	if len(a.Input) == 0 || string(a.Input) == "null" {
		a.Input = json.RawMessage("{}")
	}
	t, err := n.Machines.Resolve(ctx, a.StateMachineArn)
	if err != nil {
		return nil, startFailure(a, err)
	}
	if t.Express {
		return n.startExpress(ctx, c, t, a)
	}
	depth, err := n.depth(ctx, c.Execution)
	if err != nil {
		return nil, err
	}
	if depth > maxDepth {
		return nil, FailTask(errExecutionLimit, "Executions have started one another %d times in a row; no more are allowed.", maxDepth)
	}
	x, _, err := n.Machines.Start(ctx, StartMachine{ARN: a.StateMachineArn, Name: a.Name, Input: a.Input, Owner: c.Owner, Later: true})
	if err != nil {
		return nil, startFailure(a, err)
	}
	err = n.Store.PutNested(ctx, Nested{Child: x.ID, Parent: c.Execution, Frame: c.Frame, Attempt: c.Attempt, Suffix: c.Resource.Suffix, Depth: depth})
	if err != nil {
		return nil, err
	}
	return json.Marshal(map[string]any{"ExecutionArn": ExecutionARN(t.Name, x.Name), "StartDate": x.StartedAt.UnixMilli()})
}

func (n *Nesting) depth(ctx context.Context, execution string) (int, error) {
	parent, err := n.Store.NestedIn(ctx, execution)
	if err != nil && !iap.IsKind(err, iap.NotFound) {
		return 0, err
	}
	return parent.Depth + 1, nil
}

// startExpress starts an Express execution after the commit; nobody waits for
// it, and its result is lost.
func (n *Nesting) startExpress(ctx context.Context, c Call, t Target, a startArguments) (json.RawMessage, error) {
	if c.Resource.Integration == asl.Sync || n.Express == nil {
		return nil, FailTask(errMachineType, "The end of an Express execution cannot be awaited by %s.", c.Resource.ARN)
	}
	name := a.Name
	if name == "" {
		name = newUUID()
	}
	iap.AfterCommit(ctx, func() {
		// Express executions may get lost; that there are too many is counted there.
		_, _ = n.Express.Start(context.WithoutCancel(ctx), ExpressRequest{Target: t, Name: name, Input: a.Input, Owner: c.Owner})
	})
	return json.Marshal(map[string]any{"ExecutionArn": "arn:iap:states:::express:" + t.Name + ":" + name,
		"StartDate": n.Machines.Now().UnixMilli()})
}

// cancel stops a child whose result is no longer wanted, as AWS does for .sync.
func (n *Nesting) cancel(ctx context.Context, c Call) error {
	child, err := n.Store.NestedOf(ctx, c.Execution, c.Frame, c.Attempt)
	if iap.IsKind(err, iap.NotFound) || err == nil && c.Resource.Integration != asl.Sync {
		return nil
	}
	if err != nil {
		return err
	}
	return n.leave(ctx, Task{Execution: child.Child, Frame: -1, Resource: resourceStop}, c.Execution)
}

// Ended is to be called in the transaction that ends an execution.
func (n *Nesting) Ended(ctx context.Context, x Execution) error {
	parent, err := n.Store.NestedIn(ctx, x.ID)
	if iap.IsKind(err, iap.NotFound) || err == nil && parent.Suffix != ".sync" && parent.Suffix != ".sync:2" {
		return nil
	}
	if err != nil {
		return err
	}
	return n.leave(ctx, Task{Execution: parent.Parent, Frame: parent.Frame, Number: parent.Attempt, Resource: resourceAnswer}, x.ID)
}

// leave leaves a call for the engine: the other execution's row is not touched
// in this transaction, so that two of them never wait for each other.
func (n *Nesting) leave(ctx context.Context, t Task, about string) error {
	p, err := json.Marshal(about)
	if err != nil {
		return err
	}
	b, err := json.Marshal(payload{Arguments: p})
	if err != nil {
		return err
	}
	e := n.Machines.Engine
	t.Kind, t.Payload, t.RunAt = CallTask, b, e.Now()
	iap.AfterCommit(ctx, e.Wake)
	return e.Store.PutTask(ctx, t)
}

// answer is the result of a task that waited for a child.
func (n *Nesting) answer(ctx context.Context, c Call) (json.RawMessage, error) {
	var child string
	e := n.Machines.Engine
	if err := json.Unmarshal(c.Arguments, &child); err != nil {
		return nil, &TaskError{Name: "States.Runtime", Cause: e.noSuchTask(c.Resource)} // a definition has named it
	}
	x, err := e.Store.Execution(ctx, child)
	if err != nil {
		return nil, err
	}
	sm, err := e.Store.StateMachine(ctx, x.StateMachine)
	if err != nil {
		return nil, err
	}
	link, err := n.Store.NestedIn(ctx, child)
	if err != nil {
		return nil, err
	}
	if link.Parent != c.Execution || link.Frame != c.Frame || link.Attempt != c.Attempt {
		return nil, &TaskError{Name: "States.Runtime", Cause: e.noSuchTask(c.Resource)} // a definition has named it
	}
	r := childResult(x, sm.Name, link.Suffix == ".sync:2", e.redrivable(x))
	if x.Status == Succeeded {
		return json.Marshal(r)
	}
	cause, err := r.cause()
	if err != nil {
		return nil, err
	}
	return nil, &TaskError{Name: "States.TaskFailed", Cause: cause}
}

// stop stops a child whose parent no longer waits for it.
func (n *Nesting) stop(ctx context.Context, c Call) (json.RawMessage, error) {
	if c.Frame >= 0 {
		return nil, &TaskError{Name: "States.Runtime", Cause: n.Machines.Engine.noSuchTask(c.Resource)} // a definition has named it
	}
	err := n.Machines.Engine.StopExecution(ctx, c.Execution, "", "The execution that had started it no longer waits for it.")
	if errors.Is(err, ErrStale) {
		return nil, nil
	}
	return nil, err
}
