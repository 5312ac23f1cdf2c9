package asl

import (
	"errors"
	"fmt"
	"strings"
)

// ErrStale tells that a signal does not fit the State any more: it is late, was
// sent twice or belongs to another attempt. Nothing has changed.
var ErrStale = errors.New("asl: the signal does not fit the execution any more")

// ErrMismatch tells that the State is not one of this Machine.
var ErrMismatch = errors.New("asl: the state does not belong to this state machine")

// ErrInput tells that the input of Start is not valid JSON or too large.
var ErrInput = errors.New("asl: the input cannot be taken")

// InputProblem says what is wrong with an input that ErrInput refuses.
func InputProblem(err error) string {
	_, problem, _ := strings.Cut(err.Error(), ErrInput.Error()+": ")
	return problem
}

// Step takes one signal. It changes s and answers what follows; when it gives an
// error, s is as before. It does nothing else: see the package's comment.
func Step(m *Machine, s *State, sig Signal, env Env) (Outcome, error) {
	x := &exec{m: m, s: s, env: &env}
	if start, ok := sig.(Start); ok {
		if s.Status != NotStarted {
			return Outcome{}, ErrStale
		}
		if err := x.start(start); err != nil {
			return Outcome{}, err
		}
		return x.done(), nil
	}
	if _, ok := sig.(Redrive); ok {
		if err := x.redrive(); err != nil {
			return Outcome{}, err
		}
		return x.done(), nil
	}
	if s.Status != Running {
		return Outcome{}, ErrStale
	}
	if err := x.take(sig); err != nil {
		return Outcome{}, err
	}
	return x.done(), nil
}

// take dispatches a signal to a running execution.
func (x *exec) take(sig Signal) error {
	switch sig := sig.(type) {
	case Stop:
		x.stop(sig)
		return nil
	case TimerFired:
		return x.timer(sig)
	case Advance:
		if err := x.load(sig.Frame); err != nil {
			return err
		}
		if x.f.Phase != PhaseReady {
			return ErrStale
		}
		x.enter()
		return nil
	case MapRunEnded:
		if err := x.mapRun(sig.Frame, sig.Attempt); err != nil {
			return err
		}
		x.mapRunEnded(sig)
		return nil
	case TaskStarted:
		if err := x.attempt(sig.Frame, sig.Attempt); err != nil {
			return err
		}
		return x.taskStarted(sig.WorkerName)
	case TaskSubmitted:
		if err := x.attempt(sig.Frame, sig.Attempt); err != nil {
			return err
		}
		return x.taskSubmitted(sig.Output)
	case TaskHeartbeat:
		if err := x.attempt(sig.Frame, sig.Attempt); err != nil {
			return err
		}
		x.beat()
		return nil
	}
	return x.result(sig)
}

// result takes the signals that end an attempt of a task.
func (x *exec) result(sig Signal) error {
	switch sig := sig.(type) {
	case TaskSucceeded:
		if err := x.attempt(sig.Frame, sig.Attempt); err != nil {
			return err
		}
		x.taskSucceeded(sig.Output)
	case TaskFailed:
		if err := x.attempt(sig.Frame, sig.Attempt); err != nil {
			return err
		}
		x.taskFailed(&failure{err: optional(sig.Error), cause: optional(sig.Cause), service: true})
	case TaskTimedOut:
		if err := x.attempt(sig.Frame, sig.Attempt); err != nil {
			return err
		}
		x.taskTimedOut(&failure{err: optional(or(sig.Error, errTimeout)), cause: optional(sig.Cause), service: true})
	case HeartbeatTimedOut:
		if err := x.attempt(sig.Frame, sig.Attempt); err != nil {
			return err
		}
		x.taskTimedOut(&failure{err: optional(or(sig.Error, errTimeout)), cause: optional(sig.Cause), service: true, heartbeat: true})
	default:
		return fmt.Errorf("asl: unknown signal %T", sig)
	}
	return nil
}

func or(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}

func optional(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// attempt loads the frame of a task and checks that the attempt is running.
func (x *exec) attempt(id FrameID, attempt int) error {
	if err := x.load(id); err != nil {
		return err
	}
	if x.f.Phase != PhaseTask || x.f.Attempt != attempt {
		return ErrStale
	}
	return nil
}

// timer takes the end of a timer.
func (x *exec) timer(sig TimerFired) error {
	if sig.ID == 0 {
		return ErrStale
	}
	if sig.Frame == RootFrame && sig.ID == x.s.Timeout {
		x.s.Timeout = 0
		x.timedOut()
		return nil
	}
	if err := x.load(sig.Frame); err != nil {
		return err
	}
	f := x.f
	switch {
	case sig.ID == f.Heartbeat && f.Phase == PhaseTask:
		f.Heartbeat = 0
		x.taskTimedOut(&failure{err: optional(errTimeout), heartbeat: true, service: true})
	case sig.ID != f.Timer:
		return ErrStale
	case f.Phase == PhaseTask:
		f.Timer = 0
		x.taskTimedOut(&failure{err: optional(errTimeout), service: true})
	case f.Phase == PhaseWait:
		f.Timer = 0
		x.waited()
	case f.Phase == PhaseRetry:
		f.Timer = 0
		x.run()
	default:
		return ErrStale
	}
	return nil
}
