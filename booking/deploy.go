package booking

import (
	"context"
	"errors"
	"fmt"
	"time"

	iap "github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/event"
	"github.com/internal-app-portal/iap/instance"
)

// The pauses after a deploy that failed, and while an instance goes.
const (
	firstRetry = 30 * time.Second
	lastRetry  = 5 * time.Minute
	goingPause = 2 * time.Second
)

// ownKey marks what a booking's own step changes: it is at it already.
type ownKey struct{}

func own(ctx context.Context) context.Context { return context.WithValue(ctx, ownKey{}, true) }

// terms are what a booking asks of its instance.
func (b Booking) terms() instance.Terms {
	return instance.Terms{Purpose: instance.ForBooking, PurposeID: b.ID, OpensAt: b.From, EndsAt: b.To, Reason: "booked: " + b.Title}
}

// adopted are the terms of an instance that its owner had before: it is open,
// and lives no shorter than it would have.
func (b Booking) adopted(i instance.Instance) instance.Terms {
	t := b.terms()
	t.OpensAt = time.Time{}
	if i.TimeLimitAt.After(t.EndsAt) {
		t.EndsAt = i.TimeLimitAt
	}
	return t
}

// deploy makes the instance of a booking, or room for it, in the commit of the
// step. What an instance cannot be deployed for is noted, to be tried again.
func (s *Service) deploy(ctx context.Context, id string) error {
	ctx = own(ctx)
	b, err := s.Store.Booking(ctx, id)
	if err != nil || b.Status.Over() || b.Instance != "" {
		return err
	}
	live, err := s.Instances.Live(ctx, b.Owner, b.App)
	switch {
	case err == nil:
		err = s.makeRoom(ctx, &b, live)
	case iap.IsKind(err, iap.NotFound):
		err = s.deployNew(ctx, &b)
	}
	if refused(err) {
		return s.failed(ctx, &b, message(err))
	}
	if err != nil {
		return err
	}
	return s.save(ctx, &b)
}

// refused reports whether an error says that there can be no instance now; other
// errors are tried again by the engine.
func refused(err error) bool {
	switch iap.KindOf(err) {
	case iap.Invalid, iap.NotFound, iap.Conflict, iap.Limit, iap.Forbidden:
		return err != nil
	}
	return false
}

func message(err error) string {
	var e *iap.Error
	if errors.As(err, &e) {
		return e.Message()
	}
	return err.Error()
}

func (s *Service) deployNew(ctx context.Context, b *Booking) error {
	params, err := s.Instances.OpenParameters(ctx, b.App, b.Version, b.Parameters)
	if err != nil {
		return err
	}
	i, _, err := s.Instances.DeployFor(ctx, s.Actor(b.Owner),
		instance.DeployRequest{App: b.App, Version: b.Version, Parameters: params}, b.terms())
	if err != nil {
		return err
	}
	b.Instance, b.Status, b.RetryAt = i.ID, Deploying, time.Time{}
	return nil
}

// makeRoom does with the instance that the owner has as was chosen; that of
// another booking, or one that is on its way out, is waited for.
func (s *Service) makeRoom(ctx context.Context, b *Booking, live instance.Instance) error {
	switch {
	case live.PurposeID == b.ID:
		b.Instance = live.ID
		return nil
	case live.Purpose == instance.ForBooking:
		b.Reason, b.RetryAt = fmt.Sprintf("waits for the end of %s, which is booked", live.HostName), later(live.TimeLimitAt, s.Now())
		return nil
	case live.EndedBy != "" || live.Status == instance.Destroying:
		b.Reason, b.RetryAt = fmt.Sprintf("waits until %s is gone", live.HostName), s.Now().Add(goingPause)
		return nil
	case b.Overlap == Replace:
		_, err := s.Instances.DestroyFor(ctx, iap.System, live.ID, "replaced by the booking "+b.Title)
		b.Reason, b.RetryAt = fmt.Sprintf("waits until %s is gone", live.HostName), s.Now().Add(goingPause)
		return err
	}
	i, err := s.Instances.SetTerms(ctx, live.ID, b.adopted(live))
	b.Instance, b.Status, b.RetryAt = i.ID, Deploying, time.Time{}
	return err
}

func later(at, now time.Time) time.Time {
	if soon := now.Add(goingPause); at.Before(soon) {
		return soon
	}
	return at
}

// deployFailed notes that the instance of a booking did not become ready.
func (s *Service) deployFailed(ctx context.Context, id string) error {
	ctx = own(ctx)
	b, err := s.Store.Booking(ctx, id)
	if err != nil || b.Status.Over() {
		return err
	}
	i, err := s.instanceOf(ctx, b)
	if err != nil || i == nil {
		return err
	}
	return s.failed(ctx, &b, i.Reason)
}

// failed notes why a deploy failed, sets the time of the next try, and tells.
func (s *Service) failed(ctx context.Context, b *Booking, reason string) error {
	pause := firstRetry << min(b.Attempts, 10)
	b.Attempts++
	b.Instance, b.Status, b.Reason, b.RetryAt = "", Booked, reason, s.Now().Add(min(pause, lastRetry))
	if err := s.save(ctx, b); err != nil {
		return err
	}
	return s.tell(ctx, event.BookingDeployFailed, *b)
}

// end ends a booking whose window is over, or whose instance was destroyed.
func (s *Service) end(ctx context.Context, id string) error {
	ctx = own(ctx)
	b, err := s.Store.Booking(ctx, id)
	if err != nil || b.Status.Over() {
		return err
	}
	i, err := s.instanceOf(ctx, b)
	if err != nil {
		return err
	}
	b.EndedAt, b.EndedBy, b.Status = s.Now(), iap.System.ID, Failed
	byHand := i != nil && i.EndedBy != "" && i.EndedBy != iap.System.ID
	switch {
	case byHand:
		b.Status, b.Reason, b.EndedBy = Ended, "", i.EndedBy
	case i != nil && !i.ReadyAt.IsZero():
		b.Status, b.Reason = Ended, ""
	case b.Reason == "":
		b.Reason = "its window was over before it was ready"
	}
	if err := s.letGo(ctx, b, i, "the time it was booked for was over"); err != nil {
		return err
	}
	return s.save(ctx, &b)
}

// letGo ends the instance of a booking that is over; one that its owner had
// before, and would have had longer, stays as it was.
func (s *Service) letGo(ctx context.Context, b Booking, i *instance.Instance, reason string) error {
	if i == nil || i.Status.Ended() || i.EndedBy != "" || i.PurposeID != b.ID {
		return nil
	}
	if i.OpensAt.IsZero() && (i.TimeLimitAt.After(b.To) || b.Status == Cancelled) {
		_, err := s.Instances.SetTerms(ctx, i.ID, instance.Terms{})
		return err
	}
	_, err := s.Instances.DestroyFor(ctx, iap.System, i.ID, reason)
	return err
}
