package asl

import (
	"slices"

	"github.com/internal-app-portal/iap/asl/jsonpath"
)

// Codes on variables.
const (
	CodeTwoVariables = "DUPLICATE_VARIABLE_NAME"
	CodeUndefined    = "POSSIBLY_UNDEFINED_VARIABLE"
	CodeVariable     = "INVALID_VARIABLE_NAME"
	CodeReserved     = "RESERVED_VARIABLE_NAME"
)

// scope is the variables of a graph: it sees those of the graphs around it, and
// must not assign to them.
type scope struct {
	parent *scope
	// owner is the state of the parent's graph that runs this one.
	owner string
	// names has the states that assign to a variable.
	names    map[string][]string
	assigned []use
	used     []use
	// apart tells that the graph runs as executions of their own, which see
	// nothing of what is around them.
	apart bool
}

// use is a place that names a variable.
type use struct {
	at   *node
	name string
}

func (c *checker) enterScope() {
	c.scope = &scope{parent: c.scope, owner: c.at, names: map[string][]string{}}
	c.scopes = append(c.scopes, c.scope)
}

func (c *checker) leaveScope() { c.scope = c.scope.parent }

// assignTo notes that a place assigns to a variable.
func (c *checker) assignTo(n *node, name string) {
	c.variableName(n, name)
	c.scope.names[name] = append(c.scope.names[name], c.at)
	c.scope.assigned = append(c.scope.assigned, use{n, name})
}

// refer notes that a place reads a variable.
func (c *checker) refer(n *node, name string) {
	c.scope.used = append(c.scope.used, use{n, name})
}

// referPath notes the variable that a path starts at.
func (c *checker) referPath(n *node, e *expr) {
	if e.path == nil {
		return
	}
	if kind, name := e.path.Root(); kind == jsonpath.RootVariable {
		c.refer(n, name)
	}
}

// variables checks, when all assignments are known, that none hides another and
// warns of names that nothing assigns to.
func (c *checker) variables() {
	for _, s := range c.scopes {
		for _, u := range s.assigned {
			if s.hides(u.name) {
				c.problem(u.at, CodeTwoVariables, "The variable name '%s' was already defined in a parent scope.", u.name)
			}
		}
		for _, u := range s.used {
			if c.full(SeverityWarning) {
				break
			}
			if len(s.names[u.name]) == 0 && !s.outer(u.name) {
				c.warn(u.at, CodeUndefined, "Variable '%s' is possibly not defined.", u.name).near(s.nearest(u.name))
			}
		}
	}
}

// outer tells whether a scope around one assigns to a name.
func (s *scope) outer(name string) bool {
	for ; s.parent != nil && !s.apart; s = s.parent {
		if len(s.parent.names[name]) > 0 {
			return true
		}
	}
	return false
}

// hides is outer without what a state around the scope assigns itself, for that
// happens when the scope is over.
func (s *scope) hides(name string) bool {
	for ; s.parent != nil && !s.apart; s = s.parent {
		for _, state := range s.parent.names[name] {
			if state != s.owner {
				return true
			}
		}
	}
	return false
}

func (s *scope) nearest(name string) string {
	var all []string
	for at := s; at != nil; at = at.parent {
		for n := range at.names {
			all = append(all, n)
		}
	}
	slices.Sort(all)
	return nearest(name, all)
}
