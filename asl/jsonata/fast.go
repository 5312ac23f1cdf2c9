package jsonata

import (
	"slices"

	"github.com/internal-app-portal/iap/asl/value"
)

// nothing is JSONata's undefined, within an evaluation.
type nothing struct{}

// sequence is what lookups gather; unlike an array it is flattened, and one of
// length 1 is its only item.
type sequence []value.Value

// quickCalls are the functions that are evaluated in Go.
var quickCalls = []string{"exists", "not", "boolean", "count", "string", "uppercase", "lowercase"}

// quick tells whether all of a tree is of the kinds that fast knows.
func quick(n *node) bool {
	if n.keepArray {
		return false
	}
	switch n.kind {
	case kString, kNumber, kValue:
		return true
	case kVariable:
		return n.text != "" && n.text != "$"
	case kUnary, kBlock, kArray, kObject, kCondition:
		return !slices.ContainsFunc(n.kids, func(k *node) bool { return !quick(k) })
	case kFunction:
		return len(n.kids) == 2 && n.kids[1].kind == kVariable && slices.Contains(quickCalls, n.kids[1].text) && quick(n.kids[0])
	case kBinary:
		switch n.text {
		case ".":
			_, ok := pathOf(n)
			return ok
		case "[":
			_, ok := index(n.kids[1])
			return ok && n.kids[0].kind != kName && quick(n.kids[0]) && !isPath(n.kids[0])
		case "=", "!=", "<", "<=", ">", ">=", "and", "or", "&", "+", "-", "*", "/", "%", "?:", "??":
			return quick(n.kids[0]) && quick(n.kids[1])
		}
	}
	return false
}

// index gives the number of a predicate that is a whole number.
func index(n *node) (int, bool) {
	sign := 1
	if n.kind == kUnary {
		n, sign = n.kids[0], -1
	}
	i := int(n.num)
	return sign * i, n.kind == kNumber && float64(i) == n.num && !n.keepArray
}

// path is a variable and the names that are looked up in it.
type path struct {
	first *node // a variable, perhaps with predicates
	steps []step
}

type step struct {
	name       string
	predicates []int
}

// pathOf reads the tree of a.b.c, which leans to the left.
func pathOf(n *node) (path, bool) {
	var p path
	for n.kind == kBinary && n.text == "." && !n.keepArray {
		s, ok := stepOf(n.kids[1])
		if !ok {
			return p, false
		}
		p.steps = append(p.steps, s)
		n = n.kids[0]
	}
	slices.Reverse(p.steps)
	p.first = n
	return p, unfiltered(n).kind == kVariable && quick(n)
}

func stepOf(n *node) (step, bool) {
	var s step
	for n.kind == kBinary && n.text == "[" && !n.keepArray {
		i, ok := index(n.kids[1])
		if !ok {
			return s, false
		}
		s.predicates = append(s.predicates, i)
		n = n.kids[0]
	}
	slices.Reverse(s.predicates)
	s.name = n.text
	return s, (n.kind == kName || n.kind == kString) && !n.keepArray
}

// fast evaluates in Go. Whatever is not surely as in the engine, errors
// included, it leaves to the engine: the second result is then false.
type fast struct{ env Env }

func (f fast) eval(n *node) (value.Value, bool) {
	switch n.kind {
	case kString:
		return n.text, true
	case kNumber:
		return number(n.num), true
	case kValue:
		return map[string]value.Value{"true": true, "false": false}[n.text], true
	case kVariable:
		return f.variable(n.text)
	case kUnary:
		return f.negative(n.kids[0])
	case kBlock:
		var v value.Value = nothing{}
		for _, kid := range n.kids {
			var ok bool
			if v, ok = f.eval(kid); !ok {
				return nil, false
			}
		}
		return v, true
	case kArray:
		return f.array(n.kids)
	case kObject:
		return f.object(n.kids)
	case kCondition:
		return f.condition(n)
	case kFunction:
		return f.call(n.kids[1].text, n.kids[0])
	}
	switch n.text {
	case ".":
		return f.path(n)
	case "[":
		v, ok := f.eval(n.kids[0])
		if !ok {
			return nil, false
		}
		i, _ := index(n.kids[1])
		return single(filter(v, i)), true
	}
	return f.binary(n)
}

func (f fast) variable(name string) (value.Value, bool) {
	if name == "states" {
		return allStates(f.env), true
	}
	if v, ok := f.env.Variable(name); ok {
		return v, true
	}
	// A function is the engine's.
	return nothing{}, !slices.Contains(builtins, name) && !slices.Contains(awsFunctions, name)
}

// path looks names up, one after the other, in all that the step before gave.
func (f fast) path(n *node) (value.Value, bool) {
	p, _ := pathOf(n)
	steps := p.steps
	var v value.Value
	if p.first.kind == kVariable && p.first.text == "states" && len(steps[0].predicates) == 0 {
		// Not to build all of $states for one of its fields.
		field, ok := f.env.States(steps[0].name)
		if !ok {
			return nothing{}, true
		}
		if steps = steps[1:]; len(steps) == 0 {
			return field, true
		}
		v = field
	} else {
		var ok bool
		if v, ok = f.eval(p.first); !ok {
			return nil, false
		}
	}
	items := flat(nil, v)
	for i, s := range steps {
		results := make([]value.Value, 0, len(items))
		for _, item := range items {
			r := single(lookup(item, s.name))
			for _, at := range s.predicates {
				r = filter(r, at)
			}
			if r != (nothing{}) {
				results = append(results, r)
			}
		}
		if i == len(steps)-1 && len(results) == 1 {
			if a, ok := results[0].(value.Array); ok {
				return a, true
			}
		}
		items = items[:0:0]
		for _, r := range results {
			items = flat(items, r)
		}
	}
	return single(sequence(items)), true
}
