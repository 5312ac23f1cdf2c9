package asl

import (
	"fmt"
	"strings"
	"time"

	"github.com/internal-app-portal/iap/asl/intrinsic"
	"github.com/internal-app-portal/iap/asl/jsonpath"
	"github.com/internal-app-portal/iap/asl/value"
)

// exec is one call of Step. Its fields from id on belong to the frame at hand.
type exec struct {
	m   *Machine
	s   *State
	env *Env
	out Outcome
	// full tells that the history has no room for another event.
	full bool
	// overfull tells that the execution ends for that.
	overfull bool
	// lost are the frames that a failure has removed in this step, by the frame
	// they were under.
	lost map[FrameID]lostChildren
	// trace is there while a single state is tested.
	trace *tracer

	id  FrameID
	f   *Frame
	def *StateDef
	// at is what $ stands for at the moment.
	at value.Value
	// token is the task token while a task's arguments are evaluated.
	token string
	// item overrides $$.Map.Item while an ItemSelector is evaluated.
	item    *mapItem
	context value.Value
	// outcome and errorOutput are $states.result and $states.errorOutput.
	outcome, errorOutput maybe
	// entering tells that the state at hand is being entered in this step, after
	// the event with the number before.
	entering bool
	before   int64
}

// load makes a frame the one at hand. It is the only thing that can fail, so it
// comes before any change.
func (x *exec) load(id FrameID) error {
	f := x.s.Frames[id]
	if f == nil {
		return ErrStale
	}
	if f.Graph < 0 || f.Graph >= len(x.m.Graphs) {
		return fmt.Errorf("%w: there is no graph %d", ErrMismatch, f.Graph)
	}
	def := x.m.Graphs[f.Graph].State(f.State)
	if def == nil {
		return fmt.Errorf("%w: there is no state %q", ErrMismatch, f.State)
	}
	if id != RootFrame {
		// The way up must exist as well, for this frame may end its parents.
		if err := x.load(f.Parent); err != nil {
			return fmt.Errorf("%w: frame %d has no parent", ErrMismatch, id)
		}
	}
	x.id, x.f, x.def = id, f, def
	x.forget()
	return nil
}

// use is load for a frame that is known to be good.
func (x *exec) use(id FrameID) {
	x.f = x.s.Frames[id]
	x.id, x.def = id, x.m.Graphs[x.f.Graph].State(x.f.State)
	x.forget()
}

func (x *exec) forget() {
	x.at, x.context, x.item, x.token = nil, nil, nil, ""
	x.outcome, x.errorOutput, x.entering = maybe{}, maybe{}, false
}

// emit appends an event to the history and gives its number.
func (x *exec) emit(typ string, previous int64, d Details) int64 {
	if x.s.LastEventID >= int64(x.env.Limits.events())-1 && !x.s.Status.Done() {
		x.full = true
		return x.s.LastEventID
	}
	x.s.LastEventID++
	x.out.Events = append(x.out.Events, HistoryEvent{
		ID: x.s.LastEventID, PreviousEventID: previous, Type: typ,
		Timestamp: x.env.Now.UTC().Truncate(time.Millisecond), Details: d,
	})
	return x.s.LastEventID
}

// tell emits an event that follows the frame's newest one.
func (x *exec) tell(typ string, d Details) {
	x.f.Prev = x.emit(typ, x.f.Prev, d)
}

func (x *exec) do(c Command) { x.out.Commands = append(x.out.Commands, c) }

func (x *exec) setTimer(id FrameID, kind TimerKind, at time.Time) TimerID {
	x.s.LastTimer++
	x.do(SetTimer{Frame: id, ID: x.s.LastTimer, Kind: kind, At: at})
	return x.s.LastTimer
}

// runtime is a States.Runtime error of the state at hand.
func (x *exec) runtime(format string, args ...any) *failure {
	return x.broken(errRuntime, fmt.Sprintf(format, args...))
}

// maxCause is how long a cause may be on AWS.
const maxCause = 32_768

// broken is an error of the engine in the state at hand.
func (x *exec) broken(name, msg string) *failure {
	if x.trace != nil {
		return fail(name, msg) // as AWS tells it of a state that is tested
	}
	cause := fmt.Sprintf("An error occurred while executing the state '%s' (entered at the event id #%d). %s",
		x.f.State, x.f.EnteredEvent, msg)
	if len(cause) > maxCause {
		cause = strings.ToValidUTF8(cause[:maxCause], "")
	}
	return fail(name, cause)
}

// path evaluates a path, wherever it starts.
func (x *exec) path(p *jsonpath.Path) (value.Value, error) {
	kind, name := p.Root()
	root := x.at
	switch kind {
	case jsonpath.RootContext:
		root = x.contextObject()
	case jsonpath.RootVariable:
		var ok bool
		if root, ok = x.variable(name); !ok {
			return nil, &jsonpath.NotFoundError{Msg: fmt.Sprintf("the variable '$%s' has not been assigned", name)}
		}
	}
	return p.Eval(root)
}

// variable finds a variable in the frame's scope or in one around it.
func (x *exec) variable(name string) (value.Value, bool) {
	for id := x.id; ; {
		f := x.s.Frames[id]
		if o, ok := f.Vars.Value().(*value.Object); ok {
			if v, ok := o.Get(name); ok {
				return v, true
			}
		}
		if id == RootFrame {
			return nil, false
		}
		id = f.Parent
	}
}

// eval evaluates a path or a call; field is the name of the field it stands in.
func (x *exec) eval(e *expr, field string) (value.Value, *failure) {
	if e.call != nil {
		v, err := e.call.Eval(&intrinsic.Env{Path: x.path, Rand: x.env.Rand, NewUUID: x.env.NewUUID, MaxBytes: x.env.Limits.payload()})
		return v, x.intrinsicFailure(err)
	}
	v, err := x.path(e.path)
	if err != nil {
		return nil, x.runtime("The JSONPath '%s' specified for the field '%s' could not be found in the input '%s'",
			e.text, field, x.shown())
	}
	return v, nil
}

func (x *exec) intrinsicFailure(err error) *failure {
	switch err := err.(type) {
	case nil:
		return nil
	case *intrinsic.PathError:
		return x.runtime("%s '%s'", err, x.shown())
	}
	return x.broken(errIntrinsic, err.Error())
}

// plain evaluates a path of a field such as InputPath.
func (x *exec) plain(e *expr) (value.Value, *failure) {
	if e.call != nil {
		return x.eval(e, e.text)
	}
	v, err := x.path(e.path)
	if err != nil {
		return nil, x.runtime("Invalid path '%s' : %s", e.text, err)
	}
	return v, nil
}

// fill evaluates a payload template.
func (x *exec) fill(t *template) (value.Value, *failure) {
	switch {
	case t.constant:
		return t.lit, nil
	case t.items != nil:
		a := make(value.Array, len(t.items))
		for i, item := range t.items {
			v, f := x.fill(item)
			if f != nil {
				return nil, f
			}
			a[i] = v
		}
		return a, nil
	}
	o := &value.Object{}
	for _, m := range t.members {
		var v value.Value
		var f *failure
		if m.inner.expr != nil {
			v, f = x.eval(m.inner.expr, m.field)
		} else {
			v, f = x.fill(m.inner)
		}
		if f != nil {
			return nil, f
		}
		o.Set(m.key, v)
	}
	return o, nil
}

// shown is what $ stands for, for a cause; "…" when that is too long.
func (x *exec) shown() string {
	if _, large := value.Measure(x.at, value.MaxDepth, x.env.Limits.payload()); large {
		return "…"
	}
	return value.Text(x.at)
}
