package schedule

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"time"

	iap "github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/event"
	"github.com/internal-app-portal/iap/workflow"
)

const (
	// lookAgain bounds how long a clock that was set goes unnoticed.
	lookAgain = time.Minute
	// afterFault is when something is tried again that a fault kept from its
	// commit.
	afterFault = 2 * time.Second
	// keepFirings is how many firings of a schedule are kept. They are counted, not
	// dated: a clock that is ahead for a while makes none of them old.
	keepFirings = 2000
	// maxMissed bounds how many missed times of a schedule are counted.
	maxMissed = 10_000
)

// Start begins to fire; what was missed is made up for at once.
func (s *Service) Start(ctx context.Context) error {
	ctx, s.cancel = context.WithCancel(context.WithoutCancel(ctx))
	s.done.Go(func() { s.run(ctx) })
	return nil
}

// Stop ends firing and waits for it.
func (s *Service) Stop(context.Context) error {
	if s.cancel != nil {
		s.cancel()
		s.done.Wait()
	}
	return nil
}

// Wake has the schedules looked at now; it never blocks.
func (s *Service) Wake() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

func (s *Service) run(ctx context.Context) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-s.wake:
		case <-timer.C:
		}
		next, err := s.FireDue(ctx)
		sleep := lookAgain
		switch {
		case ctx.Err() != nil:
			return
		case err != nil:
			slog.Warn("schedules could not be fired; trying again", "err", err)
			sleep = afterFault
		case !next.IsZero():
			sleep = min(lookAgain, max(time.Millisecond, next.Sub(s.Now())))
		}
		timer.Reset(sleep)
	}
}

// FireDue fires all that is due now, each in a commit of its own, and returns
// when the next will be; the zero time when there is none.
func (s *Service) FireDue(ctx context.Context) (next time.Time, err error) {
	all, err := s.Store.Schedules(ctx)
	if err != nil {
		return time.Time{}, err
	}
	now := s.Now()
	for _, x := range all {
		if x.Paused {
			continue
		}
		if due(x, now) || aheadOf(x, now) {
			var moveErr error
			if x, moveErr = s.move(ctx, x.Name); moveErr != nil {
				err = moveErr // the others are not held up by one
				continue
			}
		}
		if !x.NextAt.IsZero() && (next.IsZero() || x.NextAt.Before(next)) {
			next = x.NextAt
		}
	}
	return next, err
}

func due(x Schedule, now time.Time) bool { return !x.NextAt.IsZero() && !x.NextAt.After(now) }

// aheadOf reports whether a schedule waits for a later time than its next: its
// clock was ahead for a while. What it fired then it does not fire again.
func aheadOf(x Schedule, now time.Time) bool {
	t, err := ParseTiming(x.Cron, x.Zone)
	if err != nil {
		return false
	}
	first := t.Next(now)
	return !first.IsZero() && (x.NextAt.IsZero() || first.At.Before(x.NextAt))
}

// move fires what is due of one schedule and moves it on to its next time.
func (s *Service) move(ctx context.Context, name string) (x Schedule, err error) {
	err = s.Tx.Update(ctx, func(ctx context.Context) error {
		if x, err = s.Store.Schedule(ctx, name); err != nil {
			if iap.IsKind(err, iap.NotFound) {
				return nil // removed meanwhile
			}
			return err
		}
		now := s.Now()
		timing, err := ParseTiming(x.Cron, x.Zone)
		if err != nil {
			return s.giveUp(ctx, &x, err)
		}
		if x.Paused || !due(x, now) && !aheadOf(x, now) {
			return nil // another replica was quicker
		}
		if due(x, now) {
			newest, skipped := newestDue(timing, Due{x.NextAt, x.NextLocal}, now)
			if err := s.fire(ctx, x, newest, skipped); err != nil {
				return err
			}
		}
		next := timing.Next(now)
		x.NextAt, x.NextLocal = next.At, next.Local
		return s.Store.UpdateSchedule(ctx, x)
	})
	return x, err
}

// giveUp pauses a schedule whose times cannot be read any more: its zone is not
// in this machine's database of zones.
func (s *Service) giveUp(ctx context.Context, x *Schedule, cause error) error {
	slog.Error("a schedule is paused", "schedule", x.Name, "err", cause)
	x.Paused, x.UpdatedAt, x.UpdatedBy = true, s.Now(), iap.System.ID
	if err := s.Store.UpdateSchedule(ctx, *x); err != nil {
		return err
	}
	return s.tell(ctx, *x, "paused", iap.System)
}

// newestDue returns the newest time up to now from first on, and how many came
// before it.
func newestDue(t Timing, first Due, now time.Time) (newest Due, skipped int) {
	newest = first
	d := t.Next(first.At)
	for ; !d.IsZero() && !d.At.After(now); d = t.Next(d.At) {
		if newest = d; skipped == maxMissed {
			d = t.Next(now.Add(-MaxGrace)) // the rest would be too late anyway
			break
		}
		skipped++
	}
	for ; !d.IsZero() && !d.At.After(now); d = t.Next(d.At) {
		newest = d
	}
	return newest, skipped
}

