package docker

import (
	"context"
	"strconv"
	"time"

	"github.com/containerd/errdefs"
	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/client"

	"github.com/internal-app-portal/iap/instance"
)

// How long to wait before speaking again to an engine that has gone away.
const (
	firstPause = 100 * time.Millisecond
	maxPause   = 5 * time.Second
)

// WatchExit returns a channel that is closed when the instance's container
// exits, or is gone already, or when ctx ends or the Platform is closed. An
// engine that goes away in between does not close it: the watch goes on when
// it is back.
func (p *Platform) WatchExit(ctx context.Context, id string) (<-chan struct{}, error) {
	exited := make(chan struct{})
	c, found, err := p.find(ctx, id)
	if err != nil {
		return nil, p.failure("docker.WatchExit", err)
	}
	if !found {
		close(exited)
		return exited, nil
	}
	ctx, cancel := p.join(ctx)
	p.wg.Go(func() {
		defer cancel()
		defer close(exited)
		p.waitExit(ctx, id, c)
	})
	return exited, nil
}

// find returns the ID of the instance's container.
func (p *Platform) find(ctx context.Context, id string) (string, bool, error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	c, found, err := p.main(ctx, id)
	return c.ID, found, err
}

// join returns a context that ends with ctx or with the Platform.
func (p *Platform) join(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(ctx)
	stop := context.AfterFunc(p.ctx, cancel)
	return ctx, func() { stop(); cancel() }
}

// waitExit returns when the container does not run any more, or ctx ends.
func (p *Platform) waitExit(ctx context.Context, id, containerID string) {
	pause := firstPause
	for {
		wait := p.client.ContainerWait(ctx, containerID, client.ContainerWaitOptions{Condition: container.WaitConditionNotRunning})
		var err error
		select {
		case <-wait.Result:
			return
		case err = <-wait.Error:
		}
		if ctx.Err() != nil || errdefs.IsNotFound(err) {
			return
		}
		if !sleep(ctx, pause) {
			return
		}
		pause = min(2*pause, maxPause)
	}
}

// sleep reports whether the time has passed before ctx ended.
func sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// Change is the start or the end of an instance's container.
type Change struct {
	Instance string // ID of the instance; empty: there may be more than was told
	Started  bool   // else it ended
	ExitCode int    // of one that ended
}

// Changes returns a channel of what becomes of this portal's containers from now on,
// which closes when ctx ends or the Platform is closed. An engine that goes
// away is asked again when it is back, from where it had come to. What ended in
// between may be missing: each time that the stream begins, the first time
// included, a Change without an Instance says to compare.
func (p *Platform) Changes(ctx context.Context) <-chan Change {
	changes := make(chan Change)
	ctx, cancel := p.join(ctx)
	p.wg.Go(func() {
		defer cancel()
		defer close(changes)
		s := stream{p: p, out: changes, last: time.Now().UnixNano()}
		for pause := firstPause; ; pause = min(2*pause, maxPause) {
			if !s.tell(ctx, Change{}) {
				return
			}
			if s.read(ctx) {
				pause = firstPause
			}
			if !sleep(ctx, pause) {
				return
			}
		}
	})
	return changes
}

// stream is the engine's events as far as they were read.
type stream struct {
	p    *Platform
	out  chan<- Change
	last int64 // Unix nanoseconds of the last event
}

// read passes events on until the stream breaks; it reports whether any came.
func (s *stream) read(ctx context.Context) (any bool) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	filter := s.p.labels("", "").Add("type", "container").Add("event", "start", "die")
	since := strconv.FormatInt(s.last/1e9, 10) + "." + nanos(s.last)
	events := s.p.client.Events(ctx, client.EventsListOptions{Since: since, Filters: filter})
	for {
		select {
		case <-events.Err:
			return any
		case m := <-events.Messages:
			if m.TimeNano <= s.last {
				continue // told before the stream broke
			}
			s.last, any = m.TimeNano, true
			code, _ := strconv.Atoi(m.Actor.Attributes["exitCode"]) // absent: 0
			s.tell(ctx, Change{Instance: m.Actor.Attributes[instance.LabelInstance], Started: m.Action == "start", ExitCode: code})
		}
	}
}

// tell passes one on, unless ctx ends first.
func (s *stream) tell(ctx context.Context, e Change) bool {
	select {
	case s.out <- e:
		return true
	case <-ctx.Done():
		return false
	}
}

// nanos is the part of t below a second in nine digits, as the engine reads it.
func nanos(t int64) string {
	s := strconv.FormatInt(t%1e9+1e9, 10)
	return s[1:]
}
