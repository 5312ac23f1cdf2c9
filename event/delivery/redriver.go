package delivery

import (
	"context"
	"sync"

	iap "github.com/internal-app-portal/iap"
)

// redriveAtOnce is how many dead letters one transaction of a redrive takes.
const redriveAtOnce = 1000

// RedriveAll has all dead letters that match f be delivered again, in the order
// of their events, and returns the redrive's ID and how many they are. What dies
// of later events is no part of it. Once it has begun it goes on to the end,
// whether or not anybody waits for it, and after a restart.
func (s *Service) RedriveAll(ctx context.Context, a iap.Actor, f Filter) (id string, n int, err error) {
	if err := admin(a, "delivery.Redrive"); err != nil {
		return "", 0, err
	}
	ctx = context.WithoutCancel(ctx)
	now := s.Now()
	r := Redrive{ID: iap.NewID(now), Target: f.Target, EventType: f.EventType, Since: f.Since, BegunAt: now}
	err = s.Tx.Update(ctx, func(ctx context.Context) error {
		if r.UpTo, err = s.Store.LastEventNumber(ctx); err != nil {
			return err
		}
		return s.Store.PutRedrive(ctx, r)
	})
	if err != nil {
		return "", 0, err
	}
	n, err = s.redrive(ctx, r)
	return r.ID, n, err
}

// redrive goes on with a redrive to its end, and returns how many letters that
// were.
func (s *Service) redrive(ctx context.Context, r Redrive) (n int, err error) {
	for {
		s.Failpoint("delivery.redrive.before")
		k, err := s.Store.RedriveNext(ctx, r, s.Now(), redriveAtOnce)
		n += k
		if err != nil {
			return n, err
		}
		s.Failpoint("delivery.redrive.after")
		s.lanes.Wake()
		if k == 0 {
			return n, s.Store.EndRedrive(ctx, r.ID)
		}
	}
}

// redriver goes on with the redrives in the middle of which a process died.
type redriver struct {
	s      *Service
	cancel context.CancelFunc
	done   sync.WaitGroup
}

func (d *redriver) start(ctx context.Context) error {
	all, err := d.s.Store.Redrives(ctx)
	if err != nil {
		return err
	}
	ctx, d.cancel = context.WithCancel(context.WithoutCancel(ctx))
	d.done.Go(func() {
		for _, r := range all {
			for ctx.Err() == nil {
				if _, err := d.s.redrive(ctx, r); err == nil {
					break
				}
				pause(ctx, pauseAfterFault)
			}
		}
	})
	return nil
}

func (d *redriver) stop() {
	if d.cancel != nil {
		d.cancel()
		d.done.Wait()
	}
}
