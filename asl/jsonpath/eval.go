package jsonpath

import (
	"fmt"
	"strings"

	"github.com/internal-app-portal/iap/asl/value"
)

// eval is one evaluation; work is shared with the paths inside filters.
type eval struct {
	root value.Value
	work *int
	out  []value.Value
}

func (e *eval) visit() error {
	if *e.work++; *e.work > MaxWork {
		return ErrTooMuchWork
	}
	return nil
}

// path evaluates a whole path from a value.
func (e *eval) path(p *Path, from value.Value) (value.Value, error) {
	tokens := p.tokens
	if p.function >= 0 {
		tokens = p.tokens[:p.function]
	}
	v, err := e.collect(p, tokens, from)
	if err != nil || p.function < 0 {
		return v, err
	}
	return e.functions(p, v)
}

// collect evaluates tokens without functions.
func (e *eval) collect(p *Path, tokens []token, from value.Value) (value.Value, error) {
	definite := definitely(tokens)
	sub := eval{root: e.root, work: e.work}
	err := sub.step(tokens, 0, from, true)
	if _, missing := err.(*NotFoundError); err != nil && !(missing && !definite) {
		return nil, err
	}
	if !definite {
		if sub.out == nil {
			return value.Array{}, nil
		}
		return value.Array(sub.out), nil
	}
	if len(sub.out) == 0 {
		return nil, &NotFoundError{"No results for path: $" + texts(tokens)}
	}
	return sub.out[0], nil
}

func definitely(tokens []token) bool {
	for i, t := range tokens {
		if !t.definite(i == len(tokens)-1) {
			return false
		}
	}
	return true
}

func texts(tokens []token) string {
	var b strings.Builder
	for _, t := range tokens {
		b.WriteString(t.text())
	}
	return b.String()
}

// step evaluates tokens[i:] from v; upstream tells that all before is definite.
func (e *eval) step(tokens []token, i int, v value.Value, upstream bool) error {
	if err := e.visit(); err != nil {
		return err
	}
	if i == len(tokens) {
		e.out = append(e.out, v)
		return nil
	}
	switch t := tokens[i].(type) {
	case names:
		return e.names(tokens, i, t, v, upstream)
	case indexes:
		return e.indexes(tokens, i, t, v, upstream)
	case slice:
		a, err := array(tokens, i, v, upstream)
		if err != nil || a == nil {
			return err
		}
		from, to := t.bounds(len(a))
		for n := from; n < to; n++ {
			if x, ok := element(a, n); ok {
				if err := e.step(tokens, i+1, x, false); err != nil {
					return err
				}
			}
		}
		return nil
	case wildcard:
		return each(v, func(x value.Value) error { return skip(e.step(tokens, i+1, x, false)) })
	case filter:
		return e.filter(tokens, i, t, v)
	case scan:
		return e.walk(tokens, i+1, v)
	}
	return nil
}

// skip forgets that one of several ways led to nothing.
func skip(err error) error {
	if _, ok := err.(*NotFoundError); ok {
		return nil
	}
	return err
}

// each calls f for the elements of an array or the values of an object.
func each(v value.Value, f func(value.Value) error) error {
	switch v := v.(type) {
	case value.Array:
		for _, x := range v {
			if err := f(x); err != nil {
				return err
			}
		}
	case *value.Object:
		for _, m := range v.Members() {
			if err := f(m.Value); err != nil {
				return err
			}
		}
	}
	return nil
}

func (e *eval) names(tokens []token, i int, t names, v value.Value, upstream bool) error {
	o, ok := v.(*value.Object)
	if !ok {
		if !upstream {
			return nil
		}
		return &NotFoundError{fmt.Sprintf("Expected to find an object with property %s in path $%s but found '%s'. "+
			"This is not a json object according to the JsonProvider: 'com.jayway.jsonpath.spi.json.JacksonJsonNodeJsonProvider'.",
			t.text(), texts(tokens[:i]), javaType(v))}
	}
	leaf := i == len(tokens)-1
	if len(t) > 1 && leaf {
		merged := value.NewObject()
		for _, n := range t {
			if x, ok := o.Get(n); ok {
				merged.Set(n, x)
			}
		}
		return e.step(tokens, i+1, merged, upstream)
	}
	for _, n := range t {
		x, ok := o.Get(n)
		if !ok {
			if leaf || !upstream || len(t) > 1 {
				continue
			}
			return &NotFoundError{"Missing property in path $" + texts(tokens[:i]) + names{n}.text()}
		}
		if err := e.step(tokens, i+1, x, upstream && len(t) == 1); err != nil {
			return err
		}
	}
	return nil
}

