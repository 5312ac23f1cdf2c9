package api

import (
	"context"
	"encoding/json"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/client"
	"github.com/internal-app-portal/iap/workflow"
)

// Workflows is what the API needs of state machines and executions. What the
// actor may not see or do is Forbidden.
type Workflows interface {
	// Machines lists state machines in the order of names above after.
	Machines(ctx context.Context, actor iap.Actor, after string, limit int) ([]workflow.Machine, error)
	// Machine returns a state machine and its definition.
	Machine(ctx context.Context, actor iap.Actor, name string) (workflow.Machine, []byte, error)
	// Put creates a state machine of a type, or changes its definition; with a
	// revision only when it is still the machine's, else Conflict. An empty type
	// is that of the machine, STANDARD for a new one.
	Put(ctx context.Context, actor iap.Actor, name, typ, revision string, definition []byte) (m workflow.Machine, created bool, err error)
	Delete(ctx context.Context, actor iap.Actor, name string) error

	// Start begins an execution; the same name and input once more while it runs
	// gives it again. With wait an Express execution, of which little is kept, has
	// ended on return.
	Start(ctx context.Context, actor iap.Actor, machine, name string, input json.RawMessage, wait bool) (workflow.Execution, error)
	// Executions lists executions, newest first.
	Executions(ctx context.Context, actor iap.Actor, f workflow.ExecutionFilter) ([]workflow.ExecutionItem, error)
	// Execution returns an execution and the name of its state machine.
	Execution(ctx context.Context, actor iap.Actor, id string) (x workflow.Execution, machine string, err error)
	// History returns at most limit events with numbers above after.
	History(ctx context.Context, actor iap.Actor, id string, after int64, limit int) ([]workflow.HistoryEvent, error)
	Stop(ctx context.Context, actor iap.Actor, id, errorName, cause string) error
	// MapRun returns a map run.
	MapRun(ctx context.Context, actor iap.Actor, id string) (workflow.MapRun, error)
	// MapRuns lists the map runs of an execution, newest first, with IDs before
	// before (empty: from the newest).
	MapRuns(ctx context.Context, actor iap.Actor, execution, before string, limit int) ([]workflow.MapRun, error)
	// UpdateMapRun changes the limits of a map run, or is Conflict when it has ended.
	UpdateMapRun(ctx context.Context, actor iap.Actor, id string, c workflow.MapRunChange) (workflow.MapRun, error)
	// Redrive lets an execution that did not succeed go on where it ended.
	Redrive(ctx context.Context, actor iap.Actor, id string) error
}

type machineInput struct {
	Name string `path:"name" maxLength:"80" doc:"Name of the state machine"`
}

func (s *service) registerMachines() {
	if s.cfg.Workflows == nil {
		return
	}
	tags := []string{"State machines"}
	register(s, huma.Operation{Method: http.MethodGet, Path: "/state-machines", OperationID: "list-state-machines", Tags: tags,
		Summary: "State machines in the order of their names", Errors: []int{403}}, s.listMachines)
	register(s, huma.Operation{Method: http.MethodGet, Path: "/state-machines/{name}", OperationID: "get-state-machine", Tags: tags,
		Summary: "One state machine with its definition", Errors: []int{403, 404}}, s.getMachine)
	register(s, huma.Operation{Method: http.MethodPut, Path: "/state-machines/{name}", OperationID: "put-state-machine", Tags: tags,
		Summary: "Create a state machine, or change its definition", Errors: []int{403, 409, 413, 422, 503, 507}}, s.putMachine)
	register(s, huma.Operation{Method: http.MethodDelete, Path: "/state-machines/{name}", OperationID: "delete-state-machine", Tags: tags,
		Summary: "Delete a state machine; it goes when its executions have ended", DefaultStatus: http.StatusNoContent,
		Errors: []int{403, 404, 409, 503}}, s.deleteMachine)
}

type machinesInput struct {
	Limit int    `query:"limit" minimum:"1" maximum:"500" default:"100"`
	After string `query:"after" maxLength:"80" doc:"\"next\" of the page before"`
}

func (s *service) listMachines(ctx context.Context, in *machinesInput) (*bodyOf[client.List[client.StateMachine]], error) {
	machines, err := s.cfg.Workflows.Machines(ctx, actor(ctx), in.After, in.Limit)
	if err != nil {
		return nil, err
	}
	out := client.List[client.StateMachine]{Items: []client.StateMachine{}}
	for _, m := range machines {
		out.Items = append(out.Items, wireMachine(m, nil))
	}
	if len(machines) == in.Limit {
		out.Next = machines[len(machines)-1].Name
	}
	return &bodyOf[client.List[client.StateMachine]]{out}, nil
}

func wireMachine(m workflow.Machine, definition []byte) client.StateMachine {
	return client.StateMachine{Name: m.Name, Type: m.Type, Status: m.Status, Revision: m.Revision, ReadOnly: m.ReadOnly,
		LastVersion: m.LastVersion, CreatedAt: ms(m.CreatedAt), UpdatedAt: ms(m.UpdatedAt), Definition: string(definition)}
}

func (s *service) getMachine(ctx context.Context, in *machineInput) (*bodyOf[client.StateMachine], error) {
	m, definition, err := s.cfg.Workflows.Machine(ctx, actor(ctx), in.Name)
	if err != nil {
		return nil, err
	}
	return &bodyOf[client.StateMachine]{wireMachine(m, definition)}, nil
}

type putMachineInput struct {
	Name string `path:"name" maxLength:"80" doc:"Name of the state machine"`
	Body client.PutStateMachine
}

type putMachineOutput struct {
	Status int
	Body   client.StateMachine
}

func (s *service) putMachine(ctx context.Context, in *putMachineInput) (*putMachineOutput, error) {
	definition := []byte(in.Body.Definition)
	m, created, err := s.cfg.Workflows.Put(ctx, actor(ctx), in.Name, in.Body.Type, in.Body.Revision, definition)
	if err != nil {
		return nil, err
	}
	out := &putMachineOutput{Status: http.StatusOK, Body: wireMachine(m, definition)}
	if created {
		out.Status = http.StatusCreated
	}
	return out, nil
}

func (s *service) deleteMachine(ctx context.Context, in *machineInput) (*struct{}, error) {
	return nil, s.cfg.Workflows.Delete(ctx, actor(ctx), in.Name)
}
