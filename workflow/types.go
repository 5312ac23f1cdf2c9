// Package workflow makes state machines durable: it keeps executions, takes
// their steps one commit each, hands tasks to handlers and fires timers.
package workflow

import (
	"context"
	"encoding/json"
	"time"
)

// Status is where an execution is.
type Status string

// The statuses of an execution, as Step Functions names them.
const (
	Running   Status = "RUNNING"
	Succeeded Status = "SUCCEEDED"
	Failed    Status = "FAILED"
	TimedOut  Status = "TIMED_OUT"
	Aborted   Status = "ABORTED"
)

// StateMachine is a stored definition. Definitions are immutable and known by
// their hash.
type StateMachine struct {
	ID         string // SHA-256 of the definition, hex
	Name       string
	Definition []byte
	CreatedAt  time.Time
}

// Execution is one run of a state machine.
type Execution struct {
	ID           string
	Name         string // unique among the executions of a state machine's name
	StateMachine string // ID
	Status       Status
	Input        json.RawMessage
	Output       json.RawMessage // nil unless Succeeded
	Error, Cause string
	State        []byte // asl.State as JSON; nil when ended
	Version      int64  // counts the commits of this row; fences writers
	StartedAt    time.Time
	EndedAt      time.Time // zero while Running
	Owner        string    // ID of who started it; empty: nobody in particular
	RedriveCount int
	RedrivenAt   time.Time // the last time; zero when never
	// MapRun is the ID of the map run that this is a child of, empty when it is
	// none; Graph is then the part of the state machine that it runs.
	MapRun string
	Graph  int
}

// HistoryEvent is one entry of an execution's history.
type HistoryEvent struct {
	Execution string
	Number    int64 // from 1
	Previous  int64
	Type      string
	Time      time.Time
	Details   json.RawMessage
}

// TaskKind says what a row of the task table waits for.
type TaskKind string

// The kinds of task.
const (
	Advance  TaskKind = "advance" // frames have transitions to take at once
	CallTask TaskKind = "call"    // a handler is to be called
	Timer    TaskKind = "timer"   // a time is to come
	MapTask  TaskKind = "map"     // a map run is to go on; Execution is its ID
)

// Task is a row of durable work. Its key is (Execution, Kind, Frame, Number).
type Task struct {
	Execution  string
	Kind       TaskKind
	Frame      int64
	Number     int64  // attempt of a call or await; ID of a timer; 0 for advance
	State      string // name of the state
	Resource   string
	Payload    json.RawMessage // of a call
	RunAt      time.Time       // not before
	Owner      string          // the process that runs it; empty when free
	LeaseUntil time.Time
	Attempt    int // times it was claimed
}

// Store keeps state machines, executions, their history and their tasks.
// Everything but reading takes part in the transaction of ctx.
type Store interface {
	MapRunStore

	RedriveStore
	// PutStateMachine stores a definition; storing the same twice is harmless.
	PutStateMachine(ctx context.Context, m StateMachine) error
	StateMachine(ctx context.Context, id string) (StateMachine, error)

	// InsertExecution fails with Conflict when the name is taken.
	InsertExecution(ctx context.Context, e Execution) error
	// UpdateExecution writes the row when its stored version is e.Version and
	// adds one to it; else Conflict, and nothing is written.
	UpdateExecution(ctx context.Context, e Execution) error
	// Execution returns one execution, or NotFound. Within a transaction the
	// row is then locked until its end, so that the next to read it sees what
	// this one wrote.
	Execution(ctx context.Context, id string) (Execution, error)
	// Executions returns at most limit that are not children of map runs, newest first, with IDs before before
	// (empty: from the newest), of one status (empty: all).
	Executions(ctx context.Context, status Status, before string, limit int) ([]Execution, error)

	// WriteCommit writes all that a step of an execution has come to, or nothing.
	// Outside of a transaction those that come at the same time share one.
	// Errors: Conflict caused by ErrChanged or ErrTaskLost, or for a new
	// execution by its name being taken.
	WriteCommit(ctx context.Context, c *Commit) error
	// Parts returns the parts of an execution's State.
	Parts(ctx context.Context, execution string) ([]Part, error)

	// AppendHistory adds events; those of one execution that are given at once
	// have numbers without a gap.
	AppendHistory(ctx context.Context, events ...HistoryEvent) error
	// History returns at most limit events with numbers above after, in order.
	History(ctx context.Context, execution string, after int64, limit int) ([]HistoryEvent, error)
	// HistoryBefore returns at most limit events with numbers below before, the
	// newest first; 0 means from the newest of all.
	HistoryBefore(ctx context.Context, execution string, before int64, limit int) ([]HistoryEvent, error)

	// PutTask inserts a task or replaces the one with its key.
	PutTask(ctx context.Context, t Task) error
	// DeleteTask removes a task; removing what is not there is harmless.
	DeleteTask(ctx context.Context, execution string, kind TaskKind, frame, number int64) error
	// DeleteTasks removes all tasks of an execution.
	DeleteTasks(ctx context.Context, execution string) error
	// ClaimTasks gives at most limit due tasks that are free or whose lease is over to owner, until lease has passed.
	ClaimTasks(ctx context.Context, owner string, now time.Time, lease time.Duration, limit int) ([]Task, error)
	// FinishTask deletes a task that owner still holds with the same Attempt;
	// else Conflict: somebody else has it now.
	FinishTask(ctx context.Context, t Task) error
	// RenewTask sets the end of the lease of a task that t.Owner still holds
	// with t.Attempt; else Conflict.
	RenewTask(ctx context.Context, t Task, until time.Time) error
	// Hold makes owner known as a living process, so that its tasks are its own
	// until their leases are over. lost, nil where that cannot be, is closed when
	// others may take it for dead; from then on what is done in its name is a
	// Conflict caused by ErrOwnerLost. ClaimTasks and ReleaseTasks hold as well.
	Hold(ctx context.Context, owner string) (lost <-chan struct{}, err error)
	// ReleaseTasks frees all tasks of owners other than owner whose processes
	// are known to be gone; on SQLite these are all others.
	ReleaseTasks(ctx context.Context, owner string) error
	// NextTaskAt returns when a task may be claimed next: the lesser of when the
	// first free one is due and when the first lease is over; ok is false when
	// there is none. Where other processes may die unseen it is due when one
	// has, and at the latest when it is time to look again.
	NextTaskAt(ctx context.Context) (at time.Time, ok bool, err error)
}
