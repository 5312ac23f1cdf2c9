package storetest

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	iap "github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/instance"
	"github.com/internal-app-portal/iap/store"
)

func newInstance(id, owner, app, host string) instance.Instance {
	return instance.Instance{ID: id, App: app, Version: 1, Owner: owner, HostName: host, Status: instance.Queued,
		CreatedAt: epoch, TimeLimitAt: later(60_000)}
}

func testInstances(t *testing.T, open Open) {
	for name, test := range map[string]func(*testing.T, *store.DB){
		"round trip": instanceRoundTrip, "update": instanceUpdate, "keys": instanceKeys, "networks": instanceNetworks, "lists": instanceLists,
		"filter": instanceFilter, "ready seconds": instanceReady, "activity": instanceActivity, "ledger": instanceLedger,
	} {
		t.Run(name, func(t *testing.T) { test(t, open(t)) })
	}
}

func full(id, owner, app, host string) instance.Instance {
	i := newInstance(id, owner, app, host)
	i.Status, i.Waiting, i.Upstream = instance.DestroyFailed, "Docker", "http://127.0.0.1:1"
	i.Parameters = map[string]any{"name": "é", "size": 1.5, "on": true, "none": nil}
	i.ReadyAt, i.EndedAt, i.EndedBy = later(1), later(2), "portal"
	i.Purpose, i.PurposeID, i.OpensAt = instance.ForBooking, "b", later(4)
	i.Network = "net-" + id
	i.EndReason, i.Reason, i.Execution = "its time was up", "left behind", "x"
	i.IdleLimit, i.WarningBar = 90*time.Second, true
	i.Price, i.SavedBy, i.SavedUntil = instance.Price{Hour: 0.012345, Watts: 1.5}, instance.EndByIdle, later(9)
	i.Receipt = &instance.Receipt{At: later(3), Left: []instance.Resource{{Platform: "docker", Kind: "network", ID: "n",
		Labels: map[string]string{instance.LabelApp: app}}}}
	return i
}

func instanceRoundTrip(t *testing.T, db *store.DB) {
	ctx := context.Background()
	for _, want := range []instance.Instance{full("1", "ann", "todo", "a"), newInstance("2", "ann", "todo", "b")} {
		must(t, db.InsertInstance(ctx, want))
		got, err := db.Instance(ctx, want.ID)
		must(t, err)
		same(t, "by ID", got, want)
		got, err = db.InstanceByHostName(ctx, want.HostName)
		must(t, err)
		same(t, "by host name", got, want)
	}
	_, err := db.Instance(ctx, "3")
	wantKind(t, err, iap.NotFound)
	_, err = db.InstanceByHostName(ctx, "c")
	wantKind(t, err, iap.NotFound)
}

func instanceUpdate(t *testing.T, db *store.DB) {
	ctx := context.Background()
	must(t, db.InsertInstance(ctx, newInstance("1", "ann", "todo", "a")))
	next := full("1", "ann", "todo", "a")
	must(t, db.UpdateInstance(ctx, next))
	wantKind(t, db.UpdateInstance(ctx, next), iap.Conflict)
	next.Changed++
	got, err := db.Instance(ctx, "1")
	must(t, err)
	same(t, "changed", got, next)
	must(t, db.UpdateInstance(ctx, next))
}

// instanceActivity: a use is stored when it is newer, and neither is a change of
// the row nor lost with one.
func instanceActivity(t *testing.T, db *store.DB) {
	ctx := context.Background()
	must(t, db.InsertInstance(ctx, newInstance("1", "ann", "todo", "a")))
	must(t, db.InsertInstance(ctx, newInstance("2", "ann", "board", "b")))
	note := func(at int, kind instance.ActivityKind) {
		a := instance.Activity{At: later(at), Kind: kind}
		must(t, db.NoteActivity(ctx, map[string]instance.Activity{"1": a, "2": a, "none": a}))
	}
	note(5, instance.BySocket)
	note(4, instance.ByRequest)
	next := newInstance("1", "ann", "todo", "a")
	must(t, db.UpdateInstance(ctx, next))
	for _, id := range []string{"1", "2"} {
		got, err := db.Instance(ctx, id)
		must(t, err)
		same(t, "last use", got.Active, instance.Activity{At: later(5), Kind: instance.BySocket})
	}
}

