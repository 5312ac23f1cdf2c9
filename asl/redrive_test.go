package asl_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/internal-app-portal/iap/asl"
	"github.com/internal-app-portal/iap/asl/value"
)

// hand takes an execution on step by step, each State through its JSON.
type hand struct {
	t     *testing.T
	m     *asl.Machine
	state *asl.State
	env   asl.Env
	ready []asl.FrameID
	open  map[string][]asl.ScheduleTask // by the name of their state
	types []string
	last  asl.Outcome
}

func byHand(t *testing.T, definition string) *hand {
	t.Helper()
	m, problems := asl.Parse([]byte(definition))
	if m == nil {
		t.Fatal(problems)
	}
	h := &hand{t: t, m: m, state: &asl.State{}, open: map[string][]asl.ScheduleTask{}}
	h.env = asl.Env{Now: time.Unix(1_800_000_000, 0)}
	h.do(asl.Start{Input: value.MustText(`{"a":1}`)})
	return h
}

// do gives a signal and takes all transitions that follow from it.
func (h *hand) do(sig asl.Signal) {
	h.t.Helper()
	if err := h.try(sig); err != nil {
		h.t.Fatalf("%T: %v", sig, err)
	}
	for len(h.ready) > 0 {
		id := h.ready[0]
		h.ready = h.ready[1:]
		if err := h.try(asl.Advance{Frame: id}); err != nil {
			h.t.Fatal(err)
		}
	}
}

func (h *hand) try(sig asl.Signal) error {
	h.t.Helper()
	out, err := asl.Step(h.m, h.state, sig, h.env)
	if err != nil {
		return err
	}
	h.last = out
	for _, e := range out.Events {
		name := e.Details.Name
		if e.Details.RedriveCount != nil {
			name = fmt.Sprint(*e.Details.RedriveCount)
		}
		h.types = append(h.types, fmt.Sprintf("%d<%d %s %s", e.ID, e.PreviousEventID, e.Type, name))
	}
	for _, c := range out.Commands {
		switch c := c.(type) {
		case asl.ScheduleTask:
			h.open[c.State] = append(h.open[c.State], c)
		case asl.CancelTask:
			h.open[c.State] = slices.DeleteFunc(h.open[c.State], func(s asl.ScheduleTask) bool {
				return s.Frame == c.Frame && s.Attempt == c.Attempt
			})
		}
	}
	h.ready = append(h.ready, out.Ready...)
	b, err := json.Marshal(h.state)
	if err != nil {
		return err
	}
	h.state = &asl.State{}
	return json.Unmarshal(b, h.state)
}

func (h *hand) task(state string) asl.ScheduleTask {
	h.t.Helper()
	if len(h.open[state]) == 0 {
		h.t.Fatalf("%s has no task; the history: %q", state, h.types)
	}
	task := h.open[state][0]
	h.open[state] = h.open[state][1:]
	return task
}

func (h *hand) succeed(state, output string) {
	h.t.Helper()
	c := h.task(state)
	h.do(asl.TaskSucceeded{Frame: c.Frame, Attempt: c.Attempt, Output: value.MustText(output)})
}

func (h *hand) fail(state string) {
	h.t.Helper()
	c := h.task(state)
	h.do(asl.TaskFailed{Frame: c.Frame, Attempt: c.Attempt, Error: "Broken"})
}

func (h *hand) redrive() {
	h.t.Helper()
	h.env.Execution.RedriveCount++
	h.types = nil
	h.do(asl.Redrive{})
}

func (h *hand) isStatus(want asl.Status) {
	h.t.Helper()
	if h.state.Status != want {
		h.t.Fatalf("it is %s, not %s; the history: %q", h.state.Status, want, h.types)
	}
}

const redriveTask = `"Type":"Task","Resource":"arn:iap:states:::a:b"`

func TestRedriveGoesOnAtTheFailedState(t *testing.T) {
	h := byHand(t, `{"StartAt":"A","States":{"A":{`+redriveTask+`,"Next":"B"},
		"B":{`+redriveTask+`,"Retry":[{"ErrorEquals":["States.ALL"],"MaxAttempts":0}],"Next":"C"},
		"C":{"Type":"Pass","Parameters":{"n.$":"$$.Execution.RedriveCount","from.$":"$"},"End":true}}}`)
	h.succeed("A", `{"a":2}`)
	h.fail("B")
	h.isStatus(asl.Failed)
	h.redrive()
	want := []string{"12<11 ExecutionRedriven 1", "13<12 TaskScheduled "}
	if diff := cmp.Diff(want, h.types); diff != "" {
		t.Error(diff)
	}
	h.succeed("B", `{"a":3}`)
	h.isStatus(asl.Succeeded)
	if got := h.state.Output.String(); got != `{"from":{"a":3},"n":1}` {
		t.Errorf("the output is %s", got)
	}
	if err := h.try(asl.Redrive{}); err != asl.ErrStale {
		t.Errorf("an execution that succeeded is redriven: %v", err)
	}
}

