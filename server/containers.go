package server

import (
	"context"
	"sync"

	iap "github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/platform/docker"
)

// containers tells instances what becomes of their containers, as the platform
// reports it.
type containers struct {
	s      *Server
	cancel context.CancelFunc
	done   sync.WaitGroup
}

// Start begins to listen.
func (c *containers) Start(ctx context.Context) error {
	ctx, c.cancel = context.WithCancel(context.WithoutCancel(ctx))
	changes := c.s.platform.Changes(ctx)
	c.done.Go(func() {
		for x := range changes {
			c.note(ctx, x)
		}
	})
	return nil
}

// note passes on what the platform tells; that it does not answer is told by
// those who wait for it.
func (c *containers) note(ctx context.Context, x docker.Change) {
	var err error
	switch {
	case x.Instance == "":
		err = c.s.instances.Compare(ctx)
	case x.Started:
		err = c.s.instances.ContainerStarted(ctx, x.Instance)
	default:
		err = c.s.instances.ContainerExited(ctx, x.Instance, x.ExitCode)
	}
	switch {
	case err == nil, ctx.Err() != nil, iap.IsKind(err, iap.NotFound), iap.IsKind(err, iap.Unavailable):
	default:
		c.s.cfg.Logger.Warn("a change of a container could not be noted", "instance", x.Instance, "err", err)
	}
}

// Stop ends listening.
func (c *containers) Stop(context.Context) error {
	if c.cancel != nil {
		c.cancel()
		c.done.Wait()
	}
	return nil
}
