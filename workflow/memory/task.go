package memory

import (
	"context"
	"log/slog"
	"runtime/debug"
	"time"

	"github.com/internal-app-portal/iap/asl"
	"github.com/internal-app-portal/iap/asl/value"
)

// Handler does one task. With the real clock it runs in a goroutine of its own
// and ctx ends when the task's result is no longer wanted. A panic fails
// the task alone.
type Handler func(ctx context.Context, t asl.ScheduleTask) Answer

// Answer is what became of a task.
type Answer struct {
	// Submitted is, for .sync and .waitForTaskToken, the answer of the call that
	// handed the work over; absent: it is not told.
	Submitted value.JSON
	// Output is the result, unless Failure or Silent are set.
	Output  value.JSON
	Failure *Failure
	// Silent: no answer ever comes; the task's time-outs are what ends it.
	Silent bool
	// After is how much virtual time the task takes. The real clock does not
	// look at it.
	After time.Duration
}

// Failure is the error of a task.
type Failure struct {
	// Error and Cause may be empty.
	Error, Cause string
	// TimedOut: the service behind the task gave up waiting.
	TimedOut bool
	// Heartbeat: it did so for want of a heartbeat.
	Heartbeat bool
}

// Fail is the Answer of a task that failed.
func Fail(name, cause string) Answer { return Answer{Failure: &Failure{Error: name, Cause: cause}} }

func (a Answer) signal(t asl.ScheduleTask) asl.Signal {
	f := a.Failure
	switch {
	case f == nil:
		return asl.TaskSucceeded{Frame: t.Frame, Attempt: t.Attempt, Output: a.Output}
	case f.Heartbeat:
		return asl.HeartbeatTimedOut{Frame: t.Frame, Attempt: t.Attempt, Error: f.Error, Cause: f.Cause}
	case f.TimedOut:
		return asl.TaskTimedOut{Frame: t.Frame, Attempt: t.Attempt, Error: f.Error, Cause: f.Cause}
	}
	return asl.TaskFailed{Frame: t.Frame, Attempt: t.Attempt, Error: f.Error, Cause: f.Cause}
}

// taskKey names an attempt of a task.
type taskKey struct {
	frame   asl.FrameID
	attempt int
}

// answered is an answer on its way to the execution.
type answered struct {
	key     taskKey
	signals []asl.Signal
}

// noHandler answers where nobody does tasks.
func noHandler(_ context.Context, t asl.ScheduleTask) Answer {
	return Fail("States.Runtime", "There is nobody here to do the task "+t.Resource.ARN+".")
}

// ErrorFault is the name of the error of a task whose handler panicked.
const ErrorFault = "Portal.Fault"

// handler is what does the tasks; a panic of it fails the task alone.
func (x *execution) handler() Handler {
	if x.Task == nil {
		return noHandler
	}
	return func(ctx context.Context, t asl.ScheduleTask) (a Answer) {
		defer func() {
			if v := recover(); v != nil {
				slog.Error("a task's handler panicked", "resource", t.Resource.ARN, "panic", v, "stack", string(debug.Stack()))
				a = Fail(ErrorFault, "The task failed by a fault of the portal.")
			}
		}()
		return x.Task(ctx, t)
	}
}

// begin does a task: at once with the virtual clock, else in a goroutine.
func (x *execution) begin(t asl.ScheduleTask) error {
	key := taskKey{t.Frame, t.Attempt}
	if !x.wanted(key) {
		return nil
	}
	if err := x.step(asl.TaskStarted{Frame: t.Frame, Attempt: t.Attempt, WorkerName: x.Worker}); err != nil || x.complete != nil {
		return err
	}
	do := x.handler()
	if x.Clock == Virtual {
		a := do(x.ctx, t)
		if !a.Submitted.IsZero() {
			if err := x.step(asl.TaskSubmitted{Frame: t.Frame, Attempt: t.Attempt, Output: a.Submitted}); err != nil {
				return err
			}
		}
		switch {
		case a.Silent:
			return nil
		case a.After > 0:
			x.timers.push(due{at: x.at.Add(a.After), order: x.number(), signal: a.signal(t)})
			return nil
		}
		return x.step(a.signal(t))
	}
	x.beside(key, func(ctx context.Context) []asl.Signal {
		a := do(ctx, t)
		var signals []asl.Signal
		if !a.Submitted.IsZero() {
			signals = append(signals, asl.TaskSubmitted{Frame: t.Frame, Attempt: t.Attempt, Output: a.Submitted})
		}
		if !a.Silent {
			signals = append(signals, a.signal(t))
		}
		return signals
	})
	return nil
}

// wanted tells whether a task's result is still waited for.
func (x *execution) wanted(key taskKey) bool {
	f := x.state.Frames[key.frame]
	return f != nil && f.Phase == asl.PhaseTask && f.Attempt == key.attempt
}

// beside runs work in a goroutine; what it answers is taken by the execution.
func (x *execution) beside(key taskKey, work func(context.Context) []asl.Signal) {
	if x.answers == nil {
		x.answers, x.running = make(chan answered), map[taskKey]context.CancelFunc{}
	}
	ctx, cancel := context.WithCancel(x.ctx)
	x.running[key] = cancel
	x.work.Go(func() {
		signals := work(ctx)
		select {
		case x.answers <- answered{key, signals}:
		case <-x.ctx.Done():
		}
	})
}
