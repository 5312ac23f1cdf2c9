package booking

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"time"

	iap "github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/catalog"
	"github.com/internal-app-portal/iap/instance"
	"github.com/internal-app-portal/iap/workflow"
)

// Change moves the window of a booking, or says otherwise what it is for; an
// instance that runs is moved in place. Errors: NotFound, Invalid (with the
// field), Conflict (it is over; its window has begun; another one overlaps).
func (s *Service) Change(ctx context.Context, actor iap.Actor, id string, c Change) (out Booking, err error) {
	const op = "booking.Change"
	if _, err := s.Get(ctx, actor, id); err != nil {
		return Booking{}, err
	}
	err = s.Tx.Update(ctx, func(ctx context.Context) error {
		if out, err = s.Store.Booking(ctx, id); err != nil {
			return err
		}
		before := out
		v, err := s.Catalog.Version(ctx, out.App, out.Version)
		if err != nil {
			return err
		}
		if err := s.apply(op, &out, v.Manifest, c); err != nil {
			return err
		}
		if moved := !out.From.Equal(before.From) || !out.To.Equal(before.To); moved {
			if err := s.move(ctx, &out); err != nil {
				return err
			}
		}
		return s.change(ctx, &out)
	})
	return out, err
}

func (s *Service) apply(op string, b *Booking, m catalog.Manifest, c Change) error {
	now := s.Now()
	if b.Status.Over() || !now.Before(b.To) {
		return iap.Errorf(op, iap.Conflict, "the booking is over; make another one")
	}
	if c.From != nil && !ms(*c.From).Equal(b.From) {
		if !now.Before(b.From) {
			return iap.FieldErrorf(op, "from", "the window has begun; its end alone can be moved")
		}
		if c.From.Before(now.Truncate(time.Minute)) {
			return iap.FieldErrorf(op, "from", "%s is over already", c.From.UTC().Format(timeFormat))
		}
		b.From = ms(*c.From)
	}
	if c.To != nil {
		b.To = ms(*c.To)
	}
	if c.Title != nil {
		b.Title = words(*c.Title)
		if b.Title == "" {
			return iap.FieldErrorf(op, "title", "it is empty")
		}
	}
	if c.For != nil {
		b.For = words(*c.For)
	}
	if c.Overlap != nil {
		b.Overlap = *c.Overlap
	}
	checked := *b
	if !now.Before(b.From) {
		checked.Status = Open // it may have begun before
	}
	return s.check(op, checked, m, now)
}

// move has a moved window hold for the deploy, and for the instance.
func (s *Service) move(ctx context.Context, b *Booking) error {
	lead, err := s.lead(ctx, b.App)
	if err != nil {
		return err
	}
	b.Sequence++
	b.DeployAt = b.From.Add(-lead)
	if err := s.checkOthers(ctx, *b); err != nil {
		return err
	}
	i, err := s.instanceOf(ctx, *b)
	if err != nil || i == nil || i.PurposeID != b.ID || i.Status.Ended() {
		return err
	}
	t := b.terms()
	if i.OpensAt.IsZero() {
		t = b.adopted(*i)
	}
	_, err = s.Instances.SetTerms(own(ctx), i.ID, t)
	return err
}

// Cancel ends a booking before its time; its instance is destroyed. Cancelling
// one that is over is harmless.
func (s *Service) Cancel(ctx context.Context, actor iap.Actor, id string) (out Booking, err error) {
	if _, err := s.Get(ctx, actor, id); err != nil {
		return Booking{}, err
	}
	err = s.Tx.Update(ctx, func(ctx context.Context) error {
		if out, err = s.Store.Booking(ctx, id); err != nil || out.Status.Over() {
			return err
		}
		i, err := s.instanceOf(ctx, out)
		if err != nil {
			return err
		}
		out.Status, out.EndedAt, out.EndedBy, out.Reason = Cancelled, s.Now(), actor.ID, ""
		out.Sequence++
		if err := s.letGo(own(ctx), out, i, "its booking was cancelled"); err != nil {
			return err
		}
		return s.change(ctx, &out)
	})
	return out, err
}

// change writes a booking and has its execution look at it.
func (s *Service) change(ctx context.Context, b *Booking) error {
	if err := s.save(ctx, b); err != nil {
		return err
	}
	return s.wake(ctx, *b)
}

// wake ends what the execution of a booking waits for.
func (s *Service) wake(ctx context.Context, b Booking) error {
	awaits, err := s.Workflow.Awaits(ctx, b.Execution)
	if err != nil {
		return err
	}
	for _, w := range awaits {
		if w.Resource.Service+":"+w.Resource.API != "booking:wait" {
			continue
		}
		err := s.Workflow.Succeed(ctx, w.Token, map[string]bool{"changed": true})
		if err != nil && !errors.Is(err, workflow.ErrStale) {
			return err
		}
	}
	return nil
}

// InstanceChanged is to be called in the transaction that changes an instance
// with a purpose: its booking goes by it.
func (s *Service) InstanceChanged(ctx context.Context, i instance.Instance) error {
	if i.Purpose != instance.ForBooking || ctx.Value(ownKey{}) != nil ||
		i.Status != instance.Running && !i.Status.Ended() {
		return nil
	}
	b, err := s.Store.Booking(ctx, i.PurposeID)
	if iap.IsKind(err, iap.NotFound) {
		return nil
	}
	if err != nil || b.Status.Over() || b.Instance != i.ID {
		return err
	}
	if err := s.Store.UpdateBooking(ctx, b); err != nil { // counts it
		return err
	}
	return s.wake(ctx, b)
}

// maxBegun is how often the execution of a booking that breaks off is begun
// again.
const maxBegun = 5

// ExecutionEnded is to be called in the transaction that ends an execution: a
// booking whose execution broke off gets another one.
func (s *Service) ExecutionEnded(ctx context.Context, x workflow.Execution) error {
	var in input
	if x.Status == workflow.Succeeded || json.Unmarshal(x.Input, &in) != nil || !iap.ValidID(in.Booking) {
		return nil
	}
	b, err := s.Store.Booking(ctx, in.Booking)
	if iap.IsKind(err, iap.NotFound) || err == nil && (b.Execution != x.ID || b.Status.Over()) {
		return nil
	}
	if err != nil {
		return err
	}
	slog.Error("the execution of a booking broke off", "booking", b.ID, "execution", x.ID, "status", x.Status, "error", x.Error, "cause", x.Cause)
	if in.Begun >= maxBegun {
		b.Status, b.EndedAt, b.EndedBy, b.Reason = Failed, s.Now(), iap.System.ID, "The portal lost its way with this booking."
		return s.save(ctx, &b)
	}
	b.Execution = iap.NewID(s.Now())
	if err := s.save(ctx, &b); err != nil {
		return err
	}
	return s.start(ctx, b, in.Begun+1)
}
