package sfn_test

import (
	"context"
	"encoding/json"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awssfn "github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/aws-sdk-go-v2/service/sfn/types"

	iap "github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/asl/value"
	"github.com/internal-app-portal/iap/sfn"
)

const worksOut = `{"StartAt":"A","States":{"A":{"Type":"Task","Resource":"arn:iap:states:::activity:work","TimeoutSeconds":300,"HeartbeatSeconds":200,"End":true}}}`

// take takes a task of the activity "work".
func (h *harness) take(worker string) *awssfn.GetActivityTaskOutput {
	h.t.Helper()
	return must[*awssfn.GetActivityTaskOutput](h.t)(h.GetActivityTask(h.t.Context(), &awssfn.GetActivityTaskInput{
		ActivityArn: aws.String("arn:iap:states:::activity:work"), WorkerName: &worker}))
}

func (h *harness) activity(name string) string {
	h.t.Helper()
	return *must[*awssfn.CreateActivityOutput](h.t)(h.CreateActivity(h.t.Context(), &awssfn.CreateActivityInput{Name: &name})).ActivityArn
}

func (h *harness) startNamed(arn, name, input string) string {
	h.t.Helper()
	return *must[*awssfn.StartExecutionOutput](h.t)(h.StartExecution(h.t.Context(),
		&awssfn.StartExecutionInput{StateMachineArn: &arn, Name: &name, Input: &input})).ExecutionArn
}

// TestActivity: a waiting worker gets a task the moment it is there, and gives
// its result.
func TestActivity(t *testing.T) {
	h := newHarness(t)
	ctx := t.Context()
	h.activity("work")
	h.activity("work") // again
	var task *awssfn.GetActivityTaskOutput
	var poll sync.WaitGroup
	poll.Go(func() { task = h.take("jane") })
	x := h.startNamed(h.create("m", worksOut), "one", `{"n":1}`)
	poll.Wait()
	if task.Input == nil || *task.Input != `{"n":1}` {
		t.Fatalf("taken: %+v", task)
	}
	must[*awssfn.SendTaskHeartbeatOutput](t)(h.SendTaskHeartbeat(ctx, &awssfn.SendTaskHeartbeatInput{TaskToken: task.TaskToken}))
	_, err := h.SendTaskSuccess(ctx, &awssfn.SendTaskSuccessInput{TaskToken: task.TaskToken, Output: aws.String("{")})
	wantCode(t, err, "InvalidOutput")
	must[*awssfn.SendTaskSuccessOutput](t)(h.as(iap.Member).SendTaskSuccess(ctx, &awssfn.SendTaskSuccessInput{TaskToken: task.TaskToken, Output: aws.String(`"done"`)}))
	if d := h.ended(x); *d.Output != `"done"` {
		t.Errorf("ended: %+v", d)
	}
	events := must[*awssfn.GetExecutionHistoryOutput](t)(h.GetExecutionHistory(ctx, &awssfn.GetExecutionHistoryInput{ExecutionArn: &x})).Events
	if e := events[3]; e.Type != types.HistoryEventTypeActivityStarted || *e.ActivityStartedEventDetails.WorkerName != "jane" {
		t.Errorf("event 4: %+v", e)
	}
	_, err = h.SendTaskSuccess(ctx, &awssfn.SendTaskSuccessInput{TaskToken: task.TaskToken, Output: aws.String(`1`)})
	wantCode(t, err, "TaskTimedOut")
}

// TestWorkersShare: many workers get each task once, in order.
func TestWorkersShare(t *testing.T) {
	h := newHarness(t)
	h.activity("work")
	const n = 20
	m := h.create("m", worksOut)
	tokens := make(chan string, n)
	var workers sync.WaitGroup
	for range 5 {
		workers.Go(func() {
			for range n / 5 {
				tokens <- *h.take("w").TaskToken
			}
		})
	}
	for range n {
		h.startNamed(m, iap.NewID(time.Now()), `{}`)
	}
	workers.Wait()
	close(tokens)
	seen := map[string]bool{}
	for token := range tokens {
		seen[token] = true
	}
	if len(seen) != n {
		t.Errorf("%d different tasks of %d", len(seen), n)
	}
}

// TestNoTask: a worker who waits in vain is answered with nothing; a task that
// was given up is not handed out.
func TestNoTask(t *testing.T) {
	h := newHarness(t, func(c *sfn.Config) { c.PollTime = 20 * time.Millisecond })
	ctx := t.Context()
	h.activity("work")
	if out := h.take("w"); out.TaskToken != nil || out.Input != nil {
		t.Errorf("nothing is there, and got %+v", out)
	}
	x := h.startNamed(h.create("m", worksOut), "one", `{}`)
	must[*awssfn.StopExecutionOutput](t)(h.StopExecution(ctx, &awssfn.StopExecutionInput{ExecutionArn: &x}))
	if out := h.take("w"); out.TaskToken != nil {
		t.Errorf("a task of a stopped execution: %+v", out)
	}
	arn := "arn:iap:states:::activity:none"
	_, err := h.GetActivityTask(ctx, &awssfn.GetActivityTaskInput{ActivityArn: &arn})
	wantCode(t, err, "ActivityDoesNotExist")
	must[*awssfn.DeleteActivityOutput](t)(h.DeleteActivity(ctx, &awssfn.DeleteActivityInput{ActivityArn: aws.String("arn:iap:states:::activity:work")}))
	l := must[*awssfn.ListActivitiesOutput](t)(h.ListActivities(ctx, &awssfn.ListActivitiesInput{}))
	if len(l.Activities) != 0 {
		t.Errorf("left: %+v", l.Activities)
	}
}

