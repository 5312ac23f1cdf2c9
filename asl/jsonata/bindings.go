package jsonata

import (
	"math/big"
	"slices"
	"strconv"

	"github.com/internal-app-portal/iap/asl/value"
)

// orderKey is the member that tells the engine the order of an object's keys.
const orderKey = "\x00order"

// writer writes the variables of an evaluation as JSON, and notes what
// JavaScript would lose of them.
type writer struct {
	b []byte
	// care tells that there are objects whose keys JavaScript would reorder.
	care bool
	// numbers are the texts of numbers that a float does not hold, by the float.
	// Two that share a float cannot be told apart: their text is "".
	numbers map[float64]value.Number
}

// bindings writes what an expression names, and no more.
func bindings(e *Expr, env Env) *writer {
	w := &writer{b: []byte{'{'}}
	add := func(name string, v value.Value) {
		if len(w.b) > 1 {
			w.b = append(w.b, ',')
		}
		w.b = append(value.AppendString(w.b, name), ':')
		w.write(v)
	}
	for _, name := range e.names.all {
		if name == "states" || name == "" || name == "$" {
			continue
		}
		if v, ok := env.Variable(name); ok {
			add(name, v)
		}
	}
	if fields := e.names.states; slices.Contains(fields, "") {
		add("states", allStates(env))
	} else if len(fields) > 0 {
		o := &value.Object{}
		for _, field := range fields {
			if v, ok := env.States(field); ok {
				o.Set(field, v)
			}
		}
		add("states", o)
	}
	w.b = append(w.b, '}')
	return w
}

func (w *writer) write(v value.Value) {
	switch v := v.(type) {
	case value.Number:
		w.number(v)
	case value.Array:
		w.b = append(w.b, '[')
		for i, item := range v {
			if i > 0 {
				w.b = append(w.b, ',')
			}
			w.write(item)
		}
		w.b = append(w.b, ']')
	case *value.Object:
		w.object(v)
	default:
		w.b = value.Append(w.b, v)
	}
}

func (w *writer) object(o *value.Object) {
	w.b = append(w.b, '{')
	for i, m := range o.Members() {
		if i > 0 {
			w.b = append(w.b, ',')
		}
		w.b = append(value.AppendString(w.b, m.Key), ':')
		w.write(m.Value)
	}
	if reordered(o) {
		w.care = true
		w.b = append(value.AppendString(append(w.b, ','), orderKey), ':', '[')
		for i, m := range o.Members() {
			if i > 0 {
				w.b = append(w.b, ',')
			}
			w.b = value.AppendString(w.b, m.Key)
		}
		w.b = append(w.b, ']')
	}
	w.b = append(w.b, '}')
}

// reordered tells whether JavaScript lists the keys in another order: those
// that are array indices come first there.
func reordered(o *value.Object) bool {
	last, others := int64(-1), false
	for _, m := range o.Members() {
		i, ok := arrayIndex(m.Key)
		switch {
		case !ok:
			others = true
		case others || i < last:
			return true
		default:
			last = i
		}
	}
	return false
}

func arrayIndex(key string) (int64, bool) {
	if key == "" || len(key) > 10 || key[0] < '0' || key[0] > '9' || key[0] == '0' && len(key) > 1 {
		return 0, false
	}
	i, err := strconv.ParseInt(key, 10, 64)
	return i, err == nil && i < 1<<32-1
}

// exactDigits is how many digits any float holds.
const exactDigits = 15

func (w *writer) number(n value.Number) {
	w.b = append(w.b, n...)
	if len(n) <= exactDigits {
		return
	}
	f := n.Float64()
	if holds(n, f) {
		return
	}
	if w.numbers == nil {
		w.numbers = map[float64]value.Number{}
	}
	if old, twice := w.numbers[f]; twice && old != n {
		n = ""
	}
	w.numbers[f] = n
}

// holds tells whether the shortest text of a float means the number.
func holds(n value.Number, f float64) bool {
	const most = 400 // digits that are looked at
	if len(n) > most {
		return false
	}
	a, ok1 := new(big.Rat).SetString(string(n))
	b, ok2 := new(big.Rat).SetString(string(number(f)))
	return ok1 && ok2 && a.Cmp(b) == 0
}

// restore gives numbers of a result the digits that they had in the variables.
func (w *writer) restore(v value.Value) value.Value {
	if len(w.numbers) == 0 {
		return v
	}
	switch v := v.(type) {
	case value.Number:
		if n := w.numbers[v.Float64()]; n != "" {
			return n
		}
	case value.Array:
		for i := range v {
			v[i] = w.restore(v[i])
		}
	case *value.Object:
		for _, m := range v.Members() {
			v.Set(m.Key, w.restore(m.Value))
		}
	}
	return v
}
