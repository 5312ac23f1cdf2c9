package server

import (
	"context"
	"sync"

	iap "github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/platform/docker"
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
			e.note(ctx, x)
		}
	})
	return nil
}

// note passes on what the platform tells; that it does not answer is told by
// those who wait for it.
func (e *exits) note(ctx context.Context, x docker.Exit) {
	var err error
	if x.Instance == "" {
		err = e.s.instances.Compare(ctx)
	} else {
		err = e.s.instances.ContainerExited(ctx, x.Instance, x.ExitCode)
	}
	switch {
	case err == nil, ctx.Err() != nil, iap.IsKind(err, iap.NotFound), iap.IsKind(err, iap.Unavailable):
	default:
		e.s.cfg.Logger.Warn("the end of a container could not be noted", "instance", x.Instance, "err", err)
	}
}

// Stop ends listening.
func (e *exits) Stop(context.Context) error {
	if e.cancel != nil {
		e.cancel()
		e.done.Wait()
	}
	return nil
}
