package server

import (
	"context"
	"encoding/json"

	iap "github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/workflow"
)

// workflowAPI is what the REST API has of state machines: admins may do all of
// it, others see, stop and redrive the executions that are theirs.
type workflowAPI struct {
	machines *workflow.Machines
	engine   *workflow.Engine
	express  *workflow.ExpressRuns
}

func adminsOnly(a iap.Actor, op string) error {
	if a.Role.Includes(iap.Admin) {
		return nil
	}
	return iap.Errorf(op, iap.Forbidden, "only admins may do that with state machines")
}

// Machines implements api.Workflows.
func (w workflowAPI) Machines(ctx context.Context, a iap.Actor, after string, limit int) ([]workflow.Machine, error) {
	if err := adminsOnly(a, "server.Machines"); err != nil {
		return nil, err
	}
	return w.machines.List(ctx, after, limit)
}

// Machine implements api.Workflows.
func (w workflowAPI) Machine(ctx context.Context, a iap.Actor, name string) (workflow.Machine, []byte, error) {
	if err := adminsOnly(a, "server.Machine"); err != nil {
		return workflow.Machine{}, nil, err
	}
	m, err := w.machines.Machine(ctx, name)
	if err != nil {
		return m, nil, err
	}
	definition, err := w.machines.Definition(ctx, m.Definition)
	return m, definition, err
}

// Put implements api.Workflows.
func (w workflowAPI) Put(ctx context.Context, a iap.Actor, name, typ, revision string, definition []byte) (m workflow.Machine, created bool, err error) {
	const op = "server.PutMachine"
	if err := adminsOnly(a, op); err != nil {
		return m, false, err
	}
	m, err = w.machines.Machine(ctx, name)
	switch {
	case iap.IsKind(err, iap.NotFound) && revision != "":
		return m, false, err
	case iap.IsKind(err, iap.NotFound):
		m, _, err = w.machines.Create(ctx, workflow.NewMachine{Name: name, Type: typ, Definition: definition})
		return m, true, err
	case err != nil:
		return m, false, err
	case typ != "" && typ != m.Type:
		return m, false, iap.FieldErrorf(op, "type", "the state machine %s is of type %s, which cannot be changed", name, m.Type)
	}
	change := workflow.MachineChange{Definition: definition}
	if revision != "" {
		change.Expect = &revision
	}
	m, _, err = w.machines.Update(ctx, name, change)
	return m, false, err
}

// Delete implements api.Workflows.
func (w workflowAPI) Delete(ctx context.Context, a iap.Actor, name string) error {
	if err := adminsOnly(a, "server.DeleteMachine"); err != nil {
		return err
	}
	if _, err := w.machines.Machine(ctx, name); err != nil {
		return err
	}
	return w.machines.Delete(ctx, name)
}

// Start implements api.Workflows.
func (w workflowAPI) Start(ctx context.Context, a iap.Actor, machine, name string, input json.RawMessage, wait bool) (workflow.Execution, error) {
	if err := adminsOnly(a, "server.StartExecution"); err != nil {
		return workflow.Execution{}, err
	}
	arn := workflow.MachineARN(machine)
	target, err := w.machines.Resolve(ctx, arn)
	if err != nil {
		return workflow.Execution{}, err
	}
	if target.Express {
		start := w.express.Start
		if wait {
			start = w.express.StartSync
		}
		x, err := start(ctx, workflow.ExpressRequest{Target: target, Name: name, Input: input, Owner: a.ID})
		return expressExecution(x), err
	}
	x, _, err := w.machines.Start(ctx, workflow.StartMachine{ARN: arn, Name: name, Input: input, Owner: a.ID})
	return x, err
}

// expressExecution shows an Express execution as one of the others.
func expressExecution(x workflow.ExpressExecution) workflow.Execution {
	return workflow.Execution{ID: x.ID, Name: x.Name, StateMachine: x.StateMachine, Status: x.Status, Input: x.Input, Output: x.Output,
		Error: x.Error, Cause: x.Cause, StartedAt: x.StartedAt, EndedAt: x.EndedAt, Owner: x.Owner}
}

