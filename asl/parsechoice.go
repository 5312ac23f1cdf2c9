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

// operatorNames are the names of all 39 operators.
var operatorNames = func() []string {
	all := slices.Concat(comparisons, tests)
	for _, op := range comparisons {
		all = append(all, op+"Path")
	}
	return all
}()

// conditionFields are what may stand in a condition, ruleFields in a choice.
var (
	conditionFields = slices.Concat(operatorNames, []string{"Variable", "And", "Or", "Not", "Comment"})
	ruleFields      = slices.Concat(conditionFields, []string{"Condition", "Next", "Assign", "Output"})
)

func (c *checker) choices(n *node, s *StateDef, t *targets) {
	f, ok := n.field("Choices")
	if c.required(n, "Choices") && ok && c.isArray(f) {
		c.notEmpty(f)
		for _, item := range f.items() {
			if c.isObject(item) {
				c.choice(item, s, t)
			}
		}
	}
	if d, ok := n.field("Default"); ok {
		if to, ok := t.next(d); ok {
			s.spec.otherwise = to
			s.Edges = append(s.Edges, Edge{Kind: EdgeDefault, To: to})
		}
	}
}

func (c *checker) choice(n *node, s *StateDef, t *targets) {
	var rule choice
	c.unknown(n, ruleFields)
	c.language(n, s.QueryLanguage, ruleFields)
	if s.QueryLanguage == JSONata {
		rule.output, rule.assignQuery = c.queryField(n, "Output"), c.assignQuery(n)
		rule.cond.query = c.queryCondition(n)
	} else {
		rule.assign = c.assign(n)
		rule.cond = c.condition(n)
	}
	if c.required(n, "Next") {
		f, _ := n.field("Next")
		rule.next, _ = t.next(f)
	} else {
		t.whole = false
	}
	s.spec.choice = append(s.spec.choice, rule)
	if rule.next != "" {
		s.Edges = append(s.Edges, Edge{Kind: EdgeChoice, To: rule.next, Label: rule.cond.String()})
	}
}

// queryCondition reads Condition: an expression, or true or false.
func (c *checker) queryCondition(n *node) *query {
	f, ok := n.field("Condition")
	if !c.required(n, "Condition") || !ok {
		return nil
	}
	if b, ok := f.v.(bool); ok {
		return c.query(f, fmt.Sprintf("%s %t %s", queryOpen, b, queryClose))
	}
	q, ok := c.asQuery(f)
	if !ok {
		c.schema(f, "The field 'Condition' must be a JSONata expression").hint("write it as \"{%% … %%}\"")
	}
	return q
}

// condition reads And, Or, Not or one comparison.
func (c *checker) condition(n *node) condition {
	var cond condition
	found := 0
	for _, f := range n.fields() {
		switch f.key {
		case "And":
			found++
			cond.all = c.conditions(f)
		case "Or":
			found++
			cond.any = c.conditions(f)
		case "Not":
			found++
			if c.isObject(f) {
				inner := c.inner(f)
				cond.not = &inner
			}
		case "Variable":
			found++
			cond.variable, _ = c.rulePath(f)
			c.operator(n, &cond)
		}
	}
	if found != 1 {
		c.schema(n, "The object must have only one of the following fields, [And, Or, Not, Variable, Condition]")
	}
	return cond
}

// operator reads the one operator that a comparison has.
func (c *checker) operator(n *node, cond *condition) {
	found := 0
	for _, f := range n.fields() {
		if slices.Contains(operatorNames, f.key) {
			found++
			c.comparison(f, cond)
		}
	}
	switch {
	case found > 1:
		c.schema(n, "There should only be one of the following fields: [%s]", strings.Join(operatorNames, ", "))
	case found == 0:
		c.schema(n, "This object should have only one of the following fields: [%s]", strings.Join(operatorNames, ", "))
	}
}

// inner reads a condition inside And, Or or Not, which has no Next.
func (c *checker) inner(n *node) condition {
	c.unknown(n, conditionFields)
	return c.condition(n)
}

func (c *checker) conditions(n *node) []condition {
	if !c.isArray(n) {
		return nil
	}
	c.notEmpty(n)
	var all []condition
	for _, item := range n.items() {
		if c.isObject(item) {
			all = append(all, c.inner(item))
		}
	}
	return all
}

func (c *checker) comparison(op *node, cond *condition) {
	cond.op = op.key
	if name, isPath := strings.CutSuffix(op.key, "Path"); isPath {
		cond.op = name
		if e, ok := c.rulePath(op); ok {
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
		c.timestamp(op)
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
	case c.query != nil:
		return c.query.text
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
