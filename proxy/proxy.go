package proxy

import (
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	iap "github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/event"
	"github.com/internal-app-portal/iap/instance"
)

// Instances is where the proxy reads instances; instance.Store is one.
type Instances interface {
	// LiveInstances returns all that have not ended.
	LiveInstances(ctx context.Context) ([]instance.Instance, error)
	// InstanceByHostName returns the one with a host name, ended or not;
	// NotFound.
	InstanceByHostName(ctx context.Context, hostName string) (instance.Instance, error)
}

// Pages writes what a browser sees where no app answers; it must need nothing
// but the assets under /.iap/ of the same host.
type Pages interface {
	Instance(ctx context.Context, w io.Writer, i instance.Instance) error
	Unanswered(ctx context.Context, w io.Writer, i instance.Instance) error
	// Early is of an instance that opens later; preview: who asks may look at it.
	Early(ctx context.Context, w io.Writer, i instance.Instance, preview bool) error
	Unknown(ctx context.Context, w io.Writer, hostName string) error
	// Progress writes the part of Instance's page that changes.
	Progress(ctx context.Context, w io.Writer, i instance.Instance) error
	Asset(w http.ResponseWriter, r *http.Request)
}

// Decision is what Authorize says.
type Decision struct {
	Allow    bool
	Preview  bool   // before it opens, too
	Redirect string // where to send a browser that is not allowed; empty: 403
	// Until is when a WebSocket or stream that was allowed has to end; zero: with
	// the right to it alone.
	Until time.Time
}

// Config is what a Proxy is made of. AppsDomain, Log, Instances and Pages are
// required.
type Config struct {
	AppsDomain string // "apps.example.com": instances are at <host name>.apps.example.com
	Log        *event.Log
	Instances  Instances
	Pages      Pages
	// Cookies are the names of the portal's cookies, which never reach an app.
	Cookies []string
	// Authorize decides on each request to a host that has an instance, before
	// anything of it is shown, and again on each WebSocket and stream that is open
	// when somebody has signed out, and when the instance has changed. Nil: all may.
	Authorize func(r *http.Request, i instance.Instance) Decision
	// Ending returns what the bar in an app's pages tells. Nil: there is no bar.
	Ending func(ctx context.Context, i instance.Instance) (Ending, error)
	Now    func() time.Time // nil: time.Now
	Logger *slog.Logger     // nil: slog.Default()
}

// Proxy is the http.Handler of all hosts under the domain of the apps.
type Proxy struct {
	cfg       Config
	suffix    string // ".apps.example.com"
	table     table
	held      held
	transport *http.Transport
	buffers   buffers

	mu       sync.Mutex
	stop     context.CancelCauseFunc
	stopped  context.Context
	done     sync.WaitGroup
	watchers sync.WaitGroup // open streams of waiting pages
}

