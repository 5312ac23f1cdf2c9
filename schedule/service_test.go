package schedule_test

import (
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"
	"sync"
	"testing"
	"time"

	iap "github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/event"
	"github.com/internal-app-portal/iap/schedule"
	"github.com/internal-app-portal/iap/store"
	"github.com/internal-app-portal/iap/store/pgtest"
	"github.com/internal-app-portal/iap/workflow"
)

var (
	ann  = iap.Actor{ID: "ann@example.com", Name: "Ann", Role: iap.Admin}
	jane = iap.Actor{ID: "jane@example.com", Name: "Jane", Role: iap.Member}
)

// clock is one that tests set.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func (c *clock) now() time.Time      { c.mu.Lock(); defer c.mu.Unlock(); return c.at }
func (c *clock) set(at time.Time)    { c.mu.Lock(); c.at = at.UTC(); c.mu.Unlock() }
func (c *clock) add(d time.Duration) { c.set(c.now().Add(d)) }

// fixture is a portal's schedules on a real database and engine.
type fixture struct {
	*schedule.Service
	t  *testing.T
	db *store.DB
	*clock
}

// each runs a test on both databases.
func each(t *testing.T, test func(t *testing.T, open func() *store.DB)) {
	t.Run("SQLite", func(t *testing.T) {
		db := openDB(t, filepath.Join(t.TempDir(), "test.db"))
		test(t, func() *store.DB { return db }) // one process alone has it
	})
	t.Run("PostgreSQL", func(t *testing.T) {
		url := pgtest.URL(t)
		test(t, func() *store.DB { return openDB(t, url) })
	})
}

func openDB(t *testing.T, url string) *store.DB {
	t.Helper()
	db, err := store.Open(t.Context(), url, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

// start makes the schedules of one replica; its clock begins at a time.
func start(t *testing.T, db *store.DB, c *clock) *fixture {
	t.Helper()
	log := event.NewLog(db)
	if err := log.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = log.Stop(context.Background()) })
	engine := workflow.New(workflow.Config{Store: db, Tx: db, Log: log, Now: c.now, Owner: iap.NewID(time.Now()), Handlers: map[string]workflow.Handler{}})
	machines := workflow.NewMachines(workflow.MachinesConfig{Store: db, Tx: db, Engine: engine, Now: c.now})
	for name, typ := range map[string]string{"sweep": workflow.Standard, "quick": workflow.Express} {
		_, _, err := machines.Create(t.Context(), workflow.NewMachine{Name: name, Type: typ,
			Definition: []byte(`{"StartAt":"A","States":{"A":{"Type":"Succeed"}}}`)})
		if err != nil {
			t.Fatal(err)
		}
	}
	return &fixture{Service: schedule.NewService(schedule.Config{Store: db, Tx: db, Log: log, Machines: machines,
		Zone: "Europe/London", Now: c.now}), t: t, db: db, clock: c}
}

func (f *fixture) add(n schedule.New) schedule.Schedule {
	f.t.Helper()
	if n.StateMachine == "" {
		n.StateMachine = "sweep"
	}
	s, err := f.Add(f.t.Context(), ann, n)
	if err != nil {
		f.t.Fatal(err)
	}
	return s
}

func (f *fixture) fire() time.Time {
	f.t.Helper()
	next, err := f.FireDue(f.t.Context())
	if err != nil {
		f.t.Fatal(err)
	}
	return next
}

// fired lists the firings of a schedule, oldest first, as "LOCAL OUTCOME".
func (f *fixture) fired(name string) (out []string) {
	f.t.Helper()
	list, err := f.Firings(f.t.Context(), ann, name, 100)
	if err != nil {
		f.t.Fatal(err)
	}
	for _, x := range list {
		out = append([]string{fmt.Sprintf("%s %s", x.Local, x.Outcome)}, out...)
	}
	return out
}

