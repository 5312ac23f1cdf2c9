package asl

import "github.com/internal-app-portal/iap/asl/value"

// Signal is something that happened to an execution: one of the types below.
// A signal that no longer fits (late, repeated, of another attempt) makes Step
// answer ErrStale and changes nothing.
type Signal interface{ signal() }

// Start begins an execution. Input must be valid JSON.
type Start struct{ Input value.JSON }

// Advance lets a ready frame enter its state.
type Advance struct{ Frame FrameID }

// TaskStarted tells that a worker took the task up. It may be left out: the
// event is then written together with the task's next one.
type TaskStarted struct {
	Frame   FrameID
	Attempt int
	// WorkerName is shown in the history of an activity.
	WorkerName string
}

// TaskSubmitted tells, for Sync and WaitForTaskToken, that the work has been
// handed over; Output is the answer of the submitting call.
type TaskSubmitted struct {
	Frame   FrameID
	Attempt int
	Output  value.JSON
}

// TaskHeartbeat tells that the worker is alive; it starts HeartbeatSeconds anew.
type TaskHeartbeat struct {
	Frame   FrameID
	Attempt int
}

// TaskSucceeded carries the result of a task.
type TaskSucceeded struct {
	Frame   FrameID
	Attempt int
	Output  value.JSON
}

// TaskFailed carries the error of a task. An empty Error or Cause is left out
// of the history and is caught as an error without a name.
type TaskFailed struct {
	Frame   FrameID
	Attempt int
	Error   string
	Cause   string
}

// TaskTimedOut tells that the service behind a task gave up waiting. The
// timeouts of the definition need no signal of their own: they come as
// TimerFired. An empty Error means States.Timeout.
type TaskTimedOut struct {
	Frame   FrameID
	Attempt int
	Error   string
	Cause   string
}

// HeartbeatTimedOut tells the same of a missing heartbeat. An empty Error means
// States.Timeout: so AWS names it, and States.HeartbeatTimeout in a retrier or
// catcher matches it as well.
type HeartbeatTimedOut struct {
	Frame   FrameID
	Attempt int
	Error   string
	Cause   string
}

// TimerFired tells that a timer is due.
type TimerFired struct {
	Frame FrameID
	ID    TimerID
}

// Stop ends the execution as Aborted. Error and Cause may be empty.
type Stop struct{ Error, Cause string }

func (Start) signal()             {}
func (Advance) signal()           {}
func (TaskStarted) signal()       {}
func (TaskSubmitted) signal()     {}
func (TaskHeartbeat) signal()     {}
func (TaskSucceeded) signal()     {}
func (TaskFailed) signal()        {}
func (TaskTimedOut) signal()      {}
func (HeartbeatTimedOut) signal() {}
func (TimerFired) signal()        {}
func (Stop) signal()              {}
