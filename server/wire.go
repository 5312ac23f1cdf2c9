package server

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"strconv"
	"strings"
	"time"

	iap "github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/asl"
	"github.com/internal-app-portal/iap/booking"
	"github.com/internal-app-portal/iap/catalog"
	"github.com/internal-app-portal/iap/certify"
	"github.com/internal-app-portal/iap/health"
	"github.com/internal-app-portal/iap/hostname"
	"github.com/internal-app-portal/iap/instance"
	"github.com/internal-app-portal/iap/job"
	"github.com/internal-app-portal/iap/leak"
	"github.com/internal-app-portal/iap/platform/docker"
	"github.com/internal-app-portal/iap/store"
	"github.com/internal-app-portal/iap/tfstate"
	"github.com/internal-app-portal/iap/workflow"
)

// maxResourceName is the length of a resource's name in bytes on Docker, with
// room for what a bundle puts behind it.
const maxResourceName = 48

// jobGrace is how long tofu may take to stop by itself after SIGINT.
const jobGrace = 30 * time.Second

// wire makes the services that need each other: an instance starts jobs and
// executions, both of which tell it of their progress.
func (s *Server) wire() error {
	s.instances = instance.NewService(instance.Config{})
	s.bookings, s.certifier = booking.NewService(booking.Config{}), certify.NewService(certify.Config{})
	s.leaks = leak.NewService(leak.Config{Store: s.db, Tx: s.db, Platform: s.platform, Log: s.log, Portal: s.portal,
		Grace: s.cfg.LeakGrace, Actor: s.actor, Now: s.now, Logger: s.cfg.Logger})
	handlers, err := s.handlers()
	if err != nil {
		return err
	}
	s.engine = workflow.New(workflow.Config{Store: s.db, Tx: s.db, Log: s.log, Now: s.now, Owner: owner(),
		Handlers: handlers, OnEnd: s.executionEnded, Buckets: s.buckets, JSONata: s.expressions(),
		Limits: asl.Limits{PayloadBytes: s.cfg.PayloadLimit, HistoryEvents: s.cfg.HistoryLimit},
		// A life may be long; it must not end because too much was written of it.
		Boundless: []string{instance.LifecycleName, instance.SweepName, booking.MachineName, certify.MachineName}, TokenKey: derive(s.key, "task tokens"), Failpoint: s.cfg.Failpoint})
	s.wireWorkflows()
	s.wireSchedules()
	s.jobs = job.New(job.Config{Store: s.db, Tx: s.db, Runner: s.runner, Events: s.log,
		Prepare: s.instances.Prepare, OnStart: s.instances.JobStarted, OnWait: s.instances.JobWaits,
		OnEnd: s.instances.JobEnded, CheckOutputs: s.instances.CheckUpstream,
		Parallel: s.cfg.ParallelJobs, Now: s.now, Logger: s.cfg.Logger, Failpoint: s.cfg.Failpoint})
	seal, err := newSealer(derive(s.key, "secret parameters"))
	if err != nil {
		return err
	}
	if err := s.wireDelivery(seal); err != nil {
		return err
	}
	s.state, err = tfstate.New(tfstate.Config{Store: s.db, Tx: s.db, Jobs: s.db, Events: s.log,
		BeforeGet: s.instances.BeforeState, Key: s.stateKey(), Logger: s.cfg.Logger, Failpoint: s.cfg.Failpoint})
	s.instances.Config = instance.Config{Store: s.db, Tx: s.db, Catalog: s.catalog, Jobs: s.jobs,
		Workflow: s.engine, Log: s.log, EventStore: s.db, Platform: s.platform, Prober: &health.Prober{}, Now: s.now, Failpoint: s.cfg.Failpoint,
		HostName:     func(slug string) string { return hostname.Generate(rand.IntN, slug) },
		ResourceName: func(name string) string { return hostname.ResourceName(name, maxResourceName) },
		AppURL:       s.cfg.appURL,
		Actor:        s.actor,
		Portal:       s.portal,
		State:        s.stateAccess,
		BuiltIn:      s.builtIn.key,
		Sealer:       seal,
		JobTimeout:   s.cfg.JobTimeout,
		KeepMost:     s.cfg.KeepMost,
		Changed:      s.instanceChanged,
		Rates:        s.cfg.Rates,
		Zone:         s.location(),
		Limits:       s.cfg.Limits,
		NextSweep:    s.nextSweep,
		Activity:     func(host string) instance.Activity { return s.proxy.Activity(host) }, // made later than this
		Grace:        jobGrace,
	}
	s.certifier.Config = certify.Config{Catalog: s.catalog, Instances: s.instances, Jobs: s.jobs, Workflow: s.engine, Now: s.now}
	s.bookings.Config = booking.Config{Store: s.db, Tx: s.db, Log: s.log, Catalog: s.catalog, Instances: s.instances,
		Workflow: s.engine, Now: s.now, Actor: s.actor, Most: s.cfg.BookingMost, Lead: s.cfg.BookingLead}
	return err
}

