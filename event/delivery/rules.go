package delivery

import (
	"context"
	"fmt"
	"slices"
	"strings"

	iap "github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/event"
)

// The bounds of what there may be.
const (
	maxRules         = 1000
	maxTargets       = 1000
	maxTargetsOfRule = 20
)

// Rules returns the rules by name.
func (s *Service) Rules(ctx context.Context, a iap.Actor) ([]Rule, error) {
	if err := admin(a, "delivery.Rules"); err != nil {
		return nil, err
	}
	return s.Store.Rules(ctx)
}

// Rule returns one rule.
func (s *Service) Rule(ctx context.Context, a iap.Actor, name string) (Rule, error) {
	rules, err := s.Rules(ctx, a)
	if err != nil {
		return Rule{}, err
	}
	return named("delivery.Rule", "rule", rules, name, func(r Rule) string { return r.Name })
}

// named finds a thing by its name.
func named[T any](op, what string, all []T, name string, of func(T) string) (T, error) {
	for _, v := range all {
		if of(v) == name {
			return v, nil
		}
	}
	var none T
	return none, iap.Errorf(op, iap.NotFound, "there is no %s %.80q", what, name)
}

// PutRule adds a rule, which chooses among the events from now on, or changes
// what one chooses and where that goes. Errors: Invalid, Forbidden, Limit.
func (s *Service) PutRule(ctx context.Context, a iap.Actor, r Rule) (_ Rule, created bool, err error) {
	const op = "delivery.PutRule"
	if err := admin(a, op); err != nil {
		return r, false, err
	}
	if err := checkName(op, r.Name); err != nil {
		return r, false, err
	}
	if _, err := CompileCondition("when", r.When); err != nil {
		return r, false, err
	}
	err = s.Tx.Update(ctx, func(ctx context.Context) error {
		if err := s.checkTargets(ctx, &r); err != nil {
			return err
		}
		created, err = s.putRule(ctx, a, &r)
		return err
	})
	return r, created, err
}

// checkTargets checks the names of a rule's targets and takes out doubles.
func (s *Service) checkTargets(ctx context.Context, r *Rule) error {
	const op = "delivery.PutRule"
	var names []string
	for _, t := range r.Targets {
		if !slices.Contains(names, t) {
			names = append(names, t)
		}
	}
	r.Targets = names
	if len(names) == 0 || len(names) > maxTargetsOfRule {
		return iap.FieldErrorf(op, "targets", "there are %d; give the names of 1 to %d targets", len(names), maxTargetsOfRule)
	}
	all, err := s.Store.Targets(ctx)
	if err != nil {
		return err
	}
	for _, name := range names {
		if !slices.ContainsFunc(all, func(t Target) bool { return t.Name == name }) {
			return iap.FieldErrorf(op, "targets", "there is no target %.80q; add it first: iap target add NAME --webhook URL", name)
		}
	}
	return nil
}

func (s *Service) putRule(ctx context.Context, a iap.Actor, r *Rule) (created bool, err error) {
	rules, err := s.Store.Rules(ctx)
	if err != nil {
		return false, err
	}
	r.CreatedAt, r.UpdatedAt, r.UpdatedBy = s.Now(), s.Now(), a.ID
	action := "added"
	created = true
	if r.After, err = s.Store.LastEventNumber(ctx); err != nil {
		return false, err
	}
	for _, old := range rules {
		if old.Name == r.Name { // events that are not matched yet are so by the new condition
			r.CreatedAt, r.Paused, r.After, action, created = old.CreatedAt, old.Paused, old.After, "changed", false
		}
	}
	if created && len(rules) >= maxRules {
		return false, iap.Errorf("delivery.PutRule", iap.Limit, "there are %d rules already, which is as many as there may be", len(rules))
	}
	if err := s.Store.PutRule(ctx, *r); err != nil {
		return false, err
	}
	return created, s.tell(ctx, event.RuleChanged, Change{Name: r.Name, Action: action, By: a.ID})
}

// PauseRule has a rule choose nothing, or choose again among the events from now
// on.
func (s *Service) PauseRule(ctx context.Context, a iap.Actor, name string, paused bool) (r Rule, err error) {
	err = s.Tx.Update(ctx, func(ctx context.Context) error {
		if r, err = s.Rule(ctx, a, name); err != nil || r.Paused == paused {
			return err
		}
		r.Paused, r.UpdatedAt, r.UpdatedBy = paused, s.Now(), a.ID
		if r.After, err = s.Store.LastEventNumber(ctx); err != nil {
			return err
		}
		if err := s.Store.PutRule(ctx, r); err != nil {
			return err
		}
		return s.tell(ctx, event.RuleChanged, Change{Name: name, Action: pausing(paused), By: a.ID})
	})
	return r, err
}

func pausing(paused bool) string {
	if paused {
		return "paused"
	}
	return "resumed"
}

// DeleteRule removes a rule; what it has chosen is still delivered.
func (s *Service) DeleteRule(ctx context.Context, a iap.Actor, name string) error {
	return s.Tx.Update(ctx, func(ctx context.Context) error {
		if _, err := s.Rule(ctx, a, name); err != nil {
			return err
		}
		if err := s.Store.DeleteRule(ctx, name); err != nil {
			return err
		}
		return s.tell(ctx, event.RuleChanged, Change{Name: name, Action: "removed", By: a.ID})
	})
}

// Tried is how an expression fares with one event.
type Tried struct {
	Event   event.Event
	Matches bool
	Error   string // why it is neither true nor false of the event
}

// TryOn is how many of the newest events Try looks at.
const TryOn = 100

// Try says which of the newest events an expression chooses, newest first.
func (s *Service) Try(ctx context.Context, a iap.Actor, when string) ([]Tried, error) {
	if err := admin(a, "delivery.Try"); err != nil {
		return nil, err
	}
	x, err := CompileCondition("when", when)
	if err != nil {
		return nil, err
	}
	last, err := s.Store.LastEventNumber(ctx)
	if err != nil {
		return nil, err
	}
	events, err := s.Events.EventsAfter(ctx, max(0, last-TryOn), TryOn)
	if err != nil {
		return nil, err
	}
	out := make([]Tried, 0, len(events))
	for _, e := range slices.Backward(events) {
		t := Tried{Event: e}
		var failure error
		if t.Matches, failure = x.Chooses(NewVars(e)); failure != nil {
			t.Error = firstLine(failure.Error())
		}
		out = append(out, t)
	}
	return out, nil
}

// Choosing returns the rules that would choose an event if it came now, by name:
// also those that were added or resumed after it, but none that is paused.
func (s *Service) Choosing(ctx context.Context, a iap.Actor, e event.Event) ([]Rule, error) {
	rules, err := s.Rules(ctx, a)
	if err != nil {
		return nil, err
	}
	vars := NewVars(e)
	return slices.DeleteFunc(rules, func(r Rule) bool {
		if r.Paused {
			return true
		}
		x, err := CompileCondition("when", r.When)
		if err != nil { // saved by an earlier portal: the log says so
			return true
		}
		ok, err := x.Chooses(vars)
		return err != nil || !ok
	}), nil
}

func firstLine(s string) string {
	s, _, _ = strings.Cut(s, "\n")
	return fmt.Sprintf("%.200s", s)
}
