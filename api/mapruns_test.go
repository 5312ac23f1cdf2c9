package api_test

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/internal-app-portal/iap/api/apitest"
	"github.com/internal-app-portal/iap/asl"
	"github.com/internal-app-portal/iap/client"
	"github.com/internal-app-portal/iap/workflow"
)

func TestMapRuns(t *testing.T) {
	p := apitest.New(t, nil)
	c, err := client.New(p.URL, apitest.AnnToken)
	if err != nil {
		t.Fatal(err)
	}
	ctx := t.Context()
	if _, _, err := c.PutStateMachine(ctx, "waits", client.PutStateMachine{Definition: `{"StartAt":"A","States":{"A":{"Type":"Pass","End":true}}}`}); err != nil {
		t.Fatal(err)
	}
	x, err := c.StartExecution(ctx, "waits", client.StartExecution{})
	if err != nil {
		t.Fatal(err)
	}
	const id = "01arz3ndektsv4rrffq69g5fav"
	started := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	run := workflow.MapRun{ID: id, Execution: x.ID, Machine: "waits", State: "All", Status: workflow.Running, MaxConcurrency: 3,
		Items: asl.MapCounts{Pending: 5, Succeeded: 2, PendingRedrive: 1}, Total: 8, RedriveCount: 1, RedrivenAt: started, StartedAt: started}
	p.SetMapRuns(run)
	three := int64(3)
	want := client.MapRun{ID: id, Execution: x.ID, StateMachine: "waits", State: "All", Type: "STANDARD", Status: "RUNNING",
		MapRunLimits: client.MapRunLimits{MaxConcurrency: &three}, Items: client.MapCounts{Pending: 5, Succeeded: 2, PendingRedrive: 1, Total: 8},
		RedriveCount: 1, RedrivenAt: started, StartedAt: started}
	list, err := c.MapRuns(ctx, x.ID, "", 10)
	if d := cmp.Diff([]client.MapRun{want}, list.Items); d != "" || err != nil {
		t.Error(err, d)
	}
	seven := int64(7)
	want.MaxConcurrency = &seven
	got, err := c.UpdateMapRun(ctx, id, client.MapRunLimits{MaxConcurrency: &seven})
	if d := cmp.Diff(want, got); d != "" || err != nil {
		t.Error(err, d)
	}
	minus, much := int64(-1), 100.5
	for _, bad := range []client.MapRunLimits{{}, {MaxConcurrency: &minus}, {ToleratedFailurePercentage: &much}} {
		_, err := c.UpdateMapRun(ctx, id, bad)
		wantStatus(t, err, 422)
	}
	_, err = c.MapRun(ctx, "01arz3ndektsv4rrffq69g5faw")
	wantStatus(t, err, 404)
	run.Status = workflow.Succeeded
	p.SetMapRuns(run)
	_, err = c.UpdateMapRun(ctx, id, client.MapRunLimits{MaxConcurrency: &seven})
	wantStatus(t, err, 409)
}

func wantStatus(t *testing.T, err error, status int) {
	t.Helper()
	var e *client.Error
	if !errors.As(err, &e) || e.Status != status {
		t.Errorf("got %v, want the status %d", err, status)
	}
}
