package server

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"path/filepath"
	"sync/atomic"
	"syscall"
	"time"

	iap "github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/auth"
	"github.com/internal-app-portal/iap/booking"
	"github.com/internal-app-portal/iap/bucket"
	"github.com/internal-app-portal/iap/catalog"
	"github.com/internal-app-portal/iap/certify"
	"github.com/internal-app-portal/iap/event"
	"github.com/internal-app-portal/iap/event/broker"
	"github.com/internal-app-portal/iap/event/delivery"
	"github.com/internal-app-portal/iap/event/intake"
	"github.com/internal-app-portal/iap/instance"
	"github.com/internal-app-portal/iap/job"
	"github.com/internal-app-portal/iap/leak"
	"github.com/internal-app-portal/iap/lifetime"
	"github.com/internal-app-portal/iap/platform/docker"
	"github.com/internal-app-portal/iap/proxy"
	"github.com/internal-app-portal/iap/runner/local"
	"github.com/internal-app-portal/iap/schedule"
	"github.com/internal-app-portal/iap/store"
	"github.com/internal-app-portal/iap/tfstate"
	"github.com/internal-app-portal/iap/web"
	"github.com/internal-app-portal/iap/workflow"
)

// Server is a portal: all parts, wired.
type Server struct {
	cfg    Config
	key    []byte
	portal string // ID of this portal, the value of the label iap.portal

	db        *store.DB
	log       *event.Log
	auth      *auth.Auth
	platform  *docker.Platform
	runner    *local.Runner
	catalog   *catalog.Service
	blobs     catalog.Blobs
	buckets   *bucket.Folder
	builtIn   builtIn
	jobs      *job.Service
	engine    *workflow.Engine
	workflows workflows
	schedules *schedule.Service
	sweepAt   sweepAt
	instances *instance.Service
	bookings  *booking.Service
	certifier *certify.Service
	leaks     *leak.Service
	delivery  *delivery.Service
	brokers   *broker.Brokers
	intake    *intake.Service
	state     *tfstate.Backend
	web       *web.Server
	proxy     *proxy.Proxy

	listener net.Listener
	http     *http.Server
	group    *lifetime.Group
	closers  []func() error // in the order of opening
	ready    atomic.Bool
	done     chan struct{} // closed when the server is about to stop
	failed   chan error    // what ended the HTTP server
}

// shutdownGrace is how long requests under way may take when the portal stops.
const shutdownGrace = 5 * time.Second

// New makes a portal of cfg: it takes the data folder, opens the database and
// binds the address, but nothing runs before Start. Errors name the setting
// that is wrong.
func New(ctx context.Context, cfg Config) (_ *Server, err error) {
	if err := cfg.complete(); err != nil {
		return nil, err
	}
	s := &Server{cfg: cfg, done: make(chan struct{}), failed: make(chan error, 1)}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.close())
		}
	}()
	for _, open := range []func(context.Context) error{s.openData, s.openParts, s.openEdges, s.seed, s.tellSettings, s.showLifecycle, s.ensureSweep, s.ensureLeakCheck} {
		if err := open(ctx); err != nil {
			return nil, err
		}
	}
	s.group = lifetime.NewGroup(
		lifetime.Part{Name: "the event log", Service: s.log},
		lifetime.Part{Name: "the proxy", Service: s.proxy},
		lifetime.Part{Name: "the pages", Service: s.web},
		lifetime.Part{Name: "the HTTP server", Service: lifetime.Func{OnStart: s.serve, OnStop: s.shutdown}},
		lifetime.Part{Name: "the instances", Service: lifetime.Func{OnStart: s.instances.Recover}},
		lifetime.Part{Name: "the engine", Service: s.engine},
		lifetime.Part{Name: "the jobs", Service: s.jobs},
		lifetime.Part{Name: "the deliveries", Service: s.delivery},
		lifetime.Part{Name: "the subscriptions", Service: s.intake},
		lifetime.Part{Name: "the keeping of events", Service: &event.Keeper{Store: s.db, Keep: s.cfg.Events.Kept(), Now: s.now, Logger: s.cfg.Logger}},
		lifetime.Part{Name: "the schedules", Service: s.schedules},
		lifetime.Part{Name: "the ends", Service: &instance.Ender{Service: s.instances}},
		lifetime.Part{Name: "the spare network", Service: &instance.NetworkKeeper{Service: s.instances}},
		lifetime.Part{Name: "the watch over containers", Service: &containers{s: s}},
		lifetime.Part{Name: "the preparation of bundles", Service: &warmer{s: s}},
	)
	return s, nil
}

