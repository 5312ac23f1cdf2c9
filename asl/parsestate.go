package asl

import (
	"slices"
	"strings"

	"github.com/internal-app-portal/iap/asl/value"
)

var stateTypes = []string{"Task", "Wait", "Pass", "Succeed", "Fail", "Choice", "Parallel", "Map"}

// fieldsOf lists the fields of a type besides those that every state has.
func fieldsOf(t StateType) []string {
	common := []string{"Type", "Comment", "QueryLanguage"}
	io := []string{"InputPath", "OutputPath", "Assign"}
	result := []string{"Parameters", "ResultPath", "ResultSelector", "Retry", "Catch", "Next", "End"}
	switch t {
	case TypeTask:
		return slices.Concat(common, io, result, []string{"Resource", "TimeoutSeconds", "TimeoutSecondsPath",
			"HeartbeatSeconds", "HeartbeatSecondsPath", "Credentials"})
	case TypePass:
		return slices.Concat(common, io, []string{"Result", "Parameters", "ResultPath", "Next", "End"})
	case TypeChoice:
		return slices.Concat(common, io, []string{"Choices", "Default"})
	case TypeWait:
		return slices.Concat(common, io, []string{"Seconds", "SecondsPath", "Timestamp", "TimestampPath", "Next", "End"})
	case TypeSucceed:
		return slices.Concat(common, io[:2])
	case TypeFail:
		return slices.Concat(common, []string{"Error", "Cause", "ErrorPath", "CausePath"})
	case TypeParallel:
		return slices.Concat(common, io, result, []string{"Branches"})
	}
	return slices.Concat(common, io, result, []string{"Iterator", "ItemProcessor", "ItemsPath", "ItemSelector",
		"MaxConcurrency", "MaxConcurrencyPath", "Label", "ItemReader", "ItemBatcher", "ResultWriter",
		"ToleratedFailureCount", "ToleratedFailureCountPath", "ToleratedFailurePercentage", "ToleratedFailurePercentagePath"})
}

// state reads one state; nil when its type is not known.
func (c *checker) state(n *node, lang QueryLanguage, t *targets) *StateDef {
	if !c.isObject(n) {
		return nil
	}
	typ, ok := c.required(n, "Type")
	if !ok {
		return nil
	}
	name, _ := typ.v.(string)
	if !slices.Contains(stateTypes, name) {
		c.suggest(typ, CodeSchema, nearest(name, stateTypes), "The field 'Type' should have one of these values: [%s]", strings.Join(stateTypes, ", "))
		return nil
	}
	s := &StateDef{Name: n.key, Type: StateType(name), QueryLanguage: lang, pointer: n.pointer()}
	s.Line, s.Column = c.lineColumn(n.pos.Offset)
	s.Comment = c.optionalString(n, "Comment")
	if own := c.queryLanguage(n); own != "" {
		s.QueryLanguage = own
	}
	if s.QueryLanguage == JSONata {
		c.partial = true
		return s // its fields are others
	}
	c.unknown(n, fieldsOf(s.Type))
	c.dataFields(n, s)
	c.ownFields(n, s, t)
	c.transition(n, s, t)
	c.errorFields(n, s, t)
	return s
}

// dataFields reads the fields that shape input and output.
func (c *checker) dataFields(n *node, s *StateDef) {
	p := &s.spec
	if s.Type != TypeFail {
		p.inputPath = c.pathField(n, "InputPath")
		p.outputPath = c.pathField(n, "OutputPath")
		p.assign = c.assign(n)
	}
	switch s.Type {
	case TypePass, TypeTask, TypeParallel, TypeMap:
		p.resultPath = c.resultPath(n)
		p.parameters = c.templateField(n, "Parameters")
		p.resultSelector = c.templateField(n, "ResultSelector")
	}
}

func (c *checker) ownFields(n *node, s *StateDef, t *targets) {
	switch s.Type {
	case TypePass:
		if f, ok := n.field("Result"); ok {
			s.spec.pass = value.Of(f.v)
		}
	case TypeTask:
		c.task(n, s)
	case TypeChoice:
		c.choices(n, s, t)
	case TypeWait:
		c.wait(n, s)
	case TypeFail:
		c.failState(n, s)
	case TypeParallel:
		c.parallel(n, s)
	case TypeMap:
		c.mapState(n, s)
	}
}

