package delivery

import (
	"context"
	"time"

	iap "github.com/internal-app-portal/iap"
)

// Deliveries returns deliveries, newest events first unless the filter says
// otherwise.
func (s *Service) Deliveries(ctx context.Context, a iap.Actor, f Filter) ([]Delivery, error) {
	if err := admin(a, "delivery.Deliveries"); err != nil {
		return nil, err
	}
	return s.Store.Deliveries(ctx, f)
}

// Delivery returns one delivery with its attempts.
func (s *Service) Delivery(ctx context.Context, a iap.Actor, id string) (Delivery, []Attempt, error) {
	const op = "delivery.Delivery"
	number, target, err := ParseID(id)
	if err != nil {
		return Delivery{}, nil, err
	}
	found, err := s.Deliveries(ctx, a, Filter{Number: number, Target: target, Limit: 1})
	if err != nil {
		return Delivery{}, nil, err
	}
	if len(found) == 0 {
		return Delivery{}, nil, iap.Errorf(op, iap.NotFound, "there is no delivery %.80q", id)
	}
	attempts, err := s.Store.Attempts(ctx, number, target)
	return found[0], attempts, err
}

// Redrive has some dead letters be delivered again, all or none of them. Errors:
// NotFound, Conflict for one that is not dead.
func (s *Service) Redrive(ctx context.Context, a iap.Actor, ids []string) (id string, n int, err error) {
	if err := admin(a, "delivery.Redrive"); err != nil {
		return "", 0, err
	}
	now := s.Now()
	id = iap.NewID(now)
	r := Redrive{ID: id, BegunAt: now, BegunBy: a.ID, Taken: true, Told: -1}
	err = s.Tx.Update(ctx, func(ctx context.Context) error {
		n = 0
		if err := s.Store.PutRedrive(ctx, r); err != nil {
			return err
		}
		for _, one := range ids {
			if err := s.each(ctx, a, one, func(number int64, target string) error {
				return s.Store.RedriveOne(ctx, number, target, id, now)
			}); err != nil {
				return err
			}
			n++
		}
		return nil
	})
	if err == nil {
		s.lanes.Wake()
		s.redriver.note(id)
	}
	return id, n, err
}

// each finds a delivery and does something with it.
func (s *Service) each(ctx context.Context, a iap.Actor, id string, fn func(number int64, target string) error) error {
	number, target, err := ParseID(id)
	if err != nil {
		return err
	}
	found, err := s.Deliveries(ctx, a, Filter{Number: number, Target: target, Limit: 1})
	if err != nil {
		return err
	}
	if len(found) == 0 {
		return iap.Errorf("delivery.Letter", iap.NotFound, "there is no dead letter %.80q", id)
	}
	if found[0].Status != Dead {
		return iap.Errorf("delivery.Letter", iap.Conflict, "%s is not a dead letter: it is %s", id, found[0].Status)
	}
	return fn(number, target)
}

// RedriveProgress says how far a redrive is.
func (s *Service) RedriveProgress(ctx context.Context, a iap.Actor, id string) (Progress, error) {
	if err := admin(a, "delivery.RedriveProgress"); err != nil {
		return Progress{}, err
	}
	p, err := s.Store.RedriveProgress(ctx, id)
	if err == nil && p.Total == 0 {
		err = iap.Errorf("delivery.RedriveProgress", iap.NotFound, "there is no redrive %.80q of anything", id)
	}
	return p, err
}

// DeleteLetters drops dead letters for good, all or none of them, and keeps who
// did so and why.
func (s *Service) DeleteLetters(ctx context.Context, a iap.Actor, ids []string, reason string) error {
	const op = "delivery.DeleteLetters"
	switch {
	case reason == "":
		return iap.FieldErrorf(op, "reason", "it is empty; say why the events need not be delivered")
	case len(reason) > 500:
		return iap.FieldErrorf(op, "reason", "it has more than 500 bytes")
	}
	now := s.Now()
	return s.Tx.Update(ctx, func(ctx context.Context) error {
		for _, one := range ids {
			err := s.each(ctx, a, one, func(number int64, target string) error {
				return s.Store.Drop(ctx, number, target, deleted(a, reason), now)
			})
			if err != nil {
				return err
			}
		}
		return nil
	})
}

func deleted(a iap.Actor, reason string) string { return "deleted by " + a.ID + ": " + reason }

// parked is the time of deliveries that wait for the one before them.
var parked = time.UnixMilli(1 << 52).UTC()

// Parked reports whether a delivery waits for the one before it of its subject.
func (d Delivery) Parked() bool { return d.Status == Waiting && !d.NextAt.Before(parked) }

// ParkedAt is the time that parked deliveries have in the database.
func ParkedAt() time.Time { return parked }
