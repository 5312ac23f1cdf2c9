package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/asl"
	"github.com/internal-app-portal/iap/client"
	"github.com/internal-app-portal/iap/workflow"
)

func (s *service) registerMapRuns() {
	if s.cfg.Workflows == nil {
		return
	}
	tags := []string{"Map runs"}
	register(s, huma.Operation{Method: http.MethodGet, Path: "/executions/{id}/map-runs", OperationID: "list-map-runs", Tags: tags,
		Summary: "The map runs of an execution, newest first", Errors: []int{403, 404}}, s.listMapRuns)
	register(s, huma.Operation{Method: http.MethodGet, Path: "/map-runs/{id}", OperationID: "get-map-run", Tags: tags,
		Summary: "One map run with its counts", Errors: []int{403, 404}}, s.getMapRun)
	register(s, huma.Operation{Method: http.MethodPatch, Path: "/map-runs/{id}", OperationID: "update-map-run", Tags: tags,
		Summary: "Change the limits of a map run that goes on", Errors: []int{403, 404, 409, 422, 503, 507}}, s.updateMapRun)
}

type mapRunsInput struct {
	ID     string `path:"id" maxLength:"26" doc:"ID of the execution"`
	Limit  int    `query:"limit" minimum:"1" maximum:"500" default:"100"`
	Before string `query:"before" maxLength:"26" doc:"\"next\" of the page before"`
}

func (s *service) listMapRuns(ctx context.Context, in *mapRunsInput) (*bodyOf[client.List[client.MapRun]], error) {
	if in.Before != "" && !iap.ValidID(in.Before) {
		return nil, iap.FieldErrorf("api.MapRuns", "query.before", "%q is not the \"next\" of a page", in.Before)
	}
	if _, err := s.execution(ctx, in.ID); err != nil {
		return nil, err
	}
	runs, err := s.cfg.Workflows.MapRuns(ctx, actor(ctx), in.ID, in.Before, in.Limit)
	if err != nil {
		return nil, err
	}
	out := client.List[client.MapRun]{Items: []client.MapRun{}}
	for _, r := range runs {
		out.Items = append(out.Items, wireMapRun(r))
	}
	if len(runs) == in.Limit {
		out.Next = runs[len(runs)-1].ID
	}
	return &bodyOf[client.List[client.MapRun]]{out}, nil
}

type mapRunInput struct {
	ID string `path:"id" maxLength:"26" doc:"ID of the map run"`
}

func (s *service) getMapRun(ctx context.Context, in *mapRunInput) (*bodyOf[client.MapRun], error) {
	r, err := s.cfg.Workflows.MapRun(ctx, actor(ctx), in.ID)
	return &bodyOf[client.MapRun]{wireMapRun(r)}, err
}

type updateMapRunInput struct {
	ID   string `path:"id" maxLength:"26" doc:"ID of the map run"`
	Body client.MapRunLimits
}

func (s *service) updateMapRun(ctx context.Context, in *updateMapRunInput) (*bodyOf[client.MapRun], error) {
	l := in.Body
	if l == (client.MapRunLimits{}) {
		return nil, iap.FieldErrorf("api.UpdateMapRun", "body",
			"has none of max_concurrency, tolerated_failure_count and tolerated_failure_percentage")
	}
	r, err := s.cfg.Workflows.UpdateMapRun(ctx, actor(ctx), in.ID, workflow.MapRunChange{MaxConcurrency: l.MaxConcurrency,
		ToleratedCount: l.ToleratedFailureCount, ToleratedPercentage: l.ToleratedFailurePercentage})
	return &bodyOf[client.MapRun]{wireMapRun(r)}, err
}

func wireMapRun(r workflow.MapRun) client.MapRun {
	typ := workflow.Standard
	if r.Express {
		typ = workflow.Express
	}
	return client.MapRun{ID: r.ID, Execution: r.Execution, StateMachine: r.Machine, State: r.State, Type: typ, Status: string(r.Status),
		MapRunLimits: client.MapRunLimits{MaxConcurrency: &r.MaxConcurrency, ToleratedFailureCount: r.ToleratedCount,
			ToleratedFailurePercentage: r.ToleratedPercentage},
		Items: wireCounts(r.Items), Children: wireCounts(r.Children), RedriveCount: r.RedriveCount, RedrivenAt: ms(r.RedrivenAt),
		StartedAt: ms(r.StartedAt), StoppedAt: ms(r.StoppedAt)}
}

func wireCounts(c asl.MapCounts) client.MapCounts {
	return client.MapCounts{Pending: c.Pending, Running: c.Running, Succeeded: c.Succeeded, Failed: c.Failed, TimedOut: c.TimedOut,
		Aborted: c.Aborted, PendingRedrive: c.PendingRedrive, NotRedrivable: c.NotRedrivable, ResultsWritten: c.ResultsWritten, Total: c.Total()}
}
