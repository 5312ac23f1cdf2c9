package workflow_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/internal-app-portal/iap/event"
	"github.com/internal-app-portal/iap/workflow"
)

// house is an engine with named state machines, nested and Express executions,
// on a real database.
type house struct {
	*fixture
	machines *workflow.Machines
	express  *workflow.ExpressRuns
	held     chan workflow.Call // calls of test:hold, whose token is answered by the test
	tried    chan workflow.Call // calls of test:try, which fails until told otherwise
	works    chan string        // outputs of test:try, in order; "" fails
}

func newHouse(t *testing.T) *house {
	t.Helper()
	h := &house{held: make(chan workflow.Call, 100), tried: make(chan workflow.Call, 100), works: make(chan string, 100)}
	handlers := map[string]workflow.Handler{
		"test:hold": {Commit: func(_ context.Context, c workflow.Call) (json.RawMessage, error) { h.held <- c; return nil, nil }},
		"test:try": {Run: func(ctx context.Context, c workflow.Call) (json.RawMessage, error) {
			h.tried <- c
			select {
			case out := <-h.works:
				if out == "" {
					return nil, workflow.FailTask("Test.Broken", "it does not work yet")
				}
				return json.RawMessage(out), nil
			case <-ctx.Done():
				return nil, context.Cause(ctx)
			}
		}},
	}
	db := newDB(t)
	log := event.NewLog(db)
	if err := log.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	h.fixture = &fixture{db: db, ended: make(chan string, 1000)}
	ctx, cancel := context.WithCancel(context.Background())
	go h.follow(ctx, log.Subscribe(log.Last()))
	var nesting *workflow.Nesting
	h.Engine = workflow.New(workflow.Config{Store: db, Tx: db, Log: log, Owner: "one", Handlers: handlers,
		Now:   func() time.Time { return time.Now().UTC().Truncate(time.Millisecond) },
		OnEnd: func(ctx context.Context, x workflow.Execution) error { return nesting.Ended(ctx, x) }})
	h.machines = workflow.NewMachines(workflow.MachinesConfig{Store: db, Tx: db, Engine: h.Engine, Now: time.Now, Rand: func(int) int { return 0 }})
	h.express = workflow.NewExpressRuns(workflow.ExpressConfig{Engine: h.Engine, Parallel: 2})
	nesting = workflow.NewNesting(workflow.NestedConfig{Store: db, Machines: h.machines, Express: h.express})
	for key, handler := range nesting.Handlers() {
		handlers[key] = handler
	}
	if err := h.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = h.Stop(context.Background()); cancel(); _ = log.Stop(context.Background()) })
	return h
}

func (h *house) create(t *testing.T, name, typ, states string) {
	t.Helper()
	_, _, err := h.machines.Create(t.Context(), workflow.NewMachine{Name: name, Type: typ, Definition: []byte(states)})
	if err != nil {
		t.Fatal(err)
	}
}

func (h *house) begin(t *testing.T, name, input string) string {
	t.Helper()
	x, _, err := h.machines.Start(t.Context(), workflow.StartMachine{ARN: workflow.MachineARN(name), Input: json.RawMessage(input), Owner: "ann"})
	if err != nil {
		t.Fatal(err)
	}
	return x.ID
}

// only returns the newest execution of a state machine.
func (h *house) only(t *testing.T, machine string) workflow.Execution {
	t.Helper()
	all, err := h.machines.Executions(t.Context(), workflow.ExecutionFilter{Machine: machine})
	if err != nil || len(all) == 0 {
		t.Fatalf("%d executions of %s, %v", len(all), machine, err)
	}
	x, err := h.db.Execution(t.Context(), all[0].ID)
	if err != nil {
		t.Fatal(err)
	}
	return x
}

const (
	holdState = `{"StartAt":"Hold","States":{"Hold":{"Type":"Task","Resource":"arn:iap:states:::test:hold.waitForTaskToken","End":true}}}`
	passState = `{"StartAt":"P","States":{"P":{"Type":"Pass","End":true}}}`
)

func nested(suffix, machine, more string) string {
	return `{"StartAt":"S","States":{"S":{"Type":"Task","Resource":"arn:aws:states:::states:startExecution` + suffix +
		`","Parameters":{"StateMachineArn":"arn:iap:states:::stateMachine:` + machine + `"` + more + `},"End":true}}}`
}

