package sfn_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	awssfn "github.com/aws/aws-sdk-go-v2/service/sfn"
)

const maps = `{"StartAt":"M","States":{"M":{"Type":"Map","Label":"each","MaxConcurrency":2,"ToleratedFailurePercentage":50,
 "ItemProcessor":{"ProcessorConfig":{"Mode":"DISTRIBUTED","ExecutionType":"STANDARD"},"StartAt":"A","States":{"A":{"Type":"Pass","End":true}}},"End":true}}}`

func TestMapRun(t *testing.T) {
	h := newHarness(t)
	ctx := t.Context()
	x := h.startNamed(h.create("m", maps), "one", `[1,2,3]`)
	if d := h.ended(x); d.Status != "SUCCEEDED" || *d.Output != `[1,2,3]` {
		t.Fatalf("ended: %+v", d)
	}
	runs := must[*awssfn.ListMapRunsOutput](t)(h.ListMapRuns(ctx, &awssfn.ListMapRunsInput{ExecutionArn: &x})).MapRuns
	if len(runs) != 1 || *runs[0].ExecutionArn != x {
		t.Fatalf("runs: %+v", runs)
	}
	run := runs[0].MapRunArn
	d := must[*awssfn.DescribeMapRunOutput](t)(h.DescribeMapRun(ctx, &awssfn.DescribeMapRunInput{MapRunArn: run}))
	if d.Status != "SUCCEEDED" || d.ItemCounts.Succeeded != 3 || d.ItemCounts.Total != 3 || d.MaxConcurrency != 2 || d.ToleratedFailurePercentage != 50 || *d.ExecutionArn != x {
		t.Errorf("described: %+v %+v", d, d.ItemCounts)
	}
	children := must[*awssfn.ListExecutionsOutput](t)(h.ListExecutions(ctx, &awssfn.ListExecutionsInput{MapRunArn: run})).Executions
	if len(children) != 3 || *children[0].MapRunArn != *run {
		t.Fatalf("children: %+v", children)
	}
	child := must[*awssfn.DescribeExecutionOutput](t)(h.DescribeExecution(ctx, &awssfn.DescribeExecutionInput{ExecutionArn: children[0].ExecutionArn}))
	if child.Status != "SUCCEEDED" || child.MapRunArn == nil || *child.MapRunArn != *run {
		t.Errorf("a child: %+v", child)
	}
	_, err := h.UpdateMapRun(ctx, &awssfn.UpdateMapRunInput{MapRunArn: run, MaxConcurrency: aws.Int32(5)})
	wantCode(t, err, "ValidationException")
	_, err = h.DescribeMapRun(ctx, &awssfn.DescribeMapRunInput{MapRunArn: aws.String(*run + "x")})
	wantCode(t, err, "ResourceNotFound")
	if l := must[*awssfn.ListExecutionsOutput](t)(h.ListExecutions(ctx, &awssfn.ListExecutionsInput{StateMachineArn: aws.String("arn:iap:states:::stateMachine:m")})); len(l.Executions) != 1 {
		t.Errorf("%d executions of the state machine", len(l.Executions))
	}
}
