package instance

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/internal-app-portal/iap/event"
)

// EndBy says what will end an instance.
type EndBy string

// What ends an instance that nobody destroys.
const (
	EndByTime  EndBy = "time_limit"
	EndBySweep EndBy = "nightly_sweep"
	EndByKeep  EndBy = "keep_until"
	EndByIdle  EndBy = "idle"
	EndByBook  EndBy = "booking"
)

// End is when an instance ends that nobody destroys before, and by what.
type End struct {
	At time.Time
	By EndBy
}

// EndOf returns when an instance that has not ended will end: by its own time,
// by the next sweep or, where that spares it, when it need not be kept any more, or
// when nobody uses it. Of one that has ended it returns when that was; By says
// nothing then.
func (s *Service) EndOf(ctx context.Context, i Instance) (End, error) {
	if i.Status.Ended() && !i.EndedAt.IsZero() {
		return End{At: i.EndedAt}, nil
	}
	end, err := s.clockEnd(ctx, i)
	if at, ok := s.idleEnd(i); ok && at.Before(end.At) {
		end = End{At: at, By: EndByIdle}
	}
	return end, err
}

// clockEnd is the end of an instance whether it is used or not.
func (s *Service) clockEnd(ctx context.Context, i Instance) (End, error) {
	end := End{At: i.TimeLimitAt, By: EndByTime}
	if i.KeepUntil.Equal(i.TimeLimitAt) {
		end.By = EndByKeep
	}
	if i.Purpose == ForBooking && i.KeepUntil.Equal(i.TimeLimitAt) {
		return End{At: i.TimeLimitAt, By: EndByBook}, nil
	}
	sweep, err := s.sweepAt(ctx)
	switch {
	case err != nil || sweep.IsZero() || !sweep.Before(end.At):
		return end, err
	case !i.KeepUntil.After(sweep):
		return End{At: sweep, By: EndBySweep}, nil
	case i.KeepUntil.Before(end.At):
		return End{At: i.KeepUntil, By: EndByKeep}, nil
	}
	return end, nil
}

// sweepAt is when the next sweep is; the zero time when there is none.
func (s *Service) sweepAt(ctx context.Context) (time.Time, error) {
	if s.NextSweep == nil {
		return time.Time{}, nil
	}
	return s.NextSweep(ctx)
}

// warnings are how long before its end an instance's owner is warned, the
// longest first.
var warnings = []time.Duration{30 * time.Minute, 5 * time.Minute}

// Warned reports whether the owner was warned of the end that an instance has.
func (i Instance) Warned(end End) bool { return i.warnedOf(end) && i.Status == Running }

// sameIdleEnd is how far two ends by idleness may be apart and still be one: the
// stored use may be older than the one that was warned after.
const sameIdleEnd = 30 * time.Second

func (i Instance) warnedOf(end End) bool {
	if end.By == EndByIdle {
		return i.WarnedOf.Sub(end.At).Abs() <= sameIdleEnd
	}
	return i.WarnedOf.Equal(end.At)
}

// LookAtEnds stores what was used, warns of the ends that come near, each once for
// each of the warnings, and ends what nobody uses. It returns when to look again;
// the zero time when nothing runs.
func (s *Service) LookAtEnds(ctx context.Context) (next time.Time, err error) {
	live, err := s.Store.LiveInstances(ctx)
	if err != nil {
		return time.Time{}, err
	}
	err = s.noteActivity(ctx, live)
	for _, i := range live {
		if i.Status != Running || i.EndedBy != "" {
			continue
		}
		at, warnErr := s.lookAtEnd(ctx, i)
		if warnErr != nil {
			err = warnErr
		}
		if !at.IsZero() && (next.IsZero() || at.Before(next)) {
			next = at
		}
	}
	return next, err
}

// lookAtEnd does what an instance's end asks for now, and returns when it asks
// for something next.
func (s *Service) lookAtEnd(ctx context.Context, i Instance) (next time.Time, err error) {
	end, err := s.EndOf(ctx, i)
	if err != nil {
		return time.Time{}, err
	}
	if end.By == EndByIdle {
		switch due := end.At.Add(idleGrace); {
		case !s.Now().Before(due):
			return time.Time{}, s.endIdle(ctx, i.ID)
		case !i.WarnedOf.IsZero() && !i.warnedOf(end):
			err = s.usedAgain(ctx, i.ID)
		case s.Now().After(end.At):
			return due, nil
		}
	}
	next, warnErr := s.warn(ctx, i, end)
	if next.IsZero() && end.By == EndByIdle {
		next = end.At
	}
	return next, errors.Join(err, warnErr)
}

