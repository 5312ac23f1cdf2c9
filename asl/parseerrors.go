package asl

import (
	"slices"
	"strings"
)

// errorFields reads Retry and Catch.
func (c *checker) errorFields(n *node, s *StateDef, t *targets) {
	switch s.Type {
	case TypeTask, TypeParallel, TypeMap:
	default:
		return
	}
	if f, ok := n.field("Retry"); ok && c.isArray(f) {
		for i, r := range f.items() {
			if c.isObject(r) {
				s.spec.retry = append(s.spec.retry, c.retrier(r, i == len(f.items())-1))
			}
		}
	}
	if f, ok := n.field("Catch"); ok && c.isArray(f) {
		for i, r := range f.items() {
			if c.isObject(r) {
				s.spec.catch = append(s.spec.catch, c.catcher(r, i == len(f.items())-1, s, t))
			}
		}
	}
}

func (c *checker) retrier(n *node, last bool) retrier {
	c.unknown(n, []string{"Comment", "ErrorEquals", "IntervalSeconds", "MaxAttempts", "BackoffRate", "MaxDelaySeconds", "JitterStrategy"})
	r := retrier{errors: c.errorEquals(n, last), interval: 1, attempts: 3, backoff: 2}
	if f, ok := n.field("IntervalSeconds"); ok {
		r.interval = float64(c.natural(f))
	}
	if f, ok := n.field("MaxAttempts"); ok {
		r.attempts = int(c.natural(f))
	}
	if f, ok := n.field("BackoffRate"); ok {
		if r.backoff = c.number(f); r.backoff < 1 {
			c.schema(f, "Minimum value is 1")
		}
	}
	if f, ok := n.field("MaxDelaySeconds"); ok {
		r.maxDelay = float64(c.between(f, 1, maxDelayLimit))
		if r.maxDelay >= 1 && r.maxDelay <= r.interval {
			c.schema(f, "The field 'MaxDelaySeconds' must be greater than IntervalSeconds (%g)", r.interval)
		}
	}
	if f, ok := n.field("JitterStrategy"); ok {
		r.fullJitter = c.oneOf(f, "NONE", "FULL") == "FULL"
	}
	return r
}

// maxDelayLimit is a leap year: AWS takes it, although its documentation says that
// MaxDelaySeconds is less.
const maxDelayLimit = 31_622_400

func (c *checker) catcher(n *node, last bool, s *StateDef, t *targets) catcher {
	known := []string{"Comment", "ErrorEquals", "ResultPath", "Next", "Assign", "Output"}
	c.unknown(n, known)
	c.language(n, s.QueryLanguage, known)
	k := catcher{errors: c.errorEquals(n, last)}
	if s.QueryLanguage == JSONata {
		k.output, k.assignQuery = c.queryField(n, "Output"), c.assignQuery(n)
	} else {
		k.resultPath, k.assign = c.resultPath(n), c.assign(n)
	}
	if !c.required(n, "Next") {
		t.whole = false
		return k
	}
	f, _ := n.field("Next")
	if to, ok := t.next(f); ok {
		k.next = to
		s.Edges = append(s.Edges, Edge{Kind: EdgeCatch, To: to, Label: strings.Join(k.errors, ", ")})
	}
	return k
}

// errorEquals reads a list of error names; States.ALL must stand alone and last.
func (c *checker) errorEquals(n *node, last bool) []string {
	f, ok := n.field("ErrorEquals")
	if !c.required(n, "ErrorEquals") || !ok || !c.isArray(f) {
		return nil
	}
	var names []string
	for _, item := range f.items() {
		name, ok := c.text(item)
		if !ok {
			continue
		}
		names = append(names, name)
		if strings.HasPrefix(name, "States.") && !strings.HasPrefix(name, "States.Http.") && !slices.Contains(errorNames, name) {
			c.schema(item, "There is no error '%s': names that start with 'States.' are reserved", name).
				near(nearest(name, errorNames))
		}
	}
	c.notEmpty(f)
	if slices.Contains(names, errAll) && (len(names) > 1 || !last) {
		c.schema(f, "%s must appear alone and at end of list", errAll)
	}
	return names
}
