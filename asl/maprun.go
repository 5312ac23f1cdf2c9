package asl

import (
	"strings"

	"github.com/internal-app-portal/iap/asl/value"
)

// PhaseMapRun is the phase of a frame that waits for the end of a map run.
const PhaseMapRun Phase = "map_run"

// runDistributed orders the run of a distributed Map state. items is nil when
// they come from an ItemReader.
func (x *exec) runDistributed(items value.Value, concurrency int64) *failure {
	run := x.def.spec.iterate.run
	length := 0
	switch items := items.(type) {
	case value.Array:
		length = len(items)
	case *value.Object:
		length = items.Len()
	}
	x.tell("MapStateStarted", Details{Length: &length})
	o := MapRunOrder{Label: run.label, State: x.f.State, StateGraph: x.f.Graph, Graph: x.def.Graphs[0].Number,
		Express: run.express, MaxConcurrency: concurrency}
	if o.Label == "" {
		o.Label = labelOf(x.f.State)
	}
	if f := x.tolerance(&o); f != nil {
		return f
	}
	if run.reader == nil {
		o.Items = x.text(items)
	}
	for _, part := range []func(*mapRunSpec, *MapRunOrder) *failure{x.reader, x.batcher, x.writer} {
		if f := part(run, &o); f != nil {
			return f
		}
	}
	o.Scope = x.scope()
	x.f.Attempt++
	o.ARN = x.newMapRun(x.f.Attempt, o.Label)
	x.f.Phase, x.f.MapRun, x.f.MapRedrives = PhaseMapRun, o.ARN, 0
	x.tell("MapRunStarted", Details{MapRunARN: o.ARN})
	x.do(StartMapRun{Frame: x.id, Attempt: x.f.Attempt, Order: o})
	return nil
}

// maxLabel is how long a label may be, as on AWS.
const maxLabel = 40

// labelOf makes the label of a Map state that has none out of its name.
func labelOf(state string) string {
	var b strings.Builder
	for _, r := range state {
		if r < 0x80 && (r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r == '-' || r == '_') && b.Len() < maxLabel {
			b.WriteRune(r)
		}
	}
	return or(b.String(), "Map")
}

func (x *exec) newMapRun(attempt int, label string) string {
	if x.env.NewMapRun != nil {
		return x.env.NewMapRun(x.id, attempt, label)
	}
	id := "00000000-0000-0000-0000-000000000000"
	if x.env.NewUUID != nil {
		id = x.env.NewUUID()
	}
	return strings.Replace(x.env.StateMachine.ID, ":stateMachine:", ":mapRun:", 1) + "/" + label + ":" + id
}

// scope keeps what ItemSelector may refer to.
func (x *exec) scope() MapScope {
	s := MapScope{Data: x.f.Data, Entered: x.f.Entered, EnteredEvent: x.f.EnteredEvent, Retried: x.f.Retried}
	if input := x.text(x.at); input.String() != x.f.Data.String() {
		s.Input = input
	}
	vars := &value.Object{}
	for id := x.id; ; {
		f := x.s.Frames[id]
		if o, ok := f.Vars.Value().(*value.Object); ok {
			for _, m := range o.Members() {
				if _, inner := vars.Get(m.Key); !inner {
					vars.Set(m.Key, m.Value)
				}
			}
		}
		if id == RootFrame {
			break
		}
		id = f.Parent
	}
	if vars.Len() > 0 {
		s.Vars = value.Of(vars)
	}
	return s
}

// mapRun loads the frame of a map run and checks that this run is going on.
func (x *exec) mapRun(id FrameID, attempt int) error {
	if err := x.load(id); err != nil {
		return err
	}
	if x.f.Phase != PhaseMapRun || x.f.Attempt != attempt {
		return ErrStale
	}
	return nil
}

// redriveMapRun has the run go on that the state failed with.
func (x *exec) redriveMapRun() {
	x.f.Attempt++
	x.f.MapRedrives++
	x.f.Phase = PhaseMapRun
	count := x.f.MapRedrives
	x.tell("MapRunRedriven", Details{MapRunARN: x.f.MapRun, RedriveCount: &count})
	x.do(RedriveMapRun{Frame: x.id, Attempt: x.f.Attempt, ARN: x.f.MapRun})
}

// mapRunEnded takes the end of a map run.
func (x *exec) mapRunEnded(sig MapRunEnded) {
	x.f.Phase = phaseSettled
	if sig.Status == Succeeded {
		if err := sig.Output.Check(); err != nil {
			sig = MapRunEnded{Status: Failed, Error: errRuntime, Cause: "The result of the map run is not JSON."}
		}
	}
	if sig.Status != Succeeded {
		f := &failure{err: optional(sig.Error), cause: optional(sig.Cause)}
		x.tell("MapRunFailed", Details{Error: f.err, Cause: f.cause})
		if x.retry(f) {
			return
		}
		x.tell("MapStateFailed", Details{})
		x.giveUp(f)
		return
	}
	x.f.MapRun, x.f.MapRedrives = "", 0
	started := x.f.Prev
	ended := x.emit("MapRunSucceeded", started, Details{})
	x.emit("MapStateSucceeded", ended, Details{})
	// The state's exit follows the run's end when the Map is what the execution
	// begins with, else the run's start: so it is in all recordings but one, in
	// which AWS may have changed in 2024.
	x.f.Prev = started
	if x.f.EnteredEvent == firstEntered {
		x.f.Prev = ended
	}
	if f := x.leave(sig.Output.Value()); f != nil {
		x.failed(f)
	}
}

// firstEntered is the number of the event by which the first state is entered.
const firstEntered = 2
