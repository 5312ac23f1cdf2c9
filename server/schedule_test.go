package server_test

import (
	"context"
	"encoding/json"
	"net/http"
	"testing"
	"time"

	"github.com/internal-app-portal/iap/client"
)

// TestNightlySweep: the sweep destroys what runs, spares what is kept, and
// proves that nothing was left.
func TestNightlySweep(t *testing.T) {
	needDocker(t)
	p := startPortal(t, testConfig(t))
	gone, kept := p.deploy("todo", nil), p.deploy("whiteboard", nil)
	until := time.Now().Add(2 * time.Hour).UTC().Truncate(time.Second)
	k, err := p.Keep(t.Context(), kept.ID, client.Keep{Until: until.Format(time.RFC3339), Reason: "interview"})
	if err != nil || !k.KeepUntil.Equal(until) || k.KeepReason != "interview" {
		t.Fatal(k, err)
	}
	f, err := p.RunSchedule(t.Context(), "nightly")
	if err != nil {
		t.Fatal(err)
	}
	if i := p.waitFor(t.Context(), gone.ID, client.Instance.Ended); i.Status != client.StatusDestroyed || i.EndReason != "destroyed by the nightly sweep" {
		t.Errorf("%s is %s: %s", i.HostName, i.Status, i.EndReason)
	}
	if left := resources(t, gone.ID); len(left) > 0 {
		t.Errorf("left: %v", left)
	}
	var report client.Sweep
	if err := json.Unmarshal(p.succeeded(f.Execution).Output, &report); err != nil { // it follows at once
		t.Fatal(err)
	}
	if report.Destroyed != 1 || report.Kept != 1 || report.Failed != 0 || report.HoursSaved < 7 || report.MoneySaved <= 0 || report.Currency != "EUR" {
		t.Errorf("report: %+v", report)
	}
	stored, err := p.Sweep(t.Context(), f.Execution)
	if err != nil || len(stored.Results) != 2 || stored.Results[0].KeepReason != "interview" {
		t.Errorf("stored: %+v, %v", stored, err)
	}
	if i, err := p.Instance(t.Context(), kept.ID); err != nil || i.Status != client.StatusRunning || !i.EndsAt.Equal(until) {
		t.Errorf("what is kept is %s and ends %s, %v", i.Status, i.EndsAt, err)
	}
}

// succeeded waits for the end of an execution that is to succeed.
func (p *portal) succeeded(id string) client.Execution {
	p.t.Helper()
	x, err := p.ended(p.t.Context(), id)
	if err != nil || x.Status != "SUCCEEDED" {
		p.t.Fatalf("execution %s: %+v, %v", id, x, err)
	}
	return x
}

// ended waits for the end of an execution.
func (p *portal) ended(ctx context.Context, id string) (x client.Execution, err error) {
	err = p.until(ctx, func() (_ bool, err error) {
		x, err = p.Execution(ctx, id)
		return err == nil && x.Ended(), err
	})
	return x, err
}

// TestSchedules: bad ones are refused by their field, and members may do
// nothing with them.
func TestSchedules(t *testing.T) {
	p, tokens := company(t)
	good := client.AddSchedule{Name: "report", At: "7:30", Weekdays: "mon-fri", Zone: "America/New_York", StateMachine: "sweep"}
	for field, change := range map[string]func(*client.AddSchedule){
		"cron":          func(s *client.AddSchedule) { s.At, s.Weekdays, s.Cron = "", "", "61 * * * *" },
		"zone":          func(s *client.AddSchedule) { s.Zone = "Mars/Base" },
		"state_machine": func(s *client.AddSchedule) { s.StateMachine = "lifecycle" },
		"grace":         func(s *client.AddSchedule) { s.Grace = "soon" },
	} {
		bad := good
		change(&bad)
		_, err := p.AddSchedule(t.Context(), bad)
		e, ok := err.(*client.Error)
		if !ok || len(e.Errors) != 1 || e.Errors[0].Field != field {
			t.Errorf("%s: %+v", field, err)
		}
	}
	s, err := p.AddSchedule(t.Context(), good)
	if err != nil || s.Cron != "30 7 * * mon-fri" || len(s.Next) != 5 || s.NextAt.IsZero() {
		t.Fatalf("%+v, %v", s, err)
	}
	_, err = p.AddSchedule(t.Context(), good)
	wantStatus(t, "the name is taken", err, http.StatusConflict)
	if s, err = p.PauseSchedule(t.Context(), "report"); err != nil || !s.Paused || !s.NextAt.IsZero() {
		t.Errorf("%+v, %v", s, err)
	}
	if s, err = p.ResumeSchedule(t.Context(), "report"); err != nil || s.Paused {
		t.Errorf("%+v, %v", s, err)
	}
	zone := "Asia/Tokyo"
	if s, err = p.ChangeSchedule(t.Context(), "report", client.ChangeSchedule{Zone: &zone}); err != nil || s.Zone != zone {
		t.Errorf("%+v, %v", s, err)
	}
	if err := p.RemoveSchedule(t.Context(), "report"); err != nil {
		t.Error(err)
	}
	wantStatus(t, "removing the portal's own", p.RemoveSchedule(t.Context(), "nightly"), http.StatusForbidden)
	all, err := p.Schedules(t.Context())
	if err != nil || len(all) != 2 || all[0].Name != "leaks" || all[1].Name != "nightly" || !all[1].BuiltIn {
		t.Errorf("%+v, %v", all, err)
	}
	jane := p.as(tokens["jane"])
	_, err = jane.Schedules(t.Context())
	wantStatus(t, "a member lists schedules", err, http.StatusForbidden)
	_, err = jane.RunSchedule(t.Context(), "nightly")
	wantStatus(t, "a member runs one", err, http.StatusForbidden)
}
