package instance

import (
	"context"
	"time"

	iap "github.com/internal-app-portal/iap"
)

const (
	// idleGrace is how long after its end an idle instance is destroyed: by then
	// other replicas have stored the use that they have seen.
	idleGrace = activityKept + 5*time.Second
	// restartGrace is for how long an instance goes on at least when the portal
	// has started, through which alone it can be used: its owner can be warned.
	restartGrace = 6 * time.Minute
)

// idleEnd returns when an instance ends if nobody uses it until then.
func (s *Service) idleEnd(i Instance) (time.Time, bool) {
	if i.IdleLimit <= 0 || i.Status != Running || i.ReadyAt.IsZero() {
		return time.Time{}, false
	}
	last := i.ReadyAt
	if a := s.ActivityOf(i); a.At.After(last) {
		last = a.At
	}
	end := last.Add(i.IdleLimit)
	if up := s.upSince.Load(); up > 0 {
		end = later(end, time.UnixMilli(up).UTC().Add(min(i.IdleLimit, restartGrace)))
	}
	return later(end, i.KeepUntil), true
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// endIdle ends an instance that nobody has used for its limit. Since that may
// have changed, it is looked at in the commit that ends it.
func (s *Service) endIdle(ctx context.Context, id string) error {
	return s.Tx.Update(ctx, func(ctx context.Context) error {
		i, err := s.Store.Instance(ctx, id)
		if err != nil {
			return err
		}
		otherwise, err := s.clockEnd(ctx, i)
		if err != nil {
			return err
		}
		end, err := s.EndOf(ctx, i)
		if err != nil || end.By != EndByIdle || s.Now().Before(end.At.Add(idleGrace)) {
			return err
		}
		i, err = s.change(ctx, id, func(i *Instance) (bool, error) {
			if i.Status != Running || !requestEnd(i, iap.System) {
				return false, nil
			}
			i.EndReason = "it was idle for " + LengthWords(i.IdleLimit)
			i.SavedBy, i.SavedUntil = EndByIdle, otherwise.At
			return true, nil
		})
		if err != nil || i.EndedBy != iap.System.ID {
			return err
		}
		return s.interrupt(ctx, i, iap.System)
	})
}

// usedAgain takes the warning of an idle end back when the app was used since:
// pages that show it are told so.
func (s *Service) usedAgain(ctx context.Context, id string) error {
	_, err := s.change(ctx, id, func(i *Instance) (bool, error) {
		changed := !i.WarnedOf.IsZero()
		i.WarnedOf, i.WarnedBefore = time.Time{}, 0
		return changed, nil
	})
	return err
}