// New returns a Proxy; it knows no routes until Start.
func New(cfg Config) *Proxy {
	if cfg.Logger == nil {
		cfg.Logger = slog.Default()
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	p := &Proxy{cfg: cfg, suffix: "." + strings.ToLower(strings.Trim(cfg.AppsDomain, "."))}
	p.stopped, p.stop = context.WithCancelCause(context.Background())
	p.transport = &http.Transport{
		Proxy:                 nil, // an instance is never behind a proxy of the environment
		DialContext:           (&net.Dialer{Timeout: 5 * time.Second, KeepAlive: 30 * time.Second}).DialContext,
		DisableCompression:    true, // bodies are passed on as they are
		MaxIdleConns:          4096,
		MaxIdleConnsPerHost:   512,
		IdleConnTimeout:       60 * time.Second,
		WriteBufferSize:       16 << 10,
		ReadBufferSize:        16 << 10,
		ExpectContinueTimeout: time.Second,
	}
	return p
}

// Start fills the table of routes and follows the event log from then on.
func (p *Proxy) Start(ctx context.Context) error {
	// The place in the log first: what happens in between is met twice.
	sub := p.cfg.Log.Subscribe(p.cfg.Log.Last())
	live, err := p.cfg.Instances.LiveInstances(ctx)
	if err != nil {
		return err
	}
	for _, i := range live {
		p.table.set(p.newRoute(i))
	}
	p.table.reached(sub.Position())
	p.done.Go(func() { p.follow(p.stopped, sub) })
	return nil
}

// Stop ends following, the streams of waiting pages and idle connections to
// apps. Requests that are on their way are the http.Server's to wait for.
func (p *Proxy) Stop(context.Context) error {
	p.mu.Lock()
	p.stop(errStopped)
	p.mu.Unlock()
	p.done.Wait()
	p.watchers.Wait()
	p.transport.CloseIdleConnections()
	return nil
}

// ServeHTTP answers a request to an instance's host.
func (p *Proxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if what := ambiguous(r); what != "" {
		refuse(w, http.StatusBadRequest, what)
		return
	}
	name, ok := p.Match(r.Host)
	if !ok {
		refuse(w, http.StatusMisdirectedRequest, "no instance can have this host; its address is <host name>"+p.suffix)
		return
	}
	own := strings.HasPrefix(r.URL.Path, ownPath)
	if own && r.URL.Path == endPath {
		p.end(w, r, name)
		return
	}
	if rt := p.table.get(name); rt != nil && rt.proxy != nil && !own {
		if !p.allowed(w, r, rt.instance) {
			return
		}
		p.pass(w, r, rt)
		return
	}
	p.slow(w, r, name, own)
}

// slow answers where the table knows no running instance, from the store.
func (p *Proxy) slow(w http.ResponseWriter, r *http.Request, name string, own bool) {
	if own && r.URL.Path != streamPath && r.URL.Path != previewPath {
		p.cfg.Pages.Asset(w, r)
		return
	}
	i, err := p.cfg.Instances.InstanceByHostName(r.Context(), name)
	switch {
	case iap.IsKind(err, iap.NotFound):
		p.page(w, r, http.StatusNotFound, "there is no instance at this address", func(w io.Writer) error {
			return p.cfg.Pages.Unknown(r.Context(), w, name)
		})
	case err != nil:
		p.cfg.Logger.Warn("looking up an instance failed", "host_name", name, "err", err)
		w.Header().Set("Retry-After", "2")
		refuse(w, http.StatusServiceUnavailable, "the portal cannot look this instance up now; try again shortly")
	case !p.allowed(w, r, i):
	case own:
		p.watch(w, r, i)
	case i.Status == instance.Running:
		// The event that brings it into the table is on its way.
		if rt := p.newRoute(i); rt.proxy != nil {
			p.pass(w, r, rt)
			return
		}
		p.unanswered(w, r, i)
	case i.Status.Ended():
		p.page(w, r, http.StatusGone, gone(i), func(w io.Writer) error { return p.cfg.Pages.Instance(r.Context(), w, i) })
	default:
		w.Header().Set("Retry-After", "1")
		p.page(w, r, http.StatusServiceUnavailable, "the instance is not ready: "+string(i.Status), func(w io.Writer) error {
			return p.cfg.Pages.Instance(r.Context(), w, i)
		})
	}
}

func gone(i instance.Instance) string {
	if i.Status == instance.DeployFailed {
		return "the instance did not become ready; it is gone"
	}
	return "the instance has ended"
}

// allowed asks Authorize, and whether the instance is open yet, and answers
// itself when one says no.
func (p *Proxy) allowed(w http.ResponseWriter, r *http.Request, i instance.Instance) bool {
	d := Decision{Allow: true}
	if p.cfg.Authorize != nil {
		d = p.cfg.Authorize(r, i)
	}
	switch {
	case d.Allow:
		return p.opened(w, r, i, d.Preview)
	case d.Redirect != "" && wantsPage(r):
		w.Header().Set("Cache-Control", "no-store")
		http.Redirect(w, r, d.Redirect, http.StatusSeeOther)
	default:
		refuse(w, http.StatusForbidden, "this instance is not open to you")
	}
	return false
}
