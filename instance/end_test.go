package instance_test

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	iap "github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/event"
	"github.com/internal-app-portal/iap/instance"
)

// sweepsIn has the next sweep be some time ahead.
func (l *life) sweepsIn(d time.Duration) time.Time {
	at := l.now().Add(d)
	l.Service.NextSweep = func(context.Context) (time.Time, error) { return at, nil }
	return at
}

// TestEndOf: an instance ends by what comes first, and what is kept ends by that
// where the sweep spares it.
func TestEndOf(t *testing.T) {
	l := newLife(t)
	sweep := l.sweepsIn(3 * time.Hour)
	for _, c := range []struct {
		name       string
		ends, keep time.Duration // from now; 0: it is not kept
		want       time.Duration
		by         instance.EndBy
	}{
		{"its time", 2 * time.Hour, 0, 2 * time.Hour, instance.EndByTime},
		{"the sweep", 8 * time.Hour, 0, 3 * time.Hour, instance.EndBySweep},
		{"kept, but not beyond the sweep", 8 * time.Hour, 2 * time.Hour, 3 * time.Hour, instance.EndBySweep},
		{"spared", 8 * time.Hour, 5 * time.Hour, 5 * time.Hour, instance.EndByKeep},
		{"kept longer than its time", 9 * time.Hour, 9 * time.Hour, 9 * time.Hour, instance.EndByKeep},
		{"its time is before the sweep, whatever it is kept", 2 * time.Hour, time.Hour, 2 * time.Hour, instance.EndByTime},
	} {
		now := sweep.Add(-3 * time.Hour)
		i := instance.Instance{TimeLimitAt: now.Add(c.ends)}
		if c.keep > 0 {
			i.KeepUntil = now.Add(c.keep)
		}
		end, err := l.EndOf(t.Context(), i)
		if err != nil || !end.At.Equal(now.Add(c.want)) || end.By != c.by {
			t.Errorf("%s: %v by %s, %v", c.name, end.At.Sub(now), end.By, err)
		}
	}
}

// endings are the warnings that were given.
func (l *life) endings() (out []instance.Ending) {
	l.t.Helper()
	events, err := l.db.EventsAfter(l.t.Context(), 0, 10_000)
	if err != nil {
		l.t.Fatal(err)
	}
	for _, e := range events {
		if e.Type != event.InstanceEnding {
			continue
		}
		var x instance.Ending
		if err := json.Unmarshal(e.Data, &x); err != nil {
			l.t.Fatal(err)
		}
		out = append(out, x)
	}
	return out
}

// TestWarnings: 30 and 5 minutes before the end, each once; an end that is moved
// is warned of anew.
func TestWarnings(t *testing.T) {
	l := newLife(t)
	sweep := l.sweepsIn(3 * time.Hour)
	i := l.running("todo")
	warn := func(left time.Duration, want int) {
		t.Helper()
		l.later(sweep.Add(-left).Sub(l.now()))
		for range 2 { // the second time tells nothing new
			if _, err := l.LookAtEnds(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		if got := l.endings(); len(got) != want {
			t.Fatalf("%s before the end: %d warnings, want %d", left, len(got), want)
		}
	}
	warn(31*time.Minute, 0)
	next, err := l.LookAtEnds(t.Context())
	if err != nil || !next.Equal(sweep.Add(-30*time.Minute)) {
		t.Errorf("the next is at %s, %v", next, err)
	}
	warn(29*time.Minute, 1)
	warn(4*time.Minute, 2)
	w := l.endings()[1]
	if w.Minutes != 5 || w.By != instance.EndBySweep || !w.EndsAt.Equal(sweep) || w.Owner != jane.ID || w.Keep != "/instances/"+i.ID+"/keep" {
		t.Errorf("warning: %+v", w)
	}
	got, err := l.Get(t.Context(), jane, i.ID)
	if err != nil || !got.Warned(instance.End{At: sweep}) {
		t.Errorf("%+v, %v", got, err)
	}
	until := sweep.Add(time.Hour)
	if _, err := l.Keep(t.Context(), jane, i.ID, until, "demo"); err != nil {
		t.Fatal(err)
	}
	warn(3*time.Minute, 2)
	sweep = until
	warn(20*time.Minute, 3)
}

// TestLimits: a limit that is reached says which, names one's own, and counts
// others' alone.
func TestLimits(t *testing.T) {
	l := newLife(t)
	bob := iap.Actor{ID: "bob", Name: "Bob", Role: iap.Member}
	deploy := func(a iap.Actor, app string) (instance.Instance, error) {
		i, _, err := l.Deploy(t.Context(), a, instance.DeployRequest{App: app})
		return i, err
	}
	refused := func(a iap.Actor, app, limit string, own, others int, word string) {
		t.Helper()
		_, err := deploy(a, app)
		var e *instance.LimitError
		if !iap.IsKind(err, iap.Limit) || !errors.As(err, &e) || e.Limit != limit || len(e.Own) != own || e.Others != others || !strings.Contains(e.Error(), word) {
			t.Errorf("%s deploys %s: %v", a.ID, app, err)
		}
	}
	mine, err := deploy(jane, "few")
	if err != nil {
		t.Fatal(err)
	}
	refused(bob, "few", "app", 0, 1, "all of other people")
	l.Limits = instance.Limits{Person: 1}
	refused(jane, "todo", "person", 1, 0, mine.HostName)
	if again, err := deploy(jane, "few"); err != nil || again.ID != mine.ID {
		t.Errorf("what is there already counts: %v", err)
	}
	l.Limits = instance.Limits{Portal: 2}
	if _, err := deploy(bob, "todo"); err != nil {
		t.Fatal(err)
	}
	refused(bob, "board", "portal", 1, 1, "1 other people's")
	if err := errors.Unwrap(iap.E("", iap.Limit, &instance.LimitError{Limit: "portal", Most: 1})); strings.Contains(err.Error(), mine.HostName) {
		t.Error("it names another's")
	}
}

// TestFor: a time limit may be asked for up to the app's most.
func TestFor(t *testing.T) {
	l := newLife(t)
	for _, c := range []struct {
		app  string
		d    time.Duration
		want time.Duration // 0: refused
	}{
		{"todo", 0, 8 * time.Hour}, {"todo", 2 * time.Hour, 2 * time.Hour}, {"todo", 8*time.Hour + time.Minute, 0}, {"todo", time.Second, 0},
		{"long", 24 * time.Hour, 24 * time.Hour}, {"long", 25 * time.Hour, 0}, {"short", 0, 30 * time.Minute},
	} {
		who := iap.Actor{ID: c.app + c.d.String(), Role: iap.Member}
		i, _, err := l.Deploy(t.Context(), who, instance.DeployRequest{App: c.app, For: c.d})
		if c.want == 0 {
			if f := iap.Fields(err); len(f) != 1 || f[0].Field != "for" {
				t.Errorf("%s for %s: %v", c.app, c.d, err)
			}
			continue
		}
		if err != nil || i.TimeLimitAt.Sub(i.CreatedAt) != c.want {
			t.Errorf("%s for %s: %s, %v", c.app, c.d, i.TimeLimitAt.Sub(i.CreatedAt), err)
		}
	}
}
