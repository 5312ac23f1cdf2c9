package asl_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/internal-app-portal/iap/asl"
	"github.com/internal-app-portal/iap/asl/value"
)

func parse(t testing.TB, text string) *asl.Machine {
	t.Helper()
	m, problems := asl.Parse([]byte(text))
	if len(problems) > 0 {
		t.Fatalf("the definition was refused: %v", problems)
	}
	return m
}

// states wraps states into a machine that starts at A.
func states(body string) string { return `{"StartAt":"A","States":{` + body + `}}` }

func types(events []asl.HistoryEvent) []string {
	out := make([]string, len(events))
	for i, e := range events {
		out[i] = e.Type
	}
	return out
}

const taskWithClocks = `"A":{"Type":"Task","Resource":"arn:iap:states:::job:apply.waitForTaskToken",
	"Parameters":{"token.$":"$$.Task.Token","try.$":"$$.State.RetryCount"},
	"TimeoutSeconds":60,"HeartbeatSeconds":10,
	"Retry":[{"ErrorEquals":["Again"],"IntervalSeconds":2,"MaxAttempts":2,"BackoffRate":3}],
	"Catch":[{"ErrorEquals":["States.HeartbeatTimeout"],"ResultPath":"$.beat","Next":"B"},
	         {"ErrorEquals":["States.Timeout"],"ResultPath":"$.late","Next":"B"}],"Next":"B"},
	"B":{"Type":"Succeed"}`

func TestTaskCommands(t *testing.T) {
	d := newDriver(t, parse(t, states(taskWithClocks)), nil)
	start := d.env.Now
	d.step(asl.Start{Input: value.MustText(`{}`)})
	out, err := asl.Step(d.m, d.state, asl.Advance{Frame: asl.RootFrame}, d.env)
	if err != nil {
		t.Fatal(err)
	}
	task, ok := out.Commands[0].(asl.ScheduleTask)
	if !ok || task.Attempt != 1 || task.State != "A" || task.TaskToken != "0-1" {
		t.Fatalf("unexpected command %+v", out.Commands[0])
	}
	if got, want := task.Arguments.String(), `{"try":0,"token":"0-1"}`; got != want {
		t.Errorf("arguments %s, want %s", got, want)
	}
	r := task.Resource
	if r.Service != "job" || r.API != "apply" || r.Integration != asl.WaitForTaskToken {
		t.Errorf("resource %+v", r)
	}
	want := []asl.Command{
		asl.SetTimer{Frame: 0, ID: 1, Kind: asl.TimerTask, At: start.Add(time.Minute)},
		asl.SetTimer{Frame: 0, ID: 2, Kind: asl.TimerHeartbeat, At: start.Add(10 * time.Second)},
	}
	if diff := cmp.Diff(want, out.Commands[1:]); diff != "" {
		t.Error(diff)
	}
}

func TestRetryWaitsAndGivesUp(t *testing.T) {
	calls := 0
	var at []time.Duration
	var d *driver
	start := time.Time{}
	d = newDriver(t, parse(t, states(taskWithClocks)), func(asl.ScheduleTask) answer {
		calls++
		at = append(at, d.env.Now.Sub(start))
		return answer{fails: true, err: "Again", cause: "why"}
	})
	start = d.env.Now
	d.run(value.MustText(`{}`))
	if want := []time.Duration{0, 2 * time.Second, 8 * time.Second}; !cmp.Equal(at, want) {
		t.Errorf("called at %v, want %v", at, want)
	}
	if d.complete.Status != asl.Failed || *d.complete.Error != "Again" || *d.complete.Cause != "why" {
		t.Errorf("%s", describe(d.complete))
	}
	if len(d.timers) != 0 || len(d.tasks) != 0 {
		t.Errorf("left behind: %v %v", d.timers, d.tasks)
	}
}

func TestTimeouts(t *testing.T) {
	for name, test := range map[string]struct {
		beats int
		want  string
	}{
		"heartbeat": {0, `{"beat":{"Error":"States.Timeout","Cause":null}}`},
		"timeout":   {9, `{"late":{"Error":"States.Timeout","Cause":null}}`},
	} {
		t.Run(name, func(t *testing.T) {
			d := newDriver(t, parse(t, states(taskWithClocks)), func(asl.ScheduleTask) answer { return answer{timeout: true} })
			d.env.Execution.Input = value.MustText(`{}`)
			d.step(asl.Start{Input: value.MustText(`{}`)})
			d.next()
			d.next()
			for range test.beats {
				d.env.Now = d.env.Now.Add(6 * time.Second)
				d.step(asl.TaskHeartbeat{Frame: 0, Attempt: 1})
			}
			for d.complete == nil && d.next() {
			}
			if d.complete == nil || d.complete.Output.String() != test.want {
				t.Errorf("got %+v, want %s; %v", d.complete, test.want, types(d.events))
			}
		})
	}
}

