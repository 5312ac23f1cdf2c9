// Package memory runs executions of state machines in memory, with the same
// asl.Step as the durable engine: Express executions, the iterations of a
// distributed Map that are none of their own, and tests of state machines.
//
// One call of Run is one execution. It is one goroutine that owns the State;
// only the handlers of tasks run beside it, and Run waits for them before it
// returns.
package memory

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime/debug"
	"time"

	"github.com/internal-app-portal/iap/asl"
	"github.com/internal-app-portal/iap/asl/value"
	"github.com/internal-app-portal/iap/bucket"
)

// Clock is how time passes for an execution.
type Clock int

const (
	// Real: timers take their time and handlers run beside each other.
	Real Clock = iota
	// Virtual: nothing takes time. Handlers are called one after the other, and
	// when none of them is under way the clock jumps to what is due next. The
	// same machine, input, handlers and Options give the same history.
	Virtual
)

// Options say how to run an execution. The zero Options will do for a machine
// without tasks.
type Options struct {
	// Env is given to each step. Now, Execution.Input and Execution.StartTime
	// are set by Run. A nil Rand is math/rand, or with the virtual clock a
	// sequence that is always the same.
	Env   asl.Env
	Clock Clock
	// Start is when the execution begins; zero: now, or with the virtual clock
	// the first moment of 2026.
	Start time.Time
	// Timeout ends the execution as TIMED_OUT; of this and the machine's own
	// TimeoutSeconds the lesser counts. 0: the machine's alone. Whole seconds.
	Timeout time.Duration
	// Task does the tasks. Nil: each fails with States.Runtime.
	Task Handler
	// ChildTask does the tasks of the children of distributed Map states. Nil:
	// Task does.
	ChildTask Handler
	// Buckets is what distributed Map states read from and write to. Nil: there
	// are none.
	Buckets bucket.Buckets
	// Worker is the name under which the history has the workers of activities.
	Worker string
	// History keeps the events in the Result.
	History bool
	// OnEvent is called for each event, in order, by Run's goroutine.
	OnEvent func(asl.HistoryEvent)
	// OnStep is called after each step with the State as it is then. What it
	// returns, unless it is nil, takes its place: a test may let the State go
	// through its stored form.
	OnStep func(*asl.State, asl.Outcome) *asl.State
	// StopWhenWaiting is sent the first time that only the passing of time or a
	// task's answer can let the execution go on.
	StopWhenWaiting *asl.Stop
}

// Result is how an execution ended.
type Result struct {
	Status asl.Status
	// Output is there when Status is Succeeded.
	Output value.JSON
	// Error and Cause may be nil.
	Error, Cause *string
	// Events are the history, if Options.History asks for it.
	Events             []asl.HistoryEvent
	StartedAt, EndedAt time.Time
	// State is the last position, for a redrive or a look at the variables.
	State *asl.State
}

// ErrStuck tells that an execution waits for an answer that never comes.
var ErrStuck = errors.New("the execution waits for something that never happens")

// Fault is a panic of the engine or of what Options have it call: it ends the
// one execution, not the process.
type Fault struct {
	Panic any
	Stack []byte
}

func (f *Fault) Error() string {
	return fmt.Sprintf("the engine failed by a fault of its own: %v", f.Panic)
}

// Stop, as the cause of the end of Run's context, ends the execution as ABORTED
// instead of breaking it off.
type Stop struct{ Name, Cause string }

// Error returns the name and the cause.
func (s *Stop) Error() string { return "the execution was stopped: " + s.Name + ": " + s.Cause }

// Run runs an execution until it ends. An error is not the execution's own: it
// is asl.ErrInput, ErrStuck, a *Fault, or the cause of ctx when that ends before,
// unless this is a *Stop.
func Run(ctx context.Context, m *asl.Machine, input value.JSON, o Options) (result Result, err error) {
	x := newExecution(ctx, m, input, o)
	defer x.end()
	defer func() {
		if v := recover(); v != nil {
			result, err = Result{}, &Fault{Panic: v, Stack: debug.Stack()}
		}
	}()
	if err := x.step(asl.Start{Input: input}); err != nil {
		return Result{}, err
	}
	for x.complete == nil {
		if err := x.next(); err != nil {
			return Result{}, err
		}
	}
	return Result{Status: x.complete.Status, Output: x.complete.Output, Error: x.complete.Error, Cause: x.complete.Cause,
		Events: x.events, StartedAt: x.env.Execution.StartTime, EndedAt: x.now(), State: x.state}, nil
}

func newExecution(ctx context.Context, m *asl.Machine, input value.JSON, o Options) *execution {
	if o.Start.IsZero() {
		o.Start = time.Now()
		if o.Clock == Virtual {
			o.Start = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
		}
	}
	if seconds := int64(o.Timeout / time.Second); seconds > 0 && (m.TimeoutSeconds == 0 || seconds < m.TimeoutSeconds) {
		bounded := *m
		bounded.TimeoutSeconds = seconds
		m = &bounded
	}
	x := &execution{Options: o, m: m, state: &asl.State{}, env: o.Env, at: o.Start, outer: ctx}
	x.env.Execution.Input, x.env.Execution.StartTime = input, o.Start
	if x.env.Rand == nil {
		x.env.Rand = rand.Float64
		if o.Clock == Virtual {
			x.env.Rand = rand.New(rand.NewPCG(1, 2)).Float64
		}
	}
	if x.env.NewUUID == nil {
		x.env.NewUUID = x.newUUID
	}
	x.ctx, x.cancel = context.WithCancelCause(ctx)
	return x
}

// newUUID makes a UUID of version 4 (RFC 9562) out of the random numbers, so
// that with the virtual clock it is the same in each run.
func (x *execution) newUUID() string {
	var b [16]byte
	for i := range b {
		b[i] = byte(x.env.Rand() * 256)
	}
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}
