package asl_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/internal-app-portal/iap/asl"
	"github.com/internal-app-portal/iap/asl/jsonata"
	"github.com/internal-app-portal/iap/asl/value"
)

// answer is what a task's mock gives: a result, an error or silence.
type answer struct {
	submitted value.JSON
	output    value.JSON
	fails     bool
	timeout   bool
	err       string
	cause     string
}

// driver runs an execution on a virtual clock.
type driver struct {
	t       *testing.T
	m       *asl.Machine
	state   *asl.State
	env     asl.Env
	answers func(asl.ScheduleTask) answer
	// between is called after every step; it may replace the state.
	between func(*asl.State) *asl.State

	timers    []asl.SetTimer
	tasks     []asl.ScheduleTask
	ready     []asl.FrameID
	events    []asl.HistoryEvent
	scheduled []asl.ScheduleTask
	complete  *asl.Complete
	steps     int
}

func newDriver(t *testing.T, m *asl.Machine, answers func(asl.ScheduleTask) answer) *driver {
	start := time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)
	r := rand.New(rand.NewPCG(1, 2))
	uuids := 0
	d := &driver{t: t, m: m, state: &asl.State{}, answers: answers}
	pool := jsonata.NewPool(jsonata.Config{})
	t.Cleanup(pool.Close)
	d.env = asl.Env{
		Now: start, Rand: r.Float64, JSONata: pool,
		NewUUID: func() string {
			uuids++
			return fmt.Sprintf("00000000-0000-4000-8000-%012d", uuids)
		},
		Execution: asl.ExecutionInfo{
			ID:   "arn:aws:states:us-east-1:111111111111:execution:machine:name",
			Name: "name", RoleARN: "snf_role_arn", StartTime: start,
		},
		StateMachine: asl.StateMachineInfo{ID: "arn:aws:states:us-east-1:111111111111:stateMachine:machine", Name: "machine"},
	}
	return d
}

const maxSteps = 100_000

// run starts the execution and goes on until it ends or nothing can happen.
func (d *driver) run(input value.JSON) {
	d.t.Helper()
	d.env.Execution.Input = input
	d.step(asl.Start{Input: input})
	for d.complete == nil && d.steps < maxSteps && d.next() {
	}
}

// next lets the next thing happen; false when there is none.
func (d *driver) next() bool {
	switch {
	case len(d.ready) > 0:
		id := d.ready[0]
		d.ready = d.ready[1:]
		d.step(asl.Advance{Frame: id})
	case len(d.tasks) > 0:
		task := d.tasks[0]
		d.tasks = d.tasks[1:]
		d.answer(task)
	case len(d.timers) > 0:
		first := slices.MinFunc(d.timers, func(a, b asl.SetTimer) int { return a.At.Compare(b.At) })
		d.timers = slices.DeleteFunc(d.timers, func(s asl.SetTimer) bool { return s.ID == first.ID })
		if first.At.After(d.env.Now) {
			d.env.Now = first.At
		}
		d.step(asl.TimerFired{Frame: first.Frame, ID: first.ID})
	default:
		return false
	}
	return true
}

func (d *driver) answer(task asl.ScheduleTask) {
	a := d.answers(task)
	d.step(asl.TaskStarted{Frame: task.Frame, Attempt: task.Attempt, WorkerName: "BASE_ID_ACTIVITY_CONSUMER"})
	if !a.submitted.IsZero() && d.complete == nil {
		d.step(asl.TaskSubmitted{Frame: task.Frame, Attempt: task.Attempt, Output: a.submitted})
	}
	switch {
	case d.complete != nil: // the history was full
	case a.timeout && task.TimeoutSeconds == 0 && task.HeartbeatSeconds == 0:
		d.step(asl.TaskTimedOut{Frame: task.Frame, Attempt: task.Attempt, Error: a.err, Cause: a.cause})
	case a.timeout: // its timer fires
	case a.fails:
		d.step(asl.TaskFailed{Frame: task.Frame, Attempt: task.Attempt, Error: a.err, Cause: a.cause})
	default:
		d.step(asl.TaskSucceeded{Frame: task.Frame, Attempt: task.Attempt, Output: a.output})
	}
}

// step takes one signal and carries its commands out.
func (d *driver) step(sig asl.Signal) {
	d.t.Helper()
	d.steps++
	out, err := asl.Step(d.m, d.state, sig, d.env)
	if err != nil {
		d.t.Fatalf("step %d, %T: %v", d.steps, sig, err)
	}
	d.events = append(d.events, out.Events...)
	d.ready = append(d.ready, out.Ready...)
	for _, c := range out.Commands {
		d.carryOut(c)
	}
	if out.Complete != nil {
		d.complete = out.Complete
	}
	// Frames may have been cancelled since they became ready.
	d.ready = slices.DeleteFunc(d.ready, func(id asl.FrameID) bool {
		f := d.state.Frames[id]
		return f == nil || f.Phase != asl.PhaseReady
	})
	if d.between != nil {
		d.state = d.between(d.state)
	}
}

func (d *driver) carryOut(c asl.Command) {
	switch c := c.(type) {
	case asl.ScheduleTask:
		d.tasks = append(d.tasks, c)
		d.scheduled = append(d.scheduled, c)
	case asl.SetTimer:
		d.timers = append(d.timers, c)
	case asl.CancelTimer:
		d.timers = slices.DeleteFunc(d.timers, func(s asl.SetTimer) bool { return s.ID == c.ID })
	case asl.CancelTask:
		d.tasks = slices.DeleteFunc(d.tasks, func(s asl.ScheduleTask) bool { return s.Frame == c.Frame && s.Attempt == c.Attempt })
	}
}

// roundTrip writes the state and reads it back, as a durable executor does.
func roundTrip(t *testing.T) func(*asl.State) *asl.State {
	return func(s *asl.State) *asl.State {
		b, err := json.Marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		back := new(asl.State)
		if err := json.Unmarshal(b, back); err != nil {
			t.Fatal(err)
		}
		again, err := json.Marshal(back)
		if err != nil || string(again) != string(b) {
			t.Fatalf("the state changed by being stored: %v\n%s\n%s", err, b, again)
		}
		return back
	}
}
