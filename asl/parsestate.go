package asl

import (
	"slices"
	"strings"

	"github.com/internal-app-portal/iap/asl/value"
)

var stateTypes = []string{"Task", "Wait", "Pass", "Succeed", "Fail", "Choice", "Parallel", "Map"}

// state reads one state; nil when its type is not known.
func (c *checker) state(n *node, t *targets) *StateDef {
	if !c.isObject(n) || !c.required(n, "Type") {
		return nil
	}
	typ, _ := n.field("Type")
	name, _ := typ.v.(string)
	if !slices.Contains(stateTypes, name) {
		c.schema(typ, "The field 'Type' should have one of these values: [%s]", strings.Join(stateTypes, ", ")).
			near(nearest(name, stateTypes))
		return nil
	}
	around := c.at
	c.at = n.key
	defer func() { c.at = around }()
	s := &StateDef{Name: n.key, Type: StateType(name), QueryLanguage: c.lang}
	s.Line, s.Column = c.lineColumn(n.pos.Offset)
	s.pointer = n.pointer()
	s.Comment = c.optionalString(n, "Comment")
	c.stateLanguage(n, s)
	known := fieldsOf(s.Type)
	c.unknown(n, known)
	c.language(n, s.QueryLanguage, known)
	c.dataFields(n, s)
	c.ownFields(n, s, t)
	c.transition(n, s, t)
	c.errorFields(n, s, t)
	return s
}

// stateLanguage reads a state's own query language: a state may turn to
// JSONata, but not back.
func (c *checker) stateLanguage(n *node, s *StateDef) {
	switch own := c.queryLanguage(n); {
	case own == "":
	case own == JSONPath && c.lang == JSONata:
		c.schema(n, "'QueryLanguage' can not be 'JSONPath' if set to 'JSONata' for whole state machine")
		s.QueryLanguage = own
	default:
		s.QueryLanguage = own
	}
}

// dataFields reads the fields that shape input and output.
func (c *checker) dataFields(n *node, s *StateDef) {
	p := &s.spec
	if s.QueryLanguage == JSONata {
		if s.Type != TypeFail {
			p.output = c.queryField(n, "Output")
		}
		switch s.Type {
		case TypeTask, TypeParallel:
			p.arguments = c.queryField(n, "Arguments")
		}
		switch s.Type {
		case TypeSucceed, TypeFail:
		default:
			p.assignQuery = c.assignQuery(n)
		}
		return
	}
	if s.Type != TypeFail {
		p.inputPath = c.pathField(n, "InputPath")
		p.outputPath = c.pathField(n, "OutputPath")
	}
	switch s.Type {
	case TypeSucceed, TypeFail:
	default:
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
			c.staticResult(f)
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
		c.onlyOne(n, "Next", "End")
	case !hasNext && !s.End:
		c.schema(n, "This object should have only one of the following fields: [Next, End]")
		t.whole = false
	case hasNext:
		if to, ok := t.next(next); ok {
			s.Next = to
			s.Edges = append(s.Edges, Edge{Kind: EdgeNext, To: to})
		}
	}
}

// parallel reads the branches of a Parallel state.
func (c *checker) parallel(n *node, s *StateDef) {
	f, ok := n.field("Branches")
	if !c.required(n, "Branches") || !ok || !c.isArray(f) {
		return
	}
	c.notEmpty(f)
	for _, b := range f.items() {
		if c.isObject(b) {
			c.unknown(b, []string{"Comment", "StartAt", "States"})
			s.Graphs = append(s.Graphs, c.graph(b))
		}
	}
}
