package asl

import (
	"errors"
	"fmt"

	"github.com/internal-app-portal/iap/asl/value"
)

// MaxDefinitionBytes is the largest definition, as on AWS.
const MaxDefinitionBytes = 1 << 20

// maxGraphDepth is how deeply Parallel and Map states may be nested.
const maxGraphDepth = 100

// Parse reads a definition. It gives the machine and no problem, or all problems
// at once and no machine. It says nothing of
// what makes AWS warn only: see Validate.
func Parse(src []byte) (*Machine, []Problem) {
	m, problems := parse(src, false)
	if hasError(problems) {
		return nil, onlyErrors(problems)
	}
	return m, nil
}

// parse gives warnings as well, and the machine even when there are problems,
// as far as it could be read.
func parse(src []byte, express bool) (*Machine, []Problem) {
	if len(src) > MaxDefinitionBytes {
		return nil, []Problem{{Line: 1, Column: 1, Code: CodeSchema, Severity: SeverityError,
			Message: fmt.Sprintf("The definition has %d bytes; at most %d are allowed", len(src), MaxDefinitionBytes)}}
	}
	v, pos, err := value.ParsePositions(src)
	if err != nil {
		return nil, []Problem{jsonProblem(src, err)}
	}
	c := &checker{src: src, count: map[Severity]int{}, names: map[string]bool{}, labels: map[string]bool{}, lang: JSONPath, express: express}
	root := &node{v: v, pos: pos}
	if _, ok := v.(*value.Object); !ok {
		c.schema(root, notAnObject).Location = ""
		return nil, c.list()
	}
	m := c.machine(root)
	return m, c.list()
}

// jsonProblem tells of a text that is not JSON.
func jsonProblem(src []byte, err error) Problem {
	p := Problem{Line: 1, Column: 1, Code: CodeJSON, Severity: SeverityError, Message: err.Error()}
	var syntax *value.SyntaxError
	if errors.As(err, &syntax) {
		p.Line, p.Column = lineColumn(src, syntax.Offset)
		p.Message = syntax.Msg
		p.wire, p.Location = jacksonMessage(src, syntax)
	}
	return p
}

// notAnObject is what AWS says of a definition that is no object or empty.
const notAnObject = "Definition must be a valid JSON object"

func (c *checker) list() []Problem {
	out := make([]Problem, len(c.problems))
	for i, p := range c.problems {
		out[i] = *p
	}
	return out
}

func hasError(problems []Problem) bool {
	for _, p := range problems {
		if p.Severity == SeverityError {
			return true
		}
	}
	return false
}

func onlyErrors(problems []Problem) []Problem {
	var out []Problem
	for _, p := range problems {
		if p.Severity == SeverityError {
			out = append(out, p)
		}
	}
	return out
}

var machineFields = []string{"Comment", "StartAt", "States", "Version", "TimeoutSeconds", "QueryLanguage"}

func (c *checker) machine(root *node) *Machine {
	c.unknown(root, machineFields)
	m := &Machine{Comment: c.optionalString(root, "Comment"), QueryLanguage: JSONPath}
	if lang := c.queryLanguage(root); lang != "" {
		m.QueryLanguage = lang
	}
	c.lang = m.QueryLanguage
	if n, ok := root.field("TimeoutSeconds"); ok {
		m.TimeoutSeconds = c.natural(n)
	}
	if n, ok := root.field("Version"); ok && n.v != "1.0" {
		c.schema(n, "Value should be one of the following: [1.0]")
	}
	c.graph(root)
	c.variables()
	m.Graphs = c.graphs
	return m
}

// queryLanguage reads the field; "" when there is none. AWS takes whatever is
// not exactly JSONPath for JSONata.
func (c *checker) queryLanguage(n *node) QueryLanguage {
	f, ok := n.field("QueryLanguage")
	if !ok {
		return ""
	}
	switch f.v {
	case string(JSONPath):
		return JSONPath
	case string(JSONata):
		return JSONata
	}
	word, _ := f.v.(string)
	c.schema(f, "Value should be one of the following: [JSONPath, JSONata]").
		near(nearest(word, []string{string(JSONPath), string(JSONata)}))
	return JSONata
}

const maxStateName = 80

func (c *checker) name(n *node) {
	switch length := len([]rune(n.key)); {
	case length == 0:
		c.problem(n, CodeStateName, "The name of a state must not be empty")
	case length > maxStateName:
		c.problem(n, CodeStateName, "State name '%s' exceeds the %d-character limit allowed by the service", n.key, maxStateName).
			hint("it has %d characters", length)
	}
	if c.names[n.key] {
		c.problem(n, CodeDuplicate, "Duplicate State name: %s", n.key)
	}
	c.names[n.key] = true
}
