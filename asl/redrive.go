package asl

import "slices"

// MaxRedriveEvents is how long a history may be for its execution still to be
// redriven: there must be room for ExecutionRedriven and one event more, as on
// AWS.
const MaxRedriveEvents = DefaultHistoryEvents - 2

// Redrive continues an execution that Failed, TimedOut or was Aborted from the
// states that did not succeed. Of a Parallel or Map state the branches and
// iterations that succeeded keep their output and the others go on from where
// they were; of a distributed Map state the same map run goes on. Retriers begin to count anew, and so does the machine's
// TimeoutSeconds. Env.Execution.RedriveCount is the number of this redrive.
//
// It follows "Redriving executions" in AWS's developer guide. An execution that
// has not ended, has succeeded, or whose State was not kept is ErrStale.
type Redrive struct{}

func (Redrive) signal() {}

// Redrivable tells whether Redrive finds something to go on with: what failed
// for want of room in its history leaves nothing.
func (s *State) Redrivable() bool {
	return s.Status.Done() && s.Status != Succeeded && len(s.Frames) > 0
}

func (x *exec) redrive() error {
	if !x.s.Redrivable() {
		return ErrStale
	}
	// Nothing may fail after the first change.
	ids := x.s.inPhase(PhaseStopped)
	for id := range x.s.Frames {
		if err := x.load(id); err != nil {
			return err
		}
	}
	x.s.Status, x.s.Error, x.s.Cause = Running, nil, nil
	for _, f := range x.s.Frames {
		f.Retried = nil
	}
	count := int64(x.env.Execution.RedriveCount)
	previous := x.s.LastEventID
	begun := x.emit("ExecutionRedriven", previous, Details{RedriveCount: &count})
	if x.m.TimeoutSeconds > 0 {
		x.s.Timeout = x.setTimer(RootFrame, TimerExecution, x.after(float64(x.m.TimeoutSeconds)))
	}
	for _, id := range ids {
		if x.s.Frames[id] == nil || x.s.Status != Running {
			continue // a sibling has failed again already
		}
		x.again(id, begun)
	}
	// What came to be ready while the others began again stands there as well.
	x.out.Ready = x.s.Ready()
	return nil
}

// again does once more what a state that was entered before does.
func (x *exec) again(id FrameID, previous int64) {
	x.use(id)
	x.f.Phase, x.f.Prev = phaseSettled, previous
	x.f.Started, x.f.Submitted = false, false
	if x.f.MapRun != "" {
		x.redriveMapRun()
		return
	}
	x.run()
}

// remember keeps the branches or iterations of the state at hand, before they
// are cancelled because one of them failed. The execution may end by that, in
// this very step, and be redriven.
func (x *exec) remember(parent FrameID) {
	if x.lost == nil {
		x.lost = map[FrameID]lostChildren{}
	}
	l := lostChildren{children: x.s.Frames[parent].Children, frames: map[FrameID]*Frame{}}
	l.collect(x, parent)
	x.lost[parent] = l
}

// lostChildren are the frames under one that were removed in this step.
type lostChildren struct {
	children *Children
	frames   map[FrameID]*Frame
}

func (l *lostChildren) collect(x *exec, parent FrameID) {
	for _, id := range x.children(parent) {
		l.frames[id] = x.s.Frames[id]
		l.collect(x, id)
	}
}

// keep leaves in the State what a redrive needs, now that all that ran is
// cancelled: each frame is done, ready, over others, or stopped in a state that
// is to be run again.
func (x *exec) keep(frames map[FrameID]*Frame) {
	for more := true; more; {
		more = false
		for id, l := range x.lost {
			f := frames[id]
			if f == nil {
				continue // its own parent's are not back yet
			}
			f.Children, f.Phase = l.children, PhaseChildren
			for child, cf := range l.frames {
				frames[child] = cf
			}
			delete(x.lost, id)
			more = true
		}
	}
	for _, f := range frames {
		f.Timer, f.Heartbeat, f.HeartbeatSeconds = 0, 0, 0
		switch f.Phase {
		case PhaseReady, PhaseDone, PhaseChildren:
		default:
			f.Phase, f.Children = PhaseStopped, nil
		}
	}
	settleOver(frames)
	x.s.Frames = frames
}

// settleOver lets those states run again as a whole that are over others of
// which none is left to go on: their results were too large, or could not be
// used.
func settleOver(frames map[FrameID]*Frame) {
	open := map[FrameID]bool{}
	for id, f := range frames {
		if f.Phase == PhaseReady || f.Phase == PhaseStopped {
			for at := id; at != RootFrame; {
				at = frames[at].Parent
				open[at] = true
			}
		}
	}
	var over []FrameID
	for id, f := range frames {
		if f.Phase == PhaseChildren && !open[id] {
			over = append(over, id)
		}
	}
	slices.Sort(over)
	slices.Reverse(over) // the innermost first: the one around it has something to go on then
	for _, id := range over {
		if open[id] {
			continue
		}
		dropUnder(frames, id)
		frames[id].Phase, frames[id].Children = PhaseStopped, nil
		for at := id; at != RootFrame; {
			at = frames[at].Parent
			open[at] = true
		}
	}
}

// dropUnder removes all frames under one.
func dropUnder(frames map[FrameID]*Frame, parent FrameID) {
	for id, f := range frames {
		if id != RootFrame && f.Parent == parent {
			delete(frames, id)
			dropUnder(frames, id)
		}
	}
}