func (f *fixture) wantFired(name string, want ...string) {
	f.t.Helper()
	if got := f.fired(name); fmt.Sprint(got) != fmt.Sprint(want) {
		f.t.Errorf("fired %q, want %q", got, want)
	}
	n, err := f.db.ExecutionsOf(f.t.Context(), workflow.ExecutionFilter{Machine: "sweep", Limit: 100})
	started := 0
	for _, w := range f.fired(name) {
		if w[len(w)-len(schedule.Started):] == string(schedule.Started) {
			started++
		}
	}
	if err != nil || len(n) != started {
		f.t.Errorf("%d executions for %d firings, %v", len(n), started, err)
	}
}

// TestFiresOnceADate goes through a year by quarters of an hour, with both
// changes of the clocks in it: one firing for each local date.
func TestFiresOnceADate(t *testing.T) {
	db := openDB(t, filepath.Join(t.TempDir(), "test.db"))
	f := start(t, db, &clock{at: time.Date(2026, 3, 27, 0, 0, 0, 0, time.UTC)})
	for name, at := range map[string]string{"left-out": "1:30", "evening": "19:00"} {
		f.add(schedule.New{Name: name, At: at})
	}
	dates := map[string]int{}
	for range 5 * 24 * 4 {
		f.pass(15 * time.Minute)
	}
	f.set(time.Date(2026, 10, 23, 12, 0, 0, 0, time.UTC))
	f.fire()
	for range 5 * 24 * 4 {
		f.pass(15 * time.Minute)
	}
	for _, name := range []string{"left-out", "evening"} {
		list, err := f.Firings(t.Context(), ann, name, 1000)
		if err != nil {
			t.Fatal(err)
		}
		for _, x := range list {
			if x.Outcome == schedule.Started {
				dates[name+" "+x.Local[:10]]++
			}
		}
	}
	for date, n := range dates {
		if n != 1 {
			t.Errorf("%s: %d times", date, n)
		}
	}
	if dates["left-out 2026-03-29"] != 1 || dates["left-out 2026-10-25"] != 1 || len(dates) < 19 {
		t.Errorf("%d dates: %v", len(dates), dates)
	}
}

// pass lets time pass and fires.
func (f *fixture) pass(d time.Duration) { f.clock.add(d); f.fire() }

// TestCaughtUp: what came while the portal was down is made up for once, unless
// it is too late.
func TestCaughtUp(t *testing.T) {
	each(t, func(t *testing.T, open func() *store.DB) {
		c := &clock{at: time.Date(2026, 11, 28, 18, 0, 0, 0, time.UTC)}
		f := start(t, open(), c)
		f.add(schedule.New{Name: "nightly", At: "19:00", Grace: 6 * time.Hour})
		if next := f.fire(); !next.Equal(time.Date(2026, 11, 28, 19, 0, 0, 0, time.UTC)) {
			t.Fatalf("next is %s", next)
		}
		f.wantFired("nightly")
		c.set(time.Date(2026, 11, 29, 0, 59, 0, 0, time.UTC)) // down for seven hours
		f.fire()
		f.fire()
		f.wantFired("nightly", "2026-11-28 19:00 started")
		c.set(time.Date(2026, 12, 3, 2, 0, 0, 0, time.UTC)) // for three days
		f.fire()
		f.wantFired("nightly", "2026-11-28 19:00 started", "2026-12-02 19:00 missed")
		list, err := f.Firings(t.Context(), ann, "nightly", 1)
		if err != nil || list[0].Skipped != 3 || list[0].Reason == "" {
			t.Errorf("%+v, %v", list, err)
		}
		c.set(time.Date(2026, 12, 3, 19, 0, 0, 0, time.UTC))
		f.fire()
		f.wantFired("nightly", "2026-11-28 19:00 started", "2026-12-02 19:00 missed", "2026-12-03 19:00 started")
	})
}

