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
	"github.com/internal-app-portal/iap/job"
	"github.com/internal-app-portal/iap/workflow"
)

// running deploys an app and waits until it runs.
func (l *life) running(app string) instance.Instance {
	l.t.Helper()
	i := l.deploy(app)
	l.job(job.Apply, job.Succeeded, "http://127.0.0.1:1"+i.HostName[4:5])
	return l.until(i.ID, is(instance.Running))
}

// TestKeepMovesTheEnd: an instance that is kept longer than its time ends when
// it need not be kept any more.
func TestKeepMovesTheEnd(t *testing.T) {
	l := newLife(t)
	i := l.running("todo") // for eight hours
	until := l.now().Add(10 * time.Hour)
	i, err := l.Keep(t.Context(), jane, i.ID, until, " the  demo\nat nine ")
	if err != nil || !i.TimeLimitAt.Equal(until) || i.KeepReason != "the demo at nine" || i.KeptBy != jane.ID {
		t.Fatal(i, err)
	}
	l.later(9 * time.Hour)
	at, ok, err := l.db.NextTaskAt(t.Context())
	if err != nil || !ok || at.Before(until) || at.After(until.Add(2*time.Second)) {
		t.Errorf("the hold ends at %s, %v; want %s", at, err, until)
	}
	l.later(2 * time.Hour)
	l.job(job.Destroy, job.Succeeded, "")
	if i = l.until(i.ID, is(instance.Destroyed)); i.EndReason != "the time it was kept for was over" {
		t.Errorf("it ended because %q", i.EndReason)
	}
	_, err = l.Keep(t.Context(), jane, i.ID, l.now().Add(time.Hour), "too late")
	if !iap.IsKind(err, iap.Conflict) {
		t.Errorf("kept though it is gone: %v", err)
	}
}

// TestKeepBeforeItRuns: what is kept while it is being made ends by that.
func TestKeepBeforeItRuns(t *testing.T) {
	l := newLife(t)
	i := l.deploy("todo")
	until := l.now().Add(11 * time.Hour)
	if _, err := l.Keep(t.Context(), jane, i.ID, until, "demo"); err != nil {
		t.Fatal(err)
	}
	l.job(job.Apply, job.Succeeded, upstream)
	l.until(i.ID, is(instance.Running))
	at, _, err := l.db.NextTaskAt(t.Context())
	if err != nil || at.Before(until) {
		t.Errorf("the hold ends at %s, %v; want %s", at, err, until)
	}
	if i, err = l.Release(t.Context(), jane, i.ID); err != nil || !i.KeepUntil.IsZero() || !i.TimeLimitAt.Equal(until) {
		t.Errorf("%+v, %v", i, err)
	}
}

func TestKeepRefused(t *testing.T) {
	l := newLife(t)
	i := l.running("todo")
	for _, c := range []struct {
		field, reason string
		ahead         time.Duration
	}{{"until", "x", -time.Minute}, {"until", "x", 13 * time.Hour}, {"reason", " \n", time.Hour}, {"reason", strings.Repeat("x", 201), time.Hour}} {
		_, err := l.Keep(t.Context(), jane, i.ID, l.now().Add(c.ahead), c.reason)
		if f := iap.Fields(err); len(f) != 1 || f[0].Field != c.field {
			t.Errorf("%s ahead for %.10q: %v", c.ahead, c.reason, err)
		}
	}
	_, err := l.Keep(t.Context(), iap.Actor{ID: "bob", Role: iap.Member}, i.ID, l.now().Add(time.Hour), "mine")
	if !iap.IsKind(err, iap.NotFound) {
		t.Errorf("another keeps it: %v", err)
	}
	if got, err := l.Get(t.Context(), jane, i.ID); err != nil || got.Changed != i.Changed {
		t.Errorf("it was changed: %+v, %v", got, err)
	}
}

func TestParseUntil(t *testing.T) {
	london, err := time.LoadLocation("Europe/London")
	if err != nil {
		t.Fatal(err)
	}
	now := time.Date(2026, 7, 1, 19, 30, 0, 0, time.UTC) // 20:30 in London
	for text, want := range map[string]string{"21:00": "2026-07-01T20:00:00Z", "20:30": "2026-07-02T19:30:00Z", "9:05": "2026-07-02T08:05:00Z",
		"2026-07-01T23:00:00+02:00": "2026-07-01T21:00:00Z"} {
		got, err := instance.ParseUntil(text, london, now)
		if err != nil || got.Format(time.RFC3339) != want {
			t.Errorf("%q: %s, %v; want %s", text, got, err, want)
		}
	}
	for _, text := range []string{"", "24:00", "tomorrow", "2026-07-01", "21:00:00"} {
		if _, err := instance.ParseUntil(text, london, now); len(iap.Fields(err)) != 1 {
			t.Errorf("%q: %v", text, err)
		}
	}
}

// sweep starts the sweep.
func (l *life) sweep() string {
	l.t.Helper()
	machine, err := l.engine.PutStateMachine(l.t.Context(), instance.SweepName, instance.SweepDefinition, l.now())
	if err != nil {
		l.t.Fatal(err)
	}
	x, err := l.engine.StartExecution(l.t.Context(), workflow.StartRequest{StateMachine: machine, Input: json.RawMessage("{}"), Owner: iap.System.ID})
	if err != nil {
		l.t.Fatal(err)
	}
	return x.ID
}

