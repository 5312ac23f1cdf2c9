package asl

import (
	"fmt"
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
	c.schema(n, "Value should be one of the following: [%s]", strings.Join(words, ", ")).near(nearest(s, words))
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
	c.schema(n, "Expected value of type %s", strings.ToUpper(want[:1])+want[1:]).hint("it is of type %s", value.Kind(n.v))
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
func (c *checker) positive(n *node) int64 { return c.between(n, 1, maxSeconds) }

// natural reads an integer from 0 on.
func (c *checker) natural(n *node) int64 { return c.between(n, 0, maxSeconds) }

func (c *checker) between(n *node, low, high int64) int64 {
	i, ok := c.integer(n)
	switch {
	case !ok:
	case i < low:
		c.schema(n, "Minimum value is %d", low)
	case i > high:
		c.schema(n, "Maximum value is %d", high)
	}
	return i
}

// onlyOne complains when an object has more than one of some fields, and gives
// how many it has.
func (c *checker) onlyOne(n *node, names ...string) int {
	found := 0
	for _, name := range names {
		if _, ok := n.field(name); ok {
			found++
		}
	}
	if found > 1 {
		c.schema(n, "There should only be one of the following fields: [%s]", strings.Join(names, ", "))
	}
	return found
}

// exactlyOne complains of none as well.
func (c *checker) exactlyOne(n *node, names ...string) bool {
	found := c.onlyOne(n, names...)
	if found == 0 {
		c.schema(n, "This object should have only one of the following fields: [%s]", strings.Join(names, ", "))
	}
	return found == 1
}

// notEmpty complains of an array or object that has nothing in it.
func (c *checker) notEmpty(n *node) {
	if len(n.fields())+len(n.items()) == 0 {
		c.schema(n, "Value cannot be empty")
	}
}

func (c *checker) integer(n *node) (int64, bool) {
	num, ok := n.v.(value.Number)
	if !ok {
		c.wrongType(n, "integer")
		return 0, false
	}
	i, ok := num.Int64()
	if !ok {
		c.schema(n, "Expected value of type Integer").hint("it is %s", num)
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
		c.schema(n, "Value must be a valid JSONPath.").hint("%v", err)
		return expr{}, false
	}
	e := expr{text: s, path: p}
	c.referPath(n, &e)
	return e, true
}

// rulePath reads a path in the rule of a Choice.
func (c *checker) rulePath(n *node) (expr, bool) {
	if s, ok := n.v.(string); ok && !strings.HasPrefix(s, "$") {
		c.schema(n, "Value is not a Reference Path: Reference path didn't start with '$'")
		return expr{}, false
	}
	return c.path(n)
}

// referencePath reads a path that names one place.
func (c *checker) referencePath(n *node) (expr, bool) {
	e, ok := c.path(n)
	if ok && !e.path.IsReference() {
		c.schema(n, "Value is not a Reference Path").hint("it must name one place, such as $.items")
		return expr{}, false
	}
	return e, ok
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
		c.assignTo(m, strings.TrimSuffix(m.key, pathSuffix))
	}
	return c.template(f)
}

func (c *checker) variableName(n *node, name string) {
	if validVariable(name) {
		return
	}
	if name == "states" {
		c.problem(n, CodeReserved, "Cannot assign to reserved variable '$states'.")
		return
	}
	what := "contains invalid characters"
	if len([]rune(name)) > maxVariableName {
		what = "is too long"
	}
	severity := SeverityError
	if validVariable(strings.ReplaceAll(name, "-", "_")) {
		severity = SeverityWarning // AWS refuses it, other tools do not
	}
	c.report(n, severity, CodeVariable, fmt.Sprintf("Invalid variable name '%s': the variable name %s.", name, what)).
		hint("it must start with a letter or underscore, go on with letters, digits and underscores, and have at most %d characters", maxVariableName)
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
