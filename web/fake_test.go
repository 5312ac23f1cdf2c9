package web_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	iap "github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/catalog"
	"github.com/internal-app-portal/iap/event"
	"github.com/internal-app-portal/iap/instance"
	"github.com/internal-app-portal/iap/job"
	"github.com/internal-app-portal/iap/web"
)

// memory is an event store, and all the services that pages need, in memory.
type memory struct {
	mu        sync.Mutex
	now       func() time.Time
	events    []event.Event
	log       *event.Log
	apps      []catalog.App
	versions  map[string][]catalog.Version
	instances map[string]instance.Instance
	progress  map[string]instance.Progress
	jobs      map[string]job.Job
	logs      map[string]*growing
	usual     map[string]float64
	renders   int // calls of Progress
	flows     *flows
}

func newMemory(now func() time.Time) *memory {
	m := &memory{now: now, versions: map[string][]catalog.Version{}, instances: map[string]instance.Instance{},
		progress: map[string]instance.Progress{}, jobs: map[string]job.Job{}, logs: map[string]*growing{}, usual: map[string]float64{}}
	m.log = event.NewLog(m)
	m.flows = newFlows(now, m.log)
	return m
}

func (m *memory) AppendEvents(_ context.Context, events ...*event.Event) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, e := range events {
		e.Number = int64(len(m.events) + 1)
		m.events = append(m.events, *e)
	}
	return nil
}

func (m *memory) EventsAfter(_ context.Context, after int64, limit int) ([]event.Event, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	rest := m.events[min(int(after), len(m.events)):]
	return slices.Clone(rest[:min(limit, len(rest))]), nil
}

func (m *memory) EventsOf(_ context.Context, group string) ([]event.Event, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var out []event.Event
	for _, e := range m.events {
		if e.Group == group {
			out = append(out, e)
		}
	}
	return out, nil
}

func (m *memory) LastEventNumber(context.Context) (int64, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return int64(len(m.events)), nil
}

// put stores an instance and tells of it.
func (m *memory) put(i instance.Instance) instance.Instance {
	m.mu.Lock()
	i.Changed++
	m.instances[i.ID] = i
	m.mu.Unlock()
	data, _ := json.Marshal(instance.Snapshot{ID: i.ID, App: i.App, Owner: i.Owner, HostName: i.HostName, Status: i.Status,
		Waiting: i.Waiting, Upstream: i.Upstream, EndsAt: i.TimeLimitAt, TimeLimitAt: i.TimeLimitAt, Reason: i.Reason})
	m.tell(&event.Event{Source: "/instances", Type: event.InstanceChanged, Subject: i.ID, Owner: i.Owner, Group: i.ID, Data: data})
	return i
}

func (m *memory) putJob(j job.Job) {
	m.mu.Lock()
	m.jobs[j.ID] = j
	if m.logs[j.ID] == nil {
		m.logs[j.ID] = &growing{changed: make(chan struct{})}
	}
	m.mu.Unlock()
	data, _ := json.Marshal(j.Snapshot())
	m.tell(&event.Event{Source: "/jobs", Type: event.JobChanged, Subject: j.ID, Owner: j.Owner, Group: j.Instance, Data: data})
}

func (m *memory) tell(e *event.Event) {
	e.Time = m.now()
	if err := m.log.Append(context.Background(), e); err != nil {
		panic(err)
	}
}

func (m *memory) addApp(mf catalog.Manifest, usual float64) {
	v := catalog.Version{App: mf.Slug, Number: 1, Manifest: mf, CreatedAt: m.now().Add(-72 * time.Hour), CreatedBy: "pat@example.com"}
	m.apps = append(m.apps, catalog.App{Slug: mf.Slug, Latest: 1, Newest: 1, CreatedAt: v.CreatedAt, Version: v})
	m.versions[mf.Slug] = []catalog.Version{v}
	if usual > 0 {
		m.usual[mf.Slug] = usual
	}
}

