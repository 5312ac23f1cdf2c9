package leak

import (
	"context"
	"errors"
	"time"

	iap "github.com/internal-app-portal/iap"
)

// Access is what people can do about leaks; *Service is one.
type Access interface {
	List(ctx context.Context, actor iap.Actor, f Filter) ([]Leak, error)
	Get(ctx context.Context, actor iap.Actor, id string) (Leak, error)
	Remove(ctx context.Context, actor iap.Actor, id string) (Leak, error)
}

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
	there, err := s.there(ctx)
	if err != nil {
		return l, err
	}
	gone := 1
	if there[key(l.Resource)] {
		gone, err = s.remove(ctx, []Leak{l}, actor)
	} else {
		err = s.noteRemoved(ctx, l, removal{})
	}
	if err != nil {
		return l, err
	}
	if l, err = s.Store.Leak(ctx, id); err == nil && gone == 0 {
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

// removal is what came of removing a leak's resource.
type removal struct {
	by      string // ID of who had it removed; empty: it was gone already
	still   bool   // it is there
	problem string // why, where the platform said so
}

// remove removes the resources of leaks that a look has just found, then looks
// whether they are gone, and notes how it went; it returns how many are gone.
func (s *Service) remove(ctx context.Context, all []Leak, actor iap.Actor) (gone int, err error) {
	done := make([]removal, len(all))
	for n, l := range all {
		done[n].by = actor.ID
		err := s.Platform.Remove(ctx, l.Resource)
		if iap.IsKind(err, iap.Unavailable) {
			return 0, err
		}
		if err != nil {
			s.Logger.Warn("a leak could not be removed", "kind", l.Resource.Kind, "name", l.Resource.Name, "err", err)
			done[n].problem = why(err)
		}
	}
	there, err := s.there(ctx)
	if err != nil {
		return 0, err
	}
	for n, l := range all {
		if done[n].still = there[key(l.Resource)]; !done[n].still {
			gone++
		}
		if err := s.noteRemoved(ctx, l, done[n]); err != nil {
			return gone, err
		}
	}
	return gone, nil
}

// noteRemoved notes what came of removing a leak, unless somebody else did.
func (s *Service) noteRemoved(ctx context.Context, l Leak, r removal) error {
	return s.Tx.Update(ctx, func(ctx context.Context) error {
		now, err := s.Store.Leak(ctx, l.ID)
		switch {
		case err != nil || now.Gone():
			return err
		case !r.still:
			return s.gone(ctx, now, r.by)
		}
		now.Tries++
		if now.Problem = r.problem; r.problem == "" {
			now.Problem = "it is still there"
		}
		if !now.RemoveAt.IsZero() {
			now.RemoveAt = s.Now().Add(pause(now.Tries))
		}
		return s.Store.PutLeak(ctx, now)
	})
}

// there returns the keys of what is there and a leak.
func (s *Service) there(ctx context.Context) (map[string]bool, error) {
	found, _, err := s.look(ctx)
	out := make(map[string]bool, len(found))
	for _, l := range found {
		out[key(l.Resource)] = true
	}
	return out, err
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