// TestTokenCannotBeMadeUp: a token with any part changed is none.
func TestTokenCannotBeMadeUp(t *testing.T) {
	h := newHarness(t)
	ctx := t.Context()
	x := h.startNamed(h.create("m", waits), "one", `{}`)
	events := must[*awssfn.GetExecutionHistoryOutput](t)(h.GetExecutionHistory(ctx, &awssfn.GetExecutionHistoryInput{ExecutionArn: &x})).Events
	var parameters struct{ Token string }
	for _, e := range events {
		if e.TaskScheduledEventDetails != nil {
			if err := json.Unmarshal([]byte(*e.TaskScheduledEventDetails.Parameters), &parameters); err != nil {
				t.Fatal(err)
			}
		}
	}
	token := []byte(parameters.Token)
	if len(token) < 40 {
		t.Fatalf("the token is %q", token)
	}
	for _, i := range []int{0, 10, len(token) - 2} {
		forged := []byte(string(token))
		forged[i] ^= 1
		_, err := h.SendTaskFailure(ctx, &awssfn.SendTaskFailureInput{TaskToken: aws.String(string(forged))})
		wantCode(t, err, "InvalidToken")
	}
	must[*awssfn.SendTaskFailureOutput](t)(h.SendTaskFailure(ctx, &awssfn.SendTaskFailureInput{TaskToken: aws.String(string(token)), Error: aws.String("Bad"), Cause: aws.String("why")}))
	d := h.ended(x)
	if d.Status != "FAILED" || *d.Error != "Bad" || *d.Cause != "why" || d.RedriveStatus != "REDRIVABLE" {
		t.Errorf("ended: %+v", d)
	}
	must[*awssfn.RedriveExecutionOutput](t)(h.RedriveExecution(ctx, &awssfn.RedriveExecutionInput{ExecutionArn: &x}))
	again := must[*awssfn.DescribeExecutionOutput](t)(h.DescribeExecution(ctx, &awssfn.DescribeExecutionInput{ExecutionArn: &x}))
	if again.Status != "RUNNING" || *again.RedriveCount != 1 || again.RedriveStatus != "NOT_REDRIVABLE" {
		t.Errorf("redriven: %+v", again)
	}
	_, err := h.RedriveExecution(ctx, &awssfn.RedriveExecutionInput{ExecutionArn: &x})
	wantCode(t, err, "ExecutionNotRedrivable")
	must[*awssfn.StopExecutionOutput](t)(h.StopExecution(ctx, &awssfn.StopExecutionInput{ExecutionArn: &x}))
}

func TestExpress(t *testing.T) {
	h := newHarness(t)
	ctx := t.Context()
	definition := `{"StartAt":"A","States":{"A":{"Type":"Task","Resource":"arn:iap:states:::test:echo","End":true}}}`
	arn := *must[*awssfn.CreateStateMachineOutput](t)(h.CreateStateMachine(ctx, &awssfn.CreateStateMachineInput{Name: aws.String("quick"),
		Definition: &definition, RoleArn: aws.String(role), Type: types.StateMachineTypeExpress})).StateMachineArn
	out := must[*awssfn.StartSyncExecutionOutput](t)(h.StartSyncExecution(ctx, &awssfn.StartSyncExecutionInput{StateMachineArn: &arn, Input: aws.String(`{"a":1}`)}))
	if out.Status != "SUCCEEDED" || *out.Output != `{"a":1}` || out.BillingDetails.BilledDurationInMilliseconds%100 != 0 {
		t.Errorf("sync: %+v", out)
	}
	must[*awssfn.StartExecutionOutput](t)(h.StartExecution(ctx, &awssfn.StartExecutionInput{StateMachineArn: &arn}))
	_, err := h.ListExecutions(ctx, &awssfn.ListExecutionsInput{StateMachineArn: &arn})
	wantCode(t, err, "StateMachineTypeNotSupported")
	standard := h.create("slow", passes)
	_, err = h.StartSyncExecution(ctx, &awssfn.StartSyncExecutionInput{StateMachineArn: &standard})
	wantCode(t, err, "StateMachineTypeNotSupported")
}

