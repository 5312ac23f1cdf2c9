// Package cases runs files of test cases for state machines, one JSON object a
// line, and compares what comes out with what is expected.
//
// What a case is, its fields tell: an execution (definition, inputText, mocks,
// expect), a TestState request (request, expectError, expect), a request that
// is refused (op, request, expect), a ValidateStateMachineDefinition request
// (request, expect), or a definition that is valid or not (definitionText,
// valid).
package cases

import (
	"fmt"

	"github.com/internal-app-portal/iap/asl/value"
)

// Kind is what a case is about.
type Kind string

// The kinds of cases.
const (
	Execution Kind = "execution"
	TestState Kind = "test-state"
	Refusal   Kind = "create-error"
	Validate  Kind = "validate"
	Lint      Kind = "definition-lint"
)

// Case is one line of a file.
type Case struct {
	ID   string
	Line int // from 1
	Kind Kind
	// Skip is why the case is not to be run; "" when it is.
	Skip string

	// Definition and Input are those of an execution, as text; Definition also
	// that of Lint.
	Definition, Input string
	Express           bool
	Mocks             Mocks
	// Valid is Lint's verdict.
	Valid bool
	// Op and Request are the action, such as create_state_machine, and what it
	// is called with.
	Op      string
	Request *value.Object
	// ExpectError tells that a TestState request is refused.
	ExpectError bool
	Expect      value.Value
	// Wildcards are JSON Pointers (RFC 6901) into Expect where any value will do.
	Wildcards map[string]bool
	// Unordered: branches ran in parallel; the types of events are compared.
	Unordered bool
}

// kinds are the fields by which each kind is known, in the order of asking.
var kinds = []struct {
	kind   Kind
	fields []string
}{
	{Execution, []string{"definition", "inputText"}},
	{Execution, []string{"definition", "input"}},
	{Lint, []string{"definitionText", "valid"}},
	{Refusal, []string{"op", "request"}},
	{TestState, []string{"request", "expectError"}},
	{Validate, []string{"request", "expect"}},
}

// Parse reads a case. With an error there may be a Case that has an ID and
// nothing else that counts.
func Parse(text []byte) (*Case, error) {
	v, err := value.Parse(text)
	if err != nil {
		return nil, err
	}
	o, ok := v.(*value.Object)
	if !ok {
		return nil, fmt.Errorf("a case must be a JSON object, and this is a JSON %s", value.Kind(v))
	}
	c := &Case{}
	for _, k := range kinds {
		if has(o, k.fields) {
			c.Kind = k.kind
			break
		}
	}
	r := reader{o: o}
	c.ID = r.text("id")
	c.Skip = r.text("skip")
	switch c.Kind {
	case Execution:
		c.execution(&r)
	case Lint:
		c.Definition, c.Valid = r.text("definitionText"), r.boolean("valid")
	case Refusal, TestState, Validate:
		c.Op, c.Request, c.ExpectError = r.text("op"), r.object("request"), r.boolean("expectError")
	default:
		return c, fmt.Errorf("this is no case: it needs definition, inputText and expect; or definitionText and valid; " +
			"or request and expect, with op or expectError where they belong")
	}
	if c.Kind != Lint {
		if c.Expect, ok = o.Get("expect"); !ok {
			r.fail("expect", "is missing: it says what is to come out")
		}
	}
	c.Wildcards = map[string]bool{}
	for _, w := range r.array("wildcards") {
		s, ok := w.(string)
		if !ok {
			r.fail("wildcards", "must be JSON Pointers in quotation marks")
		}
		c.Wildcards[s] = true
	}
	return c, r.err
}

func (c *Case) execution(r *reader) {
	definition, _ := r.o.Get("definition")
	if _, ok := definition.(*value.Object); !ok {
		r.fail("definition", "must be an object")
	}
	c.Definition = value.Text(definition)
	if v, ok := r.o.Get("input"); ok {
		c.Input = value.Text(v)
	} else {
		c.Input = r.text("inputText")
	}
	c.Express = r.text("stateMachineType") == "EXPRESS"
	c.Unordered = r.boolean("unordered")
	if m, ok := r.o.Get("mocks"); ok {
		mocks, err := MocksOf(m)
		if err != nil && r.err == nil {
			r.err = err
		}
		c.Mocks = mocks
	}
	expect, there := r.o.Get("expect")
	if _, ok := expect.(*value.Object); there && !ok {
		r.fail("expect", "must be an object")
	}
}

func has(o *value.Object, fields []string) bool {
	for _, f := range fields {
		if _, ok := o.Get(f); !ok {
			return false
		}
	}
	return true
}

func field(v value.Value, key string) value.Value {
	o, _ := v.(*value.Object)
	f, _ := o.Get(key)
	return f
}

// reader reads optional fields and keeps the first error.
type reader struct {
	o   *value.Object
	err error
}

func (r *reader) fail(field, what string) {
	if r.err == nil {
		r.err = fmt.Errorf("%s %s", field, what)
	}
}

// optional reads a field that may be absent or null.
func optional[T any](r *reader, name, kind string) (t T) {
	v := field(r.o, name)
	if v == nil {
		return t
	}
	t, ok := v.(T)
	if !ok {
		r.fail(name, "must be "+kind+", and not a JSON "+value.Kind(v))
	}
	return t
}

func (r *reader) text(name string) string { return optional[string](r, name, "a string") }

func (r *reader) boolean(name string) bool { return optional[bool](r, name, "true or false") }

func (r *reader) object(name string) *value.Object {
	return optional[*value.Object](r, name, "an object")
}

func (r *reader) array(name string) value.Array { return optional[value.Array](r, name, "an array") }