// stateKey is the secret of the Terraform states and of the access to them.
func (s *Server) stateKey() []byte { return derive(s.key, "terraform state") }

// now is the clock that the database goes by: in milliseconds, as it keeps times.
func (s *Server) now() time.Time { return s.db.Now().UTC().Truncate(time.Millisecond) }

// owner names this process in leases.
func owner() string {
	host, _ := os.Hostname()
	return host + "-" + strconv.Itoa(os.Getpid()) + "-" + iap.NewID(time.Now())
}

// stateAccess gives a job access to its instance's Terraform state, over the
// portal's own address: the same after a restart, for jobs that outlive it.
func (s *Server) stateAccess(instanceID, jobID string) job.StateAccess {
	host, port, _ := net.SplitHostPort(s.listener.Addr().String())
	if ip := net.ParseIP(host); ip == nil || ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	return job.StateAccess{
		Address:  "http://" + net.JoinHostPort(host, port) + tfstate.Prefix + instanceID,
		Username: jobID,
		Password: tfstate.Password(s.stateKey(), instanceID, jobID),
	}
}

// portalID returns the ID of the portal that owns the database, making it the
// first time.
func portalID(ctx context.Context, db *store.DB) (string, error) {
	const name = "portal_id"
	var id string
	err := db.Update(ctx, func(ctx context.Context) error {
		b, err := db.Setting(ctx, name)
		if err == nil || !iap.IsKind(err, iap.NotFound) {
			id = string(b)
			return err
		}
		id = iap.NewID(time.Now())
		return db.PutSetting(ctx, name, []byte(id))
	})
	return id, err
}

// builtIn is the platform's built-in bundle, packed.
type builtIn struct {
	key string
	zip []byte
}

func packBuiltIn() (builtIn, error) {
	zip, err := catalog.Pack(docker.BuiltIn())
	if err != nil {
		return builtIn{}, fmt.Errorf("packing the built-in bundle: %w", err)
	}
	sum := sha256.Sum256(zip)
	return builtIn{key: "builtin-docker-" + hex.EncodeToString(sum[:16]), zip: zip}, nil
}

// bundles hands out the built-in bundle and those of the catalogue.
type bundles struct {
	builtIn builtIn
	catalog *catalog.Service
}

// Bundle implements job.Bundles.
func (b bundles) Bundle(ctx context.Context, key string) ([]byte, error) {
	switch {
	case key == b.builtIn.key:
		return b.builtIn.zip, nil
	case strings.HasPrefix(key, "builtin-"):
		return nil, iap.E("server.Bundle", iap.NotFound, errors.New("there is no built-in bundle "+key))
	}
	return b.catalog.Bundle(ctx, key)
}

func secure(portalURL string) bool { return strings.HasPrefix(portalURL, "https://") }
