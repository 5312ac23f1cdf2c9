package memory_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/internal-app-portal/iap/asl"
	"github.com/internal-app-portal/iap/asl/value"
	"github.com/internal-app-portal/iap/workflow/memory"
)

func parse(t testing.TB, definition string) *asl.Machine {
	t.Helper()
	m, problems := asl.Parse([]byte(definition))
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	return m
}

// one is a machine with one state, which ends it.
func one(t testing.TB, state string) *asl.Machine {
	return parse(t, `{"StartAt":"A","States":{"A":`+strings.TrimSuffix(state, "}")+`,"End":true}}}`)
}

const task = `{"Type":"Task","Resource":"arn:iap:states:::job:apply"}`

var empty = value.MustText("{}")

func types(events []asl.HistoryEvent) string {
	var all []string
	for _, e := range events {
		all = append(all, e.Type)
	}
	return strings.Join(all, " ")
}

func TestVirtualTimeTakesNone(t *testing.T) {
	m := one(t, `{"Type":"Wait","Seconds":86400}`)
	began := time.Now()
	r, err := memory.Run(t.Context(), m, empty, memory.Options{Clock: memory.Virtual, History: true})
	if err != nil || r.Status != asl.Succeeded {
		t.Fatal(r.Status, err)
	}
	if took := r.EndedAt.Sub(r.StartedAt); took != 24*time.Hour {
		t.Errorf("the execution took %s of its time, want a day", took)
	}
	if took := time.Since(began); took > 10*time.Second {
		t.Errorf("it took %s of ours", took)
	}
	if got, want := types(r.Events), "ExecutionStarted WaitStateEntered WaitStateExited ExecutionSucceeded"; got != want {
		t.Errorf("events %s, want %s", got, want)
	}
}

func TestRealTimeTakesIts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, err := memory.Run(t.Context(), one(t, `{"Type":"Wait","Seconds":90}`), empty, memory.Options{})
		if err != nil || r.Status != asl.Succeeded || r.EndedAt.Sub(r.StartedAt) != 90*time.Second {
			t.Fatal(r, err)
		}
		if r.Events != nil {
			t.Error("there is a history that nobody asked for")
		}
	})
}

func TestTasksRunBesideEachOther(t *testing.T) {
	m := parse(t, `{"StartAt":"P","States":{"P":{"Type":"Parallel","End":true,"Branches":[
		{"StartAt":"A","States":{"A":{"Type":"Task","Resource":"arn:iap:states:::job:apply","End":true}}},
		{"StartAt":"B","States":{"B":{"Type":"Task","Resource":"arn:iap:states:::job:apply","End":true}}}]}}}`)
	meet := make(chan string)
	r, err := memory.Run(t.Context(), m, empty, memory.Options{Task: func(_ context.Context, task asl.ScheduleTask) memory.Answer {
		// Each needs the other one to go on.
		select {
		case meet <- task.State:
			return memory.Answer{Output: value.Of(<-meet)}
		case other := <-meet:
			meet <- task.State
			return memory.Answer{Output: value.Of(other)}
		}
	}})
	if err != nil || r.Output.String() != `["B","A"]` {
		t.Fatal(r.Output, err)
	}
}

func TestTimeoutEndsTheHandler(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ended := make(chan struct{})
		m := one(t, `{"Type":"Task","Resource":"arn:iap:states:::job:apply","TimeoutSeconds":5}`)
		r, err := memory.Run(t.Context(), m, empty, memory.Options{Task: func(ctx context.Context, _ asl.ScheduleTask) memory.Answer {
			<-ctx.Done()
			close(ended)
			return memory.Answer{}
		}})
		if err != nil || r.Status != asl.Failed || *r.Error != "States.Timeout" {
			t.Fatal(r, err)
		}
		<-ended
	})
}

func TestTimeoutOfTheExecution(t *testing.T) {
	r, err := memory.Run(t.Context(), one(t, `{"Type":"Wait","Seconds":600}`), empty,
		memory.Options{Clock: memory.Virtual, Timeout: 5 * time.Minute})
	if err != nil || r.Status != asl.TimedOut || r.EndedAt.Sub(r.StartedAt) != 5*time.Minute {
		t.Fatal(r, err)
	}
}

