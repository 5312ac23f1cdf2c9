package server

import (
	"context"

	iap "github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/workflow"
)

// MapRun implements api.Workflows.
func (w workflowAPI) MapRun(ctx context.Context, a iap.Actor, id string) (workflow.MapRun, error) {
	none := iap.Errorf("server.MapRun", iap.NotFound, "there is no map run %.64q", id)
	if !iap.ValidID(id) {
		return workflow.MapRun{}, none
	}
	run, err := w.engine.MapRun(ctx, id)
	if iap.IsKind(err, iap.NotFound) || err == nil && w.maySee(a, id, run.Owner) != nil {
		return workflow.MapRun{}, none
	}
	return run, err
}

// MapRuns implements api.Workflows.
func (w workflowAPI) MapRuns(ctx context.Context, a iap.Actor, execution, before string, limit int) ([]workflow.MapRun, error) {
	if _, _, err := w.Execution(ctx, a, execution); err != nil {
		return nil, err
	}
	return w.engine.MapRuns(ctx, execution, before, limit)
}

// UpdateMapRun implements api.Workflows.
func (w workflowAPI) UpdateMapRun(ctx context.Context, a iap.Actor, id string, c workflow.MapRunChange) (workflow.MapRun, error) {
	if _, err := w.MapRun(ctx, a, id); err != nil {
		return workflow.MapRun{}, err
	}
	if err := w.engine.UpdateMapRun(ctx, id, c); err != nil {
		return workflow.MapRun{}, err
	}
	return w.MapRun(ctx, a, id)
}

// MapRun implements web.Workflows.
func (p workflowPages) MapRun(ctx context.Context, a iap.Actor, id string) (workflow.MapRun, error) {
	return p.api.MapRun(ctx, a, id)
}

// MapRuns implements web.Workflows.
func (p workflowPages) MapRuns(ctx context.Context, a iap.Actor, execution string, limit int) ([]workflow.MapRun, error) {
	return p.api.MapRuns(ctx, a, execution, "", limit)
}

// UpdateMapRun implements web.Workflows.
func (p workflowPages) UpdateMapRun(ctx context.Context, a iap.Actor, id string, c workflow.MapRunChange) error {
	_, err := p.api.UpdateMapRun(ctx, a, id, c)
	return err
}
