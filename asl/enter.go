package asl

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/internal-app-portal/iap/asl/value"
)

// enter enters the state of a ready frame and runs it.
func (x *exec) enter() {
	f := x.f
	f.Entered = millis(x.env.Now)
	f.MapRun, f.MapRedrives = "", 0
	before := f.Prev
	x.tell(string(x.def.Type)+"StateEntered", Details{Name: f.State, Input: f.Data})
	f.EnteredEvent = f.Prev
	f.Phase = phaseSettled // no longer ready, should it fail before it waits for anything
	x.forget()
	x.entering, x.before = true, before
	x.work()
}

// run does what the state does again, after a retry's delay.
func (x *exec) run() {
	x.forget()
	x.work()
}

func (x *exec) work() {
	var f *failure
	switch x.def.Type {
	case TypePass:
		f = x.runPass()
	case TypeChoice:
		f = x.runChoice()
	case TypeWait:
		f = x.runWait()
	case TypeSucceed:
		f = x.runSucceed()
	case TypeFail:
		f = x.runFail()
	case TypeTask:
		f = x.runTask()
	case TypeParallel:
		f = x.runParallel()
	case TypeMap:
		f = x.runMap()
	}
	if f != nil {
		x.failed(f)
	}
}

func (x *exec) runSucceed() *failure {
	if f := x.effectiveInput(); f != nil {
		return f
	}
	return x.handOn()
}

func (x *exec) runPass() *failure {
	if x.isQuery() {
		x.see(stageInput, x.f.Data.Value())
		return x.handOnQuery()
	}
	v, f := x.parameters()
	if f != nil {
		return f
	}
	if p := x.def.spec.pass; !p.IsZero() {
		v = p.Value()
	}
	return x.finish(v)
}

func (x *exec) runChoice() *failure {
	if f := x.effectiveInput(); f != nil {
		return f
	}
	if x.isQuery() {
		return x.chooseQuery()
	}
	rules := x.def.spec.choice
	for i := range rules {
		ok, f := x.holds(&rules[i].cond)
		if f != nil {
			return f
		}
		if ok {
			return x.passOn(rules[i].assign, rules[i].next)
		}
	}
	if x.def.spec.otherwise == "" {
		return x.broken(errNoChoice, "Failed to transition out of the state. The state does not point to a next state.")
	}
	return x.passOn(x.def.spec.assign, x.def.spec.otherwise)
}

func (x *exec) runWait() *failure {
	if f := x.effectiveInput(); f != nil {
		return f
	}
	until, f := x.waitUntil()
	if f != nil {
		return f
	}
	if !until.After(x.env.Now) {
		return x.handOn()
	}
	x.f.Phase = PhaseWait
	x.f.Timer = x.setTimer(x.id, TimerWait, until)
	return nil
}

// waited leaves a Wait state when its time is over.
func (x *exec) waited() {
	f := x.effectiveInput()
	if f == nil {
		f = x.handOn()
	}
	if f != nil {
		x.failed(f)
	}
}

// handOn leaves a state without a result in either language.
func (x *exec) handOn() *failure {
	if x.isQuery() {
		return x.handOnQuery()
	}
	return x.passOn(x.def.spec.assign, x.def.Next)
}

func (x *exec) waitUntil() (time.Time, *failure) {
	w := x.def.spec.wait
	switch {
	case w.query != nil:
		return x.waitQuery(w)
	case w.seconds != nil:
		n, _ := w.seconds.Int64()
		return x.after(float64(n)), nil
	case w.path == nil:
		t, _ := parseTimestamp(w.timestamp)
		return t, nil
	}
	v, f := x.plain(w.path)
	if f != nil {
		return time.Time{}, f
	}
	if w.isTime {
		s, _ := v.(string)
		t, ok := parseTimestamp(s)
		if !ok {
			return t, x.runtime("The TimestampPath parameter does not reference a valid ISO-8601 extended offset date-time format string: %s == %s",
				w.path.text, value.Text(v))
		}
		return t, nil
	}
	n, ok := v.(value.Number)
	seconds, whole := n.Int64()
	switch {
	case !ok || !whole:
		return time.Time{}, x.runtime("The SecondsPath parameter does not reference an integer value: %s == %s", w.path.text, value.Text(v))
	case seconds < 0 || seconds > maxSeconds:
		return time.Time{}, x.runtime("The SecondsPath parameter references a value outside of 0 to %d: %s == %s", maxSeconds, w.path.text, value.Text(v))
	}
	return x.after(float64(seconds)), nil
}

// after is the time some seconds from now; years too many are cut to a century.
func (x *exec) after(seconds float64) time.Time {
	const century = 100 * 365 * 24 * 3600
	return x.env.Now.Add(time.Duration(math.Min(seconds, century) * float64(time.Second)))
}

func (x *exec) runFail() *failure {
	x.at = x.f.Data.Value()
	x.see(stageInput, x.at)
	if x.isQuery() {
		return x.failQuery()
	}
	s := x.def.spec.fail
	out := &failure{err: s.err, cause: s.cause}
	for _, dynamic := range []struct {
		name string
		e    *expr
		to   **string
	}{{"ErrorPath", s.errPath, &out.err}, {"CausePath", s.causePath, &out.cause}} {
		if dynamic.e == nil {
			continue
		}
		v, f := x.plain(dynamic.e)
		if f != nil {
			return f
		}
		text, ok := v.(string)
		if !ok {
			return x.runtime("The %s field refers to a value that is not a string: %s == %s", dynamic.name, dynamic.e.text, value.Text(v))
		}
		*dynamic.to = &text
	}
	return out
}

// natural evaluates a path to a number from 0 on; digits in a string will do.
func (x *exec) natural(e *expr, field string) (int64, *failure) {
	v, f := x.plain(e)
	if f != nil {
		return 0, f
	}
	var n int64
	ok := false
	switch v := v.(type) {
	case value.Number:
		n, ok = v.Int64()
	case string:
		i, err := strconv.ParseInt(strings.TrimSpace(v), 10, 64)
		n, ok = i, err == nil
	}
	if !ok {
		return 0, x.runtime("The %sPath field refers to value \"%s\" which is not a valid integer: %s", field, display(v), e.text)
	}
	if n < 0 {
		return 0, x.runtime("%s cannot be negative.", field)
	}
	return n, nil
}

// display writes a value as AWS quotes it in causes: strings without marks.
func display(v value.Value) string {
	if s, ok := v.(string); ok {
		return s
	}
	return fmt.Sprint(value.Text(v))
}
