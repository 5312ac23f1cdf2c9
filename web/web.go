package web

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"sync"
	"time"

	iap "github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/booking"
	"github.com/internal-app-portal/iap/catalog"
	"github.com/internal-app-portal/iap/event"
	"github.com/internal-app-portal/iap/instance"
	"github.com/internal-app-portal/iap/job"
	"github.com/internal-app-portal/iap/leak"
	"github.com/internal-app-portal/iap/schedule"
)

// Instances is what the pages need of the instances; *instance.Service is one.
type Instances interface {
	Deploy(ctx context.Context, actor iap.Actor, req instance.DeployRequest) (i instance.Instance, created bool, err error)
	Destroy(ctx context.Context, actor iap.Actor, ref string) (instance.Instance, error)
	Get(ctx context.Context, actor iap.Actor, ref string) (instance.Instance, error)
	Keep(ctx context.Context, actor iap.Actor, ref string, until time.Time, reason string) (instance.Instance, error)
	Release(ctx context.Context, actor iap.Actor, ref string) (instance.Instance, error)
	EndOf(ctx context.Context, i instance.Instance) (instance.End, error)
	ActivityOf(i instance.Instance) instance.Activity
	Ledger(ctx context.Context, actor iap.Actor, month string) (instance.Ledger, error)
	GetSweep(ctx context.Context, actor iap.Actor, execution string) (instance.Sweep, error)
	Sweeps(ctx context.Context, actor iap.Actor, limit int) ([]instance.Sweep, error)
	List(ctx context.Context, actor iap.Actor, f instance.Filter) ([]instance.Instance, error)
	Current(ctx context.Context, actor iap.Actor) (map[string]instance.Instance, error)
	Events(ctx context.Context, actor iap.Actor, ref string) ([]event.Event, error)
	Progress(ctx context.Context, i instance.Instance) (instance.Progress, error)
	ReadySeconds(ctx context.Context) (map[string]float64, error)
	URL(i instance.Instance) string
}

// Apps is what the pages need of the catalogue; *catalog.Service is one.
type Apps interface {
	List(ctx context.Context, actor iap.Actor) ([]catalog.App, error)
	Get(ctx context.Context, slug string) (catalog.App, error)
	Version(ctx context.Context, slug string, number int) (catalog.Version, error)
	Versions(ctx context.Context, slug string) ([]catalog.Version, error)
	Certify(ctx context.Context, actor iap.Actor, slug string, number int) (catalog.Version, error)
	SkipCertification(ctx context.Context, actor iap.Actor, slug string, number int) (catalog.Version, error)
	Retire(ctx context.Context, actor iap.Actor, slug string) error
	Unretire(ctx context.Context, actor iap.Actor, slug string) error
	Icon(ctx context.Context, v catalog.Version) (data []byte, mediaType string, err error)
}

// Jobs is what the pages need of the jobs; *job.Service is one.
type Jobs interface {
	Get(ctx context.Context, id string) (job.Job, error)
	List(ctx context.Context, f job.Filter) ([]job.Job, error)
	Of(ctx context.Context, instance string) ([]job.Job, error)
	Cancel(ctx context.Context, actorID, jobID string) error
	Log(ctx context.Context, id string, offset int64, follow bool) (io.ReadCloser, error)
}

// Auth says who asks.
type Auth interface {
	Actor(r *http.Request) (iap.Actor, bool)
	// Login signs the browser in with a token; Unauthenticated when it is wrong.
	Login(w http.ResponseWriter, r *http.Request, token string) error
	Logout(w http.ResponseWriter, r *http.Request)
}

// Config is what a Server is made of. Instances, Apps, Jobs, Events and Auth
// are required.
type Config struct {
	Instances Instances
	Apps      Apps
	Jobs      Jobs
	Events    *event.Log
	Auth      Auth
	Schedules schedule.Access // nil: no pages of schedules
	Leaks     leak.Access     // nil: no page of leaks
	Workflows Workflows       // nil: no pages of state machines
	Bookings  booking.Access  // nil: no pages of bookings
	PortalURL string          // address of the portal, for calendars
	// Reader and Deliveries: without both there are no pages of events.
	Reader     event.Reader
	Deliveries Deliveries
	Location   *time.Location   // of clock times until the browser tells its own; nil: time.Local
	Version    string           // of the portal, shown at the foot
	Dev        bool             // no login: the pages show no way to sign out
	Now        func() time.Time // nil: time.Now
	Logger     *slog.Logger     // nil: slog.Default()
}

// Server is the portal's http.Handler for browsers. Its streams end with Stop.
type Server struct {
	cfg      Config
	assets   *assets
	pages    *templates
	mux      *http.ServeMux
	cache    *renderCache
	sketches sketches
	replays  replays

	mu      sync.Mutex
	beat    chan struct{} // closed and replaced at each heartbeat
	stop    context.CancelCauseFunc
	stopped context.Context
	done    sync.WaitGroup // the heartbeat and the streams
}

