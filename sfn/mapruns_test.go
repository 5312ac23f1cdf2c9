package sfn_test

import (
	"encoding/json"
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

const worked = `{"StartAt":"M","States":{"M":{"Type":"Map","Label":"each","MaxConcurrency":1,"ResultWriter":{"WriterConfig":{"Transformation":"NONE","OutputType":"JSON"}},
 "ItemProcessor":{"ProcessorConfig":{"Mode":"DISTRIBUTED","ExecutionType":"STANDARD"},"StartAt":"A","States":{"A":{"Type":"Task","Resource":"arn:iap:states:::activity:work","End":true}}},"End":true}}}`

// TestRedriveOfAMapRun: the run goes on where a child failed, and says how often
// it and the child were redriven.
func TestRedriveOfAMapRun(t *testing.T) {
	h := newHarness(t)
	ctx := t.Context()
	h.activity("work")
	x := h.startNamed(h.create("m", worked), "one", `[1,2]`)
	succeed := func() {
		task := h.take("jane")
		must[*awssfn.SendTaskSuccessOutput](t)(h.SendTaskSuccess(ctx, &awssfn.SendTaskSuccessInput{TaskToken: task.TaskToken, Output: task.Input}))
	}
	succeed()
	must[*awssfn.SendTaskFailureOutput](t)(h.SendTaskFailure(ctx, &awssfn.SendTaskFailureInput{TaskToken: h.take("jane").TaskToken, Error: aws.String("No")}))
	if d := h.ended(x); d.Status != "FAILED" {
		t.Fatalf("ended: %+v", d)
	}
	run := must[*awssfn.ListMapRunsOutput](t)(h.ListMapRuns(ctx, &awssfn.ListMapRunsInput{ExecutionArn: &x})).MapRuns[0].MapRunArn
	describe := func() *awssfn.DescribeMapRunOutput {
		return must[*awssfn.DescribeMapRunOutput](t)(h.DescribeMapRun(ctx, &awssfn.DescribeMapRunInput{MapRunArn: run}))
	}
	if d := describe(); d.Status != "FAILED" || *d.RedriveCount != 0 || d.RedriveDate != nil || d.ItemCounts.Failed != 1 {
		t.Errorf("before: %+v %+v", d, d.ItemCounts)
	}
	must[*awssfn.RedriveExecutionOutput](t)(h.RedriveExecution(ctx, &awssfn.RedriveExecutionInput{ExecutionArn: &x}))
	succeed()
	out := h.ended(x)
	if out.Status != "SUCCEEDED" {
		t.Fatalf("ended: %+v", out)
	}
	if d := describe(); d.Status != "SUCCEEDED" || *d.RedriveCount != 1 || d.RedriveDate == nil || d.ItemCounts.Succeeded != 2 || d.ItemCounts.Failed != 0 {
		t.Errorf("after: %+v %+v", d, d.ItemCounts)
	}
	var results []struct{ RedriveCount int }
	if err := json.Unmarshal([]byte(*out.Output), &results); err != nil || len(results) != 2 || results[0].RedriveCount != 0 || results[1].RedriveCount != 1 {
		t.Errorf("%v: %s", err, *out.Output)
	}
}
