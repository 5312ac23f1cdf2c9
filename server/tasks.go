package server

import (
	"context"
	"errors"
	"maps"
	"net/url"

	iap "github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/task/httpcall"
	"github.com/internal-app-portal/iap/task/tell"
	"github.com/internal-app-portal/iap/workflow"
)

// actor returns who a person's ID stands for now: who is no longer in the
// configuration may do what a member may, and only with what is theirs.
func (s *Server) actor(id string) iap.Actor {
	if a, ok := s.auth.Person(id); ok {
		return a
	}
	return iap.Actor{ID: id, Name: id, Role: iap.Member}
}

// taskHandlers are the tasks for any state machine.
func (s *Server) taskHandlers() (map[string]workflow.Handler, error) {
	guard, err := httpcall.NewGuard(s.cfg.Tasks.HTTP.Allow)
	if err != nil {
		return nil, err
	}
	connections := map[string]httpcall.Connection{}
	for name, c := range s.cfg.Tasks.HTTP.Connections {
		connections[name] = httpcall.Connection{Hosts: c.Hosts, Headers: c.Headers}
	}
	client, err := guard.NewClient("")
	if err != nil {
		return nil, err
	}
	all := httpcall.New(httpcall.Config{Guard: guard, Connections: connections}).Handlers()
	maps.Copy(all, tell.New(tell.Config{Log: s.log, Tx: s.db, Now: s.now, Actor: s.actor,
		Webhook: s.cfg.Tasks.Notify.Webhook, Client: client}).Handlers())
	return all, nil
}

// executionEnded is called in the transaction that ends an execution.
func (s *Server) executionEnded(ctx context.Context, x workflow.Execution) error {
	return errors.Join(s.workflows.nesting.Ended(ctx, x), s.instances.ExecutionEnded(ctx, x), s.bookings.ExecutionEnded(ctx, x), s.certifier.ExecutionEnded(ctx, x))
}

// checkTasks checks the section "tasks" of the configuration.
func (c *Config) checkTasks() error {
	_, err := httpcall.NewGuard(c.Tasks.HTTP.Allow)
	for name, con := range c.Tasks.HTTP.Connections {
		if len(con.Hosts) == 0 || len(con.Headers) == 0 {
			err = errors.Join(err, iap.FieldErrorf("server.New", "tasks.http.connections."+name, "it needs hosts and headers"))
		}
	}
	if w := c.Tasks.Notify.Webhook; w != "" {
		u, parseErr := url.Parse(w)
		if parseErr != nil || (u.Scheme != "https" && u.Scheme != "http") || u.Host == "" {
			err = errors.Join(err, iap.FieldErrorf("server.New", "tasks.notify.webhook", "it is not a URL such as https://chat.example.com/hooks/1"))
		}
	}
	return err
}
