package sfn

import (
	"github.com/internal-app-portal/iap/workflow"
)

type byMapRun struct {
	ARN string `json:"mapRunArn" check:"required,min=1,max=2000"`
}

type updateMapRun struct {
	ARN         string   `json:"mapRunArn" check:"required,min=1,max=2000"`
	Concurrency *int64   `json:"maxConcurrency" check:"min=0"`
	Percentage  *float64 `json:"toleratedFailurePercentage" check:"min=0,max=100"`
	Count       *int64   `json:"toleratedFailureCount" check:"min=0"`
}

type listMapRuns struct {
	ARN   string  `json:"executionArn" check:"required,min=1,max=256"`
	Max   *int64  `json:"maxResults" check:"min=0,max=1000"`
	Token *string `json:"nextToken" check:"min=1,max=1024"`
}

func (r *request) ofMapRun(f workflow.ExecutionFilter, arn string) (workflow.ExecutionFilter, error) {
	return f, noResource(arn)
}

func (r *request) describeMapRun(in byMapRun) (any, error) { return nil, noResource(in.ARN) }

func (r *request) updateMapRun(in updateMapRun) (any, error) { return nil, noResource(in.ARN) }

func (r *request) listMapRuns(in listMapRuns) (any, error) {
	if _, _, err := r.execution(in.ARN); err != nil {
		return nil, err
	}
	return struct {
		List []struct{} `json:"mapRuns"`
	}{[]struct{}{}}, nil
}
