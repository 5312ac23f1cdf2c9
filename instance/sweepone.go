package instance

import (
	"context"
	"encoding/json"
	"errors"
	"math"
	"time"

	iap "github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/event"
	"github.com/internal-app-portal/iap/workflow"
)

// taskSweep destroys one instance for a sweep and waits until nothing of it is
// left. One that is kept is spared; since that may have been decided after the
// list was made, it is looked at here, in the commit that would end it.
func (s *Service) taskSweep(ctx context.Context, c workflow.Call) (json.RawMessage, error) {
	if err := s.sweeper(c); err != nil {
		return nil, err
	}
	var a struct{ Instance string }
	if err := sweepDoc.Read(c.Arguments, &a); err != nil {
		return nil, badArguments(c, err)
	}
	sub := s.Log.Subscribe(-1) // before the end is asked for
	begun := s.Now()
	i, kept, err := s.endForSweep(ctx, s.actor(c), a.Instance)
	switch {
	case iap.IsKind(err, iap.NotFound):
		return nil, workflow.FailTask(errorNotFound, "There is no instance %q.", clip(a.Instance))
	case err != nil:
		return nil, err
	}
	r := SweepResult{Instance: i.ID, HostName: i.HostName, App: i.App, Owner: i.Owner, Outcome: SweptDestroyed}
	if kept {
		r.Outcome, r.KeptUntil, r.KeptBy, r.KeepReason = SweptKept, i.KeepUntil.Format(timeFormat), i.KeptBy, i.KeepReason
		return result(r, nil)
	}
	saved := max(0, i.TimeLimitAt.Sub(begun).Hours())
	r.HoursSaved, r.MoneySaved = cents(saved), cents(saved*i.Price.Hour)
	w := waiting{service: s, since: begun}
	i, err = w.until(ctx, i, sub)
	switch {
	case err != nil:
		return nil, err
	case i.Status == DestroyFailed:
		return nil, workflow.FailTask(errorDestroyFailed, "%d things are left of %s.", leftOf(i), i.HostName)
	}
	r.WaitedFor, r.WaitedSeconds = w.what, math.Round(w.waited.Seconds()*10)/10
	return result(r, nil)
}

// cents rounds to hundredths.
func cents(f float64) float64 { return math.Round(f*100) / 100 }

func leftOf(i Instance) int {
	if i.Receipt == nil {
		return 0
	}
	return len(i.Receipt.Left)
}

// endForSweep ends an instance unless it is kept. A kept one ends when it need
// not be kept any more: the next sweep is a day away.
func (s *Service) endForSweep(ctx context.Context, actor iap.Actor, ref string) (i Instance, kept bool, err error) {
	if i, err = s.get(ctx, actor, ref); err != nil {
		return i, false, err
	}
	err = s.Tx.Update(ctx, func(ctx context.Context) error {
		if i, err = s.Store.Instance(ctx, i.ID); err != nil {
			return err
		}
		kept = i.EndedBy == "" && i.KeepUntil.After(s.Now()) && !i.Status.Ended() && i.Status != Destroying
		if kept {
			return s.spare(ctx, i)
		}
		_, err := s.change(ctx, i.ID, func(i *Instance) (bool, error) {
			news := requestEnd(i, actor)
			if news {
				i.EndReason = "destroyed by the nightly sweep"
				i.SavedBy, i.SavedUntil = EndBySweep, i.TimeLimitAt
			}
			return news, nil
		})
		if err != nil || i.Status == Destroyed || i.Status == DeployFailed {
			return err
		}
		return s.interrupt(ctx, i, actor)
	})
	return i, kept, err
}

// spare moves the end of a kept instance to when it is kept.
func (s *Service) spare(ctx context.Context, i Instance) error {
	if !i.KeepUntil.Before(i.TimeLimitAt) {
		return nil
	}
	if ok, err := s.movable(ctx, i); err != nil || !ok {
		return err // then its lifecycle goes by its first end
	}
	_, err := s.move(ctx, i.ID, func(i *Instance) error {
		i.TimeLimitAt = i.KeepUntil
		return nil
	})
	return err
}

// waiting follows an instance to its end and adds up for how long the platform
// kept it waiting, as its events tell.
type waiting struct {
	service *Service
	since   time.Time
	what    string
	waited  time.Duration
	from    time.Time // when it began to wait; zero: it does not
}

// lookAgain bounds how long a change goes unseen that no event has told of.
const lookAgain = 15 * time.Second

// until returns the instance when it has ended, or when a destroy of it has
// failed since.
func (w *waiting) until(ctx context.Context, i Instance, sub *event.Subscription) (Instance, error) {
	for {
		var err error
		if i, err = w.service.Store.Instance(ctx, i.ID); err != nil {
			return i, err
		}
		if over := i.Status == Destroyed || i.Status == DeployFailed; over ||
			i.Status == DestroyFailed && i.Receipt != nil && !i.Receipt.At.Before(w.since) {
			return i, w.catchUp(ctx, i, sub)
		}
		if err := w.next(ctx, sub, i.ID); err != nil {
			return i, err
		}
	}
}

// catchUp takes the events that came with the end.
func (w *waiting) catchUp(ctx context.Context, i Instance, sub *event.Subscription) error {
	for {
		events, _, err := sub.Poll(ctx)
		if err != nil || len(events) == 0 {
			w.note("", i.EndedAt)
			return err
		}
		w.take(events, i.ID)
	}
}

var errLookAgain = errors.New("it is time to look again")

// next waits for the next event of an instance.
func (w *waiting) next(ctx context.Context, sub *event.Subscription, id string) error {
	wait, cancel := context.WithTimeoutCause(ctx, lookAgain, errLookAgain)
	defer cancel()
	for {
		events, err := sub.Next(wait)
		if err != nil {
			if ctx.Err() == nil && wait.Err() != nil {
				return nil
			}
			return err
		}
		if w.take(events, id) {
			return nil
		}
	}
}

// take notes what events say of an instance; it reports whether any did.
func (w *waiting) take(events []event.Event, id string) (any bool) {
	for _, e := range events {
		if e.Group != id {
			continue
		}
		any = true
		var i Snapshot
		if e.Type == event.InstanceChanged && json.Unmarshal(e.Data, &i) == nil {
			w.note(i.Waiting, e.Time)
		}
	}
	return any
}

func (w *waiting) note(what string, at time.Time) {
	if what != w.service.Platform.Title() {
		what = "" // its turn among the jobs
	}
	switch {
	case what != "" && w.from.IsZero():
		w.from, w.what = at, what
	case what == "" && !w.from.IsZero():
		w.waited, w.from = w.waited+max(0, at.Sub(w.from)), time.Time{}
	}
}
