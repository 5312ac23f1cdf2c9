// Package lifetime is the contract of everything that runs: Start begins and
// returns, Stop ends it and waits. Parts are started in order and stopped in
// the reverse of it.
package lifetime

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Service is something that runs until it is stopped. Start returns when the
// service is ready; the context bounds Start alone. Stop ends every goroutine
// of the service and waits for them; it is harmless when nothing runs.
type Service interface {
	Start(ctx context.Context) error
	Stop(ctx context.Context) error
}

// Part is a Service with a name for messages.
type Part struct {
	Name    string
	Service Service
}

// Group starts and stops parts together. It is a Service itself.
type Group struct {
	parts   []Part
	started int
}

// NewGroup returns a group that starts parts in the order given.
func NewGroup(parts ...Part) *Group { return &Group{parts: parts} }

// Start starts the parts in order. When one fails those before it are stopped
// and the error names it.
func (g *Group) Start(ctx context.Context) error {
	for _, p := range g.parts[g.started:] {
		if err := p.Service.Start(ctx); err != nil {
			return errors.Join(fmt.Errorf("starting %s: %w", p.Name, err), g.Stop(context.WithoutCancel(ctx)))
		}
		g.started++
	}
	return nil
}

// Stop stops what was started, last first, all of it even when some fail. The
// error names those that failed, and the one at whose turn the time of ctx was up.
func (g *Group) Stop(ctx context.Context) error {
	var errs []error
	for ; g.started > 0; g.started-- {
		p := g.parts[g.started-1]
		inTime, begun := ctx.Err() == nil, time.Now()
		err := p.Service.Stop(ctx)
		if err == nil && inTime && ctx.Err() != nil {
			// What fails from here on does so because of this one.
			err = fmt.Errorf("it took %s, longer than there was time for", time.Since(begun).Round(time.Millisecond))
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("stopping %s: %w", p.Name, err))
		}
	}
	return errors.Join(errs...)
}

// Func makes a Service of two functions; either may be nil.
type Func struct {
	OnStart func(ctx context.Context) error
	OnStop  func(ctx context.Context) error
}

// Start calls OnStart.
func (f Func) Start(ctx context.Context) error {
	if f.OnStart == nil {
		return nil
	}
	return f.OnStart(ctx)
}

// Stop calls OnStop.
func (f Func) Stop(ctx context.Context) error {
	if f.OnStop == nil {
		return nil
	}
	return f.OnStop(ctx)
}
