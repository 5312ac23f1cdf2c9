package instance

import (
	"bytes"
	"context"
	"errors"
	"regexp"
	"strconv"
	"strings"
	"time"

	iap "github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/workflow"
)

// DefaultKeepMost is how far ahead an instance may be kept when the operator
// says nothing.
const DefaultKeepMost = 12 * time.Hour

// maxKeepReason is the length of a reason in characters.
const maxKeepReason = 200

var keepClock = regexp.MustCompile(`^([01]?[0-9]|2[0-3]):([0-5][0-9])$`)

// ParseUntil reads up to when an instance is to be kept: a clock time, "21:00",
// which is the next one in zone, or a moment as RFC 3339 has it. The error is
// Invalid and names the field "until".
func ParseUntil(text string, zone *time.Location, now time.Time) (time.Time, error) {
	text = strings.TrimSpace(text)
	if m := keepClock.FindStringSubmatch(text); m != nil {
		hour, _ := strconv.Atoi(m[1])
		minute, _ := strconv.Atoi(m[2])
		l := now.In(zone)
		t := time.Date(l.Year(), l.Month(), l.Day(), hour, minute, 0, 0, zone)
		if !t.After(now) {
			t = time.Date(l.Year(), l.Month(), l.Day()+1, hour, minute, 0, 0, zone)
		}
		return t.UTC(), nil
	}
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return time.Time{}, iap.FieldErrorf("instance.Keep", "until", "%q is neither a clock time, such as 21:00, nor a moment, such as 2026-11-28T21:00:00Z", clip(text))
	}
	return t.UTC().Truncate(time.Millisecond), nil
}

// Keep has the sweep spare an instance up to a time, for a reason that people
// read; where the instance's own time is up before, it is moved there. Errors:
// NotFound, Invalid ("until", "reason"), Conflict (it is on its way out).
func (s *Service) Keep(ctx context.Context, actor iap.Actor, ref string, until time.Time, reason string) (Instance, error) {
	const op = "instance.Keep"
	i, err := s.get(ctx, actor, ref)
	if err != nil {
		return Instance{}, err
	}
	reason = strings.Join(strings.Fields(reason), " ")
	if err := s.checkKeep(op, until, reason); err != nil {
		return Instance{}, err
	}
	return s.move(ctx, i.ID, func(i *Instance) error {
		if i.Status.Ended() || i.Status == Destroying || i.EndedBy != "" {
			return iap.Errorf(op, iap.Conflict, "%s is being destroyed or gone; it cannot be kept", i.HostName)
		}
		if i.Purpose == ForBooking {
			return errBooked(op, *i)
		}
		i.KeepUntil, i.KeepReason, i.KeptBy = until, reason, actor.ID
		if until.After(i.TimeLimitAt) {
			i.TimeLimitAt = until
		}
		return nil
	})
}

func (s *Service) checkKeep(op string, until time.Time, reason string) error {
	now, most := s.Now(), s.KeepMost
	if most == 0 {
		most = DefaultKeepMost
	}
	var errs []error
	switch {
	case !until.After(now):
		errs = append(errs, iap.FieldErrorf(op, "until", "it is over already"))
	case until.After(now.Add(most)):
		errs = append(errs, iap.FieldErrorf(op, "until", "it is more than %s ahead, which is the most here", LengthWords(most)))
	}
	switch {
	case reason == "":
		errs = append(errs, iap.FieldErrorf(op, "reason", "it is missing; say in a few words what the instance is kept for"))
	case len([]rune(reason)) > maxKeepReason:
		errs = append(errs, iap.FieldErrorf(op, "reason", "it is longer than %d characters", maxKeepReason))
	}
	return errors.Join(errs...)
}

// Release takes Keep back: the sweep does not spare the instance any more. Its
// own end stays where it is.
func (s *Service) Release(ctx context.Context, actor iap.Actor, ref string) (Instance, error) {
	i, err := s.get(ctx, actor, ref)
	if err != nil {
		return Instance{}, err
	}
	return s.change(ctx, i.ID, func(i *Instance) (bool, error) {
		if i.Purpose == ForBooking {
			return false, errBooked("instance.Release", *i)
		}
		changed := !i.KeepUntil.IsZero()
		i.KeepUntil, i.KeepReason, i.KeptBy = time.Time{}, "", ""
		return changed, nil
	})
}

// errBooked: how long a booked instance is kept is its booking's to say.
func errBooked(op string, i Instance) error {
	return iap.Errorf(op, iap.Conflict, "%s is kept for a booking; extend or cancel that: iap booking extend %s", i.HostName, i.PurposeID)
}

// move changes an instance and, where that moves its end while it is held, has
// its lifecycle go by the new one.
func (s *Service) move(ctx context.Context, id string, fn func(i *Instance) error) (out Instance, err error) {
	err = s.Tx.Update(ctx, func(ctx context.Context) error {
		var before time.Time
		out, err = s.change(ctx, id, func(i *Instance) (bool, error) {
			before = i.TimeLimitAt
			return true, fn(i)
		})
		if err != nil || out.Status != Running || out.TimeLimitAt.Equal(before) {
			return err
		}
		return s.holdAnew(ctx, out)
	})
	if err != nil {
		return Instance{}, err
	}
	return s.Store.Instance(ctx, id)
}

// holdAnew ends the hold of an instance so that it begins again with the time
// that is left now.
func (s *Service) holdAnew(ctx context.Context, i Instance) error {
	ok, err := s.movable(ctx, i)
	if err != nil {
		return err
	}
	if !ok {
		return iap.Errorf("instance.Keep", iap.Conflict, "the end of %s cannot be moved: its lifecycle was begun by a document without that", i.HostName)
	}
	awaits, err := s.Workflow.Awaits(ctx, i.Execution)
	if err != nil {
		return err
	}
	for _, w := range awaits {
		if w.Resource.Service+":"+w.Resource.API != "instance:hold" {
			continue
		}
		err := s.Workflow.Succeed(ctx, w.Token, map[string]bool{"moved": true})
		if err != nil && !errors.Is(err, workflow.ErrStale) {
			return err
		}
	}
	return nil
}

// movable reports whether the lifecycle of an instance knows that its end may be
// moved; one that was begun by an older document does not.
func (s *Service) movable(ctx context.Context, i Instance) (bool, error) {
	def, err := s.Workflow.Definition(ctx, i.Execution)
	return bytes.Contains(def.Definition, []byte("instance:remaining")), err
}

// LengthWords writes a length of time as people do.
func LengthWords(d time.Duration) string {
	words := func(n time.Duration, one string) string {
		if n == 1 {
			return "1 " + one
		}
		return strconv.Itoa(int(n)) + " " + one + "s"
	}
	hours, minutes := d/time.Hour, d%time.Hour/time.Minute
	switch {
	case hours == 0 && minutes == 0:
		return words(d/time.Second, "second")
	case minutes == 0:
		return words(hours, "hour")
	case hours == 0:
		return words(minutes, "minute")
	}
	return words(hours, "hour") + " " + words(minutes, "minute")
}
