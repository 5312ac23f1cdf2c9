package workflow

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"sync"
	"time"

	iap "github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/asl"
	"github.com/internal-app-portal/iap/asl/value"
	"github.com/internal-app-portal/iap/workflow/memory"
)

// expressTimeout is how long an Express execution may take, as on AWS.
const expressTimeout = 5 * time.Minute

// ErrExpressLimit is the cause of a Limit error: as many Express executions as
// may run at once do so.
var ErrExpressLimit = errors.New("too many Express executions run at once; try again in a moment")

// ExpressConfig is what ExpressRuns need.
type ExpressConfig struct {
	Engine *Engine
	// Parallel is how many run at once at most; 0: 1,000.
	Parallel int
	// Keep bounds what is remembered of those that ended: how many, and the
	// bytes of their inputs, outputs and histories. 0: 1,000 and 32 MiB.
	Keep, KeepBytes int
}

// ExpressRuns runs Express executions: in memory, of at most five minutes, lost
// when the process ends. Tasks are called as those of Standard executions are,
// but none may be waited for (.sync, .waitForTaskToken, activities).
type ExpressRuns struct {
	ExpressConfig
	mu      sync.Mutex
	running map[string]ExpressExecution // by ID
	ended   expressRing
	last    int64
	counts  map[Status]int64
}

// NewExpressRuns returns the service.
func NewExpressRuns(cfg ExpressConfig) *ExpressRuns {
	if cfg.Parallel == 0 {
		cfg.Parallel = 1000
	}
	if cfg.Keep == 0 {
		cfg.Keep = 1000
	}
	if cfg.KeepBytes == 0 {
		cfg.KeepBytes = 32 << 20
	}
	return &ExpressRuns{ExpressConfig: cfg, running: map[string]ExpressExecution{}, counts: map[Status]int64{},
		ended: expressRing{limit: cfg.Keep, maxBytes: cfg.KeepBytes}}
}

// ExpressRequest says what to start.
type ExpressRequest struct {
	Target Target
	Name   string // empty: a random one; it need not be unique
	Input  json.RawMessage
	Owner  string
}

// ExpressExecution is an Express execution that runs or has ended.
type ExpressExecution struct {
	ID           string
	ARN          string
	Name         string
	Machine      string // name of the state machine
	StateMachine string // ID of its definition
	Owner        string
	Status       Status
	// Input, Output and History are there in what StartSync returns; of those
	// that are remembered, where the state machine's logging is on.
	Input        json.RawMessage
	Output       json.RawMessage
	Error, Cause string
	History      []asl.HistoryEvent
	StartedAt    time.Time
	EndedAt      time.Time // zero while Running

	number int64 // in the order of their starts
}

// Billed is the duration as AWS would bill it: in steps of 100 ms.
func (x ExpressExecution) Billed() time.Duration {
	const unit = 100 * time.Millisecond
	return max(unit, (x.EndedAt.Sub(x.StartedAt)+unit-1)/unit*unit)
}

// BilledMemoryMB is what AWS bills at least.
const BilledMemoryMB = 64

// Start starts an execution and returns at once. Errors: Limit
// (ErrExpressLimit), Invalid (input), NotFound (the definition).
func (r *ExpressRuns) Start(ctx context.Context, req ExpressRequest) (ExpressExecution, error) {
	x, _, err := r.start(ctx, req)
	return x, err
}

// StartSync starts an execution and waits for its end. When ctx ends first the
// execution goes on, and the error is the cause of that.
func (r *ExpressRuns) StartSync(ctx context.Context, req ExpressRequest) (ExpressExecution, error) {
	x, done, err := r.start(ctx, req)
	if err != nil {
		return x, err
	}
	select {
	case x := <-done:
		if x.Status == "" {
			return x, iap.Errorf("workflow.StartSync", iap.Unavailable, "the portal is stopping; start it again")
		}
		return x, nil
	case <-ctx.Done():
		return x, context.Cause(ctx)
	}
}

func (r *ExpressRuns) start(ctx context.Context, req ExpressRequest) (ExpressExecution, <-chan ExpressExecution, error) {
	const op = "workflow.StartExpress"
	e := r.Engine
	p, err := e.machine(ctx, req.Target.StateMachine)
	if err != nil {
		return ExpressExecution{}, nil, err
	}
	input, err := value.FromText(string(orEmpty(req.Input)))
	if err != nil {
		return ExpressExecution{}, nil, iap.FieldErrorf(op, "input", "it is not JSON: %v", err)
	}
	now := e.Now()
	x := ExpressExecution{ID: iap.NewID(now), Name: req.Name, Machine: p.name, StateMachine: req.Target.StateMachine, Owner: req.Owner,
		Status: Running, Input: json.RawMessage(input.String()), StartedAt: now}
	if x.Name == "" {
		x.Name = newUUID()
	}
	x.ARN = expressARN(x)
	if !r.admit(&x) {
		return x, nil, &iap.Error{Op: op, Kind: iap.Limit, RetryAfter: time.Second, Err: ErrExpressLimit}
	}
	done := make(chan ExpressExecution, 1)
	run := &expressRun{Engine: e, x: x, machine: p.machine, input: input}
	if !e.goes(func() { done <- r.finish(run.run(), req.Target.Log) }) {
		r.forget(x.ID)
		return x, nil, iap.E(op, iap.Unavailable, errStopped)
	}
	return x, done, nil
}

