package instance_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	iap "github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/catalog"
	"github.com/internal-app-portal/iap/event"
	"github.com/internal-app-portal/iap/health"
	"github.com/internal-app-portal/iap/instance"
	"github.com/internal-app-portal/iap/job"
	"github.com/internal-app-portal/iap/store"
	"github.com/internal-app-portal/iap/workflow"
)

// life is the lifecycle on the real database and engine; jobs, platform and
// apps are the test's.
type life struct {
	*instance.Service
	t      testing.TB
	db     *store.DB
	engine *workflow.Engine
	jobs   *jobs
	docker *platform
	health *prober
	clock  atomic.Int64 // what the clock is ahead, in milliseconds
	names  atomic.Int64
}

func newLife(t testing.TB) *life {
	t.Helper()
	db, err := store.Open(t.Context(), filepath.Join(t.TempDir(), "test.db"), store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	log := event.NewLog(db)
	if err := log.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	l := &life{t: t, db: db, jobs: &jobs{queue: make(chan job.Job, 100)},
		docker: &platform{left: map[string][]instance.Resource{}}, health: &prober{}}
	l.Service = instance.NewService(instance.Config{})
	l.engine = workflow.New(workflow.Config{Store: db, Tx: db, Log: log, Now: l.now, Owner: "test", Boundless: []string{instance.SweepName},
		Handlers: l.Handlers(), OnEnd: l.ExecutionEnded})
	l.Service.Config = instance.Config{Store: db, Tx: db, Catalog: apps{}, Jobs: l.jobs, Workflow: l.engine, Log: log,
		EventStore: db, Platform: l.docker, Prober: l.health, Now: l.now,
		HostName:     func(slug string) string { return fmt.Sprintf("a-b-%d-%s", l.names.Add(1), slug) },
		ResourceName: func(s string) string { return s },
		AppURL:       func(s string) string { return "http://" + s + ".localhost" },
		Portal:       "portal", State: func(string, string) job.StateAccess { return job.StateAccess{} },
		BuiltIn: "builtin", Sealer: sealer{}, Rates: instance.DefaultRates()}
	if err := l.engine.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = l.engine.Stop(context.Background())
		_ = log.Stop(context.Background())
		_ = db.Close()
	})
	return l
}

func (l *life) now() time.Time {
	return time.Now().UTC().Truncate(time.Millisecond).Add(time.Duration(l.clock.Load()) * time.Millisecond)
}

// later moves the clock and has the engine look at it.
func (l *life) later(d time.Duration) { l.clock.Add(d.Milliseconds()); l.engine.Wake() }

func (l *life) deploy(app string) instance.Instance {
	l.t.Helper()
	i, _, err := l.Deploy(l.t.Context(), jane, instance.DeployRequest{App: app, Parameters: map[string]any{"password": "hunter2-secret"}})
	if err != nil {
		l.t.Fatal(err)
	}
	return i
}

// job ends the next job.
func (l *life) job(kind job.Kind, status job.Status, upstream string) {
	l.t.Helper()
	l.done(l.next(kind), status, upstream)
}

// next takes the next job.
func (l *life) next(kind job.Kind) job.Job {
	l.t.Helper()
	j := <-l.jobs.queue
	if j.Kind != kind {
		l.t.Fatalf("the next job is a %s, want %s", j.Kind, kind)
	}
	return j
}

func (l *life) done(j job.Job, status job.Status, upstream string) {
	l.t.Helper()
	j.Status, j.Upstream = status, upstream
	if status != job.Succeeded {
		j.Error, j.Reason = job.ErrApplyFailed, "it did not work"
	}
	if err := l.db.Update(l.t.Context(), func(ctx context.Context) error { return l.JobEnded(ctx, j) }); err != nil {
		l.t.Fatal(err)
	}
}

// until waits for an instance to be as it should.
func (l *life) until(id string, want func(instance.Instance) bool) instance.Instance {
	l.t.Helper()
	ctx, cancel := context.WithTimeoutCause(l.t.Context(), time.Minute, errors.New("it took too long"))
	defer cancel()
	sub := l.Log.Subscribe(0)
	for {
		i, err := l.db.Instance(ctx, id)
		if err != nil {
			l.t.Fatal(err)
		}
		if want(i) {
			return i
		}
		if _, err := sub.Next(ctx); err != nil {
			l.t.Fatalf("%v: it is %s, waits for %q, reason %q", err, i.Status, i.Waiting, i.Reason)
		}
	}
}

func is(s instance.Status) func(instance.Instance) bool {
	return func(i instance.Instance) bool { return i.Status == s }
}

// jobs takes them in and leaves their end to the test.
type jobs struct {
	mu    sync.Mutex
	all   []job.Job
	queue chan job.Job
}