func (e *eval) indexes(tokens []token, i int, t indexes, v value.Value, upstream bool) error {
	a, err := array(tokens, i, v, upstream)
	if err != nil || a == nil {
		return err
	}
	for _, n := range t {
		if x, ok := element(a, n); ok {
			if err := e.step(tokens, i+1, x, upstream && len(t) == 1); err != nil {
				return err
			}
		}
	}
	return nil
}

// array gives v as an array; nil without an error means that it is to be skipped.
func array(tokens []token, i int, v value.Value, upstream bool) (value.Array, error) {
	if a, ok := v.(value.Array); ok {
		return a, nil
	}
	if !upstream {
		return nil, nil
	}
	if v == nil {
		return nil, &NotFoundError{"The path $" + texts(tokens[:i]) + " is null"}
	}
	return nil, &NotFoundError{fmt.Sprintf("Filter: %s can only be applied to arrays. Current context is: %s",
		tokens[i].text(), value.Text(v))}
}

func (e *eval) filter(tokens []token, i int, t filter, v value.Value) error {
	if a, ok := v.(value.Array); ok {
		for _, x := range a {
			keep, err := e.accept(t.cond, x)
			if err != nil {
				return err
			}
			if keep {
				if err := e.step(tokens, i+1, x, false); err != nil {
					return err
				}
			}
		}
		return nil
	}
	if _, ok := v.(*value.Object); !ok {
		return nil
	}
	if keep, err := e.accept(t.cond, v); err != nil || !keep {
		return err
	}
	return e.step(tokens, i+1, v, false)
}

// walk applies tokens[i] to v and to all that is in it.
func (e *eval) walk(tokens []token, i int, v value.Value) error {
	switch v.(type) {
	case value.Array, *value.Object:
	default:
		return nil
	}
	if err := e.visit(); err != nil {
		return err
	}
	ok, err := e.matches(tokens, i, v)
	if err != nil {
		return err
	}
	if a, isArray := v.(value.Array); ok && isArray && i < len(tokens)-1 {
		// Jayway leaves the step itself out here and goes on with each element.
		for _, x := range a {
			if err := skip(e.step(tokens, i+1, x, false)); err != nil {
				return err
			}
		}
	} else if ok {
		if err := skip(e.step(tokens, i, v, false)); err != nil {
			return err
		}
	}
	return each(v, func(x value.Value) error { return e.walk(tokens, i, x) })
}

// matches tells whether a step that follows ".." applies to v.
func (e *eval) matches(tokens []token, i int, v value.Value) (bool, error) {
	if i == len(tokens) {
		return false, nil // a function follows: Jayway finds nothing for it
	}
	switch t := tokens[i].(type) {
	case names:
		o, ok := v.(*value.Object)
		if !ok {
			return false, nil
		}
		if !t.definite(i == len(tokens)-1) {
			return true, nil
		}
		for _, n := range t {
			if _, ok := o.Get(n); !ok {
				return false, nil
			}
		}
		return true, nil
	case indexes, slice:
		_, ok := v.(value.Array)
		return ok, nil
	case filter:
		return e.accept(t.cond, v)
	}
	return true, nil
}

func javaType(v value.Value) string {
	switch v := v.(type) {
	case nil:
		return "null"
	case bool:
		return "com.fasterxml.jackson.databind.node.BooleanNode"
	case string:
		return "com.fasterxml.jackson.databind.node.TextNode"
	case value.Array:
		return "com.fasterxml.jackson.databind.node.ArrayNode"
	case value.Number:
		if v.IsInt() {
			return "com.fasterxml.jackson.databind.node.IntNode"
		}
		return "com.fasterxml.jackson.databind.node.DoubleNode"
	}
	return "com.fasterxml.jackson.databind.node.ObjectNode"
}
