package client

import (
	"context"
	"net/http"
	"time"
)

// MapRun is the run of a distributed Map state.
type MapRun struct {
	ID           string `json:"id"`
	Execution    string `json:"execution" doc:"ID of the execution that waits for it"`
	StateMachine string `json:"state_machine" doc:"Its name"`
	State        string `json:"state" doc:"Name of the Map state"`
	Type         string `json:"type" enum:"STANDARD,EXPRESS" doc:"Of the children"`
	Status       string `json:"status" enum:"RUNNING,SUCCEEDED,FAILED,ABORTED"`
	MapRunLimits
	Items        MapCounts `json:"items"`
	Children     MapCounts `json:"children"`
	RedriveCount int       `json:"redrive_count,omitempty"`
	RedrivenAt   time.Time `json:"redriven_at,omitzero"`
	StartedAt    time.Time `json:"started_at"`
	StoppedAt    time.Time `json:"stopped_at,omitzero"`
}

// MapRunLimits are what can be changed while a map run goes on; nil leaves one
// as it is.
type MapRunLimits struct {
	MaxConcurrency             *int64   `json:"max_concurrency,omitempty" minimum:"0" doc:"Children at once; 0: no limit"`
	ToleratedFailureCount      *int64   `json:"tolerated_failure_count,omitempty" minimum:"0" doc:"Items that may fail"`
	ToleratedFailurePercentage *float64 `json:"tolerated_failure_percentage,omitempty" minimum:"0" maximum:"100" doc:"Percent of the items that may fail"`
}

// MapCounts counts the items or the children of a map run.
type MapCounts struct {
	Pending        int64 `json:"pending"`
	Running        int64 `json:"running"`
	Succeeded      int64 `json:"succeeded"`
	Failed         int64 `json:"failed"`
	TimedOut       int64 `json:"timed_out"`
	Aborted        int64 `json:"aborted"`
	PendingRedrive int64 `json:"pending_redrive" doc:"To be redriven"`
	NotRedrivable  int64 `json:"failures_not_redrivable" doc:"Of those that did not succeed"`
	ResultsWritten int64 `json:"results_written"`
	Total          int64 `json:"total"`
}

// MapRuns returns a page of the map runs of an execution, newest first.
func (c *Client) MapRuns(ctx context.Context, execution, before string, limit int) (List[MapRun], error) {
	return get[List[MapRun]](ctx, c, "/executions/"+seg(execution)+"/map-runs", query(map[string]any{"before": before, "limit": limit}))
}

// MapRun returns one map run.
func (c *Client) MapRun(ctx context.Context, id string) (MapRun, error) {
	return get[MapRun](ctx, c, "/map-runs/"+seg(id), nil)
}

// UpdateMapRun changes the limits of a map run that goes on.
func (c *Client) UpdateMapRun(ctx context.Context, id string, l MapRunLimits) (MapRun, error) {
	return send[MapRun](ctx, c, http.MethodPatch, "/map-runs/"+seg(id), l)
}