// Executions implements api.Workflows: of an Express state machine those that
// are still remembered, on one page.
func (w workflowAPI) Executions(ctx context.Context, a iap.Actor, f workflow.ExecutionFilter) ([]workflow.ExecutionItem, error) {
	if f.MapRun != "" { // who may see a map run may see its children
		if _, err := w.MapRun(ctx, a, f.MapRun); err != nil {
			return nil, err
		}
		return w.machines.Executions(ctx, f)
	}
	if err := adminsOnly(a, "server.Executions"); err != nil {
		return nil, err
	}
	if f.Machine != "" && f.Before == "" {
		m, err := w.machines.Machine(ctx, f.Machine)
		if err == nil && m.Type == workflow.Express {
			return w.expressItems(f), nil
		}
	}
	return w.machines.Executions(ctx, f)
}

func (w workflowAPI) expressItems(f workflow.ExecutionFilter) (out []workflow.ExecutionItem) {
	for _, x := range w.express.List(f.Machine, f.Limit) {
		if f.Status == "" || f.Status == x.Status {
			out = append(out, workflow.ExecutionItem{ID: x.ID, Name: x.Name, Machine: x.Machine, StateMachine: x.StateMachine,
				Status: x.Status, StartedAt: x.StartedAt, EndedAt: x.EndedAt})
		}
	}
	return out
}

// Execution implements api.Workflows.
func (w workflowAPI) Execution(ctx context.Context, a iap.Actor, id string) (workflow.Execution, string, error) {
	if x, err := w.express.Get(id); err == nil {
		return expressExecution(x), x.Machine, w.maySee(a, id, x.Owner)
	}
	x, err := w.engine.Store.Execution(ctx, id)
	if iap.IsKind(err, iap.NotFound) {
		return x, "", noExecution(id)
	}
	if err != nil {
		return x, "", err
	}
	if err := w.maySee(a, id, x.Owner); err != nil {
		return workflow.Execution{}, "", err
	}
	m, err := w.engine.Definition(ctx, id)
	return x, m.Name, err
}

// maySee tells those who may not see an execution that there is none.
func (w workflowAPI) maySee(a iap.Actor, id, owner string) error {
	if a.Role.Includes(iap.Admin) || owner != "" && owner == a.ID {
		return nil
	}
	return noExecution(id)
}

func noExecution(id string) error {
	return iap.Errorf("server.Execution", iap.NotFound, "there is no execution %.64q, or it was an Express execution: "+
		"those are forgotten when 1,000 later ones have ended, and when the portal is restarted", id)
}

// History implements api.Workflows.
func (w workflowAPI) History(ctx context.Context, a iap.Actor, id string, after int64, limit int) ([]workflow.HistoryEvent, error) {
	if x, err := w.express.Get(id); err == nil {
		return expressHistory(x, after, limit)
	}
	return w.machines.History(ctx, id, after, limit)
}

func expressHistory(x workflow.ExpressExecution, after int64, limit int) (out []workflow.HistoryEvent, err error) {
	for _, e := range x.History {
		if e.ID <= after || len(out) == limit {
			continue
		}
		details, err := json.Marshal(e)
		if err != nil {
			return nil, err
		}
		out = append(out, workflow.HistoryEvent{Execution: x.ID, Number: e.ID, Previous: e.PreviousEventID, Type: e.Type,
			Time: e.Timestamp, Details: details})
	}
	return out, nil
}

// endWords say how an execution has ended.
var endWords = map[workflow.Status]string{workflow.Succeeded: "succeeded", workflow.Failed: "failed", workflow.TimedOut: "timed out", workflow.Aborted: "was stopped"}

// Stop implements api.Workflows.
func (w workflowAPI) Stop(ctx context.Context, a iap.Actor, id, errorName, cause string) error {
	x, _, err := w.Execution(ctx, a, id)
	if err != nil {
		return err
	}
	if _, err := w.express.Get(id); err == nil {
		return iap.E("server.StopExecution", iap.Conflict, workflow.ErrNotStandard)
	}
	if x.Status != workflow.Running {
		return iap.Errorf("server.StopExecution", iap.Conflict, "the execution has ended already: it %s", endWords[x.Status])
	}
	return w.engine.StopExecution(ctx, id, errorName, cause)
}

// Redrive implements api.Workflows.
func (w workflowAPI) Redrive(ctx context.Context, a iap.Actor, id string) error {
	if _, _, err := w.Execution(ctx, a, id); err != nil {
		return err
	}
	if _, err := w.express.Get(id); err == nil {
		return iap.E("server.RedriveExecution", iap.Conflict, workflow.ErrNotStandard)
	}
	_, err := w.engine.Redrive(ctx, id)
	return err
}
