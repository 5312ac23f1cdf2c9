package delivery

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"time"

	iap "github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/event"
)

// Targets returns the targets by name, without their secrets.
func (s *Service) Targets(ctx context.Context, a iap.Actor) ([]Target, map[string]Health, error) {
	if err := admin(a, "delivery.Targets"); err != nil {
		return nil, nil, err
	}
	all, err := s.Store.Targets(ctx)
	if err != nil {
		return nil, nil, err
	}
	for i := range all {
		if err := s.openSecret(&all[i]); err != nil {
			s.log.Warn("the secret of a target cannot be read", "target", all[i].Name, "err", err)
		}
		if !all[i].OldUntil.After(s.Now()) {
			all[i].OldUntil = time.Time{}
		}
		all[i].Secret, all[i].OldSecret = "", ""
	}
	health, err := s.Store.Health(ctx)
	return all, health, err
}

// Target returns one target without its secret.
func (s *Service) Target(ctx context.Context, a iap.Actor, name string) (Target, Health, error) {
	all, health, err := s.Targets(ctx, a)
	if err != nil {
		return Target{}, Health{}, err
	}
	t, err := named("delivery.Target", "target", all, name, func(t Target) string { return t.Name })
	return t, health[name], err
}

// AddTarget adds a target and returns it with its secret, which is not told
// again: a new one where the target has none and needs one. Errors: Invalid,
// Conflict, Forbidden, Limit.
func (s *Service) AddTarget(ctx context.Context, a iap.Actor, t Target) (Target, error) {
	const op = "delivery.AddTarget"
	if err := admin(a, op); err != nil {
		return t, err
	}
	if err := s.complete(&t); err != nil {
		return t, err
	}
	t.CreatedAt, t.UpdatedAt, t.UpdatedBy = s.Now(), s.Now(), a.ID
	return t, s.Tx.Update(ctx, func(ctx context.Context) error {
		all, err := s.Store.Targets(ctx)
		switch {
		case err != nil:
			return err
		case slices.ContainsFunc(all, func(o Target) bool { return o.Name == t.Name }):
			return iap.Errorf(op, iap.Conflict, "there is a target %q already", t.Name)
		case len(all) >= maxTargets:
			return iap.Errorf(op, iap.Limit, "there are %d targets already, which is as many as there may be", len(all))
		}
		return s.putTarget(ctx, t, "added", a.ID)
	})
}

// ChangeTarget changes all of a target but its name and its kind. Without a
// secret it keeps the one that it has. Errors: Invalid, NotFound, Forbidden.
func (s *Service) ChangeTarget(ctx context.Context, a iap.Actor, t Target) (Target, error) {
	if err := admin(a, "delivery.ChangeTarget"); err != nil {
		return t, err
	}
	err := s.Tx.Update(ctx, func(ctx context.Context) error {
		old, err := s.open(ctx, t.Name)
		if err != nil {
			return err
		}
		if t.Secret == "" {
			t.Secret, t.OldSecret, t.OldUntil = old.Secret, old.OldSecret, old.OldUntil
		}
		t.Kind, t.Paused, t.Disabled, t.CreatedAt, t.UpdatedAt, t.UpdatedBy = old.Kind, old.Paused, old.Disabled, old.CreatedAt, s.Now(), a.ID
		if err := s.complete(&t); err != nil {
			return err
		}
		return s.putTarget(ctx, t, "changed", a.ID)
	})
	t.Secret, t.OldSecret = "", ""
	return t, err
}

// Kinds returns the kinds of targets that the portal can deliver to, in the
// order of their names.
func (s *Service) Kinds() []Kind { return slices.Sorted(maps.Keys(s.Senders)) }

// putTarget writes a target and tells of it, in the transaction of ctx.
func (s *Service) putTarget(ctx context.Context, t Target, action, by string) error {
	t.Secret = s.sealSecret(t)
	if err := s.Store.PutTarget(ctx, t); err != nil {
		return err
	}
	return s.tell(ctx, event.TargetChanged, Change{Name: t.Name, Action: action, By: by})
}

// complete fills in what follows from the rest and checks all of it.
func (s *Service) complete(t *Target) error {
	const op = "delivery.AddTarget"
	if err := t.checkSettings(op); err != nil {
		return err
	}
	sender := s.Senders[t.Kind]
	if sender == nil {
		return iap.FieldErrorf(op, "kind", "this portal cannot deliver to targets of kind %s", t.Kind)
	}
	if t.Backoff == 0 {
		t.Backoff = DefaultBackoff
	}
	if t.Timeout == 0 {
		t.Timeout = DefaultTimeout
	}
	if t.Secret == "" && t.signed() {
		t.Secret = NewSecret()
	}
	return errors.Join(checkName(op, t.Name), t.checkBounds(), checkSecret(*t), sender.Check(*t))
}