// TestClockJumps: whichever way the clock is set, each local time is fired once.
func TestClockJumps(t *testing.T) {
	each(t, func(t *testing.T, open func() *store.DB) {
		at := func(day, hour, min int) time.Time { return time.Date(2026, 11, day, hour, min, 0, 0, time.UTC) }
		c := &clock{at: at(28, 18, 30)}
		f := start(t, open(), c)
		f.add(schedule.New{Name: "nightly", At: "19:00"})
		for _, to := range []time.Time{at(28, 19, 30), at(28, 18, 30), at(28, 19, 0), at(28, 20, 0)} {
			c.set(to)
			f.fire()
		}
		f.wantFired("nightly", "2026-11-28 19:00 started")
		c.set(at(28, 20, 0).AddDate(5, 0, 0)) // years ahead, and back
		f.fire()
		c.set(at(29, 18, 0))
		if next := f.fire(); !next.Equal(at(29, 19, 0)) {
			t.Errorf("after a clock that was years ahead the next is %s", next)
		}
		c.set(at(29, 19, 0))
		f.fire()
		got := f.fired("nightly")
		if len(got) != 3 || got[1] != "2026-11-29 19:00 started" { // between that of today and that of 2031
			t.Errorf("fired %q", got)
		}
	})
}

// TestReplicas: many look at the same moment; one fires.
func TestReplicas(t *testing.T) {
	each(t, func(t *testing.T, open func() *store.DB) {
		c := &clock{at: time.Date(2026, 11, 28, 18, 59, 0, 0, time.UTC)}
		a, b := start(t, open(), c), start(t, open(), c)
		a.add(schedule.New{Name: "nightly", At: "19:00"})
		var want []string
		for day := range 5 {
			c.set(time.Date(2026, 11, 28+day, 19, 0, 0, 0, time.UTC))
			var wg sync.WaitGroup
			for _, f := range []*fixture{a, b, a, b} {
				wg.Go(func() {
					if _, err := f.FireDue(t.Context()); err != nil {
						t.Error(err)
					}
				})
			}
			wg.Wait()
			want = append(want, c.now().Format("2006-01-02")+" 19:00 started")
		}
		a.wantFired("nightly", want...)
	})
}

// TestOutcomes: a state machine that is gone is told; a schedule that is paused
// is quiet and makes up for nothing.
func TestOutcomes(t *testing.T) {
	each(t, func(t *testing.T, open func() *store.DB) {
		c := &clock{at: time.Date(2026, 11, 28, 18, 0, 0, 0, time.UTC)}
		f := start(t, open(), c)
		f.add(schedule.New{Name: "nightly", At: "19:00", Input: json.RawMessage(`{"a": 1}`)})
		yes, no := true, false
		if _, err := f.Change(t.Context(), ann, "nightly", schedule.Change{Paused: &yes}); err != nil {
			t.Fatal(err)
		}
		c.set(time.Date(2026, 11, 28, 19, 30, 0, 0, time.UTC))
		f.fire()
		if _, err := f.Change(t.Context(), ann, "nightly", schedule.Change{Paused: &no}); err != nil {
			t.Fatal(err)
		}
		f.fire()
		f.wantFired("nightly")
		run, err := f.Run(t.Context(), ann, "nightly")
		if err != nil || run.Execution == "" || run.By != ann.ID {
			t.Fatal(run, err)
		}
		x, err := f.db.Execution(t.Context(), run.Execution)
		if err != nil || string(x.Input) != `{"a": 1}` || x.Owner != ann.ID {
			t.Errorf("%+v, %v", x, err)
		}
		if err := f.Machines.(*workflow.Machines).Delete(t.Context(), "sweep"); err != nil {
			t.Fatal(err)
		}
		if err := f.db.DeleteMachine(t.Context(), "sweep"); err != nil {
			t.Fatal(err)
		}
		c.set(time.Date(2026, 11, 29, 19, 0, 0, 0, time.UTC))
		f.fire()
		list, err := f.Firings(t.Context(), ann, "nightly", 1)
		if err != nil || list[0].Outcome != schedule.Failed || list[0].Reason == "" {
			t.Errorf("%+v, %v", list, err)
		}
		_, err = f.Run(t.Context(), ann, "nightly")
		if !iap.IsKind(err, iap.Conflict) {
			t.Errorf("a run by hand: %v", err)
		}
		if err := f.Remove(t.Context(), ann, "nightly"); err != nil {
			t.Error(err)
		}
		if _, err := f.Get(t.Context(), ann, "nightly"); !iap.IsKind(err, iap.NotFound) {
			t.Error(err)
		}
	})
}