// report waits for the end of a sweep.
func (l *life) report(id string) (s instance.Sweep) {
	l.t.Helper()
	ctx, cancel := context.WithTimeoutCause(l.t.Context(), time.Minute, errors.New("it took too long"))
	defer cancel()
	sub := l.Log.Subscribe(0)
	for {
		x, err := l.db.Execution(ctx, id)
		if err != nil {
			l.t.Fatal(err)
		}
		switch x.Status {
		case workflow.Succeeded:
			if err := json.Unmarshal(x.Output, &s); err != nil {
				l.t.Fatal(err)
			}
			return s
		case workflow.Running:
		default:
			l.t.Fatalf("the sweep %s: %s %s", x.Status, x.Error, x.Cause)
		}
		if _, err := sub.Next(ctx); err != nil {
			l.t.Fatal(err)
		}
	}
}

var boss = iap.Actor{ID: "boss", Name: "Boss", Role: iap.Admin}

// TestSweep: what runs is destroyed, what is kept is spared and ends later, and
// the report says all of it.
func TestSweep(t *testing.T) {
	l := newLife(t)
	gone, kept := l.running("todo"), l.running("board")
	until := l.now().Add(2 * time.Hour)
	if _, err := l.Keep(t.Context(), jane, kept.ID, until, "interview"); err != nil {
		t.Fatal(err)
	}
	id := l.sweep()
	l.job(job.Destroy, job.Succeeded, "")
	s := l.report(id)
	if s.Destroyed != 1 || s.Kept != 1 || s.Failed != 0 || len(s.Results) != 2 || s.HoursSaved < 7.9 || s.HoursSaved > 8.1 || s.MoneySaved < 0.23 || s.MoneySaved > 0.27 || s.Currency != "EUR" {
		t.Fatalf("report: %+v", s)
	}
	if k := s.Results[0]; k.Instance != kept.ID || k.KeepReason != "interview" || k.KeptBy != jane.ID || k.KeptUntil == "" {
		t.Errorf("kept: %+v", k)
	}
	if g := l.until(gone.ID, is(instance.Destroyed)); g.EndReason != "destroyed by the nightly sweep" {
		t.Errorf("it ended because %q", g.EndReason)
	}
	if k := l.until(kept.ID, is(instance.Running)); !k.TimeLimitAt.Equal(until) {
		t.Errorf("what is kept ends at %s, want %s", k.TimeLimitAt, until)
	}
	stored, err := l.GetSweep(t.Context(), boss, id)
	if err != nil || stored.Destroyed != 1 || len(stored.Results) != 2 || stored.FinishedAt.IsZero() {
		t.Errorf("stored: %+v, %v", stored, err)
	}
	if _, err := l.GetSweep(t.Context(), jane, id); !iap.IsKind(err, iap.Forbidden) {
		t.Errorf("a member sees it: %v", err)
	}
	if n := l.told(event.SweepFinished); n != 1 {
		t.Errorf("%d events tell of it", n)
	}
	l.later(2*time.Hour + time.Second)
	l.job(job.Destroy, job.Succeeded, "")
	if k := l.until(kept.ID, is(instance.Destroyed)); k.EndReason != "the time it was kept for was over" {
		t.Errorf("what was kept ended because %q", k.EndReason)
	}
}

// told counts the events of a type.
func (l *life) told(typ string) (n int) {
	l.t.Helper()
	events, err := l.db.EventsAfter(l.t.Context(), 0, 10_000)
	if err != nil {
		l.t.Fatal(err)
	}
	for _, e := range events {
		if e.Type == typ {
			n++
		}
	}
	return n
}

// TestSweepTriesAgain: what resists is tried again; what still resists then is
// reported.
func TestSweepTriesAgain(t *testing.T) {
	l := newLife(t)
	i := l.running("todo")
	left := []instance.Resource{{Platform: "docker", Kind: "container", ID: "c1", Name: "c1"}}
	l.docker.set(func(p *platform) { p.resists, p.left[i.ID] = true, left })
	id := l.sweep()
	for try := range 4 {
		l.job(job.Destroy, job.Failed, "")
		if try < 3 {
			l.until(i.ID, func(i instance.Instance) bool { return i.Status == instance.DestroyFailed && l.failed(id) })
			l.later(30 * time.Second << try)
		}
	}
	s := l.report(id)
	if s.Failed != 1 || s.Destroyed != 0 || !strings.Contains(s.Results[0].Reason, "left of") {
		t.Errorf("report: %+v", s)
	}
	l.docker.set(func(p *platform) { p.resists = false })
	id = l.sweep()
	l.job(job.Destroy, job.Succeeded, "")
	if s = l.report(id); s.Destroyed != 1 || s.Failed != 0 {
		t.Errorf("the next sweep: %+v", s)
	}
}

// failed reports whether the last that happened in an execution is that a task
// failed: it will be tried again then.
func (l *life) failed(execution string) bool {
	l.t.Helper()
	h, err := l.db.HistoryBefore(l.t.Context(), execution, 0, 1)
	if err != nil {
		l.t.Fatal(err)
	}
	return len(h) == 1 && h[0].Type == "TaskFailed"
}

// TestSweepWaitsForThePlatform: while it does not answer the sweep waits, goes
// on then, and says so.
func TestSweepWaitsForThePlatform(t *testing.T) {
	l := newLife(t)
	i := l.running("todo")
	l.docker.set(func(p *platform) { p.down = true })
	id := l.sweep()
	l.job(job.Destroy, job.Succeeded, "")
	l.until(i.ID, func(i instance.Instance) bool { return i.Waiting == "Docker" })
	l.docker.set(func(p *platform) { p.down = false })
	l.later(40 * time.Second) // less than the lease of the call
	s := l.report(id)
	if s.Destroyed != 1 || s.WaitedFor != "Docker" || s.WaitedSeconds < 40 {
		t.Errorf("report: %+v", s)
	}
}
