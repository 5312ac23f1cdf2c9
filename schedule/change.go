package schedule

import (
	"context"
	"encoding/json"
	"time"

	iap "github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/event"
)

// Change changes a schedule: it is due by its new times from now on, and what
// it missed while it was paused is not made up for. Errors: those of Add, and
// NotFound.
func (s *Service) Change(ctx context.Context, actor iap.Actor, name string, c Change) (out Schedule, err error) {
	if err := adminsOnly(actor, "schedule.Change"); err != nil {
		return Schedule{}, err
	}
	err = s.Tx.Update(ctx, func(ctx context.Context) error {
		if out, err = s.get(ctx, name); err != nil {
			return err
		}
		what := "changed"
		if c.Paused != nil && *c.Paused != out.Paused {
			what = map[bool]string{true: "paused", false: "resumed"}[*c.Paused]
		}
		if err := c.apply(&out); err != nil {
			return err
		}
		if err := s.complete(ctx, actor, &out); err != nil {
			return err
		}
		if err := s.Store.UpdateSchedule(ctx, out); err != nil {
			return err
		}
		return s.tell(ctx, out, what, actor)
	})
	return out, err
}

func (c Change) apply(x *Schedule) error {
	text := func(p *string) string {
		if p == nil {
			return ""
		}
		return *p
	}
	if c.Cron != nil || c.At != nil || c.Weekdays != nil {
		cron, err := expression(text(c.Cron), text(c.At), text(c.Weekdays))
		if err != nil {
			return err
		}
		x.Cron = cron
	}
	if c.Zone != nil {
		x.Zone = *c.Zone
	}
	if c.StateMachine != nil {
		x.StateMachine = *c.StateMachine
	}
	if c.Input != nil {
		x.Input = c.Input
	}
	if c.Grace != nil {
		x.Grace = *c.Grace
	}
	if c.Paused != nil {
		x.Paused = *c.Paused
	}
	return nil
}

// Remove deletes a schedule; executions that it has started go on. Errors:
// Forbidden (also for one of the portal's own), NotFound.
func (s *Service) Remove(ctx context.Context, actor iap.Actor, name string) error {
	const op = "schedule.Remove"
	if err := adminsOnly(actor, op); err != nil {
		return err
	}
	return s.Tx.Update(ctx, func(ctx context.Context) error {
		x, err := s.get(ctx, name)
		if err != nil {
			return err
		}
		if x.BuiltIn {
			return iap.Errorf(op, iap.Forbidden, "%q is the portal's own and cannot be removed; pause it instead", name)
		}
		if err := s.Store.DeleteSchedule(ctx, name); err != nil {
			return err
		}
		return s.tell(ctx, x, "removed", actor)
	})
}

// Ensure makes a schedule of the portal's own where there is none of its name.
func (s *Service) Ensure(ctx context.Context, n New) error {
	_, err := s.Store.Schedule(ctx, n.Name)
	if !iap.IsKind(err, iap.NotFound) {
		return err
	}
	_, err = s.add(ctx, iap.System, n, true)
	if iap.IsKind(err, iap.Conflict) { // another replica was quicker
		return nil
	}
	return err
}

// changed is the data of a ScheduleChanged event.
type changed struct {
	Name         string    `json:"name"`
	What         string    `json:"what"` // "added", "changed", "paused", "resumed", "removed"
	By           string    `json:"by"`
	Cron         string    `json:"cron"`
	Zone         string    `json:"zone"`
	StateMachine string    `json:"state_machine"`
	Paused       bool      `json:"paused"`
	NextAt       time.Time `json:"next_at,omitzero"`
}

// tell adds the event of a change and has the times looked at after it.
func (s *Service) tell(ctx context.Context, x Schedule, what string, actor iap.Actor) error {
	iap.AfterCommit(ctx, s.Wake)
	return s.append(ctx, event.ScheduleChanged, x.Name, changed{Name: x.Name, What: what, By: actor.ID, Cron: x.Cron, Zone: x.Zone,
		StateMachine: x.StateMachine, Paused: x.Paused, NextAt: x.NextAt})
}

func (s *Service) append(ctx context.Context, typ, name string, v any) error {
	data, err := json.Marshal(v)
	if err != nil {
		return err
	}
	return s.Log.Append(ctx, &event.Event{Source: "/schedules", Type: typ, Subject: name, Time: s.Now(), Owner: event.AdminsOnly, Data: data})
}
