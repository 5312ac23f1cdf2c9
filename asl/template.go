package asl

import (
	"sort"
	"strings"

	"github.com/internal-app-portal/iap/asl/intrinsic"
	"github.com/internal-app-portal/iap/asl/jsonpath"
	"github.com/internal-app-portal/iap/asl/value"
)

// template is a payload template such as Parameters: JSON in which the value of
// a key that ends in ".$" is a path or a call.
type template struct {
	constant bool
	lit      value.Value
	members  []templateMember
	items    []*template
	expr     *expr
}

type templateMember struct {
	key   string // without ".$"
	field string // as in the definition
	inner *template
}

const pathSuffix = ".$"

// template compiles a payload template.
func (c *checker) template(n *node) *template {
	switch v := n.v.(type) {
	case *value.Object:
		return c.objectTemplate(n)
	case value.Array:
		t := &template{constant: true, lit: v}
		for _, item := range n.items() {
			inner := c.template(item)
			t.constant = t.constant && inner.constant
			t.items = append(t.items, inner)
		}
		return t
	}
	c.noDollar(n)
	return &template{constant: true, lit: n.v}
}

func (c *checker) objectTemplate(n *node) *template {
	t := &template{constant: true, lit: n.v}
	var dynamic []templateMember
	for _, f := range n.fields() {
		key, isPath := strings.CutSuffix(f.key, pathSuffix)
		if _, both := n.field(key); isPath && both {
			c.schema(f, "The fields '%s' and '%s' are in conflict: both give the field '%s'", f.key, key, key)
		}
		if !isPath {
			inner := c.template(f)
			t.constant = t.constant && inner.constant
			t.members = append(t.members, templateMember{key, f.key, inner})
			continue
		}
		t.constant = false
		if e := c.expr(f); e != nil {
			dynamic = append(dynamic, templateMember{key, f.key, &template{expr: e}})
		}
	}
	sortAsJava(dynamic)
	t.members = append(t.members, dynamic...)
	return t
}

// sortAsJava puts members into the order in which AWS writes them: fixed
// members come first, as defined; then the others as Java's HashMap has them.
func sortAsJava(m []templateMember) {
	size := uint32(16)
	for uint32(len(m)) > size/4*3 {
		size *= 2
	}
	bucket := func(key string) uint32 {
		var h uint32
		for _, r := range key {
			if r >= 0x10000 {
				h = 31*h + uint32(0xd800+(r-0x10000)>>10)
				r = 0xdc00 + (r-0x10000)&0x3ff
			}
			h = 31*h + uint32(r)
		}
		return (h ^ h>>16) & (size - 1)
	}
	sort.SliceStable(m, func(i, j int) bool { return bucket(m[i].key) < bucket(m[j].key) })
}

// expr compiles the value of a ".$" field.
func (c *checker) expr(n *node) *expr {
	text, ok := n.v.(string)
	if ok {
		if e, err := compileExpr(text); err == nil {
			c.referPath(n, e)
			return e
		} else if s, isCall := err.(*intrinsic.SyntaxError); isCall {
			c.notExpr(n).hint("%s", s.Msg).near(s.Near)
			return nil
		} else {
			c.notExpr(n).hint("%v", err)
			return nil
		}
	}
	c.notExpr(n)
	return nil
}

func (c *checker) notExpr(n *node) *Problem {
	return c.schema(n, "The value for the field '%s' must be a valid JSONPath or a valid intrinsic function call", n.key).around(n)
}

func compileExpr(text string) (*expr, error) {
	if intrinsic.IsCall(text) {
		call, err := intrinsic.Compile(text)
		return &expr{text: text, call: call}, err
	}
	path, err := jsonpath.Compile(text)
	return &expr{text: text, path: path}, err
}
