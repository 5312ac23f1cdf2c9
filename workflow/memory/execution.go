package memory

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/internal-app-portal/iap/asl"
)

// execution is one that runs. Its fields belong to Run's goroutine, but for
// answers, through which handlers reach it.
type execution struct {
	Options
	m     *asl.Machine
	state *asl.State
	env   asl.Env
	// at is the virtual time.
	at    time.Time
	count int64

	ready  queue[asl.FrameID]
	tasks  queue[asl.Command] // to be begun
	timers timers
	events []asl.HistoryEvent

	complete *asl.Complete
	stopped  bool

	// outer ends when the caller wants Run to end, ctx when Run does.
	outer   context.Context
	ctx     context.Context
	cancel  context.CancelCauseFunc
	work    sync.WaitGroup
	answers chan answered
	running map[taskKey]context.CancelFunc
}

var errEnded = errors.New("the execution has ended")

// end lets go of the handlers and waits for them.
func (x *execution) end() {
	x.cancel(errEnded)
	x.work.Wait()
}

func (x *execution) now() time.Time {
	if x.Clock == Virtual {
		return x.at
	}
	return time.Now()
}

func (x *execution) number() int64 {
	x.count++
	return x.count
}

// next lets the next thing happen: what is ready, then tasks, then what time or
// a handler brings.
func (x *execution) next() error {
	if x.outer.Err() != nil {
		return x.brokenOff()
	}
	if id, ok := x.ready.take(); ok {
		return x.step(asl.Advance{Frame: id})
	}
	if c, ok := x.tasks.take(); ok {
		switch c := c.(type) {
		case asl.ScheduleTask:
			return x.begin(c)
		default:
			return x.beginMapRun(c)
		}
	}
	if s := x.StopWhenWaiting; s != nil && !x.stopped {
		x.stopped = true
		return x.step(*s)
	}
	if x.Clock == Virtual {
		return x.jump()
	}
	return x.wait()
}

// brokenOff ends the execution when the caller wants that.
func (x *execution) brokenOff() error {
	var stop *Stop
	cause := context.Cause(x.outer)
	if !errors.As(cause, &stop) {
		return cause
	}
	return x.step(asl.Stop{Error: stop.Name, Cause: stop.Cause})
}

// jump moves the virtual clock to what is due next.
func (x *execution) jump() error {
	d, ok := x.timers.first()
	if !ok {
		return ErrStuck
	}
	x.timers.pop()
	if d.at.After(x.at) {
		x.at = d.at
	}
	return x.step(d.signal)
}

// wait waits for what is due next, or for a handler.
func (x *execution) wait() error {
	var fires <-chan time.Time
	d, ok := x.timers.first()
	switch {
	case ok:
		left := time.Until(d.at)
		if left <= 0 {
			x.timers.pop()
			return x.step(d.signal)
		}
		t := time.NewTimer(left)
		defer t.Stop()
		fires = t.C
	case len(x.running) == 0:
		return ErrStuck
	}
	select {
	case <-x.outer.Done():
		return x.brokenOff()
	case <-fires:
		x.timers.pop()
		return x.step(d.signal)
	case a := <-x.answers:
		if cancel, ok := x.running[a.key]; ok {
			cancel()
			delete(x.running, a.key)
		}
		for _, sig := range a.signals {
			if err := x.step(sig); err != nil || x.complete != nil {
				return err
			}
		}
		return nil
	}
}

// step takes one signal; what no longer fits is nothing.
func (x *execution) step(sig asl.Signal) error {
	x.env.Now = x.now()
	out, err := asl.Step(x.m, x.state, sig, x.env)
	if errors.Is(err, asl.ErrStale) {
		return nil
	}
	if err != nil {
		return err
	}
	if x.History {
		x.events = append(x.events, out.Events...)
	}
	if x.OnEvent != nil {
		for _, e := range out.Events {
			x.OnEvent(e)
		}
	}
	x.ready.add(out.Ready...)
	for _, c := range out.Commands {
		if err := x.carryOut(c); err != nil {
			return err
		}
	}
	x.complete = out.Complete
	if x.OnStep != nil {
		if s := x.OnStep(x.state, out); s != nil {
			x.state = s
		}
	}
	return nil
}

func (x *execution) carryOut(c asl.Command) error {
	switch c := c.(type) {
	case asl.ScheduleTask:
		x.tasks.add(c)
	case asl.SetTimer:
		x.timers.push(due{at: c.At, order: x.number(), signal: asl.TimerFired{Frame: c.Frame, ID: c.ID}})
	case asl.CancelTimer:
		x.timers.cancel(c.ID)
	case asl.CancelTask:
		x.cancelRunning(taskKey{c.Frame, c.Attempt})
	default:
		return x.carryOutMapRun(c)
	}
	return nil
}

func (x *execution) cancelRunning(key taskKey) {
	if cancel, ok := x.running[key]; ok {
		cancel()
		delete(x.running, key)
	}
}