// transition reads Next and End.
func (c *checker) transition(n *node, s *StateDef, t *targets) {
	switch s.Type {
	case TypeChoice, TypeSucceed, TypeFail:
		return
	}
	next, hasNext := n.field("Next")
	end, hasEnd := n.field("End")
	if hasEnd {
		if b, ok := end.v.(bool); ok {
			s.End = b
		} else {
			c.wrongType(end, "boolean")
		}
	}
	switch {
	case hasNext && s.End:
		c.schema(n, "A state must have 'Next' or \"End\": true, not both")
	case !hasNext && !s.End:
		c.schema(n, "The field 'Next' is required but was missing: a state must have 'Next' or \"End\": true")
	case hasNext:
		if to, ok := c.text(next); ok {
			s.Next = to
			s.Edges = append(s.Edges, Edge{Kind: EdgeNext, To: to})
			t.add(next, to)
		}
	}
}

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
		r.interval = float64(c.positive(f))
	}
	if f, ok := n.field("MaxAttempts"); ok {
		r.attempts = int(c.natural(f))
	}
	if f, ok := n.field("BackoffRate"); ok {
		if r.backoff = c.number(f); r.backoff < 1 {
			c.schema(f, "The field 'BackoffRate' must be a number from 1.0 on")
		}
	}
	if f, ok := n.field("MaxDelaySeconds"); ok {
		r.maxDelay = float64(c.positive(f))
		if r.maxDelay <= r.interval {
			c.schema(f, "The field 'MaxDelaySeconds' must be greater than IntervalSeconds (%g)", r.interval)
		}
	}
	if f, ok := n.field("JitterStrategy"); ok {
		r.fullJitter = f.v == "FULL"
		if !r.fullJitter && f.v != "NONE" {
			c.schema(f, "The field 'JitterStrategy' should have one of these values: [FULL, NONE]")
		}
	}
	return r
}

func (c *checker) catcher(n *node, last bool, s *StateDef, t *targets) catcher {
	c.unknown(n, []string{"Comment", "ErrorEquals", "ResultPath", "Next", "Assign"})
	k := catcher{errors: c.errorEquals(n, last), resultPath: c.resultPath(n), assign: c.assign(n)}
	if f, ok := c.required(n, "Next"); ok {
		if to, ok := c.text(f); ok {
			k.next = to
			s.Edges = append(s.Edges, Edge{Kind: EdgeCatch, To: to, Label: strings.Join(k.errors, ", ")})
			t.add(f, to)
		}
	}
	return k
}

// errorEquals reads a list of error names; States.ALL must stand alone and last.
func (c *checker) errorEquals(n *node, last bool) []string {
	f, ok := c.required(n, "ErrorEquals")
	if !ok || !c.isArray(f) {
		return nil
	}
	var names []string
	for _, item := range f.items() {
		name, ok := c.text(item)
		if !ok {
			continue
		}
		names = append(names, name)
		if strings.HasPrefix(name, "States.") && !slices.Contains(errorNames, name) {
			c.suggest(item, CodeSchema, nearest(name, errorNames), "There is no error '%s': names that start with 'States.' are reserved", name)
		}
	}
	if len(names) == 0 {
		c.schema(f, "The field 'ErrorEquals' must name at least one error")
	}
	if slices.Contains(names, errAll) && (len(names) > 1 || !last) {
		c.schema(f, "%s must appear alone in 'ErrorEquals' and in the last entry", errAll)
	}
	return names
}

// branches reads the graphs of a Parallel state.
func (c *checker) parallel(n *node, s *StateDef) {
	f, ok := c.required(n, "Branches")
	if !ok || !c.isArray(f) {
		return
	}
	if len(f.items()) == 0 {
		c.schema(f, "The field 'Branches' must have at least one branch")
	}
	for _, b := range f.items() {
		if c.isObject(b) {
			c.unknown(b, []string{"Comment", "StartAt", "States"})
			s.Graphs = append(s.Graphs, c.graph(b, s.QueryLanguage))
		}
	}
}
