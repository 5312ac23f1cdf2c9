package send

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	iap "github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/event"
	"github.com/internal-app-portal/iap/event/delivery"
)

// Engine gives waiting tasks their results; *workflow.Engine is one. Conflict
// when nobody waits any more, Invalid when it is no token.
type Engine interface {
	Succeed(ctx context.Context, token string, output any) error
	Fail(ctx context.Context, token, errorName, cause string) error
}

// Task ends a task that waits for its token, with what an event says: so a
// build that runs elsewhere reports its end.
type Task struct{ Engine Engine }

// Check implements delivery.Sender.
func (s *Task) Check(t delivery.Target) error {
	c := t.Settings
	_, err := delivery.CompileValue("token", c.Token)
	for field, text := range map[string]string{"output": c.Output, "error": c.Error, "cause": c.Cause} {
		if text != "" {
			_, e := delivery.CompileValue(field, text)
			err = errors.Join(err, e)
		}
	}
	return err
}

// Send implements delivery.Sender. That nobody waits for the token any more is
// no failure: the task has ended, perhaps by this very event.
func (s *Task) Send(ctx context.Context, t delivery.Target, m delivery.Message) delivery.Result {
	if m.Test {
		return delivery.Result{Answer: "a test ends no task"}
	}
	token, err := textOf("token", t.Settings.Token, m.Event)
	if err != nil {
		return final(err)
	}
	name, err := textOf("error", t.Settings.Error, m.Event)
	if err != nil {
		return final(err)
	}
	if name != "" {
		cause, err := textOf("cause", t.Settings.Cause, m.Event)
		if err != nil {
			return final(err)
		}
		return ended(s.Engine.Fail(ctx, token, name, cause))
	}
	output, err := valueOf("output", t.Settings.Output, m.Event, m.Event.Data)
	if err != nil {
		return final(err)
	}
	return ended(s.Engine.Succeed(ctx, token, output))
}

func ended(err error) delivery.Result {
	switch {
	case err == nil:
		return delivery.Result{Answer: "the task has its result"}
	case iap.IsKind(err, iap.Conflict):
		return delivery.Result{Answer: "nobody waits for it any more"}
	}
	return refusal(err)
}

// refusal is the result of an error of a part of the portal: what is wrong with
// the request is final, what is wrong with the portal is not.
func refusal(err error) delivery.Result {
	switch iap.KindOf(err) {
	case iap.Internal:
		return delivery.Result{Err: "something went wrong in the portal"}
	case iap.Unavailable, iap.Full, iap.Timeout, iap.Limit:
		return delivery.Result{Err: strings.Join(iap.Texts(err), "; ")}
	}
	return final(errors.New(strings.Join(iap.Texts(err), "; ")))
}

func final(err error) delivery.Result { return delivery.Result{Err: err.Error(), Final: true} }

// textOf is what an expression of a target makes of an event; an empty
// expression makes an empty text.
func textOf(field, text string, e event.Event) (string, error) {
	if text == "" {
		return "", nil
	}
	x, err := delivery.CompileValue(field, text)
	if err != nil {
		return "", err
	}
	s, err := x.Text(e)
	if err != nil {
		err = fmt.Errorf("the target's %s: %w", field, err)
	}
	return s, err
}

// valueOf is textOf for any value; an empty expression makes otherwise.
func valueOf(field, text string, e event.Event, otherwise json.RawMessage) (json.RawMessage, error) {
	if text == "" {
		return otherwise, nil
	}
	x, err := delivery.CompileValue(field, text)
	if err != nil {
		return nil, err
	}
	v, err := x.Value(e)
	if err != nil {
		err = fmt.Errorf("the target's %s: %w", field, err)
	}
	return v, err
}

// Execution starts an execution of a state machine, named after the event, so
// that it is started once.
type Execution struct {
	// Start starts an execution. Conflict when there is one of that name with
	// another input.
	Start func(ctx context.Context, machine, name string, input json.RawMessage) (id string, err error)
}

// Check implements delivery.Sender.
func (s *Execution) Check(t delivery.Target) error {
	if t.Settings.Machine == "" {
		return iap.FieldErrorf("send.Check", "machine", "it is missing; name the state machine")
	}
	if t.Settings.Input == "" {
		return nil
	}
	_, err := delivery.CompileValue("input", t.Settings.Input)
	return err
}

// Send implements delivery.Sender.
func (s *Execution) Send(ctx context.Context, t delivery.Target, m delivery.Message) delivery.Result {
	whole, err := event.Structured(m.Event)
	if err != nil {
		return final(err)
	}
	input, err := valueOf("input", t.Settings.Input, m.Event, whole)
	if err != nil {
		return final(err)
	}
	id, err := s.Start(ctx, t.Settings.Machine, m.ID, input)
	switch {
	case err == nil:
		return delivery.Result{Answer: id}
	case iap.IsKind(err, iap.Conflict):
		return delivery.Result{Answer: "it was started already"}
	}
	return refusal(err)
}
