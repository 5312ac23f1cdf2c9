package server

import (
	"context"
	"encoding/json"

	iap "github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/task"
	"github.com/internal-app-portal/iap/task/reference"
	"github.com/internal-app-portal/iap/web"
	"github.com/internal-app-portal/iap/workflow"
)

// workflowPages is what the pages have of state machines, with the permissions
// of the REST API.
type workflowPages struct {
	api  workflowAPI
	docs []task.Doc
}

// workflowPages makes what the pages have.
func (s *Server) workflowPages() workflowPages {
	return workflowPages{api: workflowAPI{s.workflows.machines, s.engine, s.workflows.express}, docs: reference.Docs()}
}

// counted is how many executions of a status are counted for a list.
const counted = 100

// Machines implements web.Workflows.
func (p workflowPages) Machines(ctx context.Context, a iap.Actor, after string, limit int) ([]web.MachineItem, error) {
	machines, err := p.api.Machines(ctx, a, after, limit)
	if err != nil {
		return nil, err
	}
	var out []web.MachineItem
	for _, m := range machines {
		item := web.MachineItem{Machine: m}
		for status, n := range map[workflow.Status]*int{workflow.Running: &item.Running, workflow.Failed: &item.Failed} {
			found, err := p.api.Executions(ctx, a, workflow.ExecutionFilter{Machine: m.Name, Status: status, Limit: counted})
			if err != nil {
				return nil, err
			}
			*n = len(found)
		}
		out = append(out, item)
	}
	return out, nil
}

// Machine implements web.Workflows.
func (p workflowPages) Machine(ctx context.Context, a iap.Actor, name string) (web.Machine, error) {
	const most = 100
	m, text, err := p.api.Machine(ctx, a, name)
	if err != nil {
		return web.Machine{}, err
	}
	out := web.Machine{Machine: m, Text: text}
	if out.Versions, err = p.api.machines.Versions(ctx, name, 0, most); err != nil {
		return out, err
	}
	out.Aliases, err = p.api.machines.Aliases(ctx, name, 0, "", most)
	return out, err
}

// Save implements web.Workflows.
func (p workflowPages) Save(ctx context.Context, a iap.Actor, s web.SaveMachine) (web.Machine, error) {
	const op = "server.SaveMachine"
	if s.New {
		_, _, err := p.api.Machine(ctx, a, s.Name)
		if err == nil {
			return web.Machine{}, iap.Errorf(op, iap.Conflict, "there is a state machine %q already: give this one another name", s.Name)
		}
		if !iap.IsKind(err, iap.NotFound) {
			return web.Machine{}, err
		}
		s.Revision = ""
	}
	if s.New || s.Revision != "" {
		if _, _, err := p.api.Put(ctx, a, s.Name, s.Type, s.Revision, s.Text); err != nil {
			return web.Machine{}, err
		}
		return p.Machine(ctx, a, s.Name)
	}
	// Before the first change a revision is empty, and means just that.
	if err := adminsOnly(a, op); err != nil {
		return web.Machine{}, err
	}
	if _, _, err := p.api.machines.Update(ctx, s.Name, workflow.MachineChange{Definition: s.Text, Expect: &s.Revision}); err != nil {
		return web.Machine{}, err
	}
	return p.Machine(ctx, a, s.Name)
}

// Delete implements web.Workflows.
func (p workflowPages) Delete(ctx context.Context, a iap.Actor, name string) error {
	return p.api.Delete(ctx, a, name)
}

// Start implements web.Workflows.
func (p workflowPages) Start(ctx context.Context, a iap.Actor, machine, name string, input json.RawMessage) (string, error) {
	x, err := p.api.Start(ctx, a, machine, name, input, false)
	return x.ID, err
}

// Executions implements web.Workflows.
func (p workflowPages) Executions(ctx context.Context, a iap.Actor, f workflow.ExecutionFilter) ([]workflow.ExecutionItem, error) {
	return p.api.Executions(ctx, a, f)
}

// Execution implements web.Workflows.
func (p workflowPages) Execution(ctx context.Context, a iap.Actor, id string) (web.Execution, error) {
	x, machine, err := p.api.Execution(ctx, a, id)
	if err != nil {
		return web.Execution{}, err
	}
	out := web.Execution{Execution: x, Machine: machine}
	if e, err := p.api.express.Get(id); err == nil {
		if out.Text, err = p.api.machines.Definition(ctx, x.StateMachine); err != nil {
			return out, err
		}
		out.Events, out.Why = int64(len(e.History)), "an Express execution cannot be redriven"
		return out, nil
	}
	if out.Text, err = p.api.engine.Text(ctx, x); err != nil {
		return out, err
	}
	newest, err := p.api.machines.HistoryBefore(ctx, id, 0, 1)
	if err != nil {
		return out, err
	}
	if len(newest) > 0 {
		out.Events = newest[0].Number
	}
	r, err := p.api.engine.Redrivable(ctx, x)
	out.Redrivable, out.Why = r.Reason == "", r.Reason
	return out, err
}

// History implements web.Workflows.
func (p workflowPages) History(ctx context.Context, a iap.Actor, id string, after int64, limit int) ([]workflow.HistoryEvent, error) {
	return p.api.History(ctx, a, id, after, limit)
}

// Stop implements web.Workflows.
func (p workflowPages) Stop(ctx context.Context, a iap.Actor, id, cause string) error {
	return p.api.Stop(ctx, a, id, "", cause)
}

// Redrive implements web.Workflows.
func (p workflowPages) Redrive(ctx context.Context, a iap.Actor, id string) error {
	return p.api.Redrive(ctx, a, id)
}

// Tasks implements web.Workflows.
func (p workflowPages) Tasks() []web.TaskDoc {
	var out []web.TaskDoc
	for _, d := range p.docs {
		t := web.TaskDoc{Resource: d.Resource, Title: d.Title, Summary: d.Text, Integrations: d.Suffixes, Example: d.Example,
			Arguments: taskFields(d.Arguments, ""), Result: taskFields(d.Result, "")}
		if d.Who != "" {
			t.Summary += " " + d.Who
		}
		for _, e := range d.Errors {
			t.Errors = append(t.Errors, web.TaskField{Name: e.Name, Text: e.Text})
		}
		out = append(out, t)
	}
	return out
}

// taskFields lists fields with those in them.
func taskFields(fields []task.Field, before string) (out []web.TaskField) {
	for _, f := range fields {
		out = append(out, web.TaskField{Name: before + f.Name, Type: string(f.Type), Text: f.Text, Required: f.Required})
		out = append(out, taskFields(f.Fields, before+f.Name+".")...)
	}
	return out
}
