package cli

import (
	"context"
	"time"
)

// pause waits longer with each attempt, up to some seconds.
func (r *run) pause(attempt int) error {
	t := time.NewTimer(100 * time.Millisecond << min(attempt, 5))
	defer t.Stop()
	select {
	case <-r.ctx.Done():
		return context.Cause(r.ctx)
	case <-t.C:
		return nil
	}
}
