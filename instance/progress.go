package instance

import (
	"time"
)

// StepState says where a step of the progress line is.
type StepState string

// The states of a step.
const (
	StepPending StepState = "pending"
	StepActive  StepState = "active"
	StepDone    StepState = "done"
	StepFailed  StepState = "failed"
)

// ProgressStep is one segment of the progress line.
type ProgressStep struct {
	Name      string    `json:"name"`  // "queue", "init", "apply", "check", "ready"; then "destroy", "verify"
	Title     string    `json:"title"` // for people: "In the queue", "Prepare", "Create", "Check health", "Ready"
	State     StepState `json:"state"`
	StartedAt time.Time `json:"started_at,omitzero"`
	EndedAt   time.Time `json:"ended_at,omitzero"`
	Note      string    `json:"note,omitempty"` // "2nd in the queue", "waiting for Docker"
}

// Seconds returns how long the step took, or has taken by now.
func (p ProgressStep) Seconds(now time.Time) float64 {
	switch {
	case p.StartedAt.IsZero():
		return 0
	case p.EndedAt.IsZero():
		return now.Sub(p.StartedAt).Seconds()
	}
	return p.EndedAt.Sub(p.StartedAt).Seconds()
}

// Progress is the way of an instance so far.
type Progress struct {
	Steps           []ProgressStep `json:"steps"`
	ExpectedSeconds float64        `json:"expected_seconds,omitempty"` // usual time to ready of the app; 0 unknown
}
