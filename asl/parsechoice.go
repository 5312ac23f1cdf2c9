package asl

import (
	"fmt"
	"slices"
	"strings"

	"github.com/internal-app-portal/iap/asl/value"
)

// Operators of comparisons, without the 17 that end in "Path".
var (
	comparisons = []string{
		"StringEquals", "StringLessThan", "StringGreaterThan", "StringLessThanEquals", "StringGreaterThanEquals",
		"NumericEquals", "NumericLessThan", "NumericGreaterThan", "NumericLessThanEquals", "NumericGreaterThanEquals",
		"TimestampEquals", "TimestampLessThan", "TimestampGreaterThan", "TimestampLessThanEquals", "TimestampGreaterThanEquals",
		"BooleanEquals",
	}
	tests = []string{"IsNull", "IsPresent", "IsNumeric", "IsString", "IsBoolean", "IsTimestamp", "StringMatches"}
)

// operators lists the names of all 39 operators.
func operators() []string {
	all := slices.Concat(comparisons, tests)
	for _, op := range comparisons {
		all = append(all, op+"Path")
	}
	return all
}

func (c *checker) choices(n *node, s *StateDef, t *targets) {
	f, ok := c.required(n, "Choices")
	if ok && c.isArray(f) {
		if len(f.items()) == 0 {
			c.schema(f, "The field 'Choices' must have at least one choice")
		}
		for _, item := range f.items() {
			if c.isObject(item) {
				c.choice(item, s, t)
			}
		}
	}
	if d, ok := n.field("Default"); ok {
		if to, ok := c.text(d); ok {
			s.spec.otherwise = to
			s.Edges = append(s.Edges, Edge{Kind: EdgeDefault, To: to})
			t.add(d, to)
		}
	}
}

func (c *checker) choice(n *node, s *StateDef, t *targets) {
	rule := choice{assign: c.assign(n)}
	next, ok := c.required(n, "Next")
	if ok {
		rule.next, _ = c.text(next)
	}
	rule.cond = c.condition(n, true, 0)
	s.spec.choice = append(s.spec.choice, rule)
	if rule.next != "" {
		s.Edges = append(s.Edges, Edge{Kind: EdgeChoice, To: rule.next, Label: rule.cond.String()})
		t.add(next, rule.next)
	}
}

// condition reads And, Or, Not or one comparison.
func (c *checker) condition(n *node, top bool, depth int) condition {
	known := append(operators(), "Variable", "And", "Or", "Not", "Comment")
	if top {
		known = append(known, "Next", "Assign")
	}
	c.unknown(n, known)
	if _, ok := n.field("Next"); ok && !top {
		c.schema(n, "'Next' may stand in a choice, but not inside And, Or or Not")
	}
	var cond condition
	found := 0
	for _, f := range n.fields() {
		switch f.key {
		case "And":
			found++
			cond.all = c.conditions(f, depth)
		case "Or":
			found++
			cond.any = c.conditions(f, depth)
		case "Not":
			found++
			if c.isObject(f) {
				inner := c.condition(f, false, depth+1)
				cond.not = &inner
			}
		default:
			if slices.Contains(operators(), f.key) {
				found++
				c.comparison(n, f, &cond)
			}
		}
	}
	if found != 1 {
		c.schema(n, "A choice must have exactly one comparison, And, Or or Not; this one has %d", found)
	}
	return cond
}

func (c *checker) conditions(n *node, depth int) []condition {
	if !c.isArray(n) {
		return nil
	}
	if len(n.items()) == 0 {
		c.schema(n, "The field '%s' must have at least one condition", n.key)
	}
	var all []condition
	for _, item := range n.items() {
		if c.isObject(item) {
			all = append(all, c.condition(item, false, depth+1))
		}
	}
	return all
}

func (c *checker) comparison(n, op *node, cond *condition) {
	if v, ok := c.required(n, "Variable"); ok {
		cond.variable, _ = c.path(v)
	}
	cond.op = op.key
	if name, isPath := strings.CutSuffix(op.key, "Path"); isPath {
		cond.op = name
		if e, ok := c.path(op); ok {
			cond.other = &e
		}
		return
	}
	cond.literal = op.v
	want := "boolean"
	switch {
	case op.key == "StringMatches" || strings.HasPrefix(op.key, "String"):
		want = "string"
	case strings.HasPrefix(op.key, "Numeric"):
		want = "number"
	case strings.HasPrefix(op.key, "Timestamp"):
		want = "string"
	}
	if value.Kind(op.v) != want {
		c.wrongType(op, want)
		return
	}
	if strings.HasPrefix(op.key, "Timestamp") {
		if _, ok := parseTimestamp(op.v.(string)); !ok {
			c.schema(op, "String does not match RFC3339 timestamp")
		}
	}
	if op.key == "StringMatches" {
		cond.pattern = splitPattern(op.v.(string))
	}
}

// String writes a condition in short, for the label of an edge.
func (c condition) String() string {
	join := func(all []condition, word string) string {
		s := make([]string, len(all))
		for i, x := range all {
			s[i] = x.String()
		}
		return "(" + strings.Join(s, " "+word+" ") + ")"
	}
	switch {
	case c.all != nil:
		return join(c.all, "and")
	case c.any != nil:
		return join(c.any, "or")
	case c.not != nil:
		return "not " + c.not.String()
	}
	right := value.Text(c.literal)
	if c.other != nil {
		right = c.other.text
	}
	signs := [][2]string{{"GreaterThanEquals", ">="}, {"LessThanEquals", "<="}, {"GreaterThan", ">"}, {"LessThan", "<"}, {"Matches", "like"}, {"Equals", "=="}}
	for _, s := range signs {
		if strings.HasSuffix(c.op, s[0]) {
			return fmt.Sprintf("%s %s %s", c.variable.text, s[1], right)
		}
	}
	return fmt.Sprintf("%s %s %s", c.variable.text, c.op, right)
}
