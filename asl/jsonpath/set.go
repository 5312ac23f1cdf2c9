package jsonpath

import (
	"fmt"

	"github.com/internal-app-portal/iap/asl/value"
)

// IsReference tells whether the path names one place: nothing but names and
// indexes, so that Set can put a value there.
func (p *Path) IsReference() bool {
	for _, t := range p.tokens {
		switch t := t.(type) {
		case names:
			if len(t) != 1 {
				return false
			}
		case indexes:
			if len(t) != 1 || t[0] < 0 {
				return false
			}
		default:
			return false
		}
	}
	return true
}

// Set gives a copy of root that has v at the place of a reference path.
// Objects on the way are made where there are none; array elements must exist.
func (p *Path) Set(root, v value.Value) (value.Value, error) {
	return set(p, p.tokens, root, v)
}

func set(p *Path, tokens []token, at, v value.Value) (value.Value, error) {
	if len(tokens) == 0 {
		return v, nil
	}
	switch t := tokens[0].(type) {
	case names:
		old, ok := at.(*value.Object)
		if !ok && at != nil {
			return nil, fmt.Errorf("unable to apply ReferencePath %s: there is %s %s where an object is needed",
				p.text, value.Kind(at), value.Text(at))
		}
		o := old.Clone()
		inner, _ := o.Get(t[0])
		x, err := set(p, tokens[1:], inner, v)
		if err != nil {
			return nil, err
		}
		o.Set(t[0], x)
		return o, nil
	case indexes:
		old, ok := at.(value.Array)
		if !ok || t[0] >= len(old) {
			return nil, fmt.Errorf("unable to apply ReferencePath %s: there is no element %d", p.text, t[0])
		}
		a := append(value.Array{}, old...)
		x, err := set(p, tokens[1:], a[t[0]], v)
		if err != nil {
			return nil, err
		}
		a[t[0]] = x
		return a, nil
	}
	return nil, fmt.Errorf("%s is not a reference path", p.text)
}
