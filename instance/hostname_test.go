package instance_test

import (
	"context"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/catalog"
	"github.com/internal-app-portal/iap/event"
	"github.com/internal-app-portal/iap/instance"
	"github.com/internal-app-portal/iap/store"
	"github.com/internal-app-portal/iap/workflow"
)

var (
	jane = iap.Actor{ID: "jane@example.com", Role: iap.Member}
	pat  = iap.Actor{ID: "pat@example.com", Role: iap.Publisher}
)

// rig is a Service on a real database, whose host names the test draws.
type rig struct {
	*instance.Service
	db    *store.DB
	draws []string // what is drawn next; the last one for ever
}

func (r *rig) draw(string) string {
	name := r.draws[0]
	if len(r.draws) > 1 {
		r.draws = r.draws[1:]
	}
	return name
}

func newRig(t *testing.T, apps ...string) *rig {
	t.Helper()
	dir := t.TempDir()
	db, err := store.Open(t.Context(), filepath.Join(dir, "iap.db"), store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	blobs, err := catalog.OpenBlobs(filepath.Join(dir, "blobs"))
	if err != nil {
		t.Fatal(err)
	}
	log := event.NewLog(db)
	c := catalog.New(catalog.Config{Store: db, Blobs: blobs, Tx: db, Events: log})
	for _, app := range apps {
		manifest := "slug: " + app + "\nname: " + app + "\nimage: " + app + ":1\n"
		if _, err := c.Add(t.Context(), pat, catalog.Upload{Manifest: []byte(manifest)}); err != nil {
			t.Fatal(err)
		}
	}
	r := &rig{db: db}
	engine := workflow.New(workflow.Config{Store: db, Tx: db, Log: log, Now: time.Now, Owner: "test"})
	r.Service = instance.NewService(instance.Config{Store: db, Tx: db, Catalog: c, Workflow: engine, Log: log, EventStore: db,
		Now: time.Now, HostName: r.draw})
	return r
}

func (r *rig) count(t *testing.T) int {
	t.Helper()
	all, err := r.db.Instances(t.Context(), instance.Filter{})
	if err != nil {
		t.Fatal(err)
	}
	return len(all)
}

// TestHostNameThatIsTaken: another one is drawn, whether the one that has it
// lives or is long gone.
func TestHostNameThatIsTaken(t *testing.T) {
	r := newRig(t, "todo", "chat", "board")
	r.draws = []string{"gone-gone-gone-todo"}
	gone, _, err := r.Deploy(t.Context(), jane, instance.DeployRequest{App: "todo"})
	if err != nil {
		t.Fatal(err)
	}
	gone.Status, gone.EndedAt = instance.Destroyed, time.Now()
	if err := r.db.UpdateInstance(t.Context(), gone); err != nil {
		t.Fatal(err)
	}
	r.draws = []string{gone.HostName, "first-first-first-todo"}
	first, created, err := r.Deploy(t.Context(), jane, instance.DeployRequest{App: "todo"})
	if err != nil || !created || first.HostName != "first-first-first-todo" {
		t.Fatalf("with the name of a tombstone: %+v, %v", first, err)
	}
	r.draws = []string{first.HostName, gone.HostName, "other-other-other-chat"}
	other, created, err := r.Deploy(t.Context(), jane, instance.DeployRequest{App: "chat"})
	if err != nil || !created || other.HostName != "other-other-other-chat" {
		t.Errorf("with the name of a living one: %+v, %v", other, err)
	}
	if i, err := r.ByHostName(t.Context(), gone.HostName); err != nil || i.ID != gone.ID {
		t.Errorf("the tombstone is %+v, %v", i, err)
	}
}

// TestNoHostNameIsFree: nothing is stored, and a later attempt may succeed.
func TestNoHostNameIsFree(t *testing.T) {
	r := newRig(t, "todo", "chat")
	r.draws = []string{"same-same-same-todo"}
	if _, _, err := r.Deploy(t.Context(), jane, instance.DeployRequest{App: "todo"}); err != nil {
		t.Fatal(err)
	}
	last, err := r.db.LastEventNumber(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := r.Deploy(t.Context(), jane, instance.DeployRequest{App: "chat"}); !iap.IsKind(err, iap.Unavailable) {
		t.Errorf("got %v", err)
	}
	if now, err := r.db.LastEventNumber(t.Context()); err != nil || now != last || r.count(t) != 1 {
		t.Errorf("something was stored: %d instances, %d events more, %v", r.count(t), now-last, err)
	}
	r.draws = []string{"free-free-free-chat"}
	if _, created, err := r.Deploy(t.Context(), jane, instance.DeployRequest{App: "chat"}); err != nil || !created {
		t.Errorf("later: %v", err)
	}
}

// TestAnswerLost: the same request again, after a commit of which the caller
// never heard, gives the one instance with its one execution and event.
func TestAnswerLost(t *testing.T) {
	r := newRig(t, "todo")
	r.draws = []string{"a-a-a-todo", "b-b-b-todo"}
	lost, cancel := context.WithCancel(t.Context())
	r.Tx = losing{r.db, cancel}
	first, _, err := r.Deploy(lost, jane, instance.DeployRequest{App: "todo"})
	if err == nil {
		t.Fatalf("the answer came: %+v", first)
	}
	r.Tx = r.db
	again, created, err := r.Deploy(t.Context(), jane, instance.DeployRequest{App: "todo"})
	if err != nil || created || again.HostName != "a-a-a-todo" || r.count(t) != 1 {
		t.Errorf("again: created %v, %+v, %v", created, again, err)
	}
	events, err := r.Events(t.Context(), jane, again.ID)
	if err != nil {
		t.Fatal(err)
	}
	told := slices.DeleteFunc(events, func(e event.Event) bool { return e.Type != event.InstanceChanged })
	if len(told) != 1 {
		t.Errorf("it was told %d times", len(told))
	}
}

// losing is a Transactor that commits, and whose caller is gone then.
type losing struct {
	*store.DB
	gone context.CancelFunc
}

func (l losing) Update(ctx context.Context, fn func(context.Context) error) error {
	defer l.gone()
	return l.DB.Update(ctx, fn)
}
