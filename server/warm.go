package server

import (
	"context"
	"sync"

	iap "github.com/internal-app-portal/iap"
)

// warmer initialises the bundles that people may ask for and starts the
// provider of the built-in one, so that nobody's click waits for that. Jobs do
// not depend on it.
type warmer struct {
	s      *Server
	cancel context.CancelFunc
	done   sync.WaitGroup
}

// Start begins in the background.
func (w *warmer) Start(ctx context.Context) error {
	ctx, w.cancel = context.WithCancel(context.WithoutCancel(ctx))
	w.done.Go(func() {
		w.run(ctx)
		if ctx.Err() == nil {
			giveBack()
		}
	})
	return nil
}

// Stop ends what is left of it.
func (w *warmer) Stop(context.Context) error {
	if w.cancel != nil {
		w.cancel()
		w.done.Wait()
	}
	return nil
}

func (w *warmer) run(ctx context.Context) {
	keys := []string{w.s.builtIn.key}
	apps, err := w.s.catalog.List(ctx, iap.System)
	if err != nil && ctx.Err() == nil {
		w.s.cfg.Logger.Warn("the catalogue could not be read to prepare its bundles", "err", err)
	}
	for _, a := range apps {
		if a.Version.BundleSHA != "" && !a.Retired {
			keys = append(keys, a.Version.BundleSHA)
		}
	}
	for _, key := range keys {
		if ctx.Err() != nil {
			return
		}
		if err := w.s.runner.Warm(ctx, key); err != nil && ctx.Err() == nil {
			w.s.cfg.Logger.Warn("a bundle could not be prepared ahead; its first job will do it", "bundle", key, "err", err)
		}
	}
}