func TestStaleSignals(t *testing.T) {
	d := newDriver(t, parse(t, states(taskWithClocks)), nil)
	d.step(asl.Start{Input: value.MustText(`{}`)})
	d.step(asl.Advance{Frame: 0})
	before, _ := json.Marshal(d.state)
	ok := value.MustText(`1`)
	for _, sig := range []asl.Signal{
		asl.Start{Input: ok}, asl.Advance{Frame: 0}, asl.Advance{Frame: 7},
		asl.TaskSucceeded{Frame: 0, Attempt: 2, Output: ok}, asl.TaskSucceeded{Frame: 1, Attempt: 1, Output: ok},
		asl.TaskFailed{Frame: 0, Attempt: 0}, asl.TimerFired{Frame: 0, ID: 99}, asl.TimerFired{},
	} {
		if _, err := asl.Step(d.m, d.state, sig, d.env); !errors.Is(err, asl.ErrStale) {
			t.Errorf("%T: %v, want ErrStale", sig, err)
		}
	}
	if after, _ := json.Marshal(d.state); string(after) != string(before) {
		t.Errorf("the state changed:\n%s\n%s", before, after)
	}
	d.step(asl.TaskSucceeded{Frame: 0, Attempt: 1, Output: ok})
	if _, err := asl.Step(d.m, d.state, asl.TaskSucceeded{Frame: 0, Attempt: 1, Output: ok}, d.env); !errors.Is(err, asl.ErrStale) {
		t.Errorf("a second result: %v, want ErrStale", err)
	}
}

const parallel = `"A":{"Type":"Parallel","Branches":[
	{"StartAt":"X","States":{"X":{"Type":"Task","Resource":"arn:iap:states:::job:apply.sync","End":true}}},
	{"StartAt":"Y","States":{"Y":{"Type":"Wait","Seconds":100,"End":true}}},
	{"StartAt":"Z","States":{"Z":{"Type":"Task","Resource":"arn:iap:states:::health:check","TimeoutSeconds":5,"End":true}}}],
	"Catch":[{"ErrorEquals":["States.ALL"],"Next":"B"}],"Next":"B"},"B":{"Type":"Succeed"}`

func TestSiblingsAreCancelled(t *testing.T) {
	d := newDriver(t, parse(t, states(parallel)), nil)
	d.step(asl.Start{Input: value.MustText(`{}`)})
	for len(d.ready) > 0 {
		d.next()
	}
	out, err := asl.Step(d.m, d.state, asl.TaskFailed{Frame: 1, Attempt: 1, Error: "Boom", Cause: "c"}, d.env)
	if err != nil {
		t.Fatal(err)
	}
	z := d.scheduled[1]
	want := []asl.Command{
		asl.CancelTimer{Frame: 2, ID: 1},
		asl.CancelTask{Frame: 3, Attempt: 1, State: "Z", Resource: z.Resource},
		asl.CancelTimer{Frame: 3, ID: 2},
	}
	if diff := cmp.Diff(want, out.Commands); diff != "" {
		t.Error(diff)
	}
	wantTypes := []string{"TaskStarted", "TaskFailed", "TaskStateAborted", "WaitStateAborted", "TaskStateAborted", "ParallelStateFailed", "ParallelStateExited"}
	if diff := cmp.Diff(wantTypes, types(out.Events)); diff != "" {
		t.Error(diff)
	}
	if len(d.state.Frames) != 1 || !cmp.Equal(out.Ready, []asl.FrameID{0}) {
		t.Errorf("%d frames, ready %v", len(d.state.Frames), out.Ready)
	}
}

func TestStopCancelsAll(t *testing.T) {
	d := newDriver(t, parse(t, states(parallel)), nil)
	d.step(asl.Start{Input: value.MustText(`{}`)})
	for len(d.ready) > 0 {
		d.next()
	}
	d.step(asl.Stop{Error: "E", Cause: "C"})
	if d.complete == nil || d.complete.Status != asl.Aborted || describe(d.complete) != "E: C" {
		t.Fatalf("%+v", d.complete)
	}
	if len(d.timers) != 0 || len(d.tasks) != 0 || len(d.state.Ready()) != 0 {
		t.Errorf("left behind: %v %v %v", d.timers, d.tasks, d.state.Ready())
	}
}

func TestMachineTimeout(t *testing.T) {
	d := newDriver(t, parse(t, `{"StartAt":"A","TimeoutSeconds":30,"States":{"A":{"Type":"Wait","Seconds":60,"End":true}}}`), nil)
	d.run(value.MustText(`{}`))
	if d.complete == nil || d.complete.Status != asl.TimedOut {
		t.Fatalf("%+v", d.complete)
	}
	if len(d.timers) != 0 {
		t.Errorf("left behind: %v", d.timers)
	}
}

