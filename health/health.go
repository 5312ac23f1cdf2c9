// Package health finds out when an app answers.
package health

import (
	"context"
	"time"
)

// Target is what is probed.
type Target struct {
	URL      string          // http://127.0.0.1:port
	Path     string          // "/healthz"; empty: "/"
	Deadline time.Duration   // how long to try at most
	Exited   <-chan struct{} // closed when the app has ended; may be nil
}

// Prober checks targets. The zero value is ready to use and safe for
// concurrent use.
type Prober struct{}

// Check probes until the app answers 2xx or 3xx and then returns nil. Errors:
// Timeout after the deadline, with the last answer; Unavailable at once when
// Exited closes; Invalid for a URL that is none; the cause of ctx when it ends.
func (p *Prober) Check(ctx context.Context, t Target) error { return nil }
