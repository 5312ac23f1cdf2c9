package server

import (
	"context"
	"fmt"
	"io"
	"time"
)

// Run serves until ctx ends, then stops in order. It prints where the portal
// is to out.
func Run(ctx context.Context, cfg Config, out io.Writer) error {
	begun := time.Now()
	s, err := New(ctx, cfg)
	if err != nil {
		return err
	}
	if err := s.Start(ctx); err != nil {
		return err
	}
	s.cfg.Logger.Info("ready", "url", s.URL(), "data", s.cfg.Data, "after", time.Since(begun).Round(time.Millisecond))
	fmt.Fprintf(out, "IAP is ready: %s\n", s.URL())
	var failed error
	select {
	case <-ctx.Done():
		s.cfg.Logger.Info("stopping; jobs that run go on without the portal")
	case failed = <-s.Failed():
	}
	stopping, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*shutdownGrace)
	defer cancel()
	if err := s.Stop(stopping); err != nil && failed == nil {
		failed = err
	}
	return failed
}
