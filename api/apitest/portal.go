package apitest

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/api"
	"github.com/internal-app-portal/iap/auth"
	"github.com/internal-app-portal/iap/bucket"
	"github.com/internal-app-portal/iap/catalog"
	"github.com/internal-app-portal/iap/event"
	"github.com/internal-app-portal/iap/instance"
	"github.com/internal-app-portal/iap/job"
	"github.com/internal-app-portal/iap/workflow"
)

// The tokens of the people that a portal knows.
const (
	JaneToken = "token-of-jane" // member
	PaulToken = "token-of-paul" // publisher
	AnnToken  = "token-of-ann"  // admin
)

// People are those who may sign in.
func People() []auth.Person {
	person := func(id string, role iap.Role, token string) auth.Person {
		return auth.Person{ID: id, Name: id, Role: role, TokenSHA256: auth.HashToken(token)}
	}
	return []auth.Person{person("jane@example.com", iap.Member, JaneToken),
		person("paul@example.com", iap.Publisher, PaulToken), person("ann@example.com", iap.Admin, AnnToken)}
}

// Portal is a portal in memory. What its apps do is in their names: "todo"
// becomes ready at once, "broken" fails, "slow" never gets ready, "sticky"
// cannot be destroyed.
type Portal struct {
	*httptest.Server
	Log *event.Log

	cfg  api.Config
	stop func() // ends the API's streams

	mu        sync.Mutex
	fail      error // of every call of a service; nil: none
	most      int   // instances a person may have; 0: any number
	holding   bool  // destroys begin and do not end
	events    *memory
	instances []instance.Instance // oldest first
	jobs      []job.Job           // oldest first
	logs      map[string]*jobLog
	apps      []catalog.App
	versions  []catalog.Version

	machines   []*machine   // in the order of names
	executions []*execution // newest first
	mapRuns    []workflow.MapRun

	words int
	now   func() time.Time
}

// New starts a portal with the apps todo, broken, slow and sticky, and stops
// it with the test. change, where it is not nil, may change the API's
// configuration.
func New(t testing.TB, change func(*api.Config)) *Portal {
	t.Helper()
	p := &Portal{events: &memory{}, logs: map[string]*jobLog{}, now: newClock()}
	p.Log = event.NewLog(p.events)
	if err := p.Log.Start(context.Background()); err != nil {
		t.Fatal(err)
	}
	a, err := auth.New(auth.Config{People: People(), Key: make([]byte, 32)})
	if err != nil {
		t.Fatal(err)
	}
	folder, err := bucket.OpenFolder(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = folder.Close() })
	p.cfg = api.Config{Buckets: bucket.Access{Folder: folder}, Instances: instances{p}, Catalog: apps{p}, Jobs: jobs{p}, Log: p.Log, Auth: a, Workflows: workflows{p},
		Schema: []byte(`{"$schema":"https://json-schema.org/draft/2020-12/schema"}`), Version: "1.2.3"}
	if change != nil {
		change(&p.cfg)
	}
	for _, slug := range []string{"todo", "broken", "slow", "sticky"} {
		p.addApp(slug, slug+" app")
	}
	p.Server = httptest.NewServer(p.handler())
	t.Cleanup(func() {
		p.CloseClientConnections()
		p.Server.Close()
		p.stop()
		_ = p.Log.Stop(context.Background())
	})
	return p
}

// handler returns the API, whose streams p.stop ends.
func (p *Portal) handler() http.Handler {
	cfg, done := p.cfg, make(chan struct{})
	if cfg.Done == nil {
		cfg.Done = done
	}
	p.stop = sync.OnceFunc(func() { close(done) })
	return api.New(cfg)
}

// Halt ends the portal's streams and its listening, as a portal that stops
// does; its jobs go on. Resume has it listen again where it did.
func (p *Portal) Halt() {
	p.stop()
	p.Server.Close()
}

// Resume starts the portal again after Halt.
func (p *Portal) Resume(t testing.TB) {
	t.Helper()
	l, err := net.Listen("tcp", p.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	p.Server = httptest.NewUnstartedServer(p.handler())
	p.Listener.Close()
	p.Listener = l
	p.Start()
}

// newClock returns a clock that goes on by a millisecond each time it is read,
// so that IDs sort in the order in which they were made.
func newClock() func() time.Time {
	var read atomic.Int64
	start := time.Now()
	return func() time.Time { return start.Add(time.Duration(read.Add(1)) * time.Millisecond) }
}

// FailWith has every call of a service fail, or none by nil.
func (p *Portal) FailWith(err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.fail = err
}

// SetMapRuns sets the map runs of the portal's executions, newest first.
func (p *Portal) SetMapRuns(runs ...workflow.MapRun) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.mapRuns = runs
}

// changed is called with p.mu held: it tells of an instance.
func (p *Portal) changed(i *instance.Instance) {
	i.Changed++
	p.append(instanceEvent(*i, p.now()))
}

func (p *Portal) append(e *event.Event) {
	if err := p.Log.Append(context.Background(), e); err != nil {
		panic(err)
	}
}
