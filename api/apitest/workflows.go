package apitest

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/asl"
	"github.com/internal-app-portal/iap/asl/value"
	"github.com/internal-app-portal/iap/workflow"
	inmemory "github.com/internal-app-portal/iap/workflow/memory"
)

// workflows stands in for the portal's state machines. Executions end at once,
// but those of the state machine "waits" run until they are stopped; what was
// stopped succeeds when it is redriven.
type workflows struct{ p *Portal }

type machine struct {
	workflow.Machine
	definition []byte
}

type execution struct {
	workflow.Execution
	machine string
	history []workflow.HistoryEvent
}

// enter checks the actor, and locks; the caller unlocks.
func (s workflows) enter(actor iap.Actor) error {
	s.p.mu.Lock()
	switch {
	case s.p.fail != nil:
		return s.p.fail
	case !actor.Role.Includes(iap.Admin):
		return iap.Errorf("workflow", iap.Forbidden, "only admins may see state machines")
	}
	return nil
}

func (s workflows) machine(name string) (*machine, error) {
	for _, m := range s.p.machines {
		if m.Name == name {
			return m, nil
		}
	}
	return nil, iap.E("workflow.Machine", iap.NotFound, workflow.ErrNoMachine)
}

// Machines implements api.Workflows.
func (s workflows) Machines(_ context.Context, a iap.Actor, after string, limit int) (out []workflow.Machine, err error) {
	defer s.p.mu.Unlock()
	if err := s.enter(a); err != nil {
		return nil, err
	}
	for _, m := range s.p.machines {
		if m.Name > after && len(out) < limit {
			out = append(out, m.Machine)
		}
	}
	return out, nil
}

// Machine implements api.Workflows.
func (s workflows) Machine(_ context.Context, a iap.Actor, name string) (workflow.Machine, []byte, error) {
	defer s.p.mu.Unlock()
	if err := s.enter(a); err != nil {
		return workflow.Machine{}, nil, err
	}
	m, err := s.machine(name)
	if err != nil {
		return workflow.Machine{}, nil, err
	}
	return m.Machine, m.definition, nil
}

// Put implements api.Workflows.
func (s workflows) Put(_ context.Context, a iap.Actor, name, typ, revision string, definition []byte) (workflow.Machine, bool, error) {
	defer s.p.mu.Unlock()
	if err := s.enter(a); err != nil {
		return workflow.Machine{}, false, err
	}
	if _, problems := asl.Parse(definition); len(problems) > 0 {
		return workflow.Machine{}, false, iap.FieldErrorf("workflow.Put", "definition", "%s", problems[0])
	}
	m, err := s.machine(name)
	created := err != nil
	if created {
		if typ == "" {
			typ = "STANDARD"
		}
		m = &machine{Machine: workflow.Machine{Name: name, Type: typ, Status: workflow.MachineActive, CreatedAt: s.p.now()}}
		s.p.machines = append(s.p.machines, m)
		slices.SortFunc(s.p.machines, func(a, b *machine) int { return slices.Compare([]byte(a.Name), []byte(b.Name)) })
	}
	if revision != "" && revision != m.Revision {
		return workflow.Machine{}, false, iap.E("workflow.Put", iap.Conflict, workflow.ErrRevision)
	}
	m.UpdatedAt, m.definition = s.p.now(), definition
	m.Revision = fmt.Sprint(m.UpdatedAt.UnixMilli())
	return m.Machine, created, nil
}

// Delete implements api.Workflows.
func (s workflows) Delete(_ context.Context, a iap.Actor, name string) error {
	defer s.p.mu.Unlock()
	if err := s.enter(a); err != nil {
		return err
	}
	m, err := s.machine(name)
	if err == nil {
		s.p.machines = slices.DeleteFunc(s.p.machines, func(x *machine) bool { return x == m })
	}
	return err
}

// Start implements api.Workflows.
func (s workflows) Start(ctx context.Context, a iap.Actor, name, as string, input json.RawMessage, _ bool) (workflow.Execution, error) {
	defer s.p.mu.Unlock()
	if err := s.enter(a); err != nil {
		return workflow.Execution{}, err
	}
	m, err := s.machine(name)
	if err != nil {
		return workflow.Execution{}, err
	}
	x := &execution{machine: name, Execution: workflow.Execution{ID: iap.NewID(s.p.now()), Name: as, Status: workflow.Running,
		Input: input, StartedAt: s.p.now()}}
	if name != "waits" {
		if err := s.run(ctx, m, x); err != nil {
			return workflow.Execution{}, err
		}
	}
	s.p.executions = append([]*execution{x}, s.p.executions...)
	return x.Execution, nil
}

