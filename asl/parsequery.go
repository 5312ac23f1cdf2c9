package asl

import (
	"strings"

	"github.com/internal-app-portal/iap/asl/jsonata"
	"github.com/internal-app-portal/iap/asl/value"
)

// Marks of a JSONata expression.
const (
	queryOpen  = "{%"
	queryClose = "%}"
)

// isQuery tells whether a text is a JSONata expression.
func isQuery(s string) bool {
	return len(s) >= len(queryOpen)+len(queryClose) && strings.HasPrefix(s, queryOpen) && strings.HasSuffix(s, queryClose)
}

// asQuery gives the expression of a field whose value is one.
func (c *checker) asQuery(n *node) (*query, bool) {
	s, ok := n.v.(string)
	if !ok || !isQuery(s) {
		return nil, false
	}
	return c.query(n, s), true
}

// query reads a text that isQuery.
func (c *checker) query(n *node, s string) *query {
	q := &query{text: strings.TrimSpace(s[len(queryOpen) : len(s)-len(queryClose)]), field: n.inState()}
	expr, err := jsonata.Compile(q.text)
	if err != nil {
		c.problem(n, CodeQuery, "%v", err)
		return q
	}
	q.expr = expr
	for _, name := range expr.Fields() {
		c.problem(n, CodeQueryRoot, "Reference to '%s' at the top level is not supported.", name).
			hint("an expression has no input document: start with $states.input or a variable")
	}
	c.statesFields(n, expr.States())
	for _, name := range expr.Free() {
		switch name {
		case "$":
			c.problem(n, CodeQueryRoot, "Reference to '$$' is not supported.")
		case "", "states":
		default:
			c.refer(n, name)
		}
	}
	return q
}

// statesFields checks what an expression reads of $states.
func (c *checker) statesFields(n *node, fields []string) {
	for _, name := range fields {
		switch name {
		case "", "input", "context":
		case "result":
			if !strings.HasPrefix(n.inState(), "Output") && !strings.HasPrefix(n.inState(), "Assign") {
				c.problem(n, CodeQueryRoot, "Field '$states.result' does not exist.").
					hint("a result is there in Output and Assign only")
			}
		case "errorOutput":
			if !strings.HasPrefix(n.inState(), "Catch[") {
				c.problem(n, CodeQueryRoot, "Field '$states.errorOutput' does not exist.").
					hint("an error is there in Output and Assign of a Catch only")
			}
		default:
			c.problem(n, CodeQueryRoot, "Unknown reserved states field: %s", name).
				near(nearest(name, []string{"input", "context", "result", "errorOutput"}))
		}
	}
}

// queryTemplate reads JSON in which texts in {% %} are expressions.
func (c *checker) queryTemplate(n *node) *queryTemplate {
	t := &queryTemplate{constant: true, lit: n.v}
	switch v := n.v.(type) {
	case *value.Object:
		for _, f := range n.fields() {
			inner := c.queryTemplate(f)
			t.constant = t.constant && inner.constant
			t.members = append(t.members, queryMember{f.key, inner})
		}
	case value.Array:
		for _, item := range n.items() {
			inner := c.queryTemplate(item)
			t.constant = t.constant && inner.constant
			t.items = append(t.items, inner)
		}
	case string:
		if isQuery(v) {
			t.constant = false
			t.query = c.query(n, v)
		} else {
			c.halfMarked(n, v)
		}
	}
	return t
}

// halfMarked complains of a text with one mark only.
func (c *checker) halfMarked(n *node, s string) {
	open, closed := strings.HasPrefix(s, queryOpen), strings.HasSuffix(s, queryClose)
	if open != closed {
		c.schema(n, "JSONata string must start with {%% and end with %%}")
	}
}

func (c *checker) queryField(n *node, name string) *queryTemplate {
	f, ok := n.field(name)
	if !ok {
		return nil
	}
	return c.queryTemplate(f)
}

// assignQuery reads Assign of a JSONata state, an object of variables.
func (c *checker) assignQuery(n *node) *queryTemplate {
	f, ok := n.field("Assign")
	if !ok || !c.isObject(f) {
		return nil
	}
	for _, m := range f.fields() {
		c.assignTo(m, m.key)
	}
	return c.queryTemplate(f)
}
