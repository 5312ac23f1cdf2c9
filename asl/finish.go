package asl

import (
	"fmt"
	"slices"
)

func (x *exec) start(sig Start) error {
	input := sig.Input
	if err := input.Check(); err != nil {
		return fmt.Errorf("%w: %w", ErrInput, err)
	}
	if limit := x.env.Limits.payload(); input.Len() > limit {
		return fmt.Errorf("%w: it has %d bytes, and at most %d are allowed", ErrInput, input.Len(), limit)
	}
	root := x.m.Root()
	x.s.Status = Running
	x.s.Frames = map[FrameID]*Frame{RootFrame: {Graph: root.Number, State: root.StartAt, Phase: PhaseReady, Data: input}}
	// The first state's events do not follow this one: AWS starts anew at 0.
	x.emit("ExecutionStarted", 0, Details{Input: input, RoleARN: x.env.Execution.RoleARN})
	if x.m.TimeoutSeconds > 0 {
		x.s.Timeout = x.setTimer(RootFrame, TimerExecution, x.after(float64(x.m.TimeoutSeconds)))
	}
	x.out.Ready = []FrameID{RootFrame}
	return nil
}

func (x *exec) stop(sig Stop) {
	x.complete(Aborted, "ExecutionAborted", 0, optional(sig.Error), optional(sig.Cause))
}

func (x *exec) timedOut() {
	x.complete(TimedOut, "ExecutionTimedOut", 0, optional(errTimeout), nil)
}

// complete ends the execution: all that runs is cancelled. Frames are left for
// a redrive alone.
func (x *exec) complete(status Status, event string, previous int64, err, cause *string) {
	if x.full && status != Aborted {
		return // done ends the execution in its own way
	}
	x.s.Status, x.s.Error, x.s.Cause = status, err, cause
	d := Details{Error: err, Cause: cause}
	if status == Succeeded {
		d.Output = x.s.Output
	}
	x.emit(event, previous, d)
	x.out.Complete = &Complete{Status: status, Output: x.s.Output, Error: err, Cause: cause}
	x.cancelAll()
}

func (x *exec) cancelAll() {
	ids := make([]FrameID, 0, len(x.s.Frames))
	for id := range x.s.Frames {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	for _, id := range ids {
		x.cancel(id, x.s.Frames[id])
	}
	if x.s.Timeout != 0 {
		x.do(CancelTimer{RootFrame, x.s.Timeout})
		x.s.Timeout = 0
	}
	frames := x.s.Frames
	x.s.Frames, x.out.Ready = nil, nil
	if x.s.Status != Succeeded && !x.overfull {
		x.keep(frames)
	}
}

// done gives the outcome. An execution whose history is full has failed.
func (x *exec) done() Outcome {
	if x.full && x.out.Complete == nil {
		x.full, x.overfull = false, true
		// Work that this step asked for is not begun; what runs is cancelled.
		x.out.Commands = slices.DeleteFunc(x.out.Commands, func(c Command) bool {
			switch c.(type) {
			case ScheduleTask, SetTimer, StartMapRun, RedriveMapRun:
				return true
			}
			return false
		})
		cause := fmt.Sprintf("The execution reached the maximum number of history events (%d).", x.env.Limits.events())
		x.s.Output = x.s.Output.None()
		x.complete(Failed, "ExecutionFailed", x.s.LastEventID, optional(errRuntime), &cause)
	}
	return x.out
}