func TestAParentGetsTheResultOfItsChild(t *testing.T) {
	h := newHouse(t)
	h.create(t, "child", "STANDARD", holdState)
	for suffix, want := range map[string]string{".sync": `"{\"n\":1}"`, ".sync:2": `{"n":1}`} {
		h.create(t, "parent"+suffix[len(suffix)-1:], "STANDARD", nested(suffix, "child", `,"Input.$":"$"`))
		id := h.begin(t, "parent"+suffix[len(suffix)-1:], `{"a":1}`)
		call := <-h.held
		if call.Owner != "ann" || string(call.Input) != `{"a":1}` && call.Input != nil {
			t.Errorf("the child's task is %+v", call)
		}
		if err := h.Succeed(t.Context(), call.Token, json.RawMessage(`{"n":1}`)); err != nil {
			t.Fatal(err)
		}
		x := h.wait(t, id)
		var out struct {
			Output               json.RawMessage
			Status, ExecutionArn string
			RedriveStatusReason  string
		}
		if err := json.Unmarshal(x.Output, &out); err != nil {
			t.Fatalf("%v in %s, %s: %s", err, x.Output, x.Error, x.Cause)
		}
		if string(out.Output) != want || out.Status != "SUCCEEDED" || !strings.HasPrefix(out.ExecutionArn, "arn:iap:states:::execution:child:") ||
			out.RedriveStatusReason != "Execution is SUCCEEDED and cannot be redriven" {
			t.Errorf("%s gives %s", suffix, x.Output)
		}
	}
}

func TestAParentFailsWithItsChild(t *testing.T) {
	h := newHouse(t)
	h.create(t, "child", "STANDARD", holdState)
	h.create(t, "parent", "STANDARD", nested(".sync", "child", ""))
	id := h.begin(t, "parent", `{}`)
	if err := h.Fail(t.Context(), (<-h.held).Token, "No", "never"); err != nil {
		t.Fatal(err)
	}
	x := h.wait(t, id)
	if x.Status != workflow.Failed || x.Error != "States.TaskFailed" || !strings.Contains(x.Cause, `"Error":"No"`) ||
		!strings.Contains(x.Cause, `"Status":"FAILED"`) || !strings.Contains(x.Cause, `"Input":"{}"`) {
		t.Errorf("%s %s: %s", x.Status, x.Error, x.Cause)
	}
}

func TestStoppingAParentStopsItsChild(t *testing.T) {
	h := newHouse(t)
	h.create(t, "child", "STANDARD", holdState)
	h.create(t, "parent", "STANDARD", nested(".sync:2", "child", ""))
	h.create(t, "grandparent", "STANDARD", nested(".sync", "parent", ""))
	id := h.begin(t, "grandparent", `{}`)
	<-h.held
	if err := h.StopExecution(t.Context(), id, "Enough", "why"); err != nil {
		t.Fatal(err)
	}
	child := h.only(t, "child").ID
	h.wait(t, child)
	for _, name := range []string{"grandparent", "parent", "child"} {
		if x := h.only(t, name); x.Status != workflow.Aborted {
			t.Errorf("%s is %s", name, x.Status)
		}
	}
}

func TestStartingWithoutWaiting(t *testing.T) {
	h := newHouse(t)
	h.create(t, "child", "STANDARD", holdState)
	h.create(t, "parent", "STANDARD", nested("", "child", `,"Name":"one"`))
	first := h.wait(t, h.begin(t, "parent", `{}`))
	<-h.held
	second := h.wait(t, h.begin(t, "parent", `{}`)) // the same name and input: the same execution
	if first.Status != workflow.Succeeded || string(first.Output) != string(second.Output) || h.only(t, "child").Name != "one" {
		t.Errorf("%s, then %s %s", first.Output, second.Output, second.Cause)
	}
	if err := h.StopExecution(t.Context(), h.only(t, "child").ID, "", ""); err != nil {
		t.Fatal(err)
	}
	third := h.wait(t, h.begin(t, "parent", `{}`))
	if third.Error != "StepFunctions.ExecutionAlreadyExistsException" {
		t.Errorf("a name once used gives %s %s", third.Output, third.Error)
	}
}

