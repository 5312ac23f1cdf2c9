package web_test

import (
	"context"
	"net/url"
	"testing"
	"time"

	iap "github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/schedule"
)

// times stands in for schedule.Service: there is one schedule.
type times struct {
	now     func() time.Time
	changes []schedule.Change
	added   []schedule.New
}

func (s *times) nightly() schedule.Schedule {
	x := schedule.Schedule{Name: "nightly", Cron: "0 19 * * *", Zone: "Europe/London", StateMachine: "sweep", Input: []byte("{}"),
		Grace: 12 * time.Hour, BuiltIn: true, NextAt: s.now().Add(time.Hour), UpdatedBy: "portal"}
	for _, c := range s.changes {
		if c.Paused != nil {
			x.Paused = *c.Paused
		}
	}
	return x
}

func (s *times) Add(_ context.Context, _ iap.Actor, n schedule.New) (schedule.Schedule, error) {
	_, err := schedule.ParseTiming(n.Cron, n.Zone)
	if err == nil {
		s.added = append(s.added, n)
	}
	return s.nightly(), err
}

func (s *times) Change(_ context.Context, _ iap.Actor, _ string, c schedule.Change) (schedule.Schedule, error) {
	if c.Cron != nil {
		if _, err := schedule.ParseTiming(*c.Cron, *c.Zone); err != nil {
			return schedule.Schedule{}, err
		}
	}
	s.changes = append(s.changes, c)
	return s.nightly(), nil
}

func (s *times) Remove(context.Context, iap.Actor, string) error { return nil }

func (s *times) Run(context.Context, iap.Actor, string) (schedule.Firing, error) {
	return schedule.Firing{Execution: sweepID}, nil
}

func (s *times) Get(_ context.Context, _ iap.Actor, name string) (schedule.Schedule, error) {
	if name != "nightly" {
		return schedule.Schedule{}, iap.Errorf("schedule.Get", iap.NotFound, "there is no schedule %q", name)
	}
	return s.nightly(), nil
}

func (s *times) List(context.Context, iap.Actor) ([]schedule.Schedule, error) {
	return []schedule.Schedule{s.nightly()}, nil
}

func (s *times) Firings(context.Context, iap.Actor, string, int) ([]schedule.Firing, error) {
	return []schedule.Firing{
		{Local: "2026-11-27 19:00", Outcome: schedule.Started, Execution: sweepID, FiredAt: s.now().Add(-23 * time.Hour)},
		{Local: "2026-11-26 19:00", Outcome: schedule.Missed, Reason: "the portal was not there in time", FiredAt: s.now().Add(-47 * time.Hour)},
	}, nil
}

func (s *times) Times(x schedule.Schedule, n int) []schedule.Due {
	t, _ := schedule.ParseTiming(x.Cron, x.Zone)
	return t.Times(s.now(), n)
}

func TestSchedulePages(t *testing.T) {
	p := start(t)
	_, body := p.do("GET", "/schedules", "", nil)
	contains(t, body, "nightly", "19:00 every day", "Europe/London", "Add a schedule")
	_, body = p.do("GET", "/schedules/nightly", "", nil)
	contains(t, body, "Next times", "2026-11-27 19:00", "1 destroyed and verified, 1 kept, 1 failed", "Missed", "Run now", "Pause")
	_, body = p.do("GET", "/sweeps/"+sweepID, "", nil)
	contains(t, body, "brave-otter-lamp-todo", "interview &lt;b&gt;", "Docker did not answer", "7.5 hours saved", "1 thing is left")
	form := url.Values{"name": {"x"}, "cron": {"61 * * * *"}, "zone": {"UTC"}, "state_machine": {"sweep"}, "input": {"{}"}, "grace": {"1h"}}
	res, body := p.do("POST", "/schedules", "", form)
	if res.StatusCode != 422 {
		t.Errorf("a bad time: %s", res.Status)
	}
	contains(t, body, "61 * * * *", `aria-invalid="true"`, "is not right")
	form.Set("cron", "0 0 31 2 *")
	res, body = p.do("POST", "/schedules/nightly", "", form)
	if res.StatusCode != 422 {
		t.Errorf("a time that never comes: %s", res.Status)
	}
	contains(t, body, "never due")
	for _, path := range []string{"/schedules/nightly/pause", "/schedules/nightly/resume", "/schedules/nightly/run"} {
		if res, _ := p.do("POST", path, "", url.Values{}); res.StatusCode != 303 {
			t.Errorf("POST %s: %s", path, res.Status)
		}
	}
	if res, _ := p.do("GET", "/schedules", "jane@example.com", nil); res.StatusCode != 403 {
		t.Errorf("a member sees schedules: %s", res.Status)
	}
}

func TestKeepPage(t *testing.T) {
	p := start(t)
	run := "/instances/" + p.ids["running"]
	res, body := p.do("POST", run+"/keep", "", url.Values{"until": {"21:00"}, "reason": {""}})
	if res.StatusCode != 422 {
		t.Errorf("without a reason: %s", res.Status)
	}
	contains(t, body, `value="21:00"`, `aria-invalid="true"`)
	if res, _ = p.do("POST", run+"/keep", "", url.Values{"until": {"25:00"}, "reason": {"x"}}); res.StatusCode != 422 {
		t.Errorf("no clock time: %s", res.Status)
	}
	if res, _ = p.do("POST", run+"/keep", "", url.Values{"until": {"23:59"}, "reason": {"the demo"}}); res.StatusCode != 303 {
		t.Errorf("kept: %s", res.Status)
	}
	_, body = p.do("GET", run, "", nil)
	contains(t, body, "kept until", "the demo", "Keep no longer")
	if res, _ = p.do("POST", run+"/keep", "", url.Values{"off": {"1"}}); res.StatusCode != 303 {
		t.Errorf("released: %s", res.Status)
	}
}
