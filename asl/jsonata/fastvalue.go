package jsonata

import (
	"math"
	"strconv"

	"github.com/internal-app-portal/iap/asl/value"
)

// single gives what a sequence stands for; many items stay one, so that they
// are flattened by what follows. Other values it gives as they are.
func single(v value.Value) value.Value {
	s, ok := v.(sequence)
	switch {
	case !ok:
		return v
	case len(s) == 0:
		return nothing{}
	case len(s) == 1:
		return s[0]
	}
	return s
}

// plain gives a value as JSON knows it.
func plain(v value.Value) value.Value {
	if s, ok := v.(sequence); ok {
		return value.Array(s)
	}
	return v
}

// flat appends a value, or the items of an array or sequence.
func flat(to []value.Value, v value.Value) []value.Value {
	switch v := v.(type) {
	case nothing:
		return to
	case value.Array:
		return append(to, v...)
	case sequence:
		return append(to, v...)
	}
	return append(to, v)
}

// lookup finds a name in an object, or in all objects of an array.
func lookup(v value.Value, name string) value.Value {
	switch v := v.(type) {
	case *value.Object:
		if member, ok := v.Get(name); ok {
			return member
		}
	case value.Array:
		var s sequence
		for _, item := range v {
			s = flat(s, lookup(item, name))
		}
		return s
	}
	return nothing{}
}

// filter takes one item; a negative index counts from the end.
func filter(v value.Value, i int) value.Value {
	list := []value.Value{v}
	switch v := v.(type) {
	case value.Array:
		list = v
	case sequence:
		list = v
	}
	if i < 0 {
		i += len(list)
	}
	if i < 0 || i >= len(list) || list[i] == (nothing{}) {
		return sequence{}
	}
	if a, ok := list[i].(value.Array); ok {
		return a
	}
	return sequence{list[i]}
}

// truth is JSONata's effective boolean value; nothing is false.
func truth(v value.Value) bool {
	switch v := plain(v).(type) {
	case bool:
		return v
	case string:
		return v != ""
	case value.Number:
		return v.Float64() != 0
	case value.Array:
		for _, item := range v {
			if truth(item) {
				return true
			}
		}
	case *value.Object:
		return v.Len() > 0
	}
	return false
}

// same compares as the engine does: numbers as floats, keys in any order.
func same(a, b value.Value) bool {
	switch a := a.(type) {
	case value.Number:
		b, ok := b.(value.Number)
		return ok && a.Float64() == b.Float64()
	case value.Array:
		b, ok := b.(value.Array)
		if !ok || len(a) != len(b) {
			return false
		}
		for i := range a {
			if !same(a[i], b[i]) {
				return false
			}
		}
		return true
	case *value.Object:
		b, ok := b.(*value.Object)
		if !ok || a.Len() != b.Len() {
			return false
		}
		for _, m := range a.Members() {
			if v, ok := b.Get(m.Key); !ok || !same(m.Value, v) {
				return false
			}
		}
		return true
	}
	switch b.(type) {
	case value.Number, value.Array, *value.Object:
		return false
	}
	return a == b
}

// number writes a float as JavaScript does.
func number(f float64) value.Number {
	if f == 0 {
		return "0" // also of -0
	}
	if a := math.Abs(f); a >= 1e21 || a < 1e-6 {
		b := strconv.AppendFloat(nil, f, 'e', -1, 64)
		if n := len(b); b[n-2] == '0' && (b[n-3] == '-' || b[n-3] == '+') {
			b = append(b[:n-2], b[n-1]) // 1e-07 is 1e-7
		}
		return value.Number(b)
	}
	return value.Number(strconv.FormatFloat(f, 'f', -1, 64))
}