func TestTestState(t *testing.T) {
	h := newHarness(t)
	out := must[*awssfn.TestStateOutput](t)(h.TestState(t.Context(), &awssfn.TestStateInput{
		Definition: aws.String(`{"Type":"Pass","Parameters":{"b.$":"$.a"},"Next":"B"}`), RoleArn: aws.String(role),
		Input: aws.String(`{"a":1}`), InspectionLevel: types.InspectionLevelDebug}))
	if out.Status != "SUCCEEDED" || *out.Output != `{"b": 1}` || *out.NextState != "B" || *out.InspectionData.AfterParameters != `{"b": 1}` {
		t.Errorf("got %s %s %s %s", out.Status, *out.Output, *out.NextState, *out.InspectionData.AfterParameters)
	}
	_, err := h.TestState(t.Context(), &awssfn.TestStateInput{Definition: aws.String(`{"Type":"Nonsense"}`), RoleArn: aws.String(role)})
	wantCode(t, err, "InvalidDefinition")
}

func TestValidateDefinition(t *testing.T) {
	h := newHarness(t)
	check := func(definition string, limit int32) *awssfn.ValidateStateMachineDefinitionOutput {
		return must[*awssfn.ValidateStateMachineDefinitionOutput](t)(h.ValidateStateMachineDefinition(t.Context(),
			&awssfn.ValidateStateMachineDefinitionInput{Definition: &definition, MaxResults: limit}))
	}
	if out := check(passes, 0); out.Result != "OK" || len(out.Diagnostics) != 0 {
		t.Errorf("a good one: %+v", out)
	}
	if out := check(`{"StartAt":"X","States":{"A":{"Type":"Pass","Next":"Y"},"B":{"Type":"Nonsense"}}}`, 1); out.Result != "FAIL" || len(out.Diagnostics) != 1 || !*out.Truncated {
		t.Errorf("a bad one: %+v", out)
	}
}

func TestMachineForExecution(t *testing.T) {
	h := newHarness(t)
	ctx := t.Context()
	arn := h.create("m", waits)
	x := h.startNamed(arn, "one", `{}`)
	must[*awssfn.UpdateStateMachineOutput](t)(h.UpdateStateMachine(ctx, &awssfn.UpdateStateMachineInput{StateMachineArn: &arn, Definition: aws.String(passes)}))
	d := must[*awssfn.DescribeStateMachineForExecutionOutput](t)(h.DescribeStateMachineForExecution(ctx, &awssfn.DescribeStateMachineForExecutionInput{ExecutionArn: &x}))
	if *d.Definition != waits || *d.StateMachineArn != arn || *d.RoleArn != role {
		t.Errorf("got %+v", d)
	}
	_, err := h.DescribeExecution(ctx, &awssfn.DescribeExecutionInput{ExecutionArn: aws.String(x + "x")})
	wantCode(t, err, "ExecutionDoesNotExist")
	_, err = h.DescribeExecution(context.Background(), &awssfn.DescribeExecutionInput{ExecutionArn: &arn})
	wantCode(t, err, "InvalidArn")
	must[*awssfn.StopExecutionOutput](t)(h.StopExecution(ctx, &awssfn.StopExecutionInput{ExecutionArn: &x}))
}

// TestRefusal: requests that are wrong whatever there is.
func TestRefusal(t *testing.T) {
	const arn = `"stateMachineArn":"arn:iap:states:::stateMachine:m"`
	for request, want := range map[string]string{
		`update_state_machine {` + arn + `,"definition":"{}"}`:                      "InvalidDefinition Invalid State Machine Definition: 'SCHEMA_VALIDATION_FAILED: These fields are required: [StartAt, States] at /'",
		`update_state_machine {` + arn + `,"roleArn":"arn:aws:iam::1:role/r"}`:      " ",
		`create_state_machine {"name":"a b","definition":"{}","roleArn":"arn:aws"}`: "InvalidName Invalid Name: 'a b'",
		`test_state {"definition":"{}","inspectionLevel":"ALL"}`:                    "ValidationException 1 validation error detected: Value 'ALL' at 'inspectionLevel' failed to satisfy constraint: Member must satisfy enum value set: [INFO, DEBUG, TRACE]",
		`test_state {"definition":"{}","mock":{"fieldValidationMode":"X"}}`:         "ValidationException 1 validation error detected: Value 'X' at 'mock.fieldValidationMode' failed to satisfy constraint: Member must satisfy enum value set: [STRICT, PRESENT, NONE]",
		`test_state {"definition":{}}`:                                              "SerializationException The value at 'definition' must be a string",
		`test_state {}`:                                                             "ValidationException 1 validation error detected: Value null at 'definition' failed to satisfy constraint: Member must not be null",
		`test_state {"definition":"{}","input":"{}"}`:                               " ",
	} {
		op, body, _ := strings.Cut(request, " ")
		v, err := value.Parse([]byte(body))
		if err != nil {
			t.Fatal(err)
		}
		code, message := sfn.Refusal(op, v.(*value.Object))
		if got := code + " " + message; got != want {
			t.Errorf("%s\ngot  %s\nwant %s", request, got, want)
		}
	}
}
