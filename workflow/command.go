package workflow

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"runtime/debug"
	"time"

	"github.com/internal-app-portal/iap/asl"
	"github.com/internal-app-portal/iap/asl/value"
)

// defaultLease is how long a claimed row is its owner's; calls that take longer keep
// renewing it.
const defaultLease = time.Minute

// command carries out what a step asks for, in its transaction.
func (s *stepper) command(ctx context.Context, c asl.Command) error {
	switch c := c.(type) {
	case asl.ScheduleTask:
		return s.scheduleTask(ctx, c)
	case asl.SetTimer:
		s.w.put(Task{Execution: s.x.ID, Kind: Timer, Frame: int64(c.Frame), Number: int64(c.ID), RunAt: c.At})
		s.after = append(s.after, func() { s.wakeAt(c.At) })
		return nil
	case asl.CancelTimer:
		s.w.drop(TaskKey{s.x.ID, Timer, int64(c.Frame), int64(c.ID)})
		return nil
	case asl.CancelTask:
		return s.cancelTask(ctx, c)
	case asl.StartMapRun:
		return s.startMapRun(ctx, c)
	case asl.RedriveMapRun:
		return s.redriveMapRun(ctx, c)
	case asl.StopMapRun:
		return s.stopMapRun(ctx, c)
	}
	return fmt.Errorf("workflow: unknown command %T", c)
}

// payload is what a call's row keeps of the task.
type payload struct {
	Arguments json.RawMessage `json:"arguments"`
	Token     string          `json:"token"`
	Owner     string          `json:"owner,omitempty"`
}

func (s *stepper) scheduleTask(ctx context.Context, c asl.ScheduleTask) error {
	ref := taskRef{execution: s.x.ID, frame: int64(c.Frame), attempt: int64(c.Attempt)}
	call := Call{Execution: s.x.ID, Frame: ref.frame, Attempt: ref.attempt, State: c.State,
		Resource: c.Resource, Arguments: json.RawMessage(c.Arguments.String()), Token: s.token(ref), Input: s.x.Input,
		Owner: s.x.Owner}
	h, ok := s.Handlers[handlerKey(c.Resource)]
	switch {
	case !ok:
		s.fail(c, &TaskError{Name: "States.Runtime", Cause: s.noSuchTask(c.Resource)})
		return nil
	case h.Commit != nil:
		if err := s.needTransaction(); err != nil {
			return err
		}
		return s.callInStep(ctx, h, c, call)
	}
	return s.callLater(call)
}

// needTransaction breaks a step off that is not in a transaction; it is taken
// again in one, as are all others of its machine from now on.
func (s *stepper) needTransaction() error {
	if s.inTx {
		return nil
	}
	s.def.inStep.Store(true)
	return errNeedsTransaction
}

// callInStep calls a handler that works in the transaction of the step.
func (s *stepper) callInStep(ctx context.Context, h Handler, c asl.ScheduleTask, call Call) error {
	out, err := commitCall(ctx, h, call)
	var failed *TaskError
	switch {
	case errors.As(err, &failed):
		s.fail(c, failed)
		return nil
	case err != nil:
		return err
	}
	result, err := value.FromText(string(orEmpty(out)))
	if err != nil {
		return fmt.Errorf("workflow: the result of %s is not JSON: %w", c.Resource.ARN, err)
	}
	if c.Resource.IsActivity() {
		return nil // the handler has queued it for a worker, who gives the result
	}
	if c.Resource.Integration == asl.RequestResponse {
		s.signals = append(s.signals, asl.TaskSucceeded{Frame: c.Frame, Attempt: c.Attempt, Output: result})
	} else {
		s.signals = append(s.signals, asl.TaskSubmitted{Frame: c.Frame, Attempt: c.Attempt, Output: result})
	}
	return nil
}

// commitCall calls a handler; a panic of it rolls the step back.
func commitCall(ctx context.Context, h Handler, call Call) (out json.RawMessage, err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("workflow: the handler of %s panicked: %v\n%s", call.Resource.ARN, v, debug.Stack())
		}
	}()
	return h.Commit(ctx, call)
}

func (s *stepper) fail(c asl.ScheduleTask, err *TaskError) {
	s.signals = append(s.signals, asl.TaskFailed{Frame: c.Frame, Attempt: c.Attempt, Error: err.Name, Cause: err.Cause})
}

// callLater leaves a row for a handler that works after the commit, and starts
// it then.
func (s *stepper) callLater(call Call) error {
	p, err := json.Marshal(payload{Arguments: call.Arguments, Token: call.Token, Owner: call.Owner})
	if err != nil {
		return err
	}
	now := s.Now()
	t := Task{Execution: call.Execution, Kind: CallTask, Frame: call.Frame, Number: call.Attempt,
		State: call.State, Resource: call.Resource.ARN, Payload: p, RunAt: now,
		Owner: s.me.Load().owner, LeaseUntil: now.Add(s.Lease), Attempt: 1}
	s.w.put(t)
	s.after = append(s.after, func() { s.beginCall(t) })
	return nil
}

// cancelTask ends a call under way after the commit, and tells the handler of
// submitted work.
func (s *stepper) cancelTask(ctx context.Context, c asl.CancelTask) error {
	key := TaskKey{s.x.ID, CallTask, int64(c.Frame), int64(c.Attempt)}
	s.after = append(s.after, func() { s.cancelCall(key) })
	s.w.drop(key)
	h, ok := s.Handlers[handlerKey(c.Resource)]
	if !ok || h.Cancel == nil {
		return nil
	}
	if err := s.needTransaction(); err != nil {
		return err
	}
	ref := taskRef{execution: s.x.ID, frame: key.Frame, attempt: key.Number}
	return h.Cancel(ctx, Call{Execution: s.x.ID, Frame: ref.frame, Attempt: ref.attempt,
		State: c.State, Resource: c.Resource, Token: s.token(ref), Input: s.x.Input, Owner: s.x.Owner})
}

func handlerKey(r asl.Resource) string { return r.Service + ":" + r.API }

func orEmpty(b json.RawMessage) json.RawMessage {
	if len(b) == 0 {
		return json.RawMessage("{}")
	}
	return b
}

// newUUID returns a random UUID (RFC 9562, version 4).
func newUUID() string {
	var b [16]byte
	rand.Read(b[:]) // never fails
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}