func (m *memory) Deploy(_ context.Context, actor iap.Actor, req instance.DeployRequest) (instance.Instance, bool, error) {
	app, err := m.apps2(req.App)
	if err != nil {
		return instance.Instance{}, false, err
	}
	for _, p := range app.Version.Manifest.Parameters {
		if v, ok := req.Parameters[p.Name]; ok && p.Name == "title" && strings.ContainsAny(v.(string), "<>") {
			return instance.Instance{}, false, iap.FieldErrorf("instance.Deploy", "parameters.title", "%q has a character that is not allowed; use letters, digits and spaces", v)
		}
	}
	now := m.now()
	i := instance.Instance{ID: iap.NewID(now), App: req.App, Version: 1, Owner: actor.ID, HostName: "quiet-maple-harbor-" + req.App,
		Status: instance.Queued, CreatedAt: now, TimeLimitAt: now.Add(8 * time.Hour), Parameters: req.Parameters}
	return m.put(i), true, nil
}

func (m *memory) Destroy(ctx context.Context, actor iap.Actor, ref string) (instance.Instance, error) {
	i, err := m.Get(ctx, actor, ref)
	if err != nil {
		return i, err
	}
	i.Status, i.EndedAt, i.EndedBy, i.EndReason = instance.Destroyed, m.now(), actor.ID, "destroyed by its owner"
	i.Receipt = &instance.Receipt{At: m.now()}
	return m.put(i), nil
}

func (m *memory) Keep(ctx context.Context, actor iap.Actor, ref string, until time.Time, reason string) (instance.Instance, error) {
	i, err := m.Get(ctx, actor, ref)
	if err != nil {
		return i, err
	}
	if reason == "" {
		return i, iap.FieldErrorf("instance.Keep", "reason", "it is missing")
	}
	i.KeepUntil, i.KeepReason, i.KeptBy = until, reason, actor.ID
	return m.put(i), nil
}

func (m *memory) Release(ctx context.Context, actor iap.Actor, ref string) (instance.Instance, error) {
	i, err := m.Get(ctx, actor, ref)
	if err != nil {
		return i, err
	}
	i.KeepUntil = time.Time{}
	return m.put(i), nil
}

func (m *memory) ActivityOf(i instance.Instance) instance.Activity { return i.Active }

func (m *memory) Ledger(_ context.Context, a iap.Actor, month string) (instance.Ledger, error) {
	if month == "never" {
		return instance.Ledger{}, iap.FieldErrorf("instance.Ledger", "month", "%q is no month, such as 2026-11", month)
	}
	row := instance.LedgerRow{Owner: a.ID, App: "todo", Instances: 2, Ran: instance.Sum{Hours: 10, Cost: 0.5, KWh: 0.03}, Sweep: instance.Sum{Hours: 4, Cost: 0.2, KWh: 0.012}}
	return instance.Ledger{Month: "2026-11", Currency: "EUR", Rows: []instance.LedgerRow{row}, Total: row,
		Days: []instance.LedgerDay{{Day: "2026-11-01", Ran: row.Ran, Saved: row.Sweep}, {Day: "2026-11-02"}}}, nil
}

func (m *memory) EndOf(_ context.Context, i instance.Instance) (instance.End, error) {
	return instance.End{At: i.TimeLimitAt, By: instance.EndByTime}, nil
}

// sweepID is the only sweep that there was.
const sweepID = "06h25ts60zj0k33g2dpe752nb4"

func (m *memory) GetSweep(_ context.Context, _ iap.Actor, id string) (instance.Sweep, error) {
	if id != sweepID {
		return instance.Sweep{}, iap.Errorf("instance.Sweep", iap.NotFound, "there is no sweep %q", id)
	}
	return instance.Sweep{Execution: id, StartedAt: m.now(), FinishedAt: m.now().Add(40 * time.Second), Destroyed: 1, Kept: 1, Failed: 1,
		HoursSaved: 7.5, WaitedFor: "Docker", WaitedSeconds: 31, Results: []instance.SweepResult{
			{Instance: id, HostName: "calm-stone-fig-todo", App: "todo", Owner: "jane@example.com", Outcome: instance.SweptFailed, Reason: "1 thing is left"},
			{Instance: id, HostName: "brave-otter-lamp-todo", App: "todo", Owner: "jane@example.com", Outcome: instance.SweptKept,
				KeptUntil: m.now().Add(2 * time.Hour).Format(time.RFC3339), KeptBy: "jane@example.com", KeepReason: "interview <b>"},
			{Instance: id, HostName: "red-owl-pine-board", App: "board", Owner: "bob@example.com", Outcome: instance.SweptDestroyed, HoursSaved: 7.5},
		}}, nil
}