// fire notes one time of a schedule and, when it is not too late, starts the
// execution. That it was fired before is no error.
func (s *Service) fire(ctx context.Context, x Schedule, d Due, skipped int) error {
	now := s.Now()
	f := Firing{Schedule: x.Name, Local: d.Local, DueAt: d.At, FiredAt: now, Outcome: Started, Skipped: skipped}
	if late := now.Sub(d.At); late > x.Grace {
		f.Outcome, f.Reason = Missed, "the portal was not there in time: it was "+roundly(late)+" late, more than its grace of "+roundly(x.Grace)
	}
	return s.record(ctx, x, f)
}

// record writes a firing with its execution and its event, unless there is one
// of its local time: the row of the schedule is locked, so nobody else fires it
// meanwhile, and the key of the table would refuse it.
func (s *Service) record(ctx context.Context, x Schedule, f Firing) error {
	if _, err := s.Store.Firing(ctx, x.Name, f.Local); !iap.IsKind(err, iap.NotFound) {
		return err
	}
	if f.Outcome == Started {
		if err := s.start(ctx, x, &f); err != nil {
			return err
		}
	}
	return s.note(ctx, f)
}

// note writes a firing with its event.
func (s *Service) note(ctx context.Context, f Firing) error {
	if err := s.Store.InsertFiring(ctx, f); err != nil {
		return err
	}
	if err := s.Store.DeleteFirings(ctx, f.Schedule, keepFirings); err != nil {
		return err
	}
	iap.AfterCommit(ctx, func() { report(f) })
	return s.append(ctx, event.ScheduleFired, f.Schedule, fired{Name: f.Schedule, Local: f.Local, DueAt: f.DueAt, Outcome: f.Outcome,
		Execution: f.Execution, Reason: f.Reason, By: f.By, Skipped: f.Skipped})
}

// fired is the data of a ScheduleFired event.
type fired struct {
	Name      string    `json:"name"`
	Local     string    `json:"local"`
	DueAt     time.Time `json:"due_at"`
	Outcome   Outcome   `json:"outcome"`
	Execution string    `json:"execution,omitempty"`
	Reason    string    `json:"reason,omitempty"`
	By        string    `json:"by,omitempty"`
	Skipped   int       `json:"skipped,omitempty"`
}

// start starts the execution of a firing. That the state machine is gone, or
// cannot be started, is the outcome of the firing; a fault that may pass is an
// error.
func (s *Service) start(ctx context.Context, x Schedule, f *Firing) error {
	name := executionName(x.Name, *f)
	e, _, err := s.Machines.Start(ctx, workflow.StartMachine{ARN: workflow.MachineARN(x.StateMachine), Name: name,
		Input: x.Input, Owner: x.Owner, Later: true})
	switch iap.KindOf(err) {
	case iap.Invalid, iap.NotFound, iap.Conflict, iap.Forbidden:
		f.Outcome, f.Reason = Failed, fmt.Sprintf("the state machine %s could not be started: %s", x.StateMachine, messageOf(err))
		return nil
	}
	f.Execution = e.ID
	if f.Local == "" {
		f.Local = e.ID
	}
	return err
}

// executionName is what people see of an execution's origin; its end is random,
// for a schedule may be removed and made anew.
func executionName(schedule string, f Firing) string {
	local := strings.NewReplacer(" ", "-", ":", "").Replace(f.Local)
	if local == "" {
		local = "by-hand"
	}
	return schedule + "-" + local + "-" + iap.NewID(f.FiredAt)[iap.IDLength-6:]
}

// report writes a line for the operator.
func report(f Firing) {
	if f.Outcome == Started {
		slog.Info("schedule fired", "schedule", f.Schedule, "local", f.Local, "execution", f.Execution)
		return
	}
	slog.Warn("schedule not fired", "schedule", f.Schedule, "local", f.Local, "outcome", f.Outcome, "reason", f.Reason)
}

// Run starts an execution of a schedule now, paused or not, whatever its times.
// Errors: Forbidden, NotFound, Conflict (the state machine cannot be started).
func (s *Service) Run(ctx context.Context, actor iap.Actor, name string) (f Firing, err error) {
	const op = "schedule.Run"
	if err := adminsOnly(actor, op); err != nil {
		return Firing{}, err
	}
	err = s.Tx.Update(ctx, func(ctx context.Context) error {
		x, err := s.get(ctx, name)
		if err != nil {
			return err
		}
		now := s.Now()
		f = Firing{Schedule: name, DueAt: now, FiredAt: now, Outcome: Started, By: actor.ID}
		if err := s.start(ctx, x, &f); err != nil {
			return err
		}
		if f.Outcome == Failed {
			return iap.Errorf(op, iap.Conflict, "%s", f.Reason)
		}
		return s.note(ctx, f)
	})
	return f, err
}

// roundly writes a length of time for people.
func roundly(d time.Duration) string {
	switch {
	case d < time.Hour:
		return fmt.Sprintf("%d min", int(d.Minutes()))
	case d < 48*time.Hour:
		return fmt.Sprintf("%.1f h", d.Hours())
	}
	return fmt.Sprintf("%d days", int(d.Hours()/24))
}