func TestChildrenThatCannotBeStarted(t *testing.T) {
	h := newHouse(t)
	h.create(t, "quick", "EXPRESS", passState)
	for i, c := range []struct{ definition, want string }{
		{nested("", "nobody", ""), "StepFunctions.StateMachineDoesNotExistException"},
		{nested(".sync", "quick", ""), "StepFunctions.StateMachineTypeNotSupportedException"},
		{nested("", "quick:nine", ""), "StepFunctions.StateMachineDoesNotExistException"},
		{nested("", "quick", `,"Nam":"x"`), "States.ParameterPathFailure"},
		{nested("", "a:b:c:d", ""), "StepFunctions.InvalidArnException"},
	} {
		name := fmt.Sprint("parent", i)
		h.create(t, name, "STANDARD", c.definition)
		if x := h.wait(t, h.begin(t, name, `{}`)); x.Error != c.want {
			t.Errorf("%s: %s %s: %s", c.definition, x.Status, x.Error, x.Cause)
		}
	}
}

// TestAnExecutionThatStartsItself comes to an end, each generation in a commit
// of its own.
func TestAnExecutionThatStartsItself(t *testing.T) {
	h := newHouse(t)
	h.create(t, "self", "STANDARD", nested(".sync:2", "self", ""))
	x := h.wait(t, h.begin(t, "self", `{}`))
	if x.Status != workflow.Failed || !strings.Contains(x.Cause, "States.TaskFailed") {
		t.Errorf("%s %s: %.300s", x.Status, x.Error, x.Cause)
	}
	if len(x.Cause) > 32_768 {
		t.Errorf("the cause has %d bytes", len(x.Cause))
	}
	all, err := h.machines.Executions(t.Context(), workflow.ExecutionFilter{Machine: "self"})
	if err != nil || len(all) != 51 {
		t.Errorf("there are %d executions, %v", len(all), err)
	}
}

// TestInternalCallsAreNotForDefinitions: nobody reads another's execution by the
// engine's own calls.
func TestInternalCallsAreNotForDefinitions(t *testing.T) {
	h := newHouse(t)
	h.create(t, "secret", "STANDARD", passState)
	other := h.wait(t, h.begin(t, "secret", `{"secret":1}`))
	for _, what := range []string{"answer", "stop"} {
		h.create(t, what, "STANDARD", `{"StartAt":"S","States":{"S":{"Type":"Task","Resource":"arn:iap:states:::internal:`+what+
			`","Parameters":{"a.$":"$"},"End":true}}}`)
		x := h.wait(t, h.begin(t, what, `"`+other.ID+`"`))
		if x.Status != workflow.Failed || strings.Contains(string(x.Output)+x.Cause, "secret") {
			t.Errorf("%s: %s %s %s", what, x.Status, x.Output, x.Cause)
		}
	}
}

func TestTasksThatAreNotHere(t *testing.T) {
	h := newHouse(t)
	for i, c := range [][2]string{
		{"arn:iap:states:::test:hol.waitForTaskToken", `did you mean "arn:iap:states:::test:hold.waitForTaskToken"?`},
		{"arn:aws:states:::aws-sdk:s3:listBuckets", "calls no AWS service. It has states:startExecution, test:hold, test:try."},
		{"arn:aws:states:::aws-sdk:sfn:startExecution", `did you mean "arn:iap:states:::states:startExecution"?`},
		{"arn:aws:lambda:us-east-1:123456789012:function:f", "runs no Lambda functions"},
	} {
		name := fmt.Sprint("m", i)
		h.create(t, name, "STANDARD", `{"StartAt":"S","States":{"S":{"Type":"Task","Resource":"`+c[0]+`","End":true}}}`)
		if x := h.wait(t, h.begin(t, name, `{}`)); x.Error != "States.Runtime" || !strings.Contains(x.Cause, c[1]) {
			t.Errorf("%s: %s %s", c[0], x.Error, x.Cause)
		}
	}
}

func isNotRedrivable(t *testing.T, err error, reason string) {
	t.Helper()
	if !errors.Is(err, workflow.ErrNotRedrivable) || !strings.Contains(err.Error(), reason) {
		t.Errorf("got %v; want %q", err, reason)
	}
}