// expressARN names one execution: two may have the same name.
func expressARN(x ExpressExecution) string {
	return "arn:iap:states:::express:" + x.Machine + ":" + x.Name + ":" + x.ID
}

// admit takes an execution in, if there is room.
func (r *ExpressRuns) admit(x *ExpressExecution) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.running) >= r.Parallel {
		return false
	}
	r.last++
	x.number = r.last
	r.running[x.ID] = *x
	return true
}

func (r *ExpressRuns) forget(id string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.running, id)
}

// finish remembers an execution that ended; one that was broken off because the
// portal stops has no status.
func (r *ExpressRuns) finish(x ExpressExecution, log bool) ExpressExecution {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.running, x.ID)
	if x.Status == "" {
		return x
	}
	r.counts[x.Status]++
	kept := x
	if !log {
		kept.Input, kept.Output, kept.History = nil, nil, nil
	}
	r.ended.add(kept)
	return x
}

// expressRun is one execution under way.
type expressRun struct {
	*Engine
	x       ExpressExecution
	machine *asl.Machine
	input   value.JSON
}

func (r *expressRun) run() ExpressExecution {
	x := r.x
	env := r.expressEnv(x)
	result, err := memory.Run(r.ctx, r.machine, r.input, memory.Options{Env: env, Start: x.StartedAt, Timeout: expressTimeout,
		Task: r.do, History: true, Buckets: r.Buckets})
	switch {
	case err == nil:
	case r.ctx.Err() != nil:
		x.Status = ""
		return x
	default:
		x.Status, x.Error, x.Cause, x.EndedAt = Failed, "States.Runtime", "The execution failed by a fault of the portal.", r.Now()
		if errors.Is(err, asl.ErrInput) {
			x.Cause = "The input is too large."
		} else {
			slog.Error("an Express execution failed by a fault of the portal", "execution", x.ARN, "err", err)
		}
		return x
	}
	x.Status, x.History, x.EndedAt = Status(result.Status), result.Events, result.EndedAt.UTC().Truncate(time.Millisecond)
	if result.Status == asl.Succeeded {
		x.Output = json.RawMessage(result.Output.String())
	}
	if result.Error != nil {
		x.Error = *result.Error
	}
	if result.Cause != nil {
		x.Cause = *result.Cause
	}
	return x
}

// do does a task: in a transaction of its own where its handler wants one.
func (r *expressRun) do(ctx context.Context, t asl.ScheduleTask) memory.Answer {
	if t.Resource.Integration != asl.RequestResponse || t.Resource.IsActivity() {
		return memory.Fail("States.Runtime", "An Express execution cannot wait for "+t.Resource.ARN+".")
	}
	h, ok := r.Handlers[handlerKey(t.Resource)]
	if !ok {
		return memory.Fail("States.Runtime", r.noSuchTask(t.Resource))
	}
	out, err := r.call(ctx, h, Call{Execution: r.x.ID, Frame: int64(t.Frame), Attempt: int64(t.Attempt), State: t.State,
		Resource: t.Resource, Arguments: json.RawMessage(t.Arguments.String()), Input: r.x.Input, Owner: r.x.Owner})
	var failed *TaskError
	switch {
	case errors.As(err, &failed):
		return memory.Fail(failed.Name, failed.Cause)
	case err != nil:
		if ctx.Err() == nil {
			slog.Error("a task failed by a fault of the portal", "resource", t.Resource.ARN, "err", err)
		}
		return memory.Fail(errorFault, "The task failed by a fault of the portal.")
	}
	result, err := value.FromText(string(orEmpty(out)))
	if err != nil {
		slog.Error("the result of a task is not JSON", "resource", t.Resource.ARN, "err", err)
		return memory.Fail(errorFault, "The task failed by a fault of the portal.")
	}
	return memory.Answer{Output: result}
}

func (r *expressRun) call(ctx context.Context, h Handler, c Call) (out json.RawMessage, err error) {
	if h.Commit == nil {
		return h.Run(ctx, c)
	}
	err = r.Tx.Update(ctx, func(ctx context.Context) error {
		out, err = h.Commit(ctx, c)
		return err
	})
	return out, err
}

func (r *expressRun) expressEnv(x ExpressExecution) asl.Env {
	return asl.Env{JSONata: r.JSONata, Limits: asl.Limits{PayloadBytes: r.Limits.PayloadBytes, HistoryEvents: r.Limits.HistoryEvents},
		Execution:    asl.ExecutionInfo{ID: x.ARN, Name: x.Name},
		StateMachine: asl.StateMachineInfo{ID: "arn:iap:states:::stateMachine:" + x.Machine, Name: x.Machine}}
}

// goes runs fn in a goroutine that Stop waits for; false when the engine stops.
func (e *Engine) goes(fn func()) bool {
	if e.ctx.Err() != nil {
		return false
	}
	e.work.Go(fn)
	return true
}
