package cli

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/internal-app-portal/iap/client"
)

// errTimedOut is returned when something took longer than a person wanted to
// wait.
var errTimedOut = errors.New("it took too long")

// errReached ends a stream when what was waited for is there.
var errReached = errors.New("reached")

// wait says what follow waits for.
type wait struct {
	timeout time.Duration
	done    func(client.Instance) bool
	seen    client.Progress // what was over before the command began is not shown
}

// follow shows the progress of an instance on stderr until it is where it
// should be, and returns it as it is then.
func (r *run) follow(cl *client.Client, i client.Instance, w wait) (client.Instance, error) {
	ctx, cancel := context.WithTimeoutCause(r.ctx, w.timeout, errTimedOut)
	defer cancel()
	d := newDisplay(r, w.seen)
	defer d.close()
	refresh := func() error {
		fresh, err := cl.Instance(ctx, i.ID)
		if err != nil {
			return err
		}
		p, err := cl.Progress(ctx, i.ID)
		if err != nil {
			return err
		}
		i = fresh
		d.update(p)
		if w.done(i) {
			return errReached
		}
		return nil
	}
	err := cl.Follow(ctx, client.Follow{
		Instance: i.ID,
		Opened:   refresh,
		Event: func(e client.Event) error {
			if e.Type == client.InstanceChanged || e.Type == client.JobChanged {
				return refresh()
			}
			return nil
		},
		Lost: func(error) { d.say("the portal does not answer; trying again") },
	})
	switch {
	case errors.Is(err, errReached):
		return i, nil
	case errors.Is(err, errTimedOut) || errors.Is(context.Cause(ctx), errTimedOut):
		return i, errTimedOut
	case r.ctx.Err() != nil:
		return i, exitf(codeFailed, "stopped waiting; %s goes on", printable(i.HostName))
	}
	return i, err
}

// decode reads an event's data; what cannot be read is left as it is.
func decode(e client.Event, v any) bool { return json.Unmarshal(e.Data, v) == nil }