func (s workflows) run(ctx context.Context, m *machine, x *execution) error {
	parsed, _ := asl.Parse(m.definition)
	r, err := inmemory.Run(ctx, parsed, value.Trusted(string(x.Input)), inmemory.Options{Clock: inmemory.Virtual, History: true, Start: x.StartedAt})
	if err != nil {
		return err
	}
	x.Status, x.EndedAt, x.Output = workflow.Status(r.Status), r.EndedAt, json.RawMessage(r.Output.String())
	for _, text := range []struct {
		from *string
		to   *string
	}{{r.Error, &x.Error}, {r.Cause, &x.Cause}} {
		if text.from != nil {
			*text.to = *text.from
		}
	}
	for _, e := range r.Events {
		details, err := json.Marshal(e)
		if err != nil {
			return err
		}
		x.history = append(x.history, workflow.HistoryEvent{Execution: x.ID, Number: e.ID, Type: e.Type, Time: e.Timestamp, Details: details})
	}
	return nil
}

// Executions implements api.Workflows.
func (s workflows) Executions(_ context.Context, a iap.Actor, f workflow.ExecutionFilter) (out []workflow.ExecutionItem, err error) {
	defer s.p.mu.Unlock()
	if err := s.enter(a); err != nil {
		return nil, err
	}
	for _, x := range s.p.executions {
		if (f.Machine == "" || x.machine == f.Machine) && (f.Status == "" || x.Status == f.Status) &&
			(f.Before == "" || x.ID < f.Before) && len(out) < f.Limit {
			out = append(out, workflow.ExecutionItem{ID: x.ID, Name: x.Name, Machine: x.machine, Status: x.Status,
				StartedAt: x.StartedAt, EndedAt: x.EndedAt})
		}
	}
	return out, nil
}

func (s workflows) execution(id string) (*execution, error) {
	for _, x := range s.p.executions {
		if x.ID == id {
			return x, nil
		}
	}
	return nil, iap.Errorf("workflow.Execution", iap.NotFound, "there is no execution %.64q", id)
}

// Execution implements api.Workflows.
func (s workflows) Execution(_ context.Context, a iap.Actor, id string) (workflow.Execution, string, error) {
	defer s.p.mu.Unlock()
	if err := s.enter(a); err != nil {
		return workflow.Execution{}, "", err
	}
	x, err := s.execution(id)
	if err != nil {
		return workflow.Execution{}, "", err
	}
	return x.Execution, x.machine, nil
}

// History implements api.Workflows.
func (s workflows) History(_ context.Context, a iap.Actor, id string, after int64, limit int) (out []workflow.HistoryEvent, err error) {
	defer s.p.mu.Unlock()
	if err := s.enter(a); err != nil {
		return nil, err
	}
	x, err := s.execution(id)
	if err != nil {
		return nil, err
	}
	for _, e := range x.history {
		if e.Number > after && len(out) < limit {
			out = append(out, e)
		}
	}
	return out, nil
}

// Stop implements api.Workflows.
func (s workflows) Stop(_ context.Context, a iap.Actor, id, errorName, cause string) error {
	return s.change(a, id, workflow.Running, func(x *execution) error {
		x.Status, x.Error, x.Cause, x.EndedAt = workflow.Aborted, errorName, cause, s.p.now()
		return nil
	})
}

// Redrive implements api.Workflows.
func (s workflows) Redrive(ctx context.Context, a iap.Actor, id string) error {
	return s.change(a, id, workflow.Aborted, func(x *execution) error {
		m, err := s.machine(x.machine)
		if err != nil {
			return err
		}
		x.Error, x.Cause = "", ""
		return s.run(ctx, m, x)
	})
}

func (s workflows) change(a iap.Actor, id string, from workflow.Status, fn func(*execution) error) error {
	defer s.p.mu.Unlock()
	if err := s.enter(a); err != nil {
		return err
	}
	x, err := s.execution(id)
	if err != nil {
		return err
	}
	if x.Status != from {
		return iap.E("workflow.change", iap.Conflict, workflow.ErrStale)
	}
	return fn(x)
}
