package edit

import (
	"fmt"

	"github.com/internal-app-portal/iap/asl"
)

// reference is a text that names a state, with what it stands in.
type reference struct {
	*node
	holder *node // the state, region, choice or catcher of which it is a member
	list   *node // the array that holds the holder; nil for states and regions
	state  *node // the state that it is in; nil for StartAt
}

// references finds all that name a state: they are in its own region.
func (e *editor) references(s *place) []reference {
	var out []reference
	add := func(holder, list, state *node, key string) {
		if f := holder.field(key); f != nil && f.v == s.key {
			out = append(out, reference{f, holder, list, state})
		}
	}
	add(s.region, nil, nil, "StartAt")
	states := s.region.field("States")
	for _, o := range states.kids {
		add(o, nil, o, "Next")
		add(o, nil, o, "Default")
		for _, key := range []string{"Choices", "Catch"} {
			for _, c := range o.items(key) {
				add(c, o.field(key), o, "Next")
			}
		}
	}
	return out
}

// leadAway changes what names a state that is taken away.
func (e *editor) leadAway(r reference, next string) {
	switch {
	case next != "":
		e.replace(r.at, r.end, quote(next))
	case r.list != nil:
		e.drop(r.list, r.holder)
	case r.state == nil:
		e.replace(r.at, r.end, `""`)
	case r.key == "Default":
		e.drop(r.holder, r.node)
	default:
		e.endHere(r.holder)
	}
}

// endHere has a state end its region: its Next becomes an End.
func (e *editor) endHere(s *node) {
	if next := s.field("Next"); next != nil {
		e.replace(next.keyAt, next.end, `"End": true`)
		return
	}
	if s.field("End") == nil {
		e.insert(s, len(s.kids), `"End": true`)
	}
}

// lead has a state go on with another: its End becomes a Next.
func (e *editor) lead(s *node, to string) {
	if next := s.field("Next"); next != nil {
		e.replace(next.at, next.end, quote(to))
		if end := s.field("End"); end != nil {
			e.drop(s, end)
		}
		return
	}
	if end := s.field("End"); end != nil {
		e.replace(end.keyAt, end.end, `"Next": `+quote(to))
		return
	}
	e.insert(s, len(s.kids), `"Next": `+quote(to))
}

// join leads a way from a state to another of the same region.
func (e *editor) join(c Change) error {
	from, err := e.state("from", c.From)
	if err != nil {
		return err
	}
	to, err := e.state("to", c.To)
	if err != nil {
		return err
	}
	if from.region != to.region {
		return invalid("to", "%q is not beside %q: a way stays within the machine, or the branch, that it is in", c.To, c.From)
	}
	kind := c.Kind
	if kind == "" {
		kind = e.fits(from)
	}
	switch t := asl.StateType(from.str("Type")); {
	case t == asl.TypeSucceed || t == asl.TypeFail:
		return invalid("from", "a %s state ends the execution: nothing comes after it", t)
	case kind == asl.EdgeNext && t == asl.TypeChoice, (kind == asl.EdgeChoice || kind == asl.EdgeDefault) && t != asl.TypeChoice:
		return invalid("kind", "a %s state has no such way out", t)
	}
	return e.way(from, c, kind)
}

// fits is the way out that somebody means who draws a line from a state: of a
// Choice its Default first, then one more rule.
func (e *editor) fits(s *place) asl.EdgeKind {
	if s.str("Type") != string(asl.TypeChoice) {
		return asl.EdgeNext
	}
	if s.field("Default") == nil && len(s.items("Choices")) > 0 {
		return asl.EdgeDefault
	}
	return asl.EdgeChoice
}

func (e *editor) way(from *place, c Change, kind asl.EdgeKind) error {
	to := quote(c.To)
	switch kind {
	case asl.EdgeNext:
		e.lead(from.node, c.To)
	case asl.EdgeDefault:
		e.set(from.node, "Default", to)
	case asl.EdgeChoice:
		rule := fmt.Sprintf(`{ "Variable": "$.value", "IsPresent": true, "Next": %s }`, to)
		if e.jsonata(from) {
			rule = fmt.Sprintf(`{ "Condition": "{%% $exists($states.input.value) %%}", "Next": %s }`, to)
		}
		e.extend(from.node, "Choices", rule)
	case asl.EdgeCatch:
		switch asl.StateType(from.str("Type")) {
		case asl.TypeTask, asl.TypeParallel, asl.TypeMap:
		default:
			return invalid("from", "a %s state raises no errors that could be caught; Task, Parallel and Map do", from.str("Type"))
		}
		e.extend(from.node, "Catch", fmt.Sprintf(`{ "ErrorEquals": ["States.ALL"], "Next": %s }`, to))
	default:
		return invalid("kind", "%q is no kind of way; it is next, choice, default or catch", kind)
	}
	return nil
}

// extend adds an element to an array member, which it makes when it is missing.
func (e *editor) extend(s *node, key, element string) {
	list := s.field(key)
	if list == nil {
		e.insert(s, len(s.kids), quote(key)+": ["+element+"]")
		return
	}
	e.insert(list, len(list.kids), element)
}

// jsonata tells whether a state is written in JSONata.
func (e *editor) jsonata(s *place) bool {
	own := s.str("QueryLanguage")
	if own == "" {
		own = e.root.str("QueryLanguage")
	}
	return own == string(asl.JSONata)
}

// cut takes a way out of a state away.
func (e *editor) cut(c Change) error {
	from, err := e.state("from", c.From)
	if err != nil {
		return err
	}
	missing := invalid("index", "%q has no such way out", c.From)
	element := func(key string) error {
		all := from.items(key)
		if c.Index < 0 || c.Index >= len(all) {
			return missing
		}
		if len(all) == 1 && key == "Catch" {
			e.drop(from.node, from.field(key))
		} else {
			e.drop(from.field(key), all[c.Index])
		}
		return nil
	}
	switch c.Kind {
	case asl.EdgeNext:
		if from.field("Next") == nil {
			return missing
		}
		e.endHere(from.node)
	case asl.EdgeDefault:
		f := from.field("Default")
		if f == nil {
			return missing
		}
		e.drop(from.node, f)
	case asl.EdgeChoice:
		return element("Choices")
	case asl.EdgeCatch:
		return element("Catch")
	default:
		return invalid("kind", "%q is no kind of way; it is next, choice, default or catch", c.Kind)
	}
	return nil
}

// start has a region begin with a state.
func (e *editor) start(name string) error {
	s, err := e.state("from", name)
	if err != nil {
		return err
	}
	e.set(s.region, "StartAt", quote(name))
	return nil
}
