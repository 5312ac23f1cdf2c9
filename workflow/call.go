package workflow

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"time"

	iap "github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/asl"
	"github.com/internal-app-portal/iap/asl/value"
)

// errorFault is the name of the error of a task whose handler failed by a fault
// of the portal; unlike States.Runtime, Retry and Catch take it.
const errorFault = "Portal.Fault"

var errCancelled = errors.New("the task was cancelled")

// running is a call under way.
type running struct {
	cancel context.CancelCauseFunc
	row    Task
	done   chan struct{} // closed when the handler has returned
}

func (e *Engine) cancelCall(key TaskKey) {
	if r, ok := e.running.Load(key); ok {
		r.(*running).cancel(errCancelled)
	}
}

// beginCall calls the handler of a row that this process holds.
func (e *Engine) beginCall(t Task) {
	e.lives.called(t.Execution, 1)
	e.spawn(func() {
		defer e.lives.called(t.Execution, -1)
		e.runCall(t)
	})
}

// runCall calls the handler of a row that this process holds and commits the
// result together with the end of the row.
func (e *Engine) runCall(t Task) {
	held, ok := e.owned(&t)
	if !ok {
		return
	}
	ctx, cancel := context.WithCancelCause(held)
	defer cancel(nil)
	r := &running{cancel: cancel, row: t, done: make(chan struct{})}
	if !e.admit(ctx, r) {
		return
	}
	out, err := e.invoke(ctx, t)
	e.running.Delete(KeyOf(t))
	close(r.done)
	if ctx.Err() != nil {
		return // cancelled: the row is gone; stopping: the next process does it again
	}
	e.Failpoint("workflow.call.done")
	err = e.persist("the result of a task", func() error { return e.finishCall(t, out, err) })
	if err != nil && !errors.Is(err, ErrTaskLost) && e.ctx.Err() == nil {
		slog.Error("the result of a task could not be taken", "execution", t.Execution, "state", t.State, "err", err)
	}
}

// admit takes a call in; false when it runs already. One that this process began
// before it lost the row has to end first.
func (e *Engine) admit(ctx context.Context, r *running) bool {
	for {
		was, twice := e.running.LoadOrStore(KeyOf(r.row), r)
		if !twice {
			return true
		}
		old := was.(*running)
		if old.row.Owner == r.row.Owner && old.row.Attempt == r.row.Attempt {
			return false
		}
		old.cancel(ErrTaskLost)
		select {
		case <-old.done:
		case <-ctx.Done():
			return false
		}
	}
}

// invoke calls the handler; a panic of it fails the task alone.
func (e *Engine) invoke(ctx context.Context, t Task) (out json.RawMessage, err error) {
	r, _ := asl.ParseResource(t.Resource)
	h, ok := e.Handlers[handlerKey(r)]
	if !ok || h.Run == nil {
		return nil, &TaskError{Name: "States.Runtime", Cause: e.noSuchTask(r)}
	}
	var p payload
	if err := json.Unmarshal(t.Payload, &p); err != nil {
		return nil, err
	}
	defer func() {
		if v := recover(); v != nil {
			slog.Error("a task's handler panicked", "resource", t.Resource, "panic", v, "stack", string(debug.Stack()))
			err = FailTask(errorFault, "The task failed by a fault of the portal.")
		}
	}()
	e.Failpoint("workflow.call.before")
	return h.Run(ctx, Call{Execution: t.Execution, Frame: t.Frame, Attempt: t.Number, State: t.State,
		Resource: r, Arguments: p.Arguments, Token: p.Token, Owner: p.Owner})
}

func (e *Engine) finishCall(t Task, out json.RawMessage, failure error) error {
	sig, err := callSignal(t, out, failure)
	if err != nil {
		return err
	}
	return e.submit(t.Execution, &request{signal: sig, row: &t})
}

func callSignal(t Task, out json.RawMessage, failure error) (asl.Signal, error) {
	frame, attempt := asl.FrameID(t.Frame), int(t.Number)
	var failed *TaskError
	switch {
	case failure == nil:
		result, err := value.FromText(string(orEmpty(out)))
		if err != nil {
			return nil, fmt.Errorf("the result of %s is not JSON: %w", t.Resource, err)
		}
		return asl.TaskSucceeded{Frame: frame, Attempt: attempt, Output: result}, nil
	case errors.As(failure, &failed):
		return asl.TaskFailed{Frame: frame, Attempt: attempt, Error: failed.Name, Cause: failed.Cause}, nil
	}
	slog.Error("a task failed by a fault of the portal", "resource", t.Resource, "err", failure)
	return asl.TaskFailed{Frame: frame, Attempt: attempt, Error: errorFault,
		Cause: "The task failed by a fault of the portal."}, nil
}

// keepLeases renews the leases of the rows whose calls run; who has lost one is
// cancelled. It ends when the engine stops.
func (e *Engine) keepLeases() {
	tick := time.NewTicker(e.Lease / 3)
	defer tick.Stop()
	for {
		select {
		case <-e.ctx.Done():
			return
		case <-tick.C:
		}
		e.running.Range(func(_, v any) bool {
			r := v.(*running)
			now := e.Now()
			if r.row.LeaseUntil.Sub(now) > e.Lease/2 {
				return true // began a moment ago
			}
			if err := e.Store.RenewTask(e.ctx, r.row, now.Add(e.Lease)); iap.IsKind(err, iap.Conflict) {
				r.cancel(errCancelled)
			}
			return e.ctx.Err() == nil
		})
	}
}
