package asl

import (
	"errors"
)

// ErrStale tells that a signal does not fit the State any more: it is late, was
// sent twice or belongs to another attempt. Nothing has changed.
var ErrStale = errors.New("asl: the signal does not fit the execution any more")

// ErrMismatch tells that the State is not one of this Machine.
var ErrMismatch = errors.New("asl: the state does not belong to this state machine")

// Step takes one signal. It changes s and answers what follows; when it gives an
// error, s is as before. It does nothing else: see the package's comment.
func Step(m *Machine, s *State, sig Signal, env Env) (Outcome, error) {
	return Outcome{}, ErrStale
}

// Parse reads a definition. It gives the machine, or all problems at once.
func Parse(src []byte) (*Machine, []Problem) { return nil, nil }

type spec struct{}

func (s *State) inPhase(p Phase) []FrameID { return nil }
