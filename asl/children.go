package asl

import (
	"slices"
	"strings"

	"github.com/internal-app-portal/iap/asl/value"
)

// inlineConcurrency is how many iterations of an inline Map run at once at
// most, as on AWS.
const inlineConcurrency = 40

func (x *exec) runParallel() *failure {
	read := x.parameters
	if x.isQuery() {
		read = x.arguments
	}
	input, f := read()
	if f != nil {
		return f
	}
	data, f := x.store(input)
	if f != nil {
		return f
	}
	x.tell("ParallelStateStarted", Details{})
	x.f.Phase = PhaseChildren
	x.f.Children = &Children{Total: len(x.def.Graphs), Next: len(x.def.Graphs)}
	for i, g := range x.def.Graphs {
		x.spawn(g, i, data, x.f.Prev)
	}
	return nil
}

// spawn makes the frame of a branch or iteration; it is ready at once.
func (x *exec) spawn(g *Graph, index int, data value.JSON, previous int64) {
	x.s.LastFrame++
	id := x.s.LastFrame
	x.s.Frames[id] = &Frame{Parent: x.id, Index: index, Graph: g.Number, State: g.StartAt,
		Phase: PhaseReady, Data: data, Prev: previous}
	x.out.Ready = append(x.out.Ready, id)
}

func (x *exec) runMap() *failure {
	if f := x.effectiveInput(); f != nil {
		return f
	}
	var items value.Value
	var f *failure
	run := x.def.spec.iterate.run
	if run == nil || run.reader == nil {
		if items, f = x.mapItems(); f != nil {
			return f
		}
	}
	x.see(stageItems, items)
	limit, f := x.mapConcurrency()
	if f != nil {
		return f
	}
	x.see(stageLimit, value.Int(limit))
	if run != nil {
		return x.runDistributed(items, limit)
	}
	if f := x.toleratedQuery(); f != nil {
		return f
	}
	if limit == 0 || limit > inlineConcurrency {
		limit = inlineConcurrency
	}
	list, _ := items.(value.Array)
	total := len(list)
	x.tell("MapStateStarted", Details{Length: &total})
	x.f.Phase = PhaseChildren
	x.f.Children = &Children{Total: total, Limit: int(limit), Items: value.Of(list)}
	if input := x.text(x.at); input.String() != x.f.Data.String() {
		x.f.Children.Input = input
	}
	if total == 0 {
		return x.joined(x.f.Prev)
	}
	for range min(int(limit), total) {
		if f := x.iterate(x.f.Prev); f != nil {
			return f
		}
	}
	return nil
}

// mapItems finds what a Map state goes through: an array or, when it is
// distributed, an object.
func (x *exec) mapItems() (value.Value, *failure) {
	if x.isQuery() {
		return x.itemsQuery()
	}
	m := x.def.spec.iterate
	items, path := x.at, "$"
	if m.items != nil {
		v, f := x.plain(m.items)
		if f != nil {
			return nil, f
		}
		// A path into the Context Object is named without its first $.
		items, path = v, strings.Replace(m.items.text, "$$", "$", 1)
	}
	_, isList := items.(value.Array)
	_, isObject := items.(*value.Object)
	if !isList && !(isObject && m.run != nil) {
		return nil, x.runtime("Reference path \"%s\" must point to array.", path)
	}
	return items, nil
}

// mapConcurrency evaluates MaxConcurrency; 0 is no limit.
func (x *exec) mapConcurrency() (int64, *failure) {
	m := x.def.spec.iterate
	if m.concurrencyQuery != nil {
		return x.queryCount(amount{query: m.concurrencyQuery})
	}
	if m.concurrencyPath != nil {
		return x.natural(m.concurrencyPath, "MaxConcurrency")
	}
	return m.concurrency, nil
}

// iterate starts the next iteration of the Map state at hand.
func (x *exec) iterate(previous int64) *failure {
	c := x.f.Children
	list, _ := c.Items.Value().(value.Array)
	index, v := c.Next, list[c.Next]
	v, f := x.selected(index, v)
	if f != nil {
		return x.drop(f)
	}
	data, f := x.store(v)
	if f != nil {
		return x.drop(f)
	}
	c.Next++
	started := x.emit("MapIterationStarted", previous, Details{Name: x.f.State, Index: &index})
	x.spawn(x.def.Graphs[0], index, data, started)
	return nil
}

// selected applies ItemSelector to an item.
func (x *exec) selected(index int, item value.Value) (value.Value, *failure) {
	m, c := x.def.spec.iterate, x.f.Children
	if m.selector == nil && m.selectorQuery == nil {
		return item, nil
	}
	in := c.Input
	if in.IsZero() {
		in = x.f.Data
	}
	x.at, x.item, x.context = in.Value(), &mapItem{index: index, value: item}, nil
	defer func() { x.item, x.context = nil, nil }()
	if m.selectorQuery != nil {
		return x.fillQuery(m.selectorQuery)
	}
	return x.fill(m.selector)
}