func (m *memory) Sweeps(ctx context.Context, a iap.Actor, _ int) ([]instance.Sweep, error) {
	x, err := m.GetSweep(ctx, a, sweepID)
	return []instance.Sweep{x}, err
}

func (m *memory) Get(_ context.Context, actor iap.Actor, ref string) (instance.Instance, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	i, ok := m.instances[ref]
	if !ok || i.Owner != actor.ID && !actor.Role.Includes(iap.Admin) {
		return i, iap.Errorf("instance.Get", iap.NotFound, "no instance %q", ref)
	}
	return i, nil
}

func (m *memory) List(_ context.Context, actor iap.Actor, f instance.Filter) ([]instance.Instance, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var out []instance.Instance
	for _, i := range m.instances {
		if (len(f.Statuses) == 0 || slices.Contains(f.Statuses, i.Status)) && (f.App == "" || f.App == i.App) && strings.Contains(i.HostName+i.Owner, f.Text) {
			out = append(out, i)
		}
	}
	slices.SortFunc(out, func(a, b instance.Instance) int { return strings.Compare(b.ID, a.ID) })
	return out, nil
}

func (m *memory) Current(_ context.Context, actor iap.Actor) (map[string]instance.Instance, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	out := map[string]instance.Instance{}
	for _, i := range m.instances {
		if i.Owner == actor.ID && !i.Status.Ended() {
			out[i.App] = i
		}
	}
	return out, nil
}

func (m *memory) Events(ctx context.Context, _ iap.Actor, ref string) ([]event.Event, error) {
	return m.EventsOf(ctx, ref)
}

func (m *memory) Progress(_ context.Context, i instance.Instance) (instance.Progress, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.renders++
	return m.progress[i.ID], nil
}

func (m *memory) ReadySeconds(context.Context) (map[string]float64, error) { return m.usual, nil }

func (m *memory) URL(i instance.Instance) string { return "http://" + i.HostName + ".localhost:8080/" }

func (m *memory) apps2(slug string) (catalog.App, error) {
	for _, a := range m.apps {
		if a.Slug == slug {
			return a, nil
		}
	}
	return catalog.App{}, iap.Errorf("catalog.Get", iap.NotFound, "unknown app %q", slug)
}

// apps and jobs have methods with the names of the instances' ones.
type apps struct{ *memory }

func (a apps) List(context.Context, iap.Actor) ([]catalog.App, error) { return a.apps, nil }
func (a apps) Get(_ context.Context, slug string) (catalog.App, error) {
	return a.apps2(slug)
}
func (a apps) Version(_ context.Context, slug string, n int) (catalog.Version, error) {
	for _, v := range a.versions[slug] {
		if v.Number == n {
			return v, nil
		}
	}
	return catalog.Version{}, iap.Errorf("catalog.Version", iap.NotFound, "none")
}
func (a apps) Versions(_ context.Context, slug string) ([]catalog.Version, error) {
	return a.versions[slug], nil
}
func (a apps) Certify(ctx context.Context, _ iap.Actor, slug string, n int) (catalog.Version, error) {
	return a.Version(ctx, slug, n)
}
func (a apps) SkipCertification(ctx context.Context, _ iap.Actor, slug string, n int) (catalog.Version, error) {
	return a.Version(ctx, slug, n)
}
func (a apps) Retire(_ context.Context, actor iap.Actor, slug string) error {
	return a.setRetired(actor, slug, true)
}
func (a apps) Unretire(_ context.Context, actor iap.Actor, slug string) error {
	return a.setRetired(actor, slug, false)
}
func (a apps) setRetired(actor iap.Actor, slug string, retired bool) error {
	if !actor.Role.Includes(iap.Publisher) {
		return iap.Errorf("catalog.Retire", iap.Forbidden, "this needs the role publisher")
	}
	for n := range a.apps {
		if a.apps[n].Slug == slug {
			a.apps[n].Retired = retired
		}
	}
	return nil
}
func (a apps) Icon(_ context.Context, v catalog.Version) ([]byte, string, error) {
	if v.IconSHA != "" {
		return []byte("<svg/>"), "image/svg+xml", nil
	}
	return []byte("<script>alert(1)</script>"), "text/html", nil
}