func TestRedriveCountsRetriesAnew(t *testing.T) {
	h := byHand(t, `{"StartAt":"A","States":{"A":{`+redriveTask+`,
		"Retry":[{"ErrorEquals":["States.ALL"],"MaxAttempts":1}],"End":true}}}`)
	again := func() {
		h.fail("A")
		h.isStatus(asl.Running)
		h.do(asl.TimerFired{Frame: asl.RootFrame, ID: h.state.LastTimer})
		h.fail("A")
		h.isStatus(asl.Failed)
	}
	again()
	h.redrive()
	again()
	h.redrive()
	h.succeed("A", `1`)
	h.isStatus(asl.Succeeded)
}

// TestRedriveKeepsBranchesThatSucceeded: of those that did not, each goes on
// where it was, also inside another Parallel and when it was not yet entered.
func TestRedriveKeepsBranchesThatSucceeded(t *testing.T) {
	branch := func(states ...string) string {
		out := ""
		for i, s := range states {
			next := `"End":true`
			if i+1 < len(states) {
				next = `"Next":"` + states[i+1] + `"`
			}
			out += fmt.Sprintf(`,"%s":{%s,%s}`, s, redriveTask, next)
		}
		return `{"StartAt":"` + states[0] + `","States":{` + out[1:] + `}}`
	}
	h := byHand(t, `{"StartAt":"P","States":{"P":{"Type":"Parallel","End":true,"Branches":[`+branch("done")+`,`+branch("one", "two")+`,
		{"StartAt":"Q","States":{"Q":{"Type":"Parallel","End":true,"Branches":[`+branch("bad")+`,`+branch("good")+`]}}}]}}}`)
	h.succeed("done", `"done"`)
	h.succeed("one", `"one"`)
	h.succeed("good", `"good"`)
	h.fail("bad")
	h.isStatus(asl.Failed)
	if len(h.open["two"]) != 0 {
		t.Error("a task of an aborted branch goes on")
	}
	h.redrive()
	if len(h.open["done"])+len(h.open["one"])+len(h.open["good"]) != 0 {
		t.Errorf("what succeeded is done again: %v", h.open)
	}
	h.succeed("bad", `"bad"`)
	h.succeed("two", `"two"`)
	h.isStatus(asl.Succeeded)
	if got := h.state.Output.String(); got != `["done","two",["bad","good"]]` {
		t.Errorf("the output is %s", got)
	}
}

func TestRedriveKeepsIterationsThatSucceeded(t *testing.T) {
	h := byHand(t, `{"StartAt":"M","States":{"M":{"Type":"Map","MaxConcurrency":2,"ItemsPath":"$$.Execution.Input.list","End":true,
		"ItemProcessor":{"StartAt":"A","States":{"A":{`+redriveTask+`,"Parameters":{"i.$":"$$.Map.Item.Index"},"End":true}}}}}}`)
	if h.state.Status == asl.Failed { // the input of byHand has no list: give one
		h = byHandWith(t, h.m, `{"list":[0,1,2,3]}`)
	}
	h.succeed("A", `"a"`)
	h.fail("A")
	h.isStatus(asl.Failed)
	h.redrive()
	for i, want := range []string{`{"i":1}`, `{"i":2}`, `{"i":3}`} {
		if got := h.open["A"][0].Arguments.String(); got != want {
			t.Errorf("task %d has %s, not %s", i, got, want)
		}
		h.succeed("A", fmt.Sprint(i))
	}
	h.isStatus(asl.Succeeded)
	if got := h.state.Output.String(); got != `["a",0,1,2]` {
		t.Errorf("the output is %s", got)
	}
}

func byHandWith(t *testing.T, m *asl.Machine, input string) *hand {
	h := &hand{t: t, m: m, state: &asl.State{}, open: map[string][]asl.ScheduleTask{}}
	h.env = asl.Env{Now: time.Unix(1_800_000_000, 0), Execution: asl.ExecutionInfo{Input: value.MustText(input)}}
	h.do(asl.Start{Input: value.MustText(input)})
	return h
}