// instanceLedger: what ran at some time between two moments, of all or of one.
func instanceLedger(t *testing.T, db *store.DB) {
	ctx := context.Background()
	add := func(id, owner string, ready, ended int) {
		i := full(id, owner, "todo", id)
		i.ReadyAt, i.EndedAt = later(ready), time.Time{}
		if ended > 0 {
			i.EndedAt = later(ended)
		}
		must(t, db.InsertInstance(ctx, i))
	}
	add("1", "ann", 10, 20)
	add("2", "ann", 10, 0)
	add("3", "bob", 30, 40)
	add("4", "bob", 50, 60)
	must(t, db.InsertInstance(ctx, newInstance("5", "bob", "board", "5")))
	for _, c := range []struct {
		owner    string
		from, to int
		want     int
	}{{"", 0, 100, 4}, {"", 0, 10, 0}, {"", 21, 50, 2}, {"", 20, 21, 2}, {"bob", 0, 100, 2}, {"ann", 41, 42, 1}} {
		got, err := db.LedgerEntries(ctx, c.owner, later(c.from), later(c.to))
		must(t, err)
		same(t, fmt.Sprintf("%+v", c), len(got), c.want)
	}
	got, err := db.LedgerEntries(ctx, "bob", later(0), later(31))
	must(t, err)
	same(t, "entry", got, []instance.LedgerEntry{{App: "todo", Owner: "bob", Status: instance.DestroyFailed, ReadyAt: later(30), EndedAt: later(40),
		SavedBy: instance.EndByIdle, SavedUntil: later(9), Price: instance.Price{Hour: 0.012345, Watts: 1.5}}})
}

func instanceKeys(t *testing.T, db *store.DB) {
	ctx := context.Background()
	must(t, db.InsertInstance(ctx, newInstance("1", "ann", "todo", "a")))
	taken := func(i instance.Instance, field string) {
		t.Helper()
		err := db.InsertInstance(ctx, i)
		wantKind(t, err, iap.Conflict)
		var e *iap.Error
		if errors.As(err, &e) && e.Field != field {
			t.Errorf("got field %q, want %q", e.Field, field)
		}
	}
	taken(newInstance("2", "ann", "todo", "b"), "owner")
	taken(newInstance("2", "bob", "todo", "a"), "host_name")
	taken(newInstance("1", "bob", "todo", "c"), "id")
	for _, status := range []instance.Status{instance.Destroyed, instance.DeployFailed, instance.DestroyFailed} {
		ended, err := db.LiveInstance(ctx, "ann", "todo")
		must(t, err)
		ended.Status = status
		must(t, db.UpdateInstance(ctx, ended))
		_, err = db.LiveInstance(ctx, "ann", "todo")
		wantKind(t, err, iap.NotFound)
		taken(newInstance("2"+string(status), "ann", "todo", "a"), "host_name")
		must(t, db.InsertInstance(ctx, newInstance("2"+string(status), "ann", "todo", "b"+string(status))))
	}
	must(t, db.InsertInstance(ctx, newInstance("3", "bob", "todo", "e")))
	must(t, db.InsertInstance(ctx, newInstance("4", "ann", "board", "f")))
}

// instanceNetworks: no two instances have the same network, and what one has
// given up another may have.
func instanceNetworks(t *testing.T, db *store.DB) {
	ctx := context.Background()
	with := func(id, network string) instance.Instance {
		i := newInstance(id, id, "todo", id)
		i.Network = network
		return i
	}
	for _, i := range []instance.Instance{with("1", ""), with("2", ""), with("3", "net-b"), with("4", "net-a")} {
		must(t, db.InsertInstance(ctx, i))
	}
	err := db.InsertInstance(ctx, with("5", "net-a"))
	wantKind(t, err, iap.Conflict)
	var e *iap.Error
	if !errors.As(err, &e) || e.Field != "network" {
		t.Errorf("a network that another has: %v", err)
	}
	used, err := db.Networks(ctx)
	must(t, err)
	same(t, "networks", used, []string{"net-a", "net-b"})
	i, err := db.Instance(ctx, "4")
	must(t, err)
	same(t, "network", i.Network, "net-a")
	i.Network = ""
	must(t, db.UpdateInstance(ctx, i))
	must(t, db.InsertInstance(ctx, with("5", "net-a")))
}