// openData takes the data folder and opens what is kept in it.
func (s *Server) openData(ctx context.Context) error {
	release, err := store.LockFolder(s.cfg.Data)
	if err != nil {
		return err
	}
	s.onClose(release)
	if s.key, err = loadKey(s.cfg.Data, s.cfg.Failpoint); err != nil {
		return err
	}
	s.db, err = store.Open(ctx, s.cfg.Database, store.Options{Now: s.cfg.Now, Failpoint: s.cfg.Failpoint})
	if err != nil {
		return err
	}
	s.onClose(s.db.Close)
	s.blobs, err = catalog.OpenBlobs(filepath.Join(s.cfg.Data, "blobs"))
	if err != nil {
		return fmt.Errorf("opening the folder of blobs: %w", err)
	}
	if s.buckets, err = bucket.OpenFolder(filepath.Join(s.cfg.Data, "buckets")); err != nil {
		return err
	}
	s.onClose(s.buckets.Close)
	s.portal, err = portalID(ctx, s.db)
	return err
}

// openParts makes the domain's services.
func (s *Server) openParts(ctx context.Context) error {
	s.log = event.NewLog(s.db)
	revoked, err := auth.OpenFile(filepath.Join(s.cfg.Data, "sessions"), time.Now)
	if err != nil {
		return err
	}
	s.auth, err = auth.New(auth.Config{Dev: s.cfg.Dev, People: s.cfg.People, Key: derive(s.key, "sessions"),
		Secure: secure(s.cfg.PortalURL), Revocations: revoked, Tell: s.tellLogin()})
	if err != nil {
		return err
	}
	if s.platform, err = docker.New(s.cfg.DockerHost, s.portal); err != nil {
		return err
	}
	s.onClose(s.platform.Close)
	s.catalog = catalog.New(s.catalogConfig())
	if s.builtIn, err = packBuiltIn(); err != nil {
		return err
	}
	s.runner, err = local.New(local.Config{Data: s.cfg.Data, Bundles: bundles{s.builtIn, s.catalog},
		Docker: s.cfg.DockerHost, WarmProvider: true, Spare: true, Logger: s.cfg.Logger})
	if err != nil {
		return err
	}
	s.onClose(s.runner.Close)
	if err := s.listen(); err != nil {
		return err
	}
	if err := s.wire(); err != nil {
		return err
	}
	s.db.OnRemoteCommit(func() {
		s.log.Wake()
		s.engine.Wake()
		s.workflows.activities.Wake()
		s.delivery.Wake()
		s.schedules.Wake()
	})
	return nil
}

// listen binds the address.
func (s *Server) listen() error {
	l, err := net.Listen("tcp", s.cfg.Listen)
	if err != nil {
		return listenError(s.cfg.Listen, err)
	}
	s.listener = l
	s.onClose(func() error {
		if err := l.Close(); !errors.Is(err, net.ErrClosed) {
			return err
		}
		return nil
	})
	_, port, err := net.SplitHostPort(l.Addr().String())
	s.cfg.withPort(port)
	return err
}

// listenError says what to do when an address cannot be had.
func listenError(address string, err error) error {
	const op, choose = "server.listen", "choose another address with --listen or IAP_LISTEN"
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return iap.Errorf(op, iap.Conflict, "%s is in use by another program; %s", address, choose)
	case errors.Is(err, syscall.EACCES):
		return iap.Errorf(op, iap.Forbidden, "%s may not be used by this user; %s", address, choose)
	}
	return iap.Errorf(op, iap.Invalid, "%s cannot be listened on (%w); %s", address, err, choose)
}

// serve begins to answer requests.
func (s *Server) serve(context.Context) error {
	s.http = newHTTPServer(s.handler())
	go func() {
		if err := s.http.Serve(s.listener); !errors.Is(err, http.ErrServerClosed) {
			s.failed <- err
		}
	}()
	return nil
}

// shutdown lets requests under way end, but not for ever: streams have been
// told to end by then.
func (s *Server) shutdown(ctx context.Context) error {
	s.ready.Store(false)
	ctx, cancel := context.WithTimeout(ctx, shutdownGrace)
	defer cancel()
	if err := s.http.Shutdown(ctx); err != nil {
		return s.http.Close()
	}
	return nil
}

// Start starts all parts and returns when the portal is ready.
func (s *Server) Start(ctx context.Context) error {
	if err := s.group.Start(ctx); err != nil {
		return errors.Join(err, s.close())
	}
	s.ready.Store(true)
	// A lock of a job that ended is also released when the next job asks for it.
	if err := s.state.Sweep(ctx); err != nil {
		s.cfg.Logger.WarnContext(ctx, "locks of Terraform states whose jobs have ended could not be released", "err", err)
	}
	return nil
}

// Stop ends all parts; jobs go on without the portal.
func (s *Server) Stop(ctx context.Context) error {
	s.ready.Store(false)
	close(s.done)
	return errors.Join(s.web.Stop(ctx), s.group.Stop(ctx), s.close())
}

// Failed gives the error that ended the HTTP server, should that happen.
func (s *Server) Failed() <-chan error { return s.failed }

// URL is the address of the portal for browsers.
func (s *Server) URL() string { return s.cfg.PortalURL }

func (s *Server) onClose(fn func() error) { s.closers = append(s.closers, fn) }

func (s *Server) close() error {
	var errs []error
	for n := len(s.closers); n > 0; n-- {
		errs = append(errs, s.closers[n-1]())
	}
	s.closers = nil
	return errors.Join(errs...)
}
