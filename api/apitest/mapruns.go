package apitest

import (
	"context"

	"github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/workflow"
)

// MapRun implements api.Workflows.
func (s workflows) MapRun(_ context.Context, a iap.Actor, id string) (workflow.MapRun, error) {
	err := s.enter(a)
	defer s.p.mu.Unlock()
	if err != nil {
		return workflow.MapRun{}, err
	}
	for _, r := range s.p.mapRuns {
		if r.ID == id {
			return r, nil
		}
	}
	return workflow.MapRun{}, iap.Errorf("workflow", iap.NotFound, "there is no map run %q", id)
}

// MapRuns implements api.Workflows. A map run that names no execution is one of each.
func (s workflows) MapRuns(_ context.Context, a iap.Actor, execution, before string, limit int) ([]workflow.MapRun, error) {
	err := s.enter(a)
	defer s.p.mu.Unlock()
	var out []workflow.MapRun
	for _, r := range s.p.mapRuns {
		if (r.Execution == "" || r.Execution == execution) && (before == "" || r.ID < before) && len(out) < limit {
			out = append(out, r)
		}
	}
	return out, err
}

// UpdateMapRun implements api.Workflows.
func (s workflows) UpdateMapRun(ctx context.Context, a iap.Actor, id string, c workflow.MapRunChange) (workflow.MapRun, error) {
	r, err := s.MapRun(ctx, a, id)
	if err != nil {
		return r, err
	}
	if r.Status != workflow.Running {
		return r, iap.Errorf("workflow", iap.Conflict, "the map run has ended")
	}
	s.p.mu.Lock()
	defer s.p.mu.Unlock()
	for i := range s.p.mapRuns {
		if m := &s.p.mapRuns[i]; m.ID == id {
			if c.MaxConcurrency != nil {
				m.MaxConcurrency = *c.MaxConcurrency
			}
			if c.ToleratedCount != nil {
				m.ToleratedCount = c.ToleratedCount
			}
			r = *m
		}
	}
	return r, nil
}
