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

// Parts finds what has an ID, and ends it. Conflict when it has ended or waits for
// nothing, NotFound when nothing has the ID.
type Parts interface {
	// EndPart gives the task with a token at which an execution waits, in a state
	// where one is named, its result or its error, ends a job likewise, and
	// destroys an instance.
	EndPart(ctx context.Context, id, state string, output json.RawMessage, errorName, cause string) error
}

// Task ends a task that waits for its token, or what has an ID, with what an event
// says: so a build that runs elsewhere reports its end.
type Task struct {
	Engine Engine
	Parts  Parts
}

// Check implements delivery.Sender.
func (s *Task) Check(t delivery.Target) error {
	if t.Settings.State != "" && t.Settings.Of == "" {
		return iap.FieldErrorf("send.Check", "state", "it is for a task that is named by its execution; give of as well")
	}
	return nil
}

// answer is what an event says of the end of a task.
type answer struct {
	output           json.RawMessage
	errorName, cause string
}

func answerOf(t delivery.Target, e event.Event) (a answer, err error) {
	if a.errorName, err = textOf("error", t.Settings.Error, e); err != nil {
		return a, err
	}
	if a.errorName != "" {
		a.cause, err = textOf("cause", t.Settings.Cause, e)
		return a, err
	}
	a.output, err = valueOf("output", t.Settings.Output, e, e.Data)
	return a, err
}

// Send implements delivery.Sender. That nobody waits for the token any more is
// no failure: the task has ended, perhaps by this very event.
func (s *Task) Send(ctx context.Context, t delivery.Target, m delivery.Message) delivery.Result {
	if m.Test {
		return delivery.Result{Answer: "a test ends no task"}
	}
	a, err := answerOf(t, m.Event)
	if err != nil {
		return final(err)
	}
	if t.Settings.Token == "" {
		id, err := textOf("of", t.Settings.Of, m.Event)
		if err != nil {
			return final(err)
		}
		return ended(s.Parts.EndPart(ctx, id, t.Settings.State, a.output, a.errorName, a.cause))
	}
	token, err := textOf("token", t.Settings.Token, m.Event)
	switch {
	case err != nil:
		return final(err)
	case a.errorName != "":
		return ended(s.Engine.Fail(ctx, token, a.errorName, a.cause))
	}
	return ended(s.Engine.Succeed(ctx, token, a.output))
}

func ended(err error) delivery.Result {
	switch {
	case err == nil:
		return delivery.Result{Answer: "it has ended"}
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
func (s *Execution) Check(delivery.Target) error { return nil }

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
