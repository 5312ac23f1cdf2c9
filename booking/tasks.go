package booking

import (
	"context"
	"encoding/json"

	iap "github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/task"
	"github.com/internal-app-portal/iap/workflow"
)

// The error names of the tasks.
const (
	errorChanged    = "Booking.Changed"
	errorNotAllowed = "Booking.NotAllowed"
)

// Handlers returns what does the tasks of bookings, for the engine.
func (s *Service) Handlers() map[string]workflow.Handler {
	done := func(fn func(ctx context.Context, id string) error) workflow.Handler {
		return s.handler(func(ctx context.Context, b Booking, _ arguments) (any, error) { return struct{}{}, fn(ctx, b.ID) })
	}
	return map[string]workflow.Handler{
		"booking:plan":   s.handler(func(ctx context.Context, b Booking, _ arguments) (any, error) { return s.round(ctx, b.ID) }),
		"booking:wait":   s.handler(wait),
		"booking:deploy": done(s.deploy),
		"booking:failed": done(s.deployFailed),
		"booking:end":    done(s.end),
	}
}

type arguments struct {
	Booking string `json:"booking"`
	Changed *int64 `json:"changed"`
}

// wait begins a wait, unless the booking was changed since the round that it
// follows.
func wait(_ context.Context, b Booking, a arguments) (any, error) {
	if a.Changed == nil || *a.Changed != b.Changed {
		return nil, workflow.FailTask(errorChanged, "The booking was changed meanwhile.")
	}
	return struct{}{}, nil
}

// handler reads the arguments of a task and the booking that they name; that is
// for the booking's own execution alone.
func (s *Service) handler(fn func(ctx context.Context, b Booking, a arguments) (any, error)) workflow.Handler {
	return workflow.Handler{Commit: func(ctx context.Context, c workflow.Call) (json.RawMessage, error) {
		var a arguments
		if err := docOf(c.Resource.Service+":"+c.Resource.API).Read(c.Arguments, &a); err != nil {
			fields := iap.Fields(err)
			if len(fields) == 0 {
				return nil, err
			}
			return nil, workflow.FailTask(task.ErrArguments, "The argument %q of %s: %s.", fields[0].Field, c.Resource.ARN, fields[0].Message())
		}
		b, err := s.Store.Booking(ctx, a.Booking)
		switch {
		case err != nil && !iap.IsKind(err, iap.NotFound):
			return nil, err
		case err != nil || b.Execution != c.Execution:
			return nil, workflow.FailTask(errorNotAllowed, "%s is for the booking's own execution alone.", c.Resource.ARN)
		}
		out, err := fn(ctx, b, a)
		if err != nil {
			return nil, err
		}
		return json.Marshal(out)
	}}
}