func instanceID(i instance.Instance) string { return i.ID }

func instanceLists(t *testing.T, db *store.DB) {
	ctx := context.Background()
	must(t, db.InsertInstance(ctx, newInstance("2", "ann", "todo", "b")))
	must(t, db.InsertInstance(ctx, full("3", "ann", "todo", "c")))
	must(t, db.InsertInstance(ctx, full("4", "bob", "todo", "d")))
	must(t, db.InsertInstance(ctx, newInstance("1", "bob", "todo", "a")))
	for upstream, want := range map[string]int{"": 0, "http://127.0.0.1:1": 2, "http://127.0.0.1:2": 0} {
		at, err := db.InstancesAt(ctx, upstream)
		must(t, err)
		same(t, "instances at "+upstream, len(at), want)
	}
	live, err := db.LiveInstances(ctx)
	must(t, err)
	same(t, "live", ids(live, instanceID), []string{"1", "2"})
	latest, err := db.LatestInstance(ctx, "ann", "todo")
	must(t, err)
	same(t, "latest", latest.ID, "3")
	_, err = db.LatestInstance(ctx, "ann", "board")
	wantKind(t, err, iap.NotFound)
}

func instanceFilter(t *testing.T, db *store.DB) {
	ctx := context.Background()
	must(t, db.InsertInstance(ctx, newInstance("1", "Ann@example.com", "todo", "brave-otter-todo")))
	must(t, db.InsertInstance(ctx, full("2", "Ann@example.com", "board", "calm_fox-board")))
	must(t, db.InsertInstance(ctx, newInstance("3", "bob", "todo", "calm-100%-todo")))
	for name, test := range map[string]struct {
		filter instance.Filter
		want   []string
	}{
		"all":          {instance.Filter{}, []string{"3", "2", "1"}},
		"limit":        {instance.Filter{Limit: 2}, []string{"3", "2"}},
		"before":       {instance.Filter{Before: "3"}, []string{"2", "1"}},
		"owner":        {instance.Filter{Owner: "Ann@example.com"}, []string{"2", "1"}},
		"app":          {instance.Filter{App: "todo"}, []string{"3", "1"}},
		"status":       {instance.Filter{Statuses: []instance.Status{instance.DestroyFailed, instance.Running}}, []string{"2"}},
		"all at once":  {instance.Filter{Owner: "bob", App: "todo", Statuses: []instance.Status{instance.Queued}, Before: "4", Text: "calm"}, []string{"3"}},
		"host name":    {instance.Filter{Text: "Otter"}, []string{"1"}},
		"owner's part": {instance.Filter{Text: "ann@"}, []string{"2", "1"}},
		"app's part":   {instance.Filter{Text: "boar"}, []string{"2"}},
		"percent sign": {instance.Filter{Text: "0%-"}, []string{"3"}},
		"underscore":   {instance.Filter{Text: "m_f"}, []string{"2"}},
		"backslash":    {instance.Filter{Text: `\`}, []string{}},
		"quote":        {instance.Filter{Text: `' OR 1=1 --`}, []string{}},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := db.Instances(ctx, test.filter)
			must(t, err)
			same(t, "instances", ids(got, instanceID), test.want)
		})
	}
}

func instanceReady(t *testing.T, db *store.DB) {
	ctx := context.Background()
	add := func(app string, n int, ready time.Duration) {
		i := full(fmt.Sprintf("%s%03d", app, n), "ann", app, fmt.Sprint(app, n))
		i.CreatedAt = later(n * 1_000_000)
		if i.ReadyAt = (time.Time{}); ready > 0 {
			i.ReadyAt = i.CreatedAt.Add(ready)
		}
		must(t, db.InsertInstance(ctx, i))
	}
	for n := range 30 { // the last twenty take 1 s each, those before 100 s
		add("todo", n, map[bool]time.Duration{true: 100 * time.Second, false: time.Second}[n < 10])
	}
	add("board", 1, time.Second)
	add("board", 2, 4*time.Second)
	add("chat", 1, 0)
	got, err := db.ReadySeconds(ctx)
	must(t, err)
	same(t, "medians", got, map[string]float64{"todo": 1, "board": 2.5})
}
