package jsonata

import "slices"

// names gathers what an expression refers to.
type names struct {
	all    []string // every variable that is named, bound or not
	free   []string // those that the expression does not bind itself
	states []string // the fields of $states, in order; "" for all of them
	// fields are names that are looked up in the input of the whole expression;
	// "$" is that input itself.
	fields []string
}

// scope is the variables that are bound where a node stands.
type scope struct {
	bound  []string
	parent *scope
}

func (s *scope) has(name string) bool {
	for ; s != nil; s = s.parent {
		if slices.Contains(s.bound, name) {
			return true
		}
	}
	return false
}

func (c *names) variable(name string, s *scope) {
	c.all = addName(c.all, name)
	if !s.has(name) {
		c.free = addName(c.free, name)
	}
}

func addName(list []string, name string) []string {
	if slices.Contains(list, name) {
		return list
	}
	return append(list, name)
}

// walk gathers the names under a node; top tells that the node is evaluated with
// the input of the whole expression, which in Step Functions there is not.
func (c *names) walk(n *node, s *scope, top bool) {
	switch n.kind {
	case kName:
		if top {
			c.fields = addName(c.fields, n.text)
		}
	case kVariable:
		if n.text == "" && top {
			c.fields = addName(c.fields, "$")
		}
		c.variable(n.text, s)
		if n.text == "states" && !s.has("states") {
			c.states = addName(c.states, "")
		}
	case kBlock:
		inner := &scope{parent: s}
		for _, kid := range n.kids {
			c.walk(kid, inner, top)
		}
	case kLambda:
		inner := &scope{parent: s}
		last := len(n.kids) - 1
		for _, arg := range n.kids[:last] {
			c.all = addName(c.all, arg.text)
			inner.bound = append(inner.bound, arg.text)
		}
		c.walk(n.kids[last], inner, top)
	case kBinary:
		c.binary(n, s, top)
	case kGroup, kSort:
		c.walk(n.kids[0], s, top)
		for _, kid := range n.kids[1:] {
			c.walk(kid, s, false)
		}
	case kTransform:
		for _, kid := range n.kids {
			c.walk(kid, s, false)
		}
	default:
		for _, kid := range n.kids {
			c.walk(kid, s, top)
		}
	}
}

func (c *names) binary(n *node, s *scope, top bool) {
	left, right := n.kids[0], n.kids[1]
	switch n.text {
	case ":=":
		// A function may call itself, so the name is bound within its own value.
		s.bound = append(s.bound, left.text)
		c.all = addName(c.all, left.text)
		c.walk(right, s, top)
	case "@", "#":
		c.walk(left, s, top)
		s.bound = append(s.bound, right.text)
		c.all = addName(c.all, right.text)
	case ".":
		if field, ok := statesField(left, right); ok && !s.has("states") {
			c.variable("states", s)
			c.states = addName(c.states, field)
			for n := right; n.kind == kBinary; n = n.kids[0] {
				c.walk(n.kids[1], s, false)
			}
			return
		}
		c.walk(left, s, top)
		c.walk(right, s, false)
	case "[":
		c.walk(left, s, top)
		c.walk(right, s, false)
	default:
		c.walk(left, s, top)
		c.walk(right, s, top)
	}
}

// statesField finds the field of $states that a path begins with.
func statesField(left, right *node) (string, bool) {
	if left.kind != kVariable || left.text != "states" || left.keepArray {
		return "", false
	}
	if name := unfiltered(right); name.kind == kName || name.kind == kString {
		return name.text, true
	}
	return "", false
}