// TestRefused: bad input names its field and stores nothing; members see nothing.
func TestRefused(t *testing.T) {
	f := start(t, openDB(t, filepath.Join(t.TempDir(), "test.db")), &clock{at: time.Now().UTC()})
	good := schedule.New{Name: "n", At: "19:00", StateMachine: "sweep"}
	for field, n := range map[string]func(*schedule.New){
		"name":          func(n *schedule.New) { n.Name = "No Name" },
		"cron":          func(n *schedule.New) { n.Cron = "0 19 * * *" }, // and a clock time
		"at":            func(n *schedule.New) { n.At, n.Weekdays = "", "mon" },
		"weekdays":      func(n *schedule.New) { n.Weekdays = "noday" },
		"zone":          func(n *schedule.New) { n.Zone = "Nowhere" },
		"state_machine": func(n *schedule.New) { n.StateMachine = "nobody" },
		"input":         func(n *schedule.New) { n.Input = json.RawMessage("{") },
		"grace":         func(n *schedule.New) { n.Grace = time.Second },
	} {
		bad := good
		n(&bad)
		_, err := f.Add(t.Context(), ann, bad)
		if fields := iap.Fields(err); len(fields) != 1 || fields[0].Field != field {
			t.Errorf("%s: %v", field, err)
		}
	}
	bad := good
	bad.StateMachine = "quick"
	if _, err := f.Add(t.Context(), ann, bad); len(iap.Fields(err)) != 1 {
		t.Errorf("an Express state machine: %v", err)
	}
	if list, err := f.List(t.Context(), ann); err != nil || len(list) != 0 {
		t.Errorf("stored %v, %v", list, err)
	}
	f.add(good)
	if _, err := f.Add(t.Context(), ann, good); !iap.IsKind(err, iap.Conflict) {
		t.Errorf("the name is taken: %v", err)
	}
	for name, err := range map[string]error{
		"add":  second(f.Add(t.Context(), jane, good)),
		"list": second(f.List(t.Context(), jane)),
		"run":  second(f.Run(t.Context(), jane, "n")),
		"rm":   f.Remove(t.Context(), jane, "n"),
	} {
		if !iap.IsKind(err, iap.Forbidden) {
			t.Errorf("a member may %s: %v", name, err)
		}
	}
}

func second[T any](_ T, err error) error { return err }

// TestReplicasApart: replicas whose clocks differ by an hour, and one that sees
// the database again after an hour, fire each local time once.
func TestReplicasApart(t *testing.T) {
	each(t, func(t *testing.T, open func() *store.DB) {
		at := func(day, hour int) time.Time { return time.Date(2026, 11, day, hour, 0, 0, 0, time.UTC) }
		ahead, behind := &clock{at: at(27, 19)}, &clock{at: at(27, 18)}
		a, b := start(t, open(), ahead), start(t, open(), behind)
		a.add(schedule.New{Name: "nightly", At: "19:00", Grace: 30 * time.Minute})
		var want []string
		for day := 28; day < 31; day++ {
			ahead.set(at(day, 19))
			a.fire() // while it is 18:00 for the other
			behind.set(at(day, 18))
			b.fire()
			behind.set(at(day, 19))
			ahead.set(at(day, 20))
			b.fire()
			a.fire()
			want = append(want, at(day, 19).Format("2006-01-02")+" 19:00 started")
		}
		behind.set(at(30, 21)) // b was cut off on the 30th from before 19:00 on
		b.fire()
		b.fire()
		a.wantFired("nightly", want...)
	})
}
