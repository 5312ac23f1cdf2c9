package server

import (
	"context"
	"sync"

	iap "github.com/internal-app-portal/iap"
)

// exits tells instances that their containers have ended, as the platform
// reports it.
type exits struct {
	s      *Server
	cancel context.CancelFunc
	done   sync.WaitGroup
}

// Start begins to listen.
func (e *exits) Start(ctx context.Context) error {
	ctx, e.cancel = context.WithCancel(context.WithoutCancel(ctx))
	ended := e.s.platform.Exits(ctx)
	e.done.Go(func() {
		for x := range ended {
			err := e.s.instances.ContainerExited(ctx, x.Instance, x.ExitCode)
			if err != nil && !iap.IsKind(err, iap.NotFound) && ctx.Err() == nil {
				e.s.cfg.Logger.Warn("the end of a container could not be noted", "instance", x.Instance, "err", err)
			}
		}
	})
	return nil
}

// Stop ends listening.
func (e *exits) Stop(context.Context) error {
	if e.cancel != nil {
		e.cancel()
		e.done.Wait()
	}
	return nil
}