func TestRedriveOfAnAbortedExecution(t *testing.T) {
	h := byHand(t, `{"StartAt":"W","TimeoutSeconds":60,"States":{"W":{"Type":"Wait","Seconds":5,"Next":"A"},"A":{`+redriveTask+`,"End":true}}}`)
	h.do(asl.Stop{Error: "Stopped"})
	h.isStatus(asl.Aborted)
	if h.state.Timeout != 0 {
		t.Error("the time of the machine runs on")
	}
	h.redrive()
	h.isStatus(asl.Running)
	if h.state.Timeout == 0 || h.state.Error != nil {
		t.Errorf("the time-out is %d, the error %v", h.state.Timeout, h.state.Error)
	}
	h.do(asl.TimerFired{Frame: asl.RootFrame, ID: h.state.Frames[0].Timer})
	h.do(asl.TimerFired{Frame: asl.RootFrame, ID: h.state.Timeout})
	h.isStatus(asl.TimedOut)
	h.redrive()
	h.succeed("A", `1`)
	h.isStatus(asl.Succeeded)
}

func TestRedriveOfAFailState(t *testing.T) {
	h := byHand(t, `{"StartAt":"F","States":{"F":{"Type":"Fail","Error":"No"}}}`)
	h.redrive()
	h.isStatus(asl.Failed)
	want := []string{"4<3 ExecutionRedriven 1", "5<4 ExecutionFailed "}
	if diff := cmp.Diff(want, h.types); diff != "" {
		t.Error(diff)
	}
}

// TestRedriveOfResultsThatWereTooLarge runs the whole state again.
func TestRedriveOfResultsThatWereTooLarge(t *testing.T) {
	h := byHand(t, `{"StartAt":"P","States":{"P":{"Type":"Parallel","End":true,"Branches":[
		{"StartAt":"A","States":{"A":{`+redriveTask+`,"End":true}}},{"StartAt":"B","States":{"B":{`+redriveTask+`,"End":true}}}]}}}`)
	h.env.Limits.PayloadBytes = 20
	h.succeed("A", `"0123456789"`)
	h.succeed("B", `"0123456789"`)
	h.isStatus(asl.Failed)
	h.redrive()
	h.succeed("A", `"a"`)
	h.succeed("B", `"b"`)
	h.isStatus(asl.Succeeded)
}

// TestRedriveOfAMapRun goes on with the run that failed; a state that failed
// after its run had succeeded begins another.
func TestRedriveOfAMapRun(t *testing.T) {
	h := byHand(t, `{"StartAt":"M","States":{"M":{"Type":"Map","ItemsPath":"$$.Execution.Input","Label":"each","End":true,"OutputPath":"$.none",
		"ItemProcessor":{"ProcessorConfig":{"Mode":"DISTRIBUTED","ExecutionType":"STANDARD"},"StartAt":"A","States":{"A":{"Type":"Pass","End":true}}}}}}`)
	h = byHandWith(t, h.m, `[1]`)
	start, _ := h.last.Commands[0].(asl.StartMapRun)
	h.do(asl.MapRunEnded{Frame: start.Frame, Attempt: start.Attempt, Status: asl.Failed, Error: "Broken"})
	h.isStatus(asl.Failed)
	for n := 1; n <= 2; n++ {
		h.redrive()
		again, ok := h.last.Commands[0].(asl.RedriveMapRun)
		if !ok || again.ARN != start.Order.ARN || again.Attempt != start.Attempt+n {
			t.Fatalf("redrive %d: %+v", n, h.last.Commands)
		}
		if err := h.try(asl.MapRunEnded{Frame: again.Frame, Attempt: again.Attempt - 1, Status: asl.Succeeded, Output: value.MustText("[]")}); err != asl.ErrStale {
			t.Errorf("the end of before: %v", err)
		}
		if n == 1 {
			h.do(asl.Stop{})
			h.isStatus(asl.Aborted)
		} else {
			h.do(asl.MapRunEnded{Frame: again.Frame, Attempt: again.Attempt, Status: asl.Succeeded, Output: value.MustText("[]")})
			h.isStatus(asl.Failed)
		}
	}
	h.redrive()
	if _, ok := h.last.Commands[0].(asl.StartMapRun); !ok {
		t.Errorf("after a run that succeeded: %+v", h.last.Commands)
	}
}
