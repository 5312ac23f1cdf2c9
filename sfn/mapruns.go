package sfn

import (
	iap "github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/asl"
	"github.com/internal-app-portal/iap/workflow"
)

// mapRun finds the map run of an ARN that the caller may see.
func (r *request) mapRun(arn string) (workflow.MapRun, error) {
	a, ok := workflow.ParseARN(arn)
	if !ok || a.Type != workflow.ARNMapRun {
		return workflow.MapRun{}, invalidARN(arn)
	}
	run, err := r.Engine.MapRun(r.ctx, a.Rest)
	if iap.IsKind(err, iap.NotFound) || err == nil && run.ARN() != arn {
		return run, noResource(arn)
	}
	if err != nil {
		return run, explain(err, arn)
	}
	return run, r.visible(run.Machine, arn)
}

// mapRunOf is the ARN of the run that an execution is a child of; empty when it
// is none's.
func (r *request) mapRunOf(x workflow.Execution) (string, error) {
	if x.MapRun == "" {
		return "", nil
	}
	run, err := r.Engine.MapRun(r.ctx, x.MapRun)
	return run.ARN(), explain(err, x.MapRun)
}

// ofMapRun lists the children of a map run.
func (r *request) ofMapRun(f workflow.ExecutionFilter, arn string) (workflow.ExecutionFilter, error) {
	run, err := r.mapRun(arn)
	f.MapRun = run.ID
	return f, err
}

// counts are the members itemCounts and executionCounts.
type counts struct {
	Pending        int64 `json:"pending"`
	Running        int64 `json:"running"`
	Succeeded      int64 `json:"succeeded"`
	Failed         int64 `json:"failed"`
	TimedOut       int64 `json:"timedOut"`
	Aborted        int64 `json:"aborted"`
	Total          int64 `json:"total"`
	ResultsWritten int64 `json:"resultsWritten"`
	NotRedrivable  int64 `json:"failuresNotRedrivable"`
	PendingRedrive int64 `json:"pendingRedrive"`
}

func countsOf(c asl.MapCounts) counts {
	return counts{c.Pending, c.Running, c.Succeeded, c.Failed, c.TimedOut, c.Aborted, c.Total(), c.ResultsWritten,
		c.NotRedrivable, c.PendingRedrive}
}

type byMapRun struct {
	ARN string `json:"mapRunArn" check:"required,min=1,max=2000"`
}

func (r *request) describeMapRun(in byMapRun) (any, error) {
	run, err := r.mapRun(in.ARN)
	if err != nil {
		return nil, err
	}
	parent, err := r.Engine.Store.Execution(r.ctx, run.Execution)
	if err != nil {
		return nil, explain(err, in.ARN)
	}
	out := struct {
		ARN         string  `json:"mapRunArn"`
		Execution   string  `json:"executionArn"`
		Status      string  `json:"status"`
		Started     stamp   `json:"startDate"`
		Stopped     *stamp  `json:"stopDate,omitempty"`
		Concurrency int64   `json:"maxConcurrency"`
		Percentage  float64 `json:"toleratedFailurePercentage"`
		Count       int64   `json:"toleratedFailureCount"`
		Items       counts  `json:"itemCounts"`
		Executions  counts  `json:"executionCounts"`
		Redrives    int     `json:"redriveCount"`
		Redriven    *stamp  `json:"redriveDate,omitempty"`
	}{ARN: in.ARN, Execution: workflow.ExecutionARN(run.Machine, parent.Name), Status: string(run.Status), Started: stamp(run.StartedAt),
		Stopped: maybe(run.StoppedAt), Concurrency: run.MaxConcurrency, Items: countsOf(run.Items), Executions: countsOf(run.Children),
		Redrives: run.RedriveCount, Redriven: maybe(run.RedrivenAt)}
	if run.ToleratedPercentage != nil {
		out.Percentage = *run.ToleratedPercentage
	}
	if run.ToleratedCount != nil {
		out.Count = *run.ToleratedCount
	}
	return out, nil
}

type updateMapRun struct {
	ARN         string   `json:"mapRunArn" check:"required,min=1,max=2000"`
	Concurrency *int64   `json:"maxConcurrency" check:"min=0"`
	Percentage  *float64 `json:"toleratedFailurePercentage" check:"min=0,max=100"`
	Count       *int64   `json:"toleratedFailureCount" check:"min=0"`
}

func (r *request) updateMapRun(in updateMapRun) (any, error) {
	if in.Concurrency == nil && in.Percentage == nil && in.Count == nil {
		return nil, &exception{Code: "ValidationException", Reason: "MISSING_REQUIRED_PARAMETER",
			Message: "At least one of the following parameters must be specified: maxConcurrency, toleratedFailurePercentage, toleratedFailureCount"}
	}
	run, err := r.mapRun(in.ARN)
	if err != nil {
		return nil, err
	}
	if err := r.own(run.Machine, in.ARN); err != nil {
		return nil, err
	}
	err = r.Engine.UpdateMapRun(r.ctx, run.ID, workflow.MapRunChange{MaxConcurrency: in.Concurrency, ToleratedCount: in.Count, ToleratedPercentage: in.Percentage})
	if iap.IsKind(err, iap.Conflict) {
		return nil, &exception{Code: "ValidationException", Reason: "CANNOT_UPDATE_COMPLETED_MAP_RUN", Message: "Cannot update a completed Map Run"}
	}
	return none{}, explain(err, in.ARN)
}

type listMapRuns struct {
	ARN   string  `json:"executionArn" check:"required,min=1,max=256"`
	Max   *int64  `json:"maxResults" check:"min=0,max=1000"`
	Token *string `json:"nextToken" check:"min=1,max=1024"`
}

func (r *request) listMapRuns(in listMapRuns) (any, error) {
	p := paging{max: in.Max, token: in.Token, of: []string{in.ARN}}
	limit, before, err := r.page(p)
	if err != nil {
		return nil, err
	}
	x, machine, err := r.execution(in.ARN)
	if err != nil {
		return nil, err
	}
	list, err := r.Engine.MapRuns(r.ctx, x.ID, before, limit+1)
	if err != nil {
		return nil, explain(err, in.ARN)
	}
	list, next := cut(r, p, list, limit, func(m workflow.MapRun) string { return m.ID })
	type item struct {
		Execution string `json:"executionArn"`
		ARN       string `json:"mapRunArn"`
		Machine   string `json:"stateMachineArn"`
		Started   stamp  `json:"startDate"`
		Stopped   *stamp `json:"stopDate,omitempty"`
	}
	out := struct {
		List []item  `json:"mapRuns"`
		Next *string `json:"nextToken,omitempty"`
	}{[]item{}, next}
	for _, m := range list {
		out.List = append(out.List, item{in.ARN, m.ARN(), workflow.MachineARN(machine), stamp(m.StartedAt), maybe(m.StoppedAt)})
	}
	return out, nil
}
