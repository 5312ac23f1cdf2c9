package jsonpath

import (
	"regexp"
	"strings"

	"github.com/internal-app-portal/iap/asl/value"
)

// condition is the inside of a filter.
type condition interface{ isCondition() }

type (
	and     []condition
	or      []condition
	not     struct{ c condition }
	exists  struct{ o operand }
	compare struct {
		op          string
		left, right operand
	}
)

func (and) isCondition()     {}
func (or) isCondition()      {}
func (not) isCondition()     {}
func (exists) isCondition()  {}
func (compare) isCondition() {}

// operand is a path, a regular expression or a literal.
type operand struct {
	path    *Path
	current bool // the path starts with @
	re      *regexp.Regexp
	lit     value.Value
}

// accept tells whether an item passes a condition.
func (e *eval) accept(c condition, item value.Value) (bool, error) {
	if err := e.visit(); err != nil {
		return false, err
	}
	switch c := c.(type) {
	case and:
		for _, x := range c {
			if ok, err := e.accept(x, item); err != nil || !ok {
				return false, err
			}
		}
		return true, nil
	case or:
		for _, x := range c {
			if ok, err := e.accept(x, item); err != nil || ok {
				return ok, err
			}
		}
		return false, nil
	case not:
		ok, err := e.accept(c.c, item)
		return !ok, err
	case exists:
		v, there, err := e.operand(c.o, item)
		if c.o.path == nil {
			return v == true, err
		}
		return there, err
	case compare:
		return e.compare(c, item)
	}
	return false, nil
}

// operand gives the value of an operand; there is false for a missing path.
func (e *eval) operand(o operand, item value.Value) (v value.Value, there bool, err error) {
	if o.path == nil {
		return o.lit, true, nil
	}
	from := e.root
	if o.current {
		from = item
	}
	v, err = e.path(o.path, from)
	if _, missing := err.(*NotFoundError); missing {
		return nil, false, nil
	}
	return v, err == nil, err
}

func (e *eval) compare(c compare, item value.Value) (bool, error) {
	l, lok, err := e.operand(c.left, item)
	if err != nil {
		return false, err
	}
	r, rok, err := e.operand(c.right, item)
	if err != nil {
		return false, err
	}
	if c.op == "=~" {
		return matchRegexp(c, l, r), nil
	}
	if !lok || !rok {
		return c.op == "!=" || c.op == "!==", nil
	}
	return relate(c.op, l, r), nil
}

func matchRegexp(c compare, l, r value.Value) bool {
	re, v := c.right.re, l
	if re == nil {
		re, v = c.left.re, r
	}
	if re == nil {
		return false
	}
	switch v := v.(type) {
	case string:
		return re.MatchString(v)
	case value.Number:
		return re.MatchString(string(v))
	}
	return false
}

func relate(op string, l, r value.Value) bool {
	switch op {
	case "==":
		return loose(l, r)
	case "!=":
		return !loose(l, r)
	case "===":
		return value.Kind(l) == value.Kind(r) && loose(l, r)
	case "!==":
		return value.Kind(l) != value.Kind(r) || !loose(l, r)
	case "<", "<=", ">", ">=":
		return ordered(op, l, r)
	case "in":
		return within(l, r)
	case "nin":
		return !within(l, r)
	case "contains":
		return contains(l, r)
	}
	return relateSets(op, l, r)
}

func relateSets(op string, l, r value.Value) bool {
	a, _ := l.(value.Array)
	b, isArray := r.(value.Array)
	shared := 0
	for _, x := range a {
		if within(x, b) {
			shared++
		}
	}
	switch op {
	case "subsetof":
		return isArray && shared == len(a)
	case "anyof":
		return shared > 0
	case "noneof":
		return shared == 0
	case "all":
		for _, y := range b {
			if !within(y, a) {
				return false
			}
		}
		return isArray
	case "size":
		n, ok := r.(value.Number)
		i, exact := n.Int64()
		return ok && exact && int(i) == size(l)
	case "empty":
		return (size(l) == 0) == (r == true)
	case "type":
		return value.Kind(l) == r
	}
	return false
}

func size(v value.Value) int {
	switch v := v.(type) {
	case string:
		return len([]rune(v))
	case value.Array:
		return len(v)
	case *value.Object:
		return v.Len()
	}
	return -1
}

// loose compares as Jayway does: the left side decides between text and number.
func loose(l, r value.Value) bool {
	switch a := l.(type) {
	case string:
		if n, ok := r.(value.Number); ok {
			return a == string(n)
		}
	case value.Number:
		if s, ok := r.(string); ok {
			v, err := value.Parse([]byte(s))
			n, isNumber := v.(value.Number)
			return err == nil && isNumber && a.Cmp(n) == 0
		}
	}
	return value.Equal(l, r)
}

func ordered(op string, l, r value.Value) bool {
	var c int
	switch a := l.(type) {
	case value.Number:
		b, ok := r.(value.Number)
		if !ok {
			return false
		}
		c = a.Cmp(b)
	case string:
		b, ok := r.(string)
		if !ok {
			return false
		}
		c = value.Compare(a, b)
	default:
		return false
	}
	switch op {
	case "<":
		return c < 0
	case "<=":
		return c <= 0
	case ">":
		return c > 0
	}
	return c >= 0
}

func within(x, list value.Value) bool {
	a, _ := list.(value.Array)
	for _, y := range a {
		if loose(x, y) {
			return true
		}
	}
	return false
}

func contains(l, r value.Value) bool {
	if s, ok := l.(string); ok {
		sub, ok := r.(string)
		return ok && strings.Contains(s, sub)
	}
	return within(r, l)
}
