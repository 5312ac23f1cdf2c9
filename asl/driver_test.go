package asl_test

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/internal-app-portal/iap/asl"
	"github.com/internal-app-portal/iap/asl/jsonata"
	"github.com/internal-app-portal/iap/asl/value"
	"github.com/internal-app-portal/iap/workflow/maprun"
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

// mapRunEnd is how a map run ended, and when.
type mapRunEnd struct {
	asl.MapRunEnded
	at time.Time
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
	runs      []asl.StartMapRun
	ended     []mapRunEnd // how map runs ended, in the order in which they did
	replay    []mapRunEnd // how they are to end, instead of being done
	children  []string    // the events of the children of map runs
	ready     []asl.FrameID
	events    []asl.HistoryEvent
	scheduled []asl.ScheduleTask
	complete  *asl.Complete
	steps     int
}

func newDriver(t *testing.T, m *asl.Machine, answers func(asl.ScheduleTask) answer) *driver {
	pool := jsonata.NewPool(jsonata.Config{})
	t.Cleanup(pool.Close)
	return newDriverOn(t, m, answers, pool)
}

func newDriverOn(t *testing.T, m *asl.Machine, answers func(asl.ScheduleTask) answer, pool asl.Evaluator) *driver {
	start := time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)
	r := rand.New(rand.NewPCG(1, 2))
	uuids := 0
	d := &driver{t: t, m: m, state: &asl.State{}, answers: answers}
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
	case len(d.runs) > 0:
		run := d.runs[0]
		d.runs = d.runs[1:]
		d.mapRun(run)
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
	case asl.StartMapRun:
		d.runs = append(d.runs, d.storedOrder(c))
	case asl.StopMapRun:
		d.runs = slices.DeleteFunc(d.runs, func(s asl.StartMapRun) bool { return s.Frame == c.Frame && s.Attempt == c.Attempt })
	case asl.SetTimer:
		d.timers = append(d.timers, c)
	case asl.CancelTimer:
		d.timers = slices.DeleteFunc(d.timers, func(s asl.SetTimer) bool { return s.ID == c.ID })
	case asl.CancelTask:
		d.tasks = slices.DeleteFunc(d.tasks, func(s asl.ScheduleTask) bool { return s.Frame == c.Frame && s.Attempt == c.Attempt })
	}
}

// mapRun does a map run, each child as an execution of its own.
func (d *driver) mapRun(c asl.StartMapRun) {
	d.t.Helper()
	var end mapRunEnd
	if len(d.replay) > len(d.ended) {
		end = d.replay[len(d.ended)]
		end.Frame, end.Attempt = c.Frame, c.Attempt
	} else {
		var err error
		end.MapRunEnded, end.at, err = maprun.Run(d.t.Context(), d.m, c, maprun.Options{Env: d.env, Virtual: true, Now: d.env.Now, Child: d.child})
		if err != nil {
			d.t.Fatalf("a map run of %s: %v", c.Order.State, err)
		}
	}
	if end.at.After(d.env.Now) {
		d.env.Now = end.at
	}
	d.ended = append(d.ended, end)
	d.step(end.MapRunEnded)
}

// child runs one child of a map run, stored as its parent is.
func (d *driver) child(_ context.Context, c maprun.Child) (maprun.Ended, error) {
	child := newDriverOn(d.t, c.Machine, d.answers, d.env.JSONata)
	child.between, child.env.Limits = d.between, d.env.Limits
	child.env.Now, child.env.Execution.StartTime = c.Start, c.Start
	child.env.Execution.Name, child.env.Execution.ID = c.Name, c.ARN
	child.run(c.Input)
	if child.complete == nil {
		return maprun.Ended{}, fmt.Errorf("the child %s did not end", c.Name)
	}
	for _, e := range child.events {
		b, err := json.Marshal(e)
		if err != nil {
			return maprun.Ended{}, err
		}
		d.children = append(d.children, c.Name+" "+string(b))
	}
	d.children = append(d.children, child.children...)
	end := child.complete
	return maprun.Ended{Status: end.Status, Output: end.Output, Error: end.Error, Cause: end.Cause, At: child.env.Now}, nil
}

// storedOrder is what is left of an order that is stored where states are.
func (d *driver) storedOrder(c asl.StartMapRun) asl.StartMapRun {
	if d.between == nil {
		return c
	}
	b, err := json.Marshal(c.Order)
	if err != nil {
		d.t.Fatal(err)
	}
	c.Order = asl.MapRunOrder{}
	if err := json.Unmarshal(b, &c.Order); err != nil {
		d.t.Fatal(err)
	}
	return c
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
