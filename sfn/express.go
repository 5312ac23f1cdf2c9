package sfn

import (
	"errors"

	"github.com/internal-app-portal/iap/workflow"
)

type startSync struct {
	ARN      string  `json:"stateMachineArn" check:"required,min=1,max=256"`
	Name     *string `json:"name" check:"min=1,max=80"`
	Input    *string `json:"input" check:"payload,secret"`
	Trace    string  `json:"traceHeader" check:"max=256,pattern=ascii"`
	Included string  `json:"includedData" check:"enum=ALL_DATA|METADATA_ONLY"`
}

// billing is what AWS would bill.
type billing struct {
	Memory   int64 `json:"billedMemoryUsedInMB"`
	Duration int64 `json:"billedDurationInMilliseconds"`
}

type syncResult struct {
	ARN           string    `json:"executionArn"`
	Machine       string    `json:"stateMachineArn"`
	Name          string    `json:"name"`
	Started       stamp     `json:"startDate"`
	Stopped       stamp     `json:"stopDate"`
	Status        string    `json:"status"`
	Error         string    `json:"error,omitempty"`
	Cause         string    `json:"cause,omitempty"`
	Input         string    `json:"input,omitempty"`
	InputDetails  *included `json:"inputDetails,omitempty"`
	Output        string    `json:"output,omitempty"`
	OutputDetails *included `json:"outputDetails,omitempty"`
	Trace         string    `json:"traceHeader,omitempty"`
	Billing       billing   `json:"billingDetails"`
}

func (r *request) startSyncExecution(in startSync) (any, error) {
	start := startExecution{ARN: in.ARN, Name: in.Name, Input: in.Input}
	if err := start.check(); err != nil {
		return nil, err
	}
	input, err := start.input()
	if err != nil {
		return nil, err
	}
	t, err := r.Machines.Resolve(r.ctx, in.ARN)
	if err != nil {
		return nil, explain(err, in.ARN)
	}
	if !t.Express {
		return nil, explain(workflow.ErrNotStandard, in.ARN)
	}
	x, err := r.Express.StartSync(r.ctx, workflow.ExpressRequest{Target: t, Name: deref(in.Name), Input: input, Owner: r.who.ID})
	if err != nil {
		return nil, expressError(err, in.ARN)
	}
	out := syncResult{ARN: x.ARN, Machine: in.ARN, Name: x.Name, Started: stamp(x.StartedAt), Stopped: stamp(x.EndedAt),
		Status: string(x.Status), Trace: in.Trace,
		Billing: billing{Memory: workflow.BilledMemoryMB, Duration: x.Billed().Milliseconds()}}
	whole := in.Included != "METADATA_ONLY"
	out.InputDetails = &included{whole}
	if whole {
		out.Input, out.Output, out.Error, out.Cause = string(x.Input), string(x.Output), x.Error, x.Cause
	}
	if x.Status == workflow.Succeeded {
		out.OutputDetails = &included{whole}
	}
	return out, nil
}

func expressError(err error, arn string) error {
	if errors.Is(err, workflow.ErrExpressLimit) {
		return refuse("ExecutionLimitExceeded", "%v", workflow.ErrExpressLimit)
	}
	return explain(err, arn)
}
