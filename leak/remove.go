package leak

import (
	"context"
	"errors"
	"slices"
	"time"

	iap "github.com/internal-app-portal/iap"
)

// List returns leaks, newest first; Forbidden but to admins.
func (s *Service) List(ctx context.Context, actor iap.Actor, f Filter) ([]Leak, error) {
	if err := admin("leak.List", actor); err != nil {
		return nil, err
	}
	return s.Store.Leaks(ctx, f)
}

// Get returns a leak; NotFound; Forbidden but to admins.
func (s *Service) Get(ctx context.Context, actor iap.Actor, id string) (Leak, error) {
	const op = "leak.Get"
	if err := admin(op, actor); err != nil {
		return Leak{}, err
	}
	l, err := s.Store.Leak(ctx, id)
	if iap.IsKind(err, iap.NotFound) {
		return l, iap.Errorf(op, iap.NotFound, "there is no leak %.40q", id)
	}
	return l, err
}

// Remove removes what leaked, at once, whoever made it. Conflict when it is gone,
// is not a leak any more, or stays where it is; NotFound; Unavailable; Forbidden
// but to admins.
func (s *Service) Remove(ctx context.Context, actor iap.Actor, id string) (Leak, error) {
	const op = "leak.Remove"
	l, err := s.Get(ctx, actor, id)
	switch {
	case err != nil:
		return l, err
	case l.Gone():
		return l, iap.Errorf(op, iap.Conflict, "the %s %s is gone already", l.Resource.Kind, l.Resource.Name)
	}
	gone, err := s.remove(ctx, l, actor)
	if err != nil {
		return l, err
	}
	if l, err = s.Store.Leak(ctx, id); err == nil && !gone {
		return l, iap.Errorf(op, iap.Conflict, "the %s %s could not be removed: %s", l.Resource.Kind, l.Resource.Name, l.Problem)
	}
	return l, err
}

func admin(op string, actor iap.Actor) error {
	if !actor.Role.Includes(iap.Admin) {
		return iap.Errorf(op, iap.Forbidden, "leaks are for admins to see")
	}
	return nil
}

// remove removes a leak's resource where it is still one, and notes how that
// went; it reports whether it is gone.
func (s *Service) remove(ctx context.Context, l Leak, actor iap.Actor) (gone bool, err error) {
	still, err := s.still(ctx, l)
	if err != nil {
		return false, err
	}
	by, problem := "", ""
	if still {
		by = actor.ID
		err := s.Platform.Remove(ctx, l.Resource)
		if iap.IsKind(err, iap.Unavailable) {
			return false, err
		}
		if err != nil {
			s.Logger.Warn("a leak could not be removed", "kind", l.Resource.Kind, "name", l.Resource.Name, "err", err)
			problem = why(err)
		}
		if still, err = s.still(ctx, l); err != nil {
			return false, err
		}
	}
	return !still, s.Tx.Update(ctx, func(ctx context.Context) error {
		now, err := s.Store.Leak(ctx, l.ID)
		switch {
		case err != nil || now.Gone():
			return err
		case !still:
			return s.gone(ctx, now, by)
		}
		now.Tries++
		if now.Problem = problem; problem == "" {
			now.Problem = "it is still there"
		}
		if !now.RemoveAt.IsZero() {
			now.RemoveAt = s.Now().Add(pause(now.Tries))
		}
		return s.Store.PutLeak(ctx, now)
	})
}

// still reports whether a leak is there and is one.
func (s *Service) still(ctx context.Context, l Leak) (bool, error) {
	found, _, err := s.look(ctx)
	return slices.ContainsFunc(found, func(f Leak) bool { return key(f.Resource) == key(l.Resource) }), err
}

// pause is the time until a removal that did not help is tried again: it
// doubles from an hour to a day.
func pause(tries int) time.Duration {
	return min(24*time.Hour, time.Hour<<min(max(tries-1, 0), 5))
}

// why is the reason of a platform in words for people.
func why(err error) string {
	var e *iap.Error
	if errors.As(err, &e) {
		return e.Message()
	}
	return "the platform refused"
}
