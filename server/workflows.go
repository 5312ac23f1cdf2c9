package server

import (
	"context"
	"errors"
	"maps"
	"math/rand/v2"
	"net/http"
	"strings"

	"github.com/internal-app-portal/iap/asl"
	"github.com/internal-app-portal/iap/booking"
	"github.com/internal-app-portal/iap/certify"
	"github.com/internal-app-portal/iap/instance"
	"github.com/internal-app-portal/iap/sfn"
	"github.com/internal-app-portal/iap/workflow"
)

// workflows are the services of state machines that people make.
type workflows struct {
	machines   *workflow.Machines
	activities *workflow.Activities
	express    *workflow.ExpressRuns
	nesting    *workflow.Nesting
	handlers   map[string]workflow.Handler
}

// handlers are the tasks that state machines can use; wireWorkflows adds those
// that need the engine.
func (s *Server) handlers() (map[string]workflow.Handler, error) {
	s.workflows.activities = workflow.NewActivities(workflow.ActivitiesConfig{Store: s.db, Tx: s.db, Now: s.now})
	all := s.instances.Handlers()
	maps.Copy(all, s.bookings.Handlers())
	maps.Copy(all, s.certifier.Handlers())
	maps.Copy(all, s.leaks.Handlers())
	all[workflow.ActivityHandler] = s.workflows.activities.Handler()
	tasks, err := s.taskHandlers()
	maps.Copy(all, tasks)
	s.workflows.handlers = all
	return all, err
}

// wireWorkflows makes the services that need the engine.
func (s *Server) wireWorkflows() {
	s.workflows.activities.Engine = s.engine
	s.workflows.machines = workflow.NewMachines(workflow.MachinesConfig{Store: s.db, Tx: s.db, Engine: s.engine, Now: s.now, Rand: rand.IntN})
	s.workflows.express = workflow.NewExpressRuns(workflow.ExpressConfig{Engine: s.engine})
	s.workflows.nesting = workflow.NewNesting(workflow.NestedConfig{Store: s.db, Machines: s.workflows.machines, Express: s.workflows.express})
	maps.Copy(s.workflows.handlers, s.workflows.nesting.Handlers())
}

// stepFunctions answers AWS's clients.
func (s *Server) stepFunctions() *sfn.Handler {
	return sfn.New(sfn.Config{Machines: s.workflows.machines, Activities: s.workflows.activities, Engine: s.engine,
		Express: s.workflows.express, Keys: s.auth, Now: s.now, Logger: s.cfg.Logger, Done: s.done, PayloadBytes: s.cfg.PayloadLimit,
		Env: func() asl.Env {
			return asl.Env{Now: s.now(), Rand: rand.Float64, NewUUID: workflow.NewUUID, JSONata: s.engine.JSONata}
		}})
}

// showLifecycle has the state machines of instances, bookings and certifications appear among the others.
func (s *Server) showLifecycle(ctx context.Context) error {
	return errors.Join(s.workflows.machines.PutReadOnly(ctx, booking.MachineName, booking.Definition),
		s.workflows.machines.PutReadOnly(ctx, certify.MachineName, certify.Definition),
		s.workflows.machines.PutReadOnly(ctx, instance.LifecycleName, instance.LifecycleDefinition))
}

// syncPrefix is what AWS's clients put before the host for actions that wait for
// a result (StartSyncExecution, TestState).
const syncPrefix = "sync-"

// syncHosts leads requests of AWS's protocol for sync-HOST, where HOST is the
// portal's own, to the portal; nothing else of it answers there.
func syncHosts(isPortal func(host string) bool, portal http.Handler) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			host, ok := strings.CutPrefix(r.Host, syncPrefix)
			if ok && strings.TrimSuffix(r.URL.Path, "/") == sfn.Prefix && isPortal(host) {
				portal.ServeHTTP(w, r)
				return
			}
			next.ServeHTTP(w, r)
		})
	}
}