func (t *Target) checkBounds() error {
	const op = "delivery.AddTarget"
	var errs []error
	if t.Attempts < 0 || t.Attempts > maxAttempts {
		errs = append(errs, iap.FieldErrorf(op, "attempts", "%d is not between 1 and %d; leave it out to try for three days", t.Attempts, maxAttempts))
	}
	if t.Backoff < time.Millisecond || t.Backoff > maxPause {
		errs = append(errs, iap.FieldErrorf(op, "backoff", "%s is not between 1ms and %s", t.Backoff, maxPause))
	}
	if t.Timeout < time.Millisecond || t.Timeout > maxTimeout {
		errs = append(errs, iap.FieldErrorf(op, "timeout", "%s is not between 1ms and %s", t.Timeout, maxTimeout))
	}
	if t.Rate < 0 || t.Rate > 100_000 {
		errs = append(errs, iap.FieldErrorf(op, "rate", "%v is not between 0 and 100000 a second", t.Rate))
	}
	return errors.Join(errs...)
}

// signed reports whether what the target gets is signed.
func (t Target) signed() bool {
	info, _ := KindOf(t.Kind)
	return info.Signed
}

func checkSecret(t Target) error {
	switch {
	case t.Secret == "":
		return nil
	case !t.signed():
		return iap.FieldErrorf("delivery.AddTarget", "secret", "a target of kind %s has none", t.Kind)
	}
	_, err := key(t.Secret)
	return err
}

// PauseTarget has deliveries to a target wait, or go on; to go on also lifts
// what the portal disabled.
func (s *Service) PauseTarget(ctx context.Context, a iap.Actor, name string, paused bool) (t Target, err error) {
	if err := admin(a, "delivery.PauseTarget"); err != nil {
		return t, err
	}
	err = s.change(ctx, name, pausing(paused), a.ID, func(t *Target) bool {
		same := t.Paused == paused && (paused || t.Disabled == "")
		t.Paused = paused
		if !paused {
			t.Disabled = ""
		}
		return !same
	})
	if err != nil {
		return t, err
	}
	t, _, err = s.Target(ctx, a, name)
	return t, err
}

// change changes a target if fn says that it did.
func (s *Service) change(ctx context.Context, name, action, by string, fn func(*Target) bool) error {
	return s.Tx.Update(ctx, func(ctx context.Context) error {
		t, err := s.open(ctx, name)
		if err != nil || !fn(&t) {
			return err
		}
		t.UpdatedAt, t.UpdatedBy = s.Now(), by
		return s.putTarget(ctx, t, action, by)
	})
}

// open returns a target with its secret in the clear.
func (s *Service) open(ctx context.Context, name string) (Target, error) {
	all, err := s.Store.Targets(ctx)
	if err != nil {
		return Target{}, err
	}
	t, err := named("delivery.Target", "target", all, name, func(t Target) string { return t.Name })
	if err == nil {
		err = s.openSecret(&t)
	}
	return t, err
}

// DeleteTarget removes a target, and drops what waits for it and its dead
// letters. Conflict while a rule leads there.
func (s *Service) DeleteTarget(ctx context.Context, a iap.Actor, name string) error {
	const op = "delivery.DeleteTarget"
	return s.Tx.Update(ctx, func(ctx context.Context) error {
		if _, _, err := s.Target(ctx, a, name); err != nil {
			return err
		}
		rules, err := s.Store.Rules(ctx)
		if err != nil {
			return err
		}
		var using []string
		for _, r := range rules {
			if slices.Contains(r.Targets, name) {
				using = append(using, r.Name)
			}
		}
		if len(using) > 0 {
			return iap.Errorf(op, iap.Conflict, "the target %s is used by %s; remove or change that first", name, strings.Join(using, ", "))
		}
		if err := s.Store.DeleteTarget(ctx, name, "the target was removed by "+a.ID, s.Now()); err != nil {
			return err
		}
		return s.tell(ctx, event.TargetChanged, Change{Name: name, Action: "removed", By: a.ID})
	})
}

// TestTarget makes one attempt with an event that is not in the log, and says
// what came of it and how long it took.
func (s *Service) TestTarget(ctx context.Context, a iap.Actor, name string) (Attempt, error) {
	if err := admin(a, "delivery.TestTarget"); err != nil {
		return Attempt{}, err
	}
	t, err := s.open(ctx, name)
	if err != nil {
		return Attempt{}, err
	}
	now := s.Now()
	e := event.Event{ID: iap.NewID(now), Source: "/targets", Type: event.Test, Subject: name, Time: now, Owner: event.AdminsOnly,
		Data: mustJSON(map[string]string{"target": name, "by": a.ID})}
	return s.attempt(ctx, t, Message{ID: MessageID(e), Event: e, Attempt: 1, Test: true}), nil
}

// attempt sends a message and says what came of it.
func (s *Service) attempt(ctx context.Context, t Target, m Message) Attempt {
	a, _ := s.send(ctx, t, m)
	return a
}

func (s *Service) send(ctx context.Context, t Target, m Message) (Attempt, Result) {
	a := Attempt{Number: m.Attempt, At: s.Now()}
	sender := s.Senders[t.Kind]
	if sender == nil {
		r := Result{Err: "this portal cannot deliver to targets of kind " + string(t.Kind)}
		a.Error = r.Err
		return a, r
	}
	if s.Portal != "" {
		m.Event = event.WithSchema(m.Event, s.Portal)
	}
	ctx, cancel := context.WithTimeout(ctx, t.Timeout)
	defer cancel()
	begun := time.Now()
	r := sender.Send(ctx, t, m)
	a.Took = time.Since(begun).Round(time.Millisecond)
	a.Code, a.Answer, a.Error = r.Code, r.Answer, r.Err
	return a, r
}
