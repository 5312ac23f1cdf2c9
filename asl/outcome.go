package asl

import (
	"time"

	"github.com/internal-app-portal/iap/asl/value"
)

// Outcome is what follows from a signal. Commit it together with the State.
type Outcome struct {
	// Events are the new entries of the history, in order.
	Events []HistoryEvent
	// Commands are to be carried out after the commit, in order.
	Commands []Command
	// Ready are the frames for which an Advance is due now, in order. A later
	// step may cancel one of them; its Advance then answers ErrStale.
	Ready []FrameID
	// Complete is there when the execution has ended.
	Complete *Complete
}

// Command is something to do outside: one of the types below.
type Command interface{ command() }

// Integration is the pattern by which a task waits for its result.
type Integration string

// The three patterns.
const (
	RequestResponse  Integration = "REQUEST_RESPONSE"
	Sync             Integration = "SYNC"
	WaitForTaskToken Integration = "WAIT_FOR_TASK_TOKEN"
)

// ScheduleTask asks for a task to be run. Frame and Attempt identify it.
type ScheduleTask struct {
	Frame    FrameID
	Attempt  int
	State    string   // name of the state
	Resource Resource // what to call
	// Arguments is what to call it with.
	Arguments value.JSON
	// Credentials is the state's Credentials after evaluation, if it has any.
	Credentials value.JSON
	// TimeoutSeconds and HeartbeatSeconds are 0 when not set. The engine keeps
	// time itself (SetTimer); they are here for workers who want to know.
	TimeoutSeconds   int64
	HeartbeatSeconds int64
	// TaskToken is the token for $$.Task.Token; empty unless the integration is
	// WaitForTaskToken or the resource an activity.
	TaskToken string
}

// TimerKind says what a timer is for.
type TimerKind string

// The kinds of timers.
const (
	TimerExecution TimerKind = "execution" // the machine's TimeoutSeconds
	TimerWait      TimerKind = "wait"
	TimerRetry     TimerKind = "retry"
	TimerTask      TimerKind = "task" // TimeoutSeconds of a task
	TimerHeartbeat TimerKind = "heartbeat"
)

// SetTimer asks for TimerFired{Frame, ID} at the given time or soon after it.
type SetTimer struct {
	Frame FrameID
	ID    TimerID
	Kind  TimerKind
	At    time.Time
}

// CancelTask tells that the result of a task is no longer wanted.
type CancelTask struct {
	Frame   FrameID
	Attempt int
	// State and Resource are those of the ScheduleTask.
	State    string
	Resource Resource
}

// CancelTimer tells that a timer is no longer wanted.
type CancelTimer struct {
	Frame FrameID
	ID    TimerID
}

func (ScheduleTask) command() {}
func (SetTimer) command()     {}
func (CancelTask) command()   {}
func (CancelTimer) command()  {}

// Complete is the end of an execution.
type Complete struct {
	Status Status
	// Output is there when Status is Succeeded.
	Output value.JSON
	// Error and Cause may be nil: a Fail state need not have them.
	Error, Cause *string
}
