package instance_test

import (
	"bytes"
	"math"
	"strings"
	"testing"
	"time"

	iap "github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/catalog"
	"github.com/internal-app-portal/iap/instance"
	"github.com/internal-app-portal/iap/job"
)

func near(a, b float64) bool { return math.Abs(a-b) < 1e-9 }

func TestRates(t *testing.T) {
	r := instance.Rates{Currency: "EUR", Memory: 0.01, CPU: 0.1, MemoryWatts: 1, CPUWatts: 10}
	m := catalog.Manifest{Limits: catalog.Limits{Memory: 512 << 20, CPUs: 0.5}}
	if p := r.Of(m); !near(p.Hour, 0.055) || !near(p.Watts, 5.5) {
		t.Errorf("by the limits: %+v", p)
	}
	price, watts := 2.5, 0.0
	m.PricePerHour, m.Watts = &price, &watts
	if p := r.Of(m); p.Hour != 2.5 || p.Watts != 0 {
		t.Errorf("its own: %+v", p)
	}
}

// ranFrom puts an instance that ran for a time into the store.
func (l *life) ranFrom(id, owner string, from time.Time, d time.Duration, by instance.EndBy, saved time.Duration) {
	l.t.Helper()
	i := instance.Instance{ID: id, App: "todo", Version: 1, Owner: owner, HostName: id, Status: instance.Destroyed, CreatedAt: from, ReadyAt: from,
		EndedAt: from.Add(d), SavedBy: by, Price: instance.Price{Hour: 0.5, Watts: 100}}
	if by != "" {
		i.SavedUntil = i.EndedAt.Add(saved)
	}
	if err := l.db.InsertInstance(l.t.Context(), i); err != nil {
		l.t.Fatal(err)
	}
}

// TestLedger: hours belong to the month and the day in which they were, savings to
// those in which the instance ended, on the portal's clock; members see their own.
func TestLedger(t *testing.T) {
	l := newLife(t)
	zone, err := time.LoadLocation("Europe/London")
	if err != nil {
		t.Fatal(err)
	}
	l.Zone, l.Rates = zone, instance.Rates{Currency: "GBP"}
	at := func(day, hour int) time.Time { return time.Date(2026, 6, day, hour, 0, 0, 0, zone) }        // an hour before UTC
	l.ranFrom("a", jane.ID, at(1, 0).Add(-2*time.Hour), 3*time.Hour, instance.EndBySweep, 4*time.Hour) // from May
	l.ranFrom("b", jane.ID, at(10, 22), 4*time.Hour, instance.EndByIdle, 2*time.Hour)
	l.ranFrom("c", "=bob", at(30, 23), 2*time.Hour, instance.EndByTime, 6*time.Hour) // to July
	l.ranFrom("d", "=bob", at(12, 1), time.Hour, "", 0)
	all, err := l.Ledger(t.Context(), boss, "2026-06")
	if err != nil || len(all.Rows) != 2 || all.Currency != "GBP" || len(all.Days) != 30 {
		t.Fatalf("%+v, %v", all, err)
	}
	r := all.Rows[0]
	if r.Owner != jane.ID || r.Instances != 2 || !near(r.Ran.Hours, 5) || !near(r.Ran.Cost, 2.5) || !near(r.Ran.KWh, 0.5) ||
		!near(r.Sweep.Hours, 4) || !near(r.Sweep.Cost, 2) || !near(r.Idle.KWh, 0.2) || r.Limit.Hours != 0 {
		t.Errorf("jane's: %+v", r)
	}
	if b := all.Rows[1]; b.Instances != 2 || !near(b.Ran.Hours, 2) || b.Limit.Hours != 0 || !near(all.Total.Ran.Hours, 7) {
		t.Errorf("bob's: %+v, in all %+v", b, all.Total)
	}
	if d := all.Days[9]; d.Day != "2026-06-10" || !near(d.Ran.Hours, 2) || d.Saved.Hours != 0 || !near(all.Days[10].Saved.Hours, 2) || !near(all.Days[0].Ran.Hours, 1) {
		t.Errorf("days: %+v %+v %+v", all.Days[0], d, all.Days[10])
	}
	july, err := l.Ledger(t.Context(), boss, "2026-07")
	if err != nil || len(july.Rows) != 1 || !near(july.Total.Ran.Hours, 1) || !near(july.Total.Limit.Cost, 3) {
		t.Errorf("July: %+v, %v", july.Rows, err)
	}
	own, err := l.Ledger(t.Context(), jane, "2026-06")
	if err != nil || len(own.Rows) != 1 || own.Rows[0].Owner != jane.ID {
		t.Errorf("jane sees %+v, %v", own.Rows, err)
	}
	for _, month := range []string{"June", "2026-13", "2026-6", "0001-01"} {
		_, err := l.Ledger(t.Context(), jane, month)
		if f := iap.Fields(err); len(f) != 1 || f[0].Field != "month" {
			t.Errorf("%s: %v", month, err)
		}
	}
	var b bytes.Buffer
	if err := all.WriteCSV(&b); err != nil || strings.Count(b.String(), "\r\n") != 3 ||
		!strings.Contains(b.String(), "2026-06,'=bob,todo,2,2.0000,1.0000,GBP,0.2000,") {
		t.Errorf("%s, %v", b.String(), err)
	}
}

// TestSavings: what ends an instance before its end says until when it would have
// gone on.
func TestSavings(t *testing.T) {
	l := newLife(t)
	l.Rates = instance.DefaultRates()
	l.watched()
	sweep := l.sweepsIn(9 * time.Hour)
	idle := l.running("idle")
	l.later(41 * time.Minute)
	l.look()
	l.job(job.Destroy, job.Succeeded, "")
	idle = l.until(idle.ID, is(instance.Destroyed))
	if idle.SavedBy != instance.EndByIdle || !idle.SavedUntil.Equal(idle.TimeLimitAt) || idle.Price.Hour == 0 {
		t.Errorf("idle: by %s until %s, %+v", idle.SavedBy, idle.SavedUntil, idle.Price)
	}
	timed := l.running("todo")
	l.later(8*time.Hour + time.Minute)
	l.job(job.Destroy, job.Succeeded, "")
	timed = l.until(timed.ID, is(instance.Destroyed))
	if timed.SavedBy != instance.EndByTime || !timed.SavedUntil.Equal(sweep) {
		t.Errorf("time limit: by %s until %s, want %s", timed.SavedBy, timed.SavedUntil, sweep)
	}
	own := l.running("todo")
	if _, err := l.Destroy(t.Context(), jane, own.ID); err != nil {
		t.Fatal(err)
	}
	l.job(job.Destroy, job.Succeeded, "")
	if own = l.until(own.ID, is(instance.Destroyed)); own.SavedBy != "" {
		t.Errorf("its owner saved by %s", own.SavedBy)
	}
}