// drop removes the iterations that run when another one cannot start.
func (x *exec) drop(f *failure) *failure {
	x.removeChildren(x.id, true)
	x.f.Children = nil
	return f
}

// childDone takes the end of the frame at hand up to its parent.
func (x *exec) childDone() {
	last, index := x.f.Prev, x.f.Index
	x.use(x.f.Parent)
	x.f.Children.Done++
	ended := last
	if x.def.Type == TypeMap {
		ended = x.emit("MapIterationSucceeded", last, Details{Name: x.f.State, Index: &index})
	}
	c := x.f.Children
	var f *failure
	switch {
	case c.Done == c.Total:
		f = x.joined(ended)
	case c.Next < c.Total:
		f = x.iterate(last)
	}
	if f != nil {
		x.failed(f)
	}
}

// joined leaves a state all of whose children are done.
func (x *exec) joined(last int64) *failure {
	results := make(value.Array, x.f.Children.Total)
	for _, id := range x.children(x.id) {
		child := x.s.Frames[id]
		results[child.Index] = child.Data.Value()
	}
	x.removeChildren(x.id, false)
	x.f.Prev = last
	// The state's exit follows the same event as its success.
	x.emit(string(x.def.Type)+"StateSucceeded", last, Details{})
	return x.leave(results)
}

// childFailed takes the error of the frame at hand up to its parent: the
// siblings are cancelled, and the parent's state fails.
func (x *exec) childFailed(f *failure) {
	id, last, index, typ := x.id, x.f.Prev, x.f.Index, x.def.Type
	parent := x.f.Parent
	x.use(parent)
	x.remember(parent)
	x.removeTree(id)
	if x.def.Type == TypeMap {
		x.emit("MapIterationFailed", last, Details{Name: x.f.State, Index: &index})
	} else if aborts(typ) {
		x.emit(string(typ)+"StateAborted", last, Details{})
	}
	x.removeChildren(parent, true)
	x.f.Prev = last
	x.f.Children = nil
	if x.retry(f) {
		return
	}
	x.tell(string(x.def.Type)+"StateFailed", Details{})
	x.giveUp(f)
}

// aborts tells whether there is an event for the abortion of such a state.
func aborts(t StateType) bool {
	return t == TypeTask || t == TypeWait || t == TypeParallel || t == TypeMap
}

// children lists the frames right under one, lowest number first.
func (x *exec) children(parent FrameID) []FrameID {
	var ids []FrameID
	for id, f := range x.s.Frames {
		if id != RootFrame && f.Parent == parent {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids
}

// removeChildren removes all frames under one; with abort it tells what is
// aborted by that.
func (x *exec) removeChildren(parent FrameID, abort bool) {
	for _, id := range x.children(parent) {
		if f := x.s.Frames[id]; abort && f.Phase != PhaseDone {
			x.abort(id, f)
		}
		x.removeTree(id)
	}
}

// abort writes the events of a frame that is cancelled.
func (x *exec) abort(id FrameID, f *Frame) {
	if f.Phase == PhaseChildren {
		for _, child := range x.children(id) {
			if c := x.s.Frames[child]; c.Phase != PhaseDone {
				x.abort(child, c)
			}
		}
	}
	if f.Phase == PhaseMapRun {
		f.Prev = x.emit("MapRunAborted", f.Prev, Details{})
	}
	def := x.m.Graphs[f.Graph].State(f.State)
	if def != nil && f.Phase != PhaseReady && aborts(def.Type) {
		f.Prev = x.emit(string(def.Type)+"StateAborted", f.Prev, Details{})
	}
	parent := x.s.Frames[f.Parent]
	if parent.Children != nil && !parent.Children.Items.IsZero() {
		index := f.Index
		x.emit("MapIterationAborted", f.Prev, Details{Name: parent.State, Index: &index})
	}
}

// removeTree removes a frame and all under it, and cancels their work.
func (x *exec) removeTree(id FrameID) {
	for _, child := range x.children(id) {
		x.removeTree(child)
	}
	x.cancel(id, x.s.Frames[id])
	delete(x.s.Frames, id)
	x.out.Ready = slices.DeleteFunc(x.out.Ready, func(r FrameID) bool { return r == id })
}

// cancel gives back what a frame has running outside.
func (x *exec) cancel(id FrameID, f *Frame) {
	switch f.Phase {
	case PhaseTask:
		x.cancelTask(id, f)
	case PhaseMapRun:
		x.do(StopMapRun{Frame: id, Attempt: f.Attempt, ARN: f.MapRun})
	}
	for _, t := range []TimerID{f.Timer, f.Heartbeat} {
		if t != 0 {
			x.do(CancelTimer{id, t})
		}
	}
}

func (x *exec) cancelTask(id FrameID, f *Frame) {
	c := CancelTask{Frame: id, Attempt: f.Attempt, State: f.State}
	if def := x.m.Graphs[f.Graph].State(f.State); def != nil {
		c.Resource = def.Resource
	}
	x.do(c)
}