func (j *jobs) Enqueue(ctx context.Context, in job.Job) (job.Job, error) {
	in.ID = iap.NewID(time.Now())
	iap.AfterCommit(ctx, func() {
		j.mu.Lock()
		j.all = append(j.all, in)
		j.mu.Unlock()
		j.queue <- in
	})
	return in, nil
}
func (j *jobs) Cancel(context.Context, string, string) error { return nil }
func (j *jobs) Of(context.Context, string) ([]job.Job, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return slices.Clone(j.all), nil
}

// apps is a catalogue in which every app has a secret parameter.
type apps struct{}

func (apps) Deployable(_ context.Context, slug string) (catalog.App, error) {
	v, err := apps{}.Version(context.Background(), slug, 1)
	return catalog.App{Slug: slug, Latest: 1, Version: v}, err
}

// few are what the manifests of some apps begin with.
var few = map[string]string{"few": "instances: 1\n", "idle": "idle_limit: 40m\n", "long": "time_limit_most: 24h\n", "short": "time_limit_most: 30m\n",
	"own-portal": "bundle: bundle\nnetwork: portal\n"}

func (apps) Version(_ context.Context, slug string, _ int) (catalog.Version, error) {
	m, err := catalog.ParseManifest([]byte(few[slug] + "slug: " + slug + "\nname: App\nimage: app:1\nport: 80\nparameters:\n  - {name: password, secret: true}\n"))
	v := catalog.Version{App: slug, Number: 1, Manifest: m}
	if strings.HasPrefix(slug, "own") {
		v.BundleSHA = "a bundle of its own"
	}
	return v, err
}

// platform is one that does what the test says.
type platform struct {
	mu       sync.Mutex
	down     bool
	resists  bool
	refuses  error // to make a network
	loses    error // the answer to who has it make a network
	left     map[string][]instance.Resource
	box      instance.Container
	upstream string
	used     map[string]string // networks with a container, and the instance of that
	hangs    chan struct{}     // the next question about a network has no answer; closed when it was asked
}

func (p *platform) set(fn func(*platform)) { p.mu.Lock(); fn(p); p.mu.Unlock() }

func (p *platform) answer() error {
	if p.down {
		return iap.Errorf("test", iap.Unavailable, "down")
	}
	return nil
}

func (*platform) Name() string                 { return "docker" }
func (*platform) Title() string                { return "Docker" }
func (p *platform) Ping(context.Context) error { p.mu.Lock(); defer p.mu.Unlock(); return p.answer() }
func (p *platform) Resources(_ context.Context, _, id string) ([]instance.Resource, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if id == "" {
		return slices.Concat(slices.Collect(maps.Values(p.left))...), p.answer()
	}
	return slices.Clone(p.left[id]), p.answer()
}
func (p *platform) Remove(_ context.Context, r instance.Resource) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.resists {
		return errors.New("no")
	}
	for id, all := range p.left {
		p.left[id] = slices.DeleteFunc(all, func(x instance.Resource) bool { return x.ID == r.ID })
	}
	return p.answer()
}
func (p *platform) Container(context.Context, string, int) (instance.Container, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.box, p.answer()
}
func (p *platform) WatchExit(ctx context.Context, _ string) (<-chan struct{}, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return ctx.Done(), p.answer()
}
func (p *platform) LimitProcesses(context.Context, string, int) error { return nil }
func (p *platform) MakeNetwork(_ context.Context, name string, labels map[string]string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	id := labels[instance.LabelInstance]
	if p.refuses != nil {
		return p.refuses
	}
	if p.has(name) {
		return p.answer()
	}
	p.left[id] = append(p.left[id], instance.Resource{Kind: "network", ID: name, Name: name, Labels: labels})
	if p.loses != nil {
		return p.loses
	}
	return p.answer()
}

// has reports whether there is a resource of a name.
func (p *platform) has(name string) bool {
	for _, all := range p.left {
		if slices.ContainsFunc(all, func(r instance.Resource) bool { return r.Name == name }) {
			return true
		}
	}
	return false
}

func (p *platform) NetworkUsed(ctx context.Context, name string, _ map[string]string, own string) (bool, error) {
	p.mu.Lock()
	hangs := p.hangs
	p.hangs = nil
	p.mu.Unlock()
	if hangs != nil {
		close(hangs)
		<-ctx.Done()
	}
	if ctx.Err() != nil {
		return false, context.Cause(ctx)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.has(name) {
		return false, iap.Errorf("test", iap.NotFound, "there is no network %s", name)
	}
	of, used := p.used[name]
	return used && (own == "" || of != own), p.answer()
}
func (p *platform) CheckUpstream(context.Context, string, string) error {
	return nil
}

// prober finds every app healthy unless told otherwise.
type prober struct{ err atomic.Pointer[error] }

func (p *prober) Check(context.Context, health.Target) error {
	if err := p.err.Load(); err != nil {
		return *err
	}
	return nil
}

type sealer struct{}

func (sealer) Seal(s string) string { b, _ := json.Marshal([]byte(s)); return string(b) }
func (sealer) Open(s string) (string, error) {
	var b []byte
	err := json.Unmarshal([]byte(s), &b)
	return string(b), err
}
