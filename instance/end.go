package instance

import (
	"context"
	"encoding/json"
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
)

// End is when an instance ends that nobody destroys before, and by what.
type End struct {
	At time.Time
	By EndBy
}

// EndOf returns when an instance that has not ended will end: by its own time,
// by the next sweep or, where that spares it, when it need not be kept any more.
func (s *Service) EndOf(ctx context.Context, i Instance) (End, error) {
	end := End{At: i.EndsAt, By: EndByTime}
	if i.KeepUntil.Equal(i.EndsAt) {
		end.By = EndByKeep
	}
	if s.NextSweep == nil {
		return end, nil
	}
	sweep, err := s.NextSweep(ctx)
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

// warnings are how long before its end an instance's owner is warned, the
// longest first.
var warnings = []time.Duration{30 * time.Minute, 5 * time.Minute}

// Warned reports whether the owner was warned of the end that an instance has.
func (i Instance) Warned(end End) bool { return i.WarnedOf.Equal(end.At) && i.Status == Running }

// WarnDue warns of the ends that come near, each once for each of the warnings,
// and returns when to look again; the zero time when nothing runs.
func (s *Service) WarnDue(ctx context.Context) (next time.Time, err error) {
	live, err := s.Store.LiveInstances(ctx)
	if err != nil {
		return time.Time{}, err
	}
	for _, i := range live {
		if i.Status != Running || i.EndedBy != "" {
			continue
		}
		at, warnErr := s.warn(ctx, i)
		if warnErr != nil {
			err = warnErr
		}
		if !at.IsZero() && (next.IsZero() || at.Before(next)) {
			next = at
		}
	}
	return next, err
}

// warn warns of an instance's end where that is due, and returns when the next
// warning is.
func (s *Service) warn(ctx context.Context, i Instance) (next time.Time, err error) {
	end, err := s.EndOf(ctx, i)
	if err != nil {
		return time.Time{}, err
	}
	left := end.At.Sub(s.Now())
	due := time.Duration(0)
	for _, w := range warnings {
		switch {
		case end.At.Sub(i.ReadyAt) <= w+time.Minute:
			continue // it lives no longer than that
		case left <= w:
			due = w
		case next.IsZero():
			next = end.At.Add(-w)
		}
	}
	if due == 0 || left <= 0 || i.WarnedOf.Equal(end.At) && i.WarnedBefore <= due {
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
		if i.Status != Running || i.EndedBy != "" || i.WarnedOf.Equal(end.At) && i.WarnedBefore <= due {
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

func (s *Service) tellEnding(ctx context.Context, i Instance, end End, before time.Duration) error {
	data, err := json.Marshal(Ending{Instance: i.ID, HostName: i.HostName, App: i.App, Owner: i.Owner, EndsAt: end.At, By: end.By,
		Minutes: int(before / time.Minute), Keep: "/instances/" + i.ID + "/keep"})
	if err != nil {
		return err
	}
	return s.Log.Append(ctx, &event.Event{Source: "/instances", Type: event.InstanceEnding, Subject: i.ID, Time: s.Now(),
		Owner: i.Owner, Group: i.ID, Data: data})
}

// Warner warns of ends from Start to Stop.
type Warner struct {
	Service *Service
	cancel  context.CancelFunc
	done    sync.WaitGroup
}

// warnTick bounds how long a moved end, or a clock that was set, goes unnoticed.
const warnTick = 20 * time.Second

// Start begins to warn.
func (w *Warner) Start(ctx context.Context) error {
	ctx, w.cancel = context.WithCancel(context.WithoutCancel(ctx))
	w.done.Go(func() { w.run(ctx) })
	return nil
}

// Stop ends warning and waits for it.
func (w *Warner) Stop(context.Context) error {
	if w.cancel != nil {
		w.cancel()
		w.done.Wait()
	}
	return nil
}

func (w *Warner) run(ctx context.Context) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
		}
		next, err := w.Service.WarnDue(ctx)
		if err != nil && ctx.Err() == nil {
			slog.Warn("ends could not be warned of; trying again", "err", err)
		}
		sleep := warnTick
		if !next.IsZero() {
			sleep = min(sleep, max(time.Millisecond, next.Sub(w.Service.Now())))
		}
		timer.Reset(sleep)
	}
}
