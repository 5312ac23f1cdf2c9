package booking

import (
	"context"
	"math"
	"time"

	iap "github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/instance"
)

// next is what a round of the state machine comes to: one of the choices in
// booking.asl.json.
type next string

const (
	nextEarly     next = "early"
	nextDeploy    next = "deploy"
	nextDeploying next = "deploying"
	nextFailed    next = "failed"
	nextReady     next = "ready"
	nextOpen      next = "open"
	nextOver      next = "over"
	nextClosed    next = "closed"
)

// plan says what is next of a booking, until when to wait for it, and which
// status the booking has by that. i is its instance, nil where there is none.
func plan(b Booking, i *instance.Instance, now time.Time) (n next, until time.Time, status Status) {
	switch {
	case b.Status.Over():
		return nextClosed, now, b.Status
	case !now.Before(b.To):
		return nextOver, now, b.Status
	case i == nil:
		begin := b.DeployAt
		if b.RetryAt.After(begin) {
			begin = b.RetryAt
		}
		if now.Before(begin) {
			return nextEarly, earlier(begin, b.To), Booked
		}
		return nextDeploy, now, b.Status
	case i.Status == instance.DeployFailed || i.Status.Ended() && i.ReadyAt.IsZero() && i.EndedBy == "":
		return nextFailed, now, b.Status
	case i.Status.Ended():
		return nextOver, now, b.Status // somebody destroyed it
	case i.Status != instance.Running:
		if b.Status == Open || b.Status == Ready { // it is being destroyed
			return nextOpen, b.To, b.Status
		}
		return nextDeploying, b.To, Deploying
	case now.Before(b.From):
		return nextReady, b.From, Ready
	}
	return nextOpen, b.To, Open
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

// planned is the result of booking:plan.
type planned struct {
	Next    next  `json:"next"`
	Seconds int64 `json:"seconds"` // to wait, at least 1
	Changed int64 `json:"changed"` // what booking:wait compares
}

// round reads a booking with its instance, notes its status, and says what is
// next.
func (s *Service) round(ctx context.Context, id string) (planned, error) {
	b, err := s.Store.Booking(ctx, id)
	if err != nil {
		return planned{}, err
	}
	i, err := s.instanceOf(ctx, b)
	if err != nil {
		return planned{}, err
	}
	now := s.Now()
	n, until, status := plan(b, i, now)
	if status != b.Status {
		b.Status = status
		if status == Ready || status == Open {
			b.Reason = ""
		}
		if err := s.save(ctx, &b); err != nil {
			return planned{}, err
		}
	}
	return planned{Next: n, Seconds: max(1, int64(math.Ceil(until.Sub(now).Seconds()))), Changed: b.Changed}, nil
}

// instanceOf returns the instance of a booking, nil where there is none.
func (s *Service) instanceOf(ctx context.Context, b Booking) (*instance.Instance, error) {
	if b.Instance == "" {
		return nil, nil
	}
	i, err := s.Instances.Get(ctx, iap.System, b.Instance)
	if iap.IsKind(err, iap.NotFound) {
		return nil, nil
	}
	return &i, err
}
