package asl

import (
	"time"

	"github.com/internal-app-portal/iap/asl/value"
)

// Env is all that Step may know of the world.
type Env struct {
	// Now is the time of the step; events bear it, in milliseconds.
	Now time.Time
	// Rand gives a number in [0,1) for jitter and States.MathRandom. Nil: 0.
	Rand func() float64
	// NewUUID gives a random UUID for States.UUID. Nil: the nil UUID.
	NewUUID func() string
	// NewTaskToken gives the token of a task. Nil: "frame-attempt".
	NewTaskToken func(frame FrameID, attempt int) string

	// JSONata evaluates the expressions of states whose query language is
	// JSONata. Nil: they fail with States.QueryEvaluationError.
	JSONata Evaluator

	// NewMapRun gives the ARN of a map run. Nil: one of the state machine's, with
	// a new UUID.
	NewMapRun func(frame FrameID, attempt int, label string) string

	Execution    ExecutionInfo
	StateMachine StateMachineInfo
	Limits       Limits
}

// ExecutionInfo is what the Context Object tells of the execution.
type ExecutionInfo struct {
	ID           string // ARN
	Name         string
	RoleARN      string
	Input        value.JSON
	StartTime    time.Time
	RedriveCount int
}

// StateMachineInfo is what the Context Object tells of the state machine.
type StateMachineInfo struct {
	ID   string // ARN
	Name string
}

// Limits bound an execution. Zero means AWS's default, negative no limit.
type Limits struct {
	// PayloadBytes is the largest input, output or result: 262,144 bytes.
	PayloadBytes int
	// HistoryEvents is the longest history: 25,000 events.
	HistoryEvents int
}

// AWS's defaults.
const (
	DefaultPayloadBytes  = 262_144
	DefaultHistoryEvents = 25_000
)

func (l Limits) payload() int { return limit(l.PayloadBytes, DefaultPayloadBytes) }
func (l Limits) events() int  { return limit(l.HistoryEvents, DefaultHistoryEvents) }

func limit(set, byDefault int) int {
	switch {
	case set == 0:
		return byDefault
	case set < 0:
		return int(^uint(0) >> 1)
	}
	return set
}