func TestSilentTask(t *testing.T) {
	silent := func(context.Context, asl.ScheduleTask) memory.Answer { return memory.Answer{Silent: true} }
	for _, clock := range []memory.Clock{memory.Real, memory.Virtual} {
		if _, err := memory.Run(t.Context(), one(t, task), empty, memory.Options{Clock: clock, Task: silent}); !errors.Is(err, memory.ErrStuck) {
			t.Errorf("clock %d: %v", clock, err)
		}
	}
}

func TestLateAnswerLosesToTheTimeout(t *testing.T) {
	m := one(t, `{"Type":"Task","Resource":"arn:iap:states:::job:apply","TimeoutSeconds":5}`)
	for after, want := range map[time.Duration]asl.Status{4 * time.Second: asl.Succeeded, 6 * time.Second: asl.Failed} {
		r, err := memory.Run(t.Context(), m, empty, memory.Options{Clock: memory.Virtual, Task: func(context.Context, asl.ScheduleTask) memory.Answer {
			return memory.Answer{Output: empty, After: after}
		}})
		if err != nil || r.Status != want {
			t.Errorf("after %s: %s %v, want %s", after, r.Status, err, want)
		}
	}
}

func TestStop(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	r, err := memory.Run(ctx, one(t, task), empty, memory.Options{Task: func(ctx context.Context, _ asl.ScheduleTask) memory.Answer {
		cancel(&memory.Stop{Name: "Enough", Cause: "said Jane"})
		<-ctx.Done()
		return memory.Answer{Output: empty}
	}})
	if err != nil || r.Status != asl.Aborted || *r.Error != "Enough" || *r.Cause != "said Jane" {
		t.Fatal(r, err)
	}
}

func TestBrokenOff(t *testing.T) {
	loop := parse(t, `{"StartAt":"A","States":{"A":{"Type":"Choice","Default":"A","Choices":[
		{"Variable":"$.end","IsPresent":true,"Next":"B"}]},"B":{"Type":"Succeed"}}}`)
	ctx, cancel := context.WithCancel(t.Context())
	events := 0
	_, err := memory.Run(ctx, loop, empty, memory.Options{Clock: memory.Virtual, OnEvent: func(asl.HistoryEvent) {
		if events++; events == 1000 {
			cancel()
		}
	}})
	if !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
}

func TestSameRunTwice(t *testing.T) {
	m := one(t, `{"Type":"Pass","Parameters":{"id.$":"States.UUID()","n.$":"States.MathRandom(1, 1000000)"}}`)
	var outputs [2]string
	for i := range outputs {
		r, err := memory.Run(t.Context(), m, empty, memory.Options{Clock: memory.Virtual})
		if err != nil {
			t.Fatal(err)
		}
		outputs[i] = r.Output.String()
	}
	if outputs[0] != outputs[1] {
		t.Errorf("%s, then %s", outputs[0], outputs[1])
	}
}

func TestInput(t *testing.T) {
	if _, err := memory.Run(t.Context(), one(t, task), value.Trusted(`{"a":`), memory.Options{}); !errors.Is(err, asl.ErrInput) {
		t.Fatal(err)
	}
}

func TestPanics(t *testing.T) {
	for _, clock := range []memory.Clock{memory.Real, memory.Virtual} {
		r, err := memory.Run(t.Context(), one(t, task), empty, memory.Options{Clock: clock,
			Task: func(context.Context, asl.ScheduleTask) memory.Answer { panic("handler") }})
		if err != nil || r.Status != asl.Failed || *r.Error != memory.ErrorFault {
			t.Errorf("clock %d: %v %v", clock, r, err)
		}
	}
	var fault *memory.Fault
	_, err := memory.Run(t.Context(), one(t, task), empty, memory.Options{OnEvent: func(asl.HistoryEvent) { panic("listener") }})
	if !errors.As(err, &fault) || fault.Panic != "listener" {
		t.Errorf("got %v", err)
	}
}
