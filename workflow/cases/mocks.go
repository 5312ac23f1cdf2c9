package cases

import (
	"context"
	"fmt"
	"strconv"
	"sync"
	"time"

	"github.com/internal-app-portal/iap/asl"
	"github.com/internal-app-portal/iap/asl/value"
	"github.com/internal-app-portal/iap/workflow/memory"
)

// Mocks are the answers to the calls of tasks: by the name of the state, the
// n-th is that of the state's n-th call.
type Mocks map[string][]Mock

// Mock is one answer.
type Mock struct {
	memory.Answer
	// timeout is the answer of a service that gives up waiting, when the state
	// itself has no time-out that would end the task.
	timeout *memory.Failure
}

// MocksOf reads mocks from their JSON form,
//
//	{"STATE": [{"return": …} | {"throw": {"error", "cause"}} | {"timeout": {"error", "cause"}}]}
//
// each with, for .sync and .waitForTaskToken, "submitted": the answer of the
// call that hands the work over; and with "after": the seconds that the task
// takes on a virtual clock.
func MocksOf(v value.Value) (Mocks, error) {
	o, ok := v.(*value.Object)
	if !ok {
		return nil, fmt.Errorf("mocks must be an object with the names of states, and not a JSON %s", value.Kind(v))
	}
	mocks := Mocks{}
	for _, state := range o.Members() {
		list, ok := state.Value.(value.Array)
		if !ok {
			list = value.Array{state.Value} // one answer for one call
		}
		for i, v := range list {
			m, err := mockOf(v)
			if err != nil {
				return nil, fmt.Errorf("mocks: state %q, call %d: %w", state.Key, i+1, err)
			}
			if state.Key == unknownState && i > 0 && m.Silent && m.timeout == nil && m.Submitted.IsZero() {
				m = mocks[state.Key][i-1] // its end could not be told either
			}
			mocks[state.Key] = append(mocks[state.Key], m)
		}
	}
	return mocks, nil
}

func mockOf(v value.Value) (m Mock, err error) {
	o, ok := v.(*value.Object)
	if !ok {
		return m, fmt.Errorf("it must be an object with return, throw or timeout, and not a JSON %s", value.Kind(v))
	}
	ends := 0
	m.Silent = true
	for _, f := range o.Members() {
		switch f.Key {
		case "scheduled", "comment":
		case "submitted":
			m.Submitted = value.Of(f.Value)
		case "return":
			m.Silent, m.Output = false, value.Of(f.Value)
			ends++
		case "throw":
			m.Silent = false
			m.Failure, err = failureOf(f.Value)
			ends++
		case "timeout":
			m.timeout, err = failureOf(f.Value)
			ends++
		case "after":
			m.After, err = secondsOf(f.Value)
		default:
			return m, fmt.Errorf("there is no field %q; there are return, throw, timeout, submitted, after and scheduled", f.Key)
		}
		if err != nil {
			return m, fmt.Errorf("%s: %w", f.Key, err)
		}
	}
	if ends > 1 {
		return m, fmt.Errorf("it must have one of return, throw and timeout, and not %d", ends)
	}
	if m.timeout != nil {
		m.timeout.TimedOut = true
	}
	return m, nil
}

func failureOf(v value.Value) (*memory.Failure, error) {
	o, ok := v.(*value.Object)
	if !ok {
		return nil, fmt.Errorf("it must be an object with error and cause, and not a JSON %s", value.Kind(v))
	}
	f := &memory.Failure{}
	for _, m := range o.Members() {
		text, ok := m.Value.(string)
		if !ok && m.Value != nil {
			text = value.Text(m.Value) // a cause that holds JSON
		}
		switch m.Key {
		case "error":
			f.Error = text
		case "cause":
			f.Cause = text
		case "event": // the name of the event that told the error
		default:
			return nil, fmt.Errorf("there is no field %q; there are error and cause", m.Key)
		}
	}
	return f, nil
}

func secondsOf(v value.Value) (time.Duration, error) {
	const century = 100 * 365 * 24 * 3600
	n, ok := v.(value.Number)
	if f := n.Float64(); ok && f >= 0 && f <= century {
		return time.Duration(f * float64(time.Second)), nil
	}
	return 0, fmt.Errorf("it must be a number of seconds from 0 to %d, and not %s", century, value.Text(v))
}

// unknownState is the name of a state that is not known.
const unknownState = "null"

// Handler answers tasks with the mocks. otherwise answers the tasks of states
// that have none at all; nil: they fail. It counts the calls, so each execution
// needs a Handler of its own.
func (m Mocks) Handler(otherwise memory.Handler) memory.Handler {
	var guard sync.Mutex
	calls := map[string]int{}
	return func(ctx context.Context, t asl.ScheduleTask) memory.Answer {
		state := t.State
		list, ok := m[state]
		if !ok {
			// A recorder that could not tell the state wrote null.
			if list, ok = m[unknownState]; ok {
				state = unknownState
			}
		}
		if !ok && otherwise != nil {
			return otherwise(ctx, t)
		}
		guard.Lock()
		n := calls[state]
		calls[state]++
		guard.Unlock()
		if n >= len(list) {
			return memory.Fail("Mock.Missing", missing(t.State, n, len(list)))
		}
		return answerOf(list[:n+1], t.TimeoutSeconds > 0 || t.HeartbeatSeconds > 0)
	}
}

// answerOf is the answer to the last of some calls of a state. One that no
// time-out would end, and that has no answer, is answered as the one before: a
// recorder may have missed it.
func answerOf(calls []Mock, timesOut bool) memory.Answer {
	m := calls[len(calls)-1]
	switch {
	case timesOut || !m.Silent:
	case m.timeout != nil:
		m.Silent, m.Failure = false, m.timeout
	case m.Submitted.IsZero() && len(calls) > 1:
		return answerOf(calls[:len(calls)-1], false)
	}
	return m.Answer
}

func missing(state string, n, have int) string {
	if have == 0 {
		return fmt.Sprintf("There is no mock for the task of the state %q.", state)
	}
	return "There is no mock for call " + strconv.Itoa(n+1) + fmt.Sprintf(" of the state %q: it has %d.", state, have)
}

// Echo answers a task with what it was called with.
func Echo(_ context.Context, t asl.ScheduleTask) memory.Answer {
	return memory.Answer{Output: t.Arguments}
}
