package instance

import (
	"context"
	"time"

	iap "github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/event"
)

// DeployRequest is what a person asks for.
type DeployRequest struct {
	App        string
	Version    int            // 0: the newest
	Parameters map[string]any // by name, as text or as JSON values
	For        time.Duration  // its time limit; 0: the app's
}

// Deploy gives the actor an instance of an app. When there is a live one
// already it is returned with created false, so that a second click or a retry
// does no harm. The instance, its execution and the event are one commit.
//
// Errors: Invalid (with the field), NotFound (no such app), Conflict (the live
// one is being destroyed), Limit (caused by a *LimitError), Unavailable, Full.
func (s *Service) Deploy(ctx context.Context, actor iap.Actor, req DeployRequest) (i Instance, created bool, err error) {
	return s.deploy(ctx, actor, req, Terms{})
}

// Destroy ends an instance: at once when it runs, as soon as its present step
// was cancelled when it is being deployed. Destroying what is being destroyed
// or was destroyed is harmless; what failed to be destroyed is tried again now.
//
// ref is an ID, a host name or a unique part of the host name. Errors: NotFound
// (none, or another's), Unavailable, Full.
func (s *Service) Destroy(ctx context.Context, actor iap.Actor, ref string) (Instance, error) {
	return s.destroy(ctx, actor, ref, "")
}

// Get returns one instance by ID, host name, or any part of the host name that
// is unique among the actor's live instances. Another person's instance is
// NotFound unless the actor is an admin.
func (s *Service) Get(ctx context.Context, actor iap.Actor, ref string) (Instance, error) {
	return s.get(ctx, actor, ref)
}

// List returns instances, newest first: the actor's own, or for an admin those
// that f chooses.
func (s *Service) List(ctx context.Context, actor iap.Actor, f Filter) ([]Instance, error) {
	if !actor.Role.Includes(iap.Admin) {
		if actor.ID == "" {
			return nil, nil // nobody has nothing; an empty owner would choose all
		}
		f.Owner = actor.ID
	}
	return s.Store.Instances(ctx, f)
}

// Current returns the actor's newest instance of each app that has not ended.
func (s *Service) Current(ctx context.Context, actor iap.Actor) (map[string]Instance, error) {
	return s.current(ctx, actor)
}

// ByHostName returns the instance with a host name, for the proxy: whoever
// asks. NotFound when the host name was never given out.
func (s *Service) ByHostName(ctx context.Context, hostName string) (Instance, error) {
	return s.Store.InstanceByHostName(ctx, hostName)
}

// URL returns the address at which people reach the instance, whatever its
// status; show it only while it is Running.
func (s *Service) URL(i Instance) string { return s.AppURL(i.HostName) }

// Events returns what happened to an instance, in order.
func (s *Service) Events(ctx context.Context, actor iap.Actor, ref string) ([]event.Event, error) {
	i, err := s.get(ctx, actor, ref)
	if err != nil {
		return nil, err
	}
	return s.EventStore.EventsOf(ctx, i.ID)
}

// Progress returns the steps of an instance's way to ready and to its end, as
// its events tell.
func (s *Service) Progress(ctx context.Context, i Instance) (Progress, error) {
	return s.progress(ctx, i)
}

// ReadySeconds returns the usual seconds from click to ready for each app;
// apps that were never ready are missing.
func (s *Service) ReadySeconds(ctx context.Context) (map[string]float64, error) {
	return s.Store.ReadySeconds(ctx)
}
