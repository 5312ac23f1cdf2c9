package server

import (
	"context"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	iap "github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/api"
	"github.com/internal-app-portal/iap/auth"
	"github.com/internal-app-portal/iap/bucket"
	"github.com/internal-app-portal/iap/catalog"
	"github.com/internal-app-portal/iap/event"
	"github.com/internal-app-portal/iap/proxy"
	"github.com/internal-app-portal/iap/sfn"
	"github.com/internal-app-portal/iap/telemetry"
	"github.com/internal-app-portal/iap/tfstate"
	"github.com/internal-app-portal/iap/web"
)

// openEdges makes what answers requests.
func (s *Server) openEdges(context.Context) error {
	var err error
	s.web, err = web.New(web.Config{Instances: s.instances, Apps: s.catalog, Jobs: s.jobs, Events: s.log, Auth: s.auth,
		Workflows: s.workflowPages(), Schedules: s.schedules, Leaks: s.leaks, Bookings: s.bookings, Reader: s.db, Deliveries: s.delivery,
		PortalURL: s.cfg.PortalURL,
		Location:  s.location(), Version: s.cfg.Version, Dev: s.cfg.Dev, Now: s.now, Logger: s.cfg.Logger})
	if err != nil {
		return err
	}
	s.proxy = proxy.New(proxy.Config{AppsDomain: s.cfg.AppsDomain, Log: s.log, Instances: s.db, Pages: s.web.HostPages(s.cfg.PortalURL),
		Cookies: append(auth.CookieNames(), accessCookie, proxy.PreviewCookie), Authorize: s.authorize, Ending: s.ending, Now: s.now, Logger: s.cfg.Logger})
	return nil
}

// newHTTPServer sets the limits of a server that also streams: no time-out for
// a whole answer.
func newHTTPServer(h http.Handler) *http.Server {
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	protocols.SetUnencryptedHTTP2(true)
	return &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute,
		MaxHeaderBytes: 64 << 10, Protocols: protocols}
}

// handler leads each host to its part: instances to the proxy, the portal's
// own to pages and API, all else nowhere.
func (s *Server) handler() http.Handler {
	portal := s.portalHandler()
	sync := syncHosts(s.isPortal, portal)
	h := http.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case s.isPortal(r.Host):
			portal.ServeHTTP(w, r)
		case r.URL.Path == ticketPath:
			s.redeem(w, r)
		default:
			s.proxy.ServeHTTP(w, r)
		}
	}))
	if s.cfg.Dev {
		h = auth.DevHosts(h)
	}
	return sync(h)
}

// portalHandler is what the portal's own host answers.
func (s *Server) portalHandler() http.Handler {
	crossOrigin := http.NewCrossOriginProtection()
	m := http.NewServeMux()
	m.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { plain(w, http.StatusOK, "ok") })
	m.HandleFunc("GET /readyz", s.readyz)
	m.Handle("GET /metrics", s.adminOnly(telemetry.Handler(s.db, s.workflows.express)))
	m.Handle(tfstate.Prefix, s.state)
	aws := s.stepFunctions()
	m.Handle(sfn.Prefix, aws)
	m.Handle(sfn.Prefix+"/{$}", aws)
	m.HandleFunc(sfn.Prefix+"/", aws.WrongPath)
	a := api.New(api.Config{Instances: s.instances, Catalog: s.catalog, Jobs: s.jobs, Log: s.log, Auth: s.auth,
		Workflows: workflowAPI{s.workflows.machines, s.engine, s.workflows.express},
		Schedules: s.schedules, Leaks: s.leaks, Bookings: s.bookings, PortalURL: s.cfg.PortalURL, Zone: s.location(), Now: s.now,
		Buckets:  bucket.Access{Folder: s.buckets},
		Delivery: s.delivery, Events: s.db, Oldest: s.db.OldestEventNumber, Inbox: &event.Inbox{Log: s.log, Store: s.db, Tx: s.db}, Sources: s.cfg.Events.Secrets(),
		Schema: catalog.Schema, Portal: s.cfg.PortalURL, Version: s.cfg.Version, Logger: s.cfg.Logger, Done: s.done})
	m.Handle("/api/", a) // which refuses other sites' requests by itself
	m.HandleFunc("GET "+accessPath, s.access)
	m.Handle("/", crossOrigin.Handler(s.web))
	return m
}

// isPortal reports whether a Host is the portal's own: that of its URL, or an
// IP address, by which jobs and health checks reach it.
func (s *Server) isPortal(host string) bool {
	u, _ := url.Parse(s.cfg.PortalURL)
	if strings.EqualFold(host, u.Host) {
		return true
	}
	name, port := host, ""
	if h, p, err := net.SplitHostPort(host); err == nil {
		name, port = h, p
	}
	_, own, _ := net.SplitHostPort(s.listener.Addr().String())
	if port != "" && port != own {
		return false
	}
	return strings.EqualFold(name, u.Hostname()) || net.ParseIP(strings.Trim(name, "[]")) != nil
}

func (s *Server) readyz(w http.ResponseWriter, r *http.Request) {
	if !s.ready.Load() {
		plain(w, http.StatusServiceUnavailable, "starting or stopping")
		return
	}
	if !s.engine.Joined() {
		plain(w, http.StatusServiceUnavailable, "the session with the database was lost; trying to get a new one")
		return
	}
	plain(w, http.StatusOK, "ready")
}

// adminOnly lets admins through, by their token or in their browser.
func (s *Server) adminOnly(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch actor, ok := s.auth.Actor(r); {
		case !ok:
			auth.Refuse(w)
		case !actor.Role.Includes(iap.Admin):
			plain(w, http.StatusForbidden, "this is for admins")
		default:
			next.ServeHTTP(w, r)
		}
	})
}

func plain(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write([]byte(text + "\n"))
}
