package asl

import (
	"slices"
	"time"

	"github.com/internal-app-portal/iap/asl/value"
)

// Status is the status of an execution, spelled as in AWS's API.
type Status string

// The statuses of an execution. All but Running are final.
const (
	NotStarted Status = ""
	Running    Status = "RUNNING"
	Succeeded  Status = "SUCCEEDED"
	Failed     Status = "FAILED"
	TimedOut   Status = "TIMED_OUT"
	Aborted    Status = "ABORTED"
)

// Done tells whether the status is final.
func (s Status) Done() bool { return s != NotStarted && s != Running }

// FrameID numbers the frames of an execution; RootFrame is the machine itself.
type FrameID int

// RootFrame is the frame that every execution has.
const RootFrame FrameID = 0

// TimerID numbers the timers of an execution; an ID is never used twice.
type TimerID int64

// State is the position of one execution. The zero State is one that has not
// been started. It is owned by one caller at a time. Its JSON form is
// deterministic and complete: a State read back behaves as the one written.
type State struct {
	Status Status
	// LastEventID is the number of the newest history event, 0 before the first.
	LastEventID int64
	LastFrame   FrameID
	LastTimer   TimerID
	// Timeout is the timer of the machine's own TimeoutSeconds, 0 for none.
	Timeout TimerID
	// Frames are what runs; of an execution that has ended otherwise than
	// Succeeded, what Redrive goes on with.
	Frames map[FrameID]*Frame

	// Output is there when Status is Succeeded.
	Output value.JSON
	// Error and Cause may be there when Status is Failed, TimedOut or Aborted.
	Error *string
	Cause *string
}

// Phase says what a frame is waiting for.
type Phase string

// The phases of a frame.
const (
	PhaseReady    Phase = "ready"    // for Advance, to enter its state
	PhaseTask     Phase = "task"     // for the result of a task
	PhaseWait     Phase = "wait"     // for the timer of a Wait state
	PhaseRetry    Phase = "retry"    // for the timer that ends a retry's delay
	PhaseChildren Phase = "children" // for its branches or iterations
	PhaseDone     Phase = "done"     // for its siblings; Data is its output
	PhaseStopped  Phase = "stopped"  // for Redrive, to run its state again

	phaseSettled Phase = "settled" // only within a step: a task is over
)

// Frame is the position in the machine, in one branch or in one iteration.
type Frame struct {
	Parent FrameID
	// Index is the number of the branch or iteration, from 0.
	Index int
	// Graph is the index of the frame's states in Machine.Graphs.
	Graph int
	State string
	Phase Phase
	// Data is the raw input of State, or in PhaseDone the output of the frame.
	Data value.JSON
	// Vars are the variables assigned in this frame's scope, an object.
	Vars value.JSON
	// Prev is the number of the newest event of this frame.
	Prev int64
	// Attempt numbers the task attempts of this frame over all its states, from 1.
	Attempt int
	// Retried counts, per retrier of the state, the retries taken.
	Retried []int
	// Entered is when State was entered, in milliseconds since 1970.
	Entered int64
	// EnteredEvent is the number of the event that tells so.
	EnteredEvent int64
	// Started and Submitted say which events the running attempt has had.
	Started   bool
	Submitted bool
	// Timer is the wait's, retry's or task timeout's; Heartbeat the task's.
	Timer            TimerID
	Heartbeat        TimerID
	HeartbeatSeconds int64
	// MapRun is the ARN of the map run that the frame waits for or, when the state
	// has failed since, of its last one; MapRedrives is how often that was redriven.
	MapRun      string
	MapRedrives int64
	// Children is there while a Parallel or Map state runs.
	Children *Children
}

// Children is what a frame knows of its branches or iterations. Those that
// run or are done are frames of their own.
type Children struct {
	// Total is how many there will be, Next the index of the next to start.
	Total int
	Next  int
	Done  int
	// Limit is how many may run at once, 0 for all.
	Limit int
	// Items is the array that a Map state iterates over.
	Items value.JSON
	// Input is the effective input of the state.
	Input value.JSON
}

// Ready lists, lowest number first, the frames that wait for an Advance. A
// caller that resumes an execution sends Advance for each of them.
func (s *State) Ready() []FrameID { return s.inPhase(PhaseReady) }

func (s *State) inPhase(p Phase) []FrameID {
	var ids []FrameID
	for id, f := range s.Frames {
		if f.Phase == p {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids
}

// EnteredAt is when the frame's state was entered.
func (f *Frame) EnteredAt() time.Time { return time.UnixMilli(f.Entered).UTC() }
