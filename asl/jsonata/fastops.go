package jsonata

import (
	"math"
	"strings"

	"github.com/internal-app-portal/iap/asl/value"
)

func (f fast) binary(n *node) (value.Value, bool) {
	left, ok := f.eval(n.kids[0])
	if !ok {
		return nil, false
	}
	left = plain(left)
	switch n.text {
	case "and":
		if !truth(left) {
			return false, true
		}
		return f.truthOf(n.kids[1])
	case "or":
		if truth(left) {
			return true, true
		}
		return f.truthOf(n.kids[1])
	case "?:":
		if truth(left) {
			return left, true
		}
		return f.eval(n.kids[1])
	case "??":
		if f.shadowed("exists") {
			return nil, false
		}
		if left != (nothing{}) {
			return left, true
		}
		return f.eval(n.kids[1])
	}
	right, ok := f.eval(n.kids[1])
	if !ok {
		return nil, false
	}
	right = plain(right)
	switch n.text {
	case "=", "!=":
		if left == (nothing{}) || right == (nothing{}) {
			return false, true
		}
		return same(left, right) == (n.text == "="), true
	case "&":
		a, ok1 := text(left)
		b, ok2 := text(right)
		return a + b, ok1 && ok2
	case "<", "<=", ">", ">=":
		return compare(n.text, left, right)
	}
	return arithmetic(n.text, left, right)
}

func (f fast) truthOf(n *node) (value.Value, bool) {
	v, ok := f.eval(n)
	return truth(v), ok
}

// shadowed tells whether a variable hides a function.
func (f fast) shadowed(name string) bool {
	_, ok := f.env.Variable(name)
	return ok
}

// text is what & and $string make of a value; arrays, objects and numbers with
// many digits are the engine's.
func text(v value.Value) (string, bool) {
	switch v := v.(type) {
	case nothing:
		return "", true
	case nil:
		return "null", true
	case string:
		return v, true
	case bool:
		if v {
			return "true", true
		}
		return "false", true
	case value.Number:
		x := v.Float64()
		return string(number(x)), x == math.Trunc(x) && math.Abs(x) < 1<<53
	}
	return "", false
}

func compare(op string, left, right value.Value) (value.Value, bool) {
	order := 0
	switch a := left.(type) {
	case string:
		b, ok := right.(string)
		if !ok {
			_, none := right.(nothing)
			return nothing{}, none
		}
		order = value.Compare(a, b)
	case value.Number:
		b, ok := right.(value.Number)
		if !ok {
			_, none := right.(nothing)
			return nothing{}, none
		}
		switch x, y := a.Float64(), b.Float64(); {
		case x < y:
			order = -1
		case x > y:
			order = 1
		}
	default:
		return nil, false
	}
	switch op {
	case "<":
		return order < 0, true
	case "<=":
		return order <= 0, true
	case ">":
		return order > 0, true
	}
	return order >= 0, true
}

func arithmetic(op string, left, right value.Value) (value.Value, bool) {
	a, ok1 := left.(value.Number)
	b, ok2 := right.(value.Number)
	if !ok1 || !ok2 {
		// Nothing with a number is nothing; all else is an error.
		_, none1 := left.(nothing)
		_, none2 := right.(nothing)
		return nothing{}, (ok1 || none1) && (ok2 || none2)
	}
	x, y := a.Float64(), b.Float64()
	switch op {
	case "+":
		x += y
	case "-":
		x -= y
	case "*":
		x *= y
	case "/":
		x /= y
	case "%":
		x = math.Mod(x, y)
	}
	return number(x), !math.IsNaN(x) && !math.IsInf(x, 0)
}

func (f fast) negative(n *node) (value.Value, bool) {
	v, ok := f.eval(n)
	if num, is := v.(value.Number); is {
		return number(-num.Float64()), ok
	}
	_, none := v.(nothing)
	return v, ok && none
}

func (f fast) condition(n *node) (value.Value, bool) {
	v, ok := f.eval(n.kids[0])
	switch {
	case !ok:
		return nil, false
	case truth(v):
		return f.eval(n.kids[1])
	case len(n.kids) == 3:
		return f.eval(n.kids[2])
	}
	return nothing{}, true
}

// array builds an array; arrays among the items are flattened unless they are
// written as such.
func (f fast) array(items []*node) (value.Value, bool) {
	a := value.Array{}
	for _, item := range items {
		v, ok := f.eval(item)
		switch {
		case !ok:
			return nil, false
		case item.kind == kArray:
			a = append(a, v)
		default:
			a = flat(a, v)
		}
	}
	return a, true
}

func (f fast) object(pairs []*node) (value.Value, bool) {
	o := &value.Object{}
	for i := 0; i < len(pairs); i += 2 {
		k, ok := f.eval(pairs[i])
		key, isText := k.(string)
		if _, twice := o.Get(key); !ok || !isText || twice || strings.HasPrefix(key, "_jsonata_") {
			return nil, false
		}
		v, ok := f.eval(pairs[i+1])
		if !ok {
			return nil, false
		}
		o.Set(key, plain(v))
	}
	// A key whose value is nothing has to be known until all keys were seen.
	out := &value.Object{}
	for _, m := range o.Members() {
		if m.Value != (nothing{}) {
			out.Set(m.Key, m.Value)
		}
	}
	return out, true
}

func (f fast) call(name string, arg *node) (value.Value, bool) {
	v, ok := f.eval(arg)
	if !ok || f.shadowed(name) {
		return nil, false
	}
	v = plain(v)
	_, none := v.(nothing)
	switch name {
	case "exists":
		return !none, true
	case "count":
		switch v := v.(type) {
		case nothing:
			return value.Number("0"), true
		case value.Array:
			return value.Int(int64(len(v))), true
		}
		return value.Number("1"), true
	}
	if none {
		return nothing{}, name != "string" && name != "uppercase" && name != "lowercase"
	}
	switch name {
	case "not":
		return !truth(v), true
	case "boolean":
		return truth(v), true
	case "string":
		return text(v)
	}
	s, ok := v.(string)
	if !ok || strings.IndexFunc(s, func(r rune) bool { return r >= 0x80 }) >= 0 {
		return nil, false
	}
	if name == "uppercase" {
		return strings.ToUpper(s), true
	}
	return strings.ToLower(s), true
}