type jobs struct{ *memory }

func (s jobs) Get(_ context.Context, id string) (job.Job, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	j, ok := s.memory.jobs[id]
	if !ok {
		return j, iap.Errorf("job.Get", iap.NotFound, "no job %q", id)
	}
	return j, nil
}
func (s jobs) List(_ context.Context, f job.Filter) ([]job.Job, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []job.Job
	for _, j := range s.memory.jobs {
		if (f.Owner == "" || j.Owner == f.Owner) && (f.Kind == "" || j.Kind == f.Kind) && (len(f.Statuses) == 0 || slices.Contains(f.Statuses, j.Status)) {
			out = append(out, j)
		}
	}
	slices.SortFunc(out, func(a, b job.Job) int { return strings.Compare(b.ID, a.ID) })
	return out, nil
}
func (s jobs) Of(ctx context.Context, id string) ([]job.Job, error) {
	all, err := s.List(ctx, job.Filter{})
	slices.Reverse(all)
	return slices.DeleteFunc(all, func(j job.Job) bool { return j.Instance != id }), err
}
func (s jobs) Cancel(ctx context.Context, actor, id string) error {
	j, err := s.Get(ctx, id)
	if err == nil {
		j.Status, j.CancelledBy, j.EndedAt = job.Cancelled, actor, s.now()
		s.putJob(j)
	}
	return err
}
func (s jobs) Log(ctx context.Context, id string, offset int64, follow bool) (io.ReadCloser, error) {
	s.mu.Lock()
	g := s.logs[id]
	s.mu.Unlock()
	if g == nil {
		return nil, iap.Errorf("job.Log", iap.NotFound, "no log")
	}
	return &growingReader{ctx: ctx, g: g, at: int(offset), follow: follow}, nil
}

// growing is a log that is written to while it is read.
type growing struct {
	mu      sync.Mutex
	data    []byte
	ended   bool
	changed chan struct{}
}

func (g *growing) write(text string, end bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.data, g.ended = append(g.data, text...), end
	close(g.changed)
	g.changed = make(chan struct{})
}

type growingReader struct {
	ctx    context.Context
	g      *growing
	at     int
	follow bool
}

func (r *growingReader) Close() error { return nil }
func (r *growingReader) Read(p []byte) (int, error) {
	for {
		r.g.mu.Lock()
		n := copy(p, r.g.data[r.at:])
		ended, changed := r.g.ended, r.g.changed
		r.g.mu.Unlock()
		r.at += n
		if n > 0 {
			return n, nil
		}
		if ended || !r.follow {
			return 0, io.EOF
		}
		select {
		case <-changed:
		case <-r.ctx.Done():
			return 0, r.ctx.Err()
		}
	}
}

// people signs in who the header X-Test-Actor names; fallback is who everybody
// else is.
type people struct{ fallback iap.Actor }

func (p people) Actor(r *http.Request) (iap.Actor, bool) {
	switch r.Header.Get("X-Test-Actor") {
	case "nobody":
		return iap.Actor{}, false
	case "":
		return p.fallback, p.fallback.ID != ""
	case "root@example.com":
		return iap.Actor{ID: "root@example.com", Name: "Root", Role: iap.Admin}, true
	}
	id := r.Header.Get("X-Test-Actor")
	return iap.Actor{ID: id, Name: id, Role: iap.Member}, true
}
func (p people) Login(w http.ResponseWriter, _ *http.Request, token string) error {
	if token != "right" {
		return iap.Errorf("auth.Login", iap.Unauthenticated, "unknown token")
	}
	http.SetCookie(w, &http.Cookie{Name: "iap", Value: "1"})
	return nil
}
func (p people) Logout(http.ResponseWriter, *http.Request) {}

func newServer(m *memory, fallback iap.Actor) (*web.Server, error) {
	london, err := time.LoadLocation("Europe/London")
	if err != nil {
		return nil, err
	}
	if err := m.log.Start(context.Background()); err != nil {
		return nil, err
	}
	return web.New(web.Config{Instances: m, Apps: apps{m}, Jobs: jobs{m}, Events: m.log, Auth: people{fallback},
		Workflows: m.flows, Schedules: &times{now: m.now}, Leaks: &leaks{m.now}, Location: london, Version: "0.1.0", Dev: true, Now: m.now})
}
