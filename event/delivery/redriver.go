package delivery

import (
	"context"
	"sync"
	"time"

	iap "github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/event"
)

const (
	// redriveAtOnce is how many dead letters one transaction of a redrive takes.
	redriveAtOnce = 1000
	// tellEvery is the least time between two events that tell how far a redrive
	// is, and tellParts into how many parts the way to its end is cut for them:
	// however many letters there are, the events of a redrive are few.
	tellEvery = 250 * time.Millisecond
	tellParts = 100
	// lookForRedrives is how often is looked for what another portal left when it
	// died, and for what ended otherwise than by an attempt.
	lookForRedrives = lease
)

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
	r := Redrive{ID: iap.NewID(now), Target: f.Target, EventType: f.EventType, Since: f.Since, BegunAt: now, BegunBy: a.ID, Told: -1}
	defer s.redriver.carry(r.ID)()
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

// redrive has a redrive take its letters, up to the last, and returns how many
// that were.
func (s *Service) redrive(ctx context.Context, r Redrive) (n int, err error) {
	for {
		s.Failpoint("delivery.redrive.before")
		k, err := s.Store.RedriveNext(ctx, r, s.Now(), redriveAtOnce)
		n += k
		if err != nil {
			return n, err
		}
		s.Failpoint("delivery.redrive.after")
		if k == 0 {
			return n, s.taken(ctx, r.ID)
		}
		s.lanes.Wake()
		s.redriver.note(r.ID)
	}
}

// taken notes that a redrive has taken all its letters.
func (s *Service) taken(ctx context.Context, id string) error {
	err := s.Tx.Update(ctx, func(ctx context.Context) error {
		r, err := s.Store.HoldRedrive(ctx, id)
		if iap.IsKind(err, iap.NotFound) { // another portal has noted it, and told the end
			return nil
		}
		if err != nil {
			return err
		}
		r.Taken = true
		return s.Store.PutRedrive(ctx, r)
	})
	s.redriver.note(id)
	return err
}

// redriver tells how far redrives are, and goes on with those in the middle of
// which a portal died.
type redriver struct {
	s      *Service
	cancel context.CancelFunc
	done   sync.WaitGroup
	wake   chan struct{}

	mu      sync.Mutex
	moved   map[string]bool // IDs of redrives of which there may be something to tell
	carried map[string]bool // IDs of those whose letters this portal takes now
}

func newRedriver(s *Service) *redriver {
	return &redriver{s: s, wake: make(chan struct{}, 1), moved: map[string]bool{}, carried: map[string]bool{}}
}

// note has the progress of a redrive be told, if it is worth it; an empty ID is
// none. It never blocks.
func (d *redriver) note(id string) {
	if id == "" {
		return
	}
	d.mu.Lock()
	d.moved[id] = true
	d.mu.Unlock()
	select {
	case d.wake <- struct{}{}:
	default:
	}
}

// carry notes that this portal takes the letters of a redrive until the returned
// function is called.
func (d *redriver) carry(id string) (end func()) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.carried[id] = true
	return func() {
		d.mu.Lock()
		defer d.mu.Unlock()
		delete(d.carried, id)
	}
}

func (d *redriver) carries(id string) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.carried[id]
}

func (d *redriver) start(ctx context.Context) {
	ctx, d.cancel = context.WithCancel(context.WithoutCancel(ctx))
	d.done.Go(func() { d.look(ctx) })
	d.done.Go(func() { d.tell(ctx) })
}

func (d *redriver) stop() {
	if d.cancel != nil {
		d.cancel()
		d.done.Wait()
	}
}

// look goes on with redrives that nobody carries, and has those be told of that
// have taken all their letters.
func (d *redriver) look(ctx context.Context) {
	for wait := lookForRedrives; ctx.Err() == nil; pause(ctx, wait) {
		all, err := d.s.Store.Redrives(ctx)
		for _, r := range all {
			if err != nil {
				break
			}
			if r.Taken {
				d.note(r.ID)
			} else if !d.carries(r.ID) {
				end := d.carry(r.ID)
				_, err = d.s.redrive(ctx, r)
				end()
			}
		}
		if wait = lookForRedrives; err != nil {
			wait = pauseAfterFault
		}
	}
}

// tell tells of the redrives that have moved, at most once in tellEvery.
func (d *redriver) tell(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-d.wake:
		}
		d.mu.Lock()
		moved := d.moved
		d.moved = map[string]bool{}
		d.mu.Unlock()
		for id := range moved {
			if err := d.s.tellRedrive(ctx, id); err != nil && ctx.Err() == nil {
				d.s.log.Warn("how far a redrive is could not be told; trying again", "redrive", id, "err", err)
				d.note(id)
			}
		}
		pause(ctx, tellEvery)
	}
}

// tellRedrive tells how far a redrive is, if that is its beginning, its end, or
// far enough from what was told last; its end is told once.
func (s *Service) tellRedrive(ctx context.Context, id string) error {
	return s.Tx.Update(ctx, func(ctx context.Context) error {
		r, err := s.Store.HoldRedrive(ctx, id)
		if iap.IsKind(err, iap.NotFound) {
			return nil
		}
		if err != nil {
			return err
		}
		p, err := s.Store.RedriveProgress(ctx, id)
		if err != nil {
			return err
		}
		ended, moved := r.Taken && p.Waiting == 0, p.Moved()
		if !ended && (p.Total == 0 || r.Told >= 0 && moved-r.Told < max(1, 2*p.Total/tellParts)) {
			return nil
		}
		if r.Told = moved; ended {
			err = s.Store.EndRedrive(ctx, id)
		} else {
			err = s.Store.PutRedrive(ctx, r)
		}
		if err != nil || p.Total == 0 { // of a redrive of nothing there is nothing to tell
			return err
		}
		return s.Log.Append(ctx, &event.Event{Source: "/redrives", Type: event.RedriveChanged, Subject: id, Time: s.Now(), Owner: event.AdminsOnly,
			Data: mustJSON(RedriveTold{Redrive: id, By: r.BegunBy, BegunAt: r.BegunAt, Target: r.Target, Type: r.EventType, Ended: ended,
				Total: p.Total, Done: p.Ended(), Waiting: p.Waiting, Delivered: p.Delivered, Dead: p.Dead, Dropped: p.Dropped})})
	})
}
