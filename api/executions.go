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

type executionInput struct {
	ID string `path:"id" maxLength:"26" doc:"ID of the execution"`
}

func (s *service) registerExecutions() {
	if s.cfg.Workflows == nil {
		return
	}
	tags := []string{"Executions"}
	register(s, huma.Operation{Method: http.MethodPost, Path: "/state-machines/{name}/executions", OperationID: "start-execution",
		Tags: tags, Summary: "Start an execution of a state machine", DefaultStatus: http.StatusCreated,
		Errors: []int{403, 404, 409, 422, 503, 507}}, s.startExecution)
	register(s, huma.Operation{Method: http.MethodGet, Path: "/executions", OperationID: "list-executions", Tags: tags,
		Summary: "Executions, newest first", Errors: []int{403}}, s.listExecutions)
	register(s, huma.Operation{Method: http.MethodGet, Path: "/executions/{id}", OperationID: "get-execution", Tags: tags,
		Summary: "One execution", Errors: []int{403, 404}}, s.getExecution)
	register(s, huma.Operation{Method: http.MethodGet, Path: "/executions/{id}/history", OperationID: "execution-history", Tags: tags,
		Summary:     "The events of an execution, oldest first",
		Description: "Each event is as AWS's GetExecutionHistory gives it.", Errors: []int{403, 404}}, s.executionHistory)
	register(s, huma.Operation{Method: http.MethodPost, Path: "/executions/{id}/stop", OperationID: "stop-execution", Tags: tags,
		Summary: "Stop an execution", Errors: []int{403, 404, 409, 503, 507}}, s.stopExecution)
	register(s, huma.Operation{Method: http.MethodPost, Path: "/executions/{id}/redrive", OperationID: "redrive-execution", Tags: tags,
		Summary: "Let an execution that did not succeed go on where it ended", Errors: []int{403, 404, 409, 503, 507}}, s.redriveExecution)
}

type startInput struct {
	Name string `path:"name" maxLength:"80" doc:"Name of the state machine"`
	Body client.StartExecution
}

func (s *service) startExecution(ctx context.Context, in *startInput) (*bodyOf[client.Execution], error) {
	input := in.Body.Input
	if len(input) == 0 {
		input = json.RawMessage("{}")
	}
	x, err := s.cfg.Workflows.Start(ctx, actor(ctx), in.Name, in.Body.Name, input, in.Body.Wait)
	if err != nil {
		return nil, err
	}
	return &bodyOf[client.Execution]{wireExecution(x, in.Name)}, nil
}

func wireExecution(x workflow.Execution, machine string) client.Execution {
	return client.Execution{ID: x.ID, Name: x.Name, StateMachine: machine, Status: string(x.Status), Input: x.Input,
		Output: x.Output, Error: x.Error, Cause: x.Cause, StartedAt: ms(x.StartedAt), EndedAt: ms(x.EndedAt)}
}

type executionsInput struct {
	Machine string `query:"state_machine" maxLength:"80" doc:"Name of a state machine; absent: of all"`
	Status  string `query:"status" enum:"RUNNING,SUCCEEDED,FAILED,TIMED_OUT,ABORTED"`
	MapRun  string `query:"map_run" maxLength:"26" doc:"ID of a map run: its children"`
	Limit   int    `query:"limit" minimum:"1" maximum:"500" default:"100"`
	Before  string `query:"before" maxLength:"26" doc:"\"next\" of the page before"`
}

func (s *service) listExecutions(ctx context.Context, in *executionsInput) (*bodyOf[client.List[client.Execution]], error) {
	if in.Before != "" && !iap.ValidID(in.Before) {
		return nil, iap.FieldErrorf("api.Executions", "query.before", "%q is not the \"next\" of a page", in.Before)
	}
	items, err := s.cfg.Workflows.Executions(ctx, actor(ctx), workflow.ExecutionFilter{Machine: in.Machine,
		Status: workflow.Status(in.Status), MapRun: in.MapRun, Before: in.Before, Limit: in.Limit})
	if err != nil {
		return nil, err
	}
	out := client.List[client.Execution]{Items: []client.Execution{}}
	for _, x := range items {
		out.Items = append(out.Items, client.Execution{ID: x.ID, Name: x.Name, StateMachine: x.Machine, Status: string(x.Status),
			StartedAt: ms(x.StartedAt), EndedAt: ms(x.EndedAt)})
	}
	if len(items) == in.Limit {
		out.Next = items[len(items)-1].ID
	}
	return &bodyOf[client.List[client.Execution]]{out}, nil
}

// execution returns an execution that exists; an ID that is none is NotFound.
func (s *service) execution(ctx context.Context, id string) (*bodyOf[client.Execution], error) {
	if !iap.ValidID(id) {
		return nil, iap.Errorf("api.execution", iap.NotFound, "there is no execution %.64q", id)
	}
	x, machine, err := s.cfg.Workflows.Execution(ctx, actor(ctx), id)
	if err != nil {
		return nil, err
	}
	return &bodyOf[client.Execution]{wireExecution(x, machine)}, nil
}

func (s *service) getExecution(ctx context.Context, in *executionInput) (*bodyOf[client.Execution], error) {
	return s.execution(ctx, in.ID)
}

type historyInput struct {
	ID    string `path:"id" maxLength:"26" doc:"ID of the execution"`
	After int64  `query:"after" minimum:"0" doc:"Number of an event: those after it"`
	Limit int    `query:"limit" minimum:"1" maximum:"1000" default:"1000"`
}

func (s *service) executionHistory(ctx context.Context, in *historyInput) (*bodyOf[client.History], error) {
	if _, err := s.execution(ctx, in.ID); err != nil {
		return nil, err
	}
	events, err := s.cfg.Workflows.History(ctx, actor(ctx), in.ID, in.After, in.Limit)
	if err != nil {
		return nil, err
	}
	out := client.History{Items: []json.RawMessage{}}
	for _, e := range events {
		out.Items = append(out.Items, e.Details)
	}
	if len(events) == in.Limit {
		out.Next = events[len(events)-1].Number
	}
	return &bodyOf[client.History]{out}, nil
}

type stopInput struct {
	ID   string `path:"id" maxLength:"26" doc:"ID of the execution"`
	Body client.StopExecution
}

func (s *service) stopExecution(ctx context.Context, in *stopInput) (*bodyOf[client.Execution], error) {
	if _, err := s.execution(ctx, in.ID); err != nil {
		return nil, err
	}
	if err := s.cfg.Workflows.Stop(ctx, actor(ctx), in.ID, in.Body.Error, in.Body.Cause); err != nil {
		return nil, err
	}
	return s.execution(ctx, in.ID)
}

func (s *service) redriveExecution(ctx context.Context, in *executionInput) (*bodyOf[client.Execution], error) {
	if _, err := s.execution(ctx, in.ID); err != nil {
		return nil, err
	}
	if err := s.cfg.Workflows.Redrive(ctx, actor(ctx), in.ID); err != nil {
		return nil, err
	}
	return s.execution(ctx, in.ID)
}