func TestLimits(t *testing.T) {
	loop := parse(t, states(`"A":{"Type":"Choice","Choices":[{"Variable":"$.x","IsPresent":true,"Next":"E"}],"Default":"B"},
		"B":{"Type":"Pass","Next":"A"},"E":{"Type":"Succeed"}`))
	d := newDriver(t, loop, nil)
	d.env.Limits.HistoryEvents = 50
	d.run(value.MustText(`{}`))
	if d.complete == nil || describe(d.complete) != "States.Runtime: The execution reached the maximum number of history events (50)." {
		t.Errorf("%+v", d.complete)
	}
	if n := len(d.events); n != 50 || d.events[n-1].ID != 50 {
		t.Errorf("%d events, the last is %+v", n, d.events[n-1])
	}
	grow := parse(t, states(`"A":{"Type":"Pass","Parameters":{"a.$":"$","b.$":"$"},"Next":"A2"},"A2":{"Type":"Choice",
		"Choices":[{"Variable":"$.x","IsPresent":true,"Next":"E"}],"Default":"A"},"E":{"Type":"Succeed"}`))
	d = newDriver(t, grow, nil)
	d.run(value.MustText(`{}`))
	if d.complete == nil || *d.complete.Error != "States.DataLimitExceeded" {
		t.Errorf("%+v", d.complete)
	}
	deep := parse(t, states(`"A":{"Type":"Pass","Parameters":{"a.$":"$"},"Next":"A2"},"A2":{"Type":"Choice",
		"Choices":[{"Variable":"$.x","IsPresent":true,"Next":"E"}],"Default":"A"},"E":{"Type":"Succeed"}`))
	d = newDriver(t, deep, nil)
	d.run(value.MustText(`{}`))
	if d.complete == nil || !strings.Contains(describe(d.complete), "nested more than 1000 levels") {
		t.Errorf("%+v", d.complete)
	}
}

func TestStartRefusesBadInput(t *testing.T) {
	m := parse(t, states(`"A":{"Type":"Succeed"}`))
	for name, input := range map[string]value.JSON{
		"absent": {}, "not JSON": value.Trusted(`{`), "too large": value.Of(strings.Repeat("x", 300_000)),
		"two documents": value.Trusted(`1 2`), "too deep": value.Trusted(strings.Repeat("[", 20_000) + strings.Repeat("]", 20_000)),
	} {
		s := new(asl.State)
		if _, err := asl.Step(m, s, asl.Start{Input: input}, asl.Env{}); !errors.Is(err, asl.ErrInput) {
			t.Errorf("%s: %v, want ErrInput", name, err)
		}
		if s.Status != asl.NotStarted {
			t.Errorf("%s: the state changed", name)
		}
	}
}

func TestInlineMapRunsFortyAtOnce(t *testing.T) {
	m := parse(t, states(`"A":{"Type":"Map","ItemProcessor":{"StartAt":"X","States":{"X":{"Type":"Task",
		"Resource":"arn:iap:states:::job:apply","End":true}}},"End":true}`))
	items := make(value.Array, 100)
	for i := range items {
		items[i] = value.Int(int64(i))
	}
	most := 0
	var d *driver
	d = newDriver(t, m, func(task asl.ScheduleTask) answer {
		most = max(most, len(d.state.Frames)-1)
		v := task.Arguments.Value().(value.Number)
		return answer{output: value.Of("r" + string(v))}
	})
	d.run(value.Of(items))
	out, _ := d.complete.Output.Value().(value.Array)
	if len(out) != 100 || out[0] != "r0" || out[99] != "r99" {
		t.Errorf("%s", d.complete.Output)
	}
	if most > 100 || most < 40 {
		t.Errorf("%d frames at once", most)
	}
}

func TestProblemsTellWhereAndWhat(t *testing.T) {
	_, problems := asl.Parse([]byte("{\n \"StartAt\": \"Frist\",\n \"States\": {\n  \"First\": {\"Type\": \"Pas\", \"End\": true},\n" +
		"  \"Second\": {\"Type\": \"Pass\", \"Nxt\": \"First\", \"End\": true}\n }\n}"))
	got := make([]string, len(problems))
	for i, p := range problems {
		got[i] = fmt.Sprintf("%s @%s ?%s", p.String()[:strings.Index(p.String(), " ")], p.Pointer, p.Suggestion)
	}
	want := []string{"4:21: @/States/First/Type ?Pass", "5:37: @/States/Second/Nxt ?Next", "2:13: @/StartAt ?First"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff, problems)
	}
}
