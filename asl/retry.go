package asl

import (
	"math"

	"github.com/internal-app-portal/iap/asl/value"
)

// failed lets the state at hand fail: it is retried, caught, or ends its frame.
func (x *exec) failed(f *failure) {
	if x.trace != nil {
		x.trace.failure = f
	}
	if x.retry(f) {
		return
	}
	if x.entering && x.def.Type == TypeMap && x.isQuery() && f.name() == errQuery {
		x.tell("MapStateFailed", Details{})
	}
	x.giveUp(f)
}

// giveUp catches an error that is not retried, or ends the frame.
func (x *exec) giveUp(f *failure) {
	for i := range x.def.spec.catch {
		if k := &x.def.spec.catch[i]; f.matches(k.errors) {
			if broken := x.caught(k, f); broken != nil {
				x.fell(broken)
			}
			return
		}
	}
	x.fell(f)
}

// retry starts the delay of the first retrier that fits, if it has attempts left.
func (x *exec) retry(f *failure) bool {
	rules := x.def.spec.retry
	for i := range rules {
		r := &rules[i]
		if !f.matches(r.errors) {
			continue
		}
		if x.f.Retried == nil {
			x.f.Retried = make([]int, len(rules))
		}
		if i >= len(x.f.Retried) || x.f.Retried[i] >= r.attempts {
			return false
		}
		delay := r.interval * math.Pow(r.backoff, float64(x.f.Retried[i]))
		if r.maxDelay > 0 {
			delay = math.Min(delay, r.maxDelay)
		}
		if r.fullJitter && x.env.Rand != nil {
			delay *= x.env.Rand()
		}
		x.f.Retried[i]++
		x.f.Phase, x.f.Children = PhaseRetry, nil
		x.f.Timer = x.setTimer(x.id, TimerRetry, x.after(delay))
		return true
	}
	return false
}

// caught goes on at a catcher's Next with the error as the result.
func (x *exec) caught(k *catcher, f *failure) *failure {
	output := value.NewObject(
		value.Member{Key: "Error", Value: text(f.err)},
		value.Member{Key: "Cause", Value: text(f.cause)})
	if x.isQuery() {
		return x.caughtQuery(k, output)
	}
	assigned, broken := x.assigned(k.assign, output)
	if broken != nil {
		return broken
	}
	v, broken := x.merge(k.resultPath, output)
	if broken != nil {
		return broken
	}
	return x.exit(v, assigned, k.next)
}

func text(s *string) value.Value {
	if s == nil {
		return nil
	}
	return *s
}

// fell ends the frame at hand with an error.
func (x *exec) fell(f *failure) {
	x.stopClocks()
	if x.id == RootFrame {
		x.complete(Failed, "ExecutionFailed", x.f.Prev, f.err, f.cause)
		return
	}
	x.childFailed(f)
}

// end ends the frame at hand with its output.
func (x *exec) end(output value.JSON) {
	x.f.Phase, x.f.Data = PhaseDone, output
	if x.id == RootFrame {
		x.s.Output = output
		x.complete(Succeeded, "ExecutionSucceeded", x.f.Prev, nil, nil)
		return
	}
	x.childDone()
}
