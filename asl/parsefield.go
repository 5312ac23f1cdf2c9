package asl

import (
	"slices"
	"strings"

	"github.com/internal-app-portal/iap/asl/jsonpath"
	"github.com/internal-app-portal/iap/asl/value"
)

// required complains when fields are not there.
func (c *checker) required(n *node, names ...string) bool {
	var missing []string
	for _, name := range names {
		if _, ok := n.field(name); !ok {
			missing = append(missing, name)
		}
	}
	if len(missing) > 0 {
		c.schema(n, "These fields are required: [%s]", strings.Join(missing, ", "))
	}
	return len(missing) == 0
}

// oneOf reads a field that has one of a few values; "" when it has another.
func (c *checker) oneOf(n *node, words ...string) string {
	s, _ := n.v.(string)
	if slices.Contains(words, s) {
		return s
	}
	c.schema(n, "The field '%s' should have one of these values: [%s]", n.key, strings.Join(words, ", ")).near(nearest(s, words))
	return ""
}

func (c *checker) isObject(n *node) bool {
	if _, ok := n.v.(*value.Object); ok {
		return true
	}
	c.wrongType(n, "object")
	return false
}

func (c *checker) isArray(n *node) bool {
	if _, ok := n.v.(value.Array); ok {
		return true
	}
	c.wrongType(n, "array")
	return false
}

func (c *checker) wrongType(n *node, want string) {
	c.schema(n, "The field '%s' must be of type %s, but it is of type %s", n.key, want, value.Kind(n.v))
}

func (c *checker) text(n *node) (string, bool) {
	s, ok := n.v.(string)
	if !ok {
		c.wrongType(n, "string")
	}
	return s, ok
}

func (c *checker) optionalString(n *node, name string) string {
	if f, ok := n.field(name); ok {
		s, _ := c.text(f)
		return s
	}
	return ""
}

// maxSeconds is the largest number of seconds that AWS takes: 99,999,999.
const maxSeconds = 99_999_999

// positive reads an integer from 1 on.
func (c *checker) positive(n *node) int64 {
	i, ok := c.integer(n)
	if ok && (i < 1 || i > maxSeconds) {
		c.schema(n, "The field '%s' must be an integer from 1 to %d", n.key, maxSeconds)
	}
	return i
}

// natural reads an integer from 0 on.
func (c *checker) natural(n *node) int64 {
	i, ok := c.integer(n)
	if ok && (i < 0 || i > maxSeconds) {
		c.schema(n, "The field '%s' must be an integer from 0 to %d", n.key, maxSeconds)
	}
	return i
}

func (c *checker) integer(n *node) (int64, bool) {
	num, ok := n.v.(value.Number)
	if !ok {
		c.wrongType(n, "integer")
		return 0, false
	}
	i, ok := num.Int64()
	if !ok {
		c.schema(n, "The field '%s' must be an integer, but it is %s", n.key, num)
	}
	return i, ok
}

func (c *checker) number(n *node) float64 {
	num, ok := n.v.(value.Number)
	if !ok {
		c.wrongType(n, "number")
	}
	return num.Float64()
}

// path reads a path; kinds other than input, context and variable do not exist.
func (c *checker) path(n *node) (expr, bool) {
	s, ok := c.text(n)
	if !ok {
		return expr{}, false
	}
	p, err := jsonpath.Compile(s)
	if err != nil {
		c.schema(n, "Value is not a valid JSONPath").hint("%v", err)
		return expr{}, false
	}
	return expr{text: s, path: p}, true
}

// pathOrCall reads a path or a call of an intrinsic function.
func (c *checker) pathOrCall(n *node) *expr {
	if _, ok := c.text(n); !ok {
		return nil
	}
	return c.expr(n)
}

// pathField reads InputPath or OutputPath, which may be null.
func (c *checker) pathField(n *node, name string) *pathField {
	f, ok := n.field(name)
	if !ok {
		return nil
	}
	if f.v == nil {
		return &pathField{null: true}
	}
	e, ok := c.path(f)
	if !ok {
		return nil
	}
	return &pathField{expr: e}
}

// resultPath reads ResultPath, a reference path or null.
func (c *checker) resultPath(n *node) *resultField {
	f, ok := n.field("ResultPath")
	if !ok {
		return nil
	}
	if f.v == nil {
		return &resultField{null: true}
	}
	e, ok := c.path(f)
	if !ok {
		return nil
	}
	if kind, _ := e.path.Root(); kind != jsonpath.RootInput || !e.path.IsReference() {
		c.schema(f, "Value is not a Reference Path").hint("ResultPath must name one place in the input, such as $.result")
		return nil
	}
	return &resultField{path: e.path}
}

func (c *checker) templateField(n *node, name string) *template {
	f, ok := n.field(name)
	if !ok {
		return nil
	}
	return c.template(f)
}

// assign reads Assign, an object of variables.
func (c *checker) assign(n *node) *template {
	f, ok := n.field("Assign")
	if !ok || !c.isObject(f) {
		return nil
	}
	for _, m := range f.fields() {
		c.variableName(m, strings.TrimSuffix(m.key, pathSuffix))
	}
	return c.template(f)
}

func (c *checker) variableName(n *node, name string) {
	if !validVariable(name) {
		c.schema(n, "The variable name '%s' is not valid", name).
			hint("it must start with a letter or underscore, go on with letters, digits and underscores, have at most %d characters and not be 'states'", maxVariableName)
	}
}

// maxVariableName is how many characters the name of a variable may have.
const maxVariableName = 80

func validVariable(name string) bool {
	for i, r := range name {
		letter := r == '_' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= 0x80
		if !letter && (i == 0 || r < '0' || r > '9') {
			return false
		}
	}
	return name != "" && len([]rune(name)) <= maxVariableName && name != "states"
}