// warn warns of an instance's end where that is due, and returns when the next
// warning is.
func (s *Service) warn(ctx context.Context, i Instance, end End) (next time.Time, err error) {
	left, life := end.At.Sub(s.Now()), end.At.Sub(i.ReadyAt)
	if end.By == EndByIdle { // it began with the last use
		life = i.IdleLimit
	}
	due := time.Duration(0)
	for _, w := range warnings {
		switch {
		case life <= w+time.Minute:
			continue // it lives no longer than that
		case left <= w:
			due = w
		case next.IsZero():
			next = end.At.Add(-w)
		}
	}
	if due == 0 || left <= 0 || i.warnedOf(end) && i.WarnedBefore <= due {
		return next, nil
	}
	err = s.Tx.Update(ctx, func(ctx context.Context) error {
		return s.noteWarning(ctx, i.ID, end, due)
	})
	return next, err
}

// noteWarning keeps that an owner was warned, with the event that does it.
func (s *Service) noteWarning(ctx context.Context, id string, end End, due time.Duration) error {
	_, err := s.change(ctx, id, func(i *Instance) (bool, error) {
		if i.Status != Running || i.EndedBy != "" || i.warnedOf(end) && i.WarnedBefore <= due {
			return false, nil // another replica was quicker
		}
		i.WarnedOf, i.WarnedBefore = end.At, due
		return true, s.tellEnding(ctx, *i, end, due)
	})
	return err
}

// Ending is the data of an InstanceEnding event.
type Ending struct {
	Instance string    `json:"instance"`
	HostName string    `json:"host_name"`
	App      string    `json:"app"`
	Owner    string    `json:"owner"`
	EndsAt   time.Time `json:"ends_at"`
	By       EndBy     `json:"by"`
	Minutes  int       `json:"minutes"` // of the warning: 30 or 5
	Keep     string    `json:"keep"`    // path of the page where it is kept longer
}

// KeepPath is the path of the page where an instance is kept longer.
func (i Instance) KeepPath() string {
	if i.Purpose == ForBooking {
		return "/bookings/" + i.PurposeID
	}
	return "/instances/" + i.ID + "/keep"
}

func (s *Service) tellEnding(ctx context.Context, i Instance, end End, before time.Duration) error {
	data, err := json.Marshal(Ending{Instance: i.ID, HostName: i.HostName, App: i.App, Owner: i.Owner, EndsAt: end.At, By: end.By,
		Minutes: int(before / time.Minute), Keep: i.KeepPath()})
	if err != nil {
		return err
	}
	return s.Log.Append(ctx, &event.Event{Source: "/instances", Type: event.InstanceEnding, Subject: i.ID, Time: s.Now(),
		Owner: i.Owner, Group: i.ID, Data: data})
}

// Ender warns of ends, and ends what nobody uses, from Start to Stop.
type Ender struct {
	Service *Service
	cancel  context.CancelFunc
	done    sync.WaitGroup
}

// endsTick bounds how long a moved end, a use, or a clock that was set, goes
// unnoticed.
const endsTick = 10 * time.Second

// Start begins to look at ends.
func (w *Ender) Start(ctx context.Context) error {
	w.Service.upSince.Store(w.Service.Now().UnixMilli())
	ctx, w.cancel = context.WithCancel(context.WithoutCancel(ctx))
	w.done.Go(func() { w.run(ctx) })
	return nil
}

// Stop ends looking, waits for it, and stores what was used since.
func (w *Ender) Stop(ctx context.Context) error {
	if w.cancel == nil {
		return nil
	}
	w.cancel()
	w.done.Wait()
	w.cancel = nil
	live, err := w.Service.Store.LiveInstances(ctx)
	if err != nil {
		return err
	}
	return w.Service.noteActivity(ctx, live)
}

func (w *Ender) run(ctx context.Context) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
		}
		next, err := w.Service.LookAtEnds(ctx)
		if err != nil && ctx.Err() == nil {
			slog.Warn("ends could not be looked at; trying again", "err", err)
		}
		sleep := endsTick
		if !next.IsZero() {
			sleep = min(sleep, max(time.Millisecond, next.Sub(w.Service.Now())))
		}
		timer.Reset(sleep)
	}
}
