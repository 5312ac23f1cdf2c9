// Package value holds JSON values that keep the order of object keys and every
// digit of a number, with a strict parser and an exact writer.
//
// Values are immutable by agreement: whoever changes one works on a copy.
package value

import (
	"slices"
	"strings"
)

// Value is nil (null), bool, Number, string, Array or *Object.
type Value any

// Array is a JSON array.
type Array []Value

// Member is one key of an object and its value.
type Member struct {
	Key   string
	Value Value
}

// indexFrom is the number of members from which an object keeps an index.
const indexFrom = 12

// Object is a JSON object that keeps the order of its keys. The zero Object is
// empty and ready for Set.
type Object struct {
	members []Member
	index   map[string]int
}

// NewObject makes an object of members; of equal keys the last one counts.
func NewObject(members ...Member) *Object {
	o := &Object{members: make([]Member, 0, len(members))}
	for _, m := range members {
		o.Set(m.Key, m.Value)
	}
	return o
}

// Len is the number of members; a nil object has none.
func (o *Object) Len() int {
	if o == nil {
		return 0
	}
	return len(o.members)
}

// Members gives the members in order; the caller must not change them.
func (o *Object) Members() []Member {
	if o == nil {
		return nil
	}
	return o.members
}

func (o *Object) find(key string) int {
	if o == nil {
		return -1
	}
	if o.index != nil {
		if i, ok := o.index[key]; ok {
			return i
		}
		return -1
	}
	for i := range o.members {
		if o.members[i].Key == key {
			return i
		}
	}
	return -1
}

// Find is where a member stands among the members; -1 when there is none.
func (o *Object) Find(key string) int { return o.find(key) }

// Get finds the value of a key.
func (o *Object) Get(key string) (Value, bool) {
	if i := o.find(key); i >= 0 {
		return o.members[i].Value, true
	}
	return nil, false
}

// Set gives a key a value; a new key goes to the end. Only for an object that
// nobody else has seen yet.
func (o *Object) Set(key string, v Value) {
	if i := o.find(key); i >= 0 {
		o.members[i].Value = v
		return
	}
	o.add(key, v)
}

// add appends a key that is known to be new.
func (o *Object) add(key string, v Value) {
	o.members = append(o.members, Member{key, v})
	switch {
	case o.index != nil:
		o.index[key] = len(o.members) - 1
	case len(o.members) == indexFrom:
		o.index = make(map[string]int, 2*indexFrom)
		for i := range o.members {
			o.index[o.members[i].Key] = i
		}
	}
}

// Clone copies the object, but not the values in it.
func (o *Object) Clone() *Object {
	c := &Object{members: make([]Member, 0, o.Len()+1)}
	for _, m := range o.Members() {
		c.Set(m.Key, m.Value)
	}
	return c
}

// Equal compares two values: numbers by what they mean, objects without regard
// to the order of keys.
func Equal(a, b Value) bool {
	switch a := a.(type) {
	case Number:
		b, ok := b.(Number)
		return ok && a.Cmp(b) == 0
	case Array:
		b, ok := b.(Array)
		if !ok || len(a) != len(b) {
			return false
		}
		for i := range a {
			if !Equal(a[i], b[i]) {
				return false
			}
		}
		return true
	case *Object:
		b, ok := b.(*Object)
		return ok && a.equal(b)
	}
	switch b.(type) {
	case Array, *Object, Number:
		return false
	}
	return a == b
}

func (o *Object) equal(b *Object) bool {
	if o.Len() != b.Len() {
		return false
	}
	for _, m := range o.Members() {
		if v, ok := b.Get(m.Key); !ok || !Equal(m.Value, v) {
			return false
		}
	}
	return true
}

// Kind names the type of a value as JSON does: "null", "boolean", "number",
// "string", "array" or "object".
func Kind(v Value) string {
	switch v.(type) {
	case nil:
		return "null"
	case bool:
		return "boolean"
	case Number:
		return "number"
	case string:
		return "string"
	case Array:
		return "array"
	}
	return "object"
}

// Compare orders two strings by UTF-16 code units, as Java and JavaScript do.
func Compare(a, b string) int {
	ra, rb := []rune(a), []rune(b)
	for i := 0; i < len(ra) && i < len(rb); i++ {
		if ra[i] != rb[i] {
			return compareRune(ra[i], rb[i])
		}
	}
	return strings.Compare(a, b)
}

// compareRune puts surrogate pairs (from U+10000) before U+E000 to U+FFFF.
func compareRune(a, b rune) int {
	weight := func(r rune) rune {
		if r >= 0x10000 {
			return 0xd800 + (r-0x10000)>>20
		}
		return r
	}
	if wa, wb := weight(a), weight(b); wa != wb {
		return int(wa - wb)
	}
	return int(a - b)
}

// Sorted gives a value whose objects have their keys in order and whose
// numbers are written in one way, so that equal values have equal texts.
func Sorted(v Value) Value {
	switch v := v.(type) {
	case Number:
		if i, ok := v.Int64(); ok {
			return Int(i)
		}
		if !v.IsInt() {
			return Float(v.Float64())
		}
	case Array:
		out := make(Array, len(v))
		for i, x := range v {
			out[i] = Sorted(x)
		}
		return out
	case *Object:
		members := slices.Clone(v.Members())
		slices.SortFunc(members, func(a, b Member) int { return strings.Compare(a.Key, b.Key) })
		out := &Object{}
		for _, m := range members {
			out.Set(m.Key, Sorted(m.Value))
		}
		return out
	}
	return v
}