// New returns a Server that answers at once; its streams have heartbeats from
// Start on.
func New(cfg Config) (*Server, error) {
	if cfg.Location == nil {
		cfg.Location = time.Local
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.Default()
	}
	a, err := loadAssets()
	if err != nil {
		return nil, err
	}
	s := &Server{cfg: cfg, assets: a, cache: newRenderCache(), beat: make(chan struct{})}
	if s.pages, err = s.loadTemplates(); err != nil {
		return nil, err
	}
	s.stopped, s.stop = context.WithCancelCause(context.Background())
	s.mux = s.routes()
	return s, nil
}

// ServeHTTP answers one request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Security-Policy", "default-src 'none'; script-src 'self'; worker-src 'self'; style-src 'self'; "+
		"font-src 'self'; img-src 'self' data:; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "same-origin")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	s.mux.ServeHTTP(w, r)
}

func (s *Server) routes() *http.ServeMux {
	m := http.NewServeMux()
	m.HandleFunc("GET /static/", s.assets.serve)
	m.HandleFunc("GET /favicon.ico", s.favicon)
	m.HandleFunc("GET /login", s.open(s.loginPage))
	m.HandleFunc("POST /login", s.open(s.login))
	m.HandleFunc("POST /logout", s.open(s.logout))
	in := func(pattern string, h handler) { m.HandleFunc(pattern, s.signedIn(h)) }
	in("GET /{$}", s.cataloguePage)
	in("GET /apps/{slug}", s.appPage)
	in("GET /apps/{slug}/icon", s.appIcon)
	in("POST /apps/{slug}/retire", s.retire)
	in("POST /apps/{slug}/unretire", s.unretire)
	in("POST /apps/{slug}/versions/{number}/certify", s.certify)
	in("GET /deploy/{slug}", s.deployForm)
	in("POST /deploy/{slug}", s.deploy)
	in("GET /instances/{id}", s.instancePage)
	in("GET /instances/{id}/destroy", s.destroyPage)
	in("POST /instances/{id}/destroy", s.destroy)
	in("GET /instances/{id}/keep", s.keepPage)
	in("POST /instances/{id}/keep", s.keep)
	in("GET /instances/{id}/panel/{tab}", s.instancePanel)
	in("GET /instances/{id}/lifecycle.json", s.lifecycleJSON)
	in("GET /instances/{id}/lifecycle/live", s.lifecycleLive)
	in("GET /instances/{id}/lifecycle/state", s.lifecycleState)
	in("GET /jobs/{id}", s.jobPage)
	in("GET /jobs/{id}/log", s.jobLog)
	in("POST /jobs/{id}/cancel", s.cancelJob)
	in("GET /cost", s.costPage)
	in("GET /cost.csv", s.costCSV)
	in("GET /admin/instances", s.admin(s.instancesPage))
	in("GET /admin/instances/destroy", s.admin(s.destroyManyPage))
	in("POST /admin/instances/destroy", s.admin(s.destroyMany))
	in("GET /admin/jobs", s.admin(s.jobsPage))
	s.workflowRoutes(in)
	s.scheduleRoutes(in)
	s.leakRoutes(in)
	s.eventRoutes(in)
	s.bookingRoutes(in)
	m.HandleFunc("GET /stream", s.stream)
	m.HandleFunc("/", s.signedIn(s.notFound))
	return m
}

func (s *Server) workflowRoutes(in func(pattern string, h handler)) {
	for pattern, h := range map[string]handler{
		"GET /machines":                s.machinesPage,
		"GET /machines/{name}":         s.machinePage,
		"POST /machines/{name}/start":  s.startMachine,
		"POST /machines/{name}/delete": s.deleteMachine,
		"GET /machines/{name}/edit":    s.editorPage,
		"POST /machines/{name}/edit":   s.saveMachine,
		"GET /editor":                  s.newMachinePage,
		"POST /editor":                 s.saveMachine,
		"POST /editor/check":           s.checkMachine,
		"POST /editor/input":           s.checkInput,
		"GET /tasks":                   s.tasksPage,
		"GET /executions":              s.executionsPage,
	} {
		in(pattern, s.workflows(h))
	}
	for pattern, h := range map[string]handler{
		"GET /executions/{id}":                 s.executionPage,
		"GET /executions/{id}/live":            s.executionLive,
		"GET /executions/{id}/state":           s.executionState,
		"GET /executions/{id}/history":         s.executionHistory,
		"GET /executions/{id}/events/{number}": s.executionEvent,
		"POST /executions/{id}/stop":           s.stopExecution,
		"POST /executions/{id}/redrive":        s.redriveExecution,
		"GET /map-runs/{id}":                   s.mapRunPage,
		"POST /map-runs/{id}":                  s.updateMapRun,
	} {
		in(pattern, s.executions(h))
	}
}

// Start begins the heartbeats of the streams.
func (s *Server) Start(context.Context) error {
	s.done.Add(1)
	go s.heartbeats()
	return nil
}

// Stop ends all streams and waits for them.
func (s *Server) Stop(context.Context) error {
	s.mu.Lock() // enter adds under it
	s.stop(errStopped)
	s.mu.Unlock()
	s.done.Wait()
	return nil
}
