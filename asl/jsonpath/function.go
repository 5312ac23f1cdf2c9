package jsonpath

import (
	"math"

	"github.com/internal-app-portal/iap/asl/value"
)

// functions applies the functions at the end of a path to its value. After
// wildcards and filters they apply to each match, after ".." to all together.
func (e *eval) functions(p *Path, v value.Value) (value.Value, error) {
	before := p.tokens[:p.function]
	scanned := false
	for _, t := range before {
		if _, ok := t.(scan); ok {
			scanned = true
		}
	}
	if definitely(before) || scanned {
		return e.apply(p.tokens[p.function:], v)
	}
	out := value.Array{}
	for _, x := range v.(value.Array) {
		y, err := e.apply(p.tokens[p.function:], x)
		if err != nil {
			return nil, err
		}
		out = append(out, y)
	}
	return out, nil
}

func (e *eval) apply(tokens []token, v value.Value) (value.Value, error) {
	for _, t := range tokens {
		f, ok := t.(function)
		if !ok {
			return nil, &NotFoundError{"No results for path: a function must come last"}
		}
		var err error
		if v, err = e.call(f, v); err != nil {
			return nil, err
		}
	}
	return v, nil
}

func (e *eval) call(f function, v value.Value) (value.Value, error) {
	switch f.name {
	case "length", "size":
		switch v := v.(type) {
		case value.Array:
			return value.Int(int64(len(v))), nil
		case *value.Object:
			return value.Int(int64(v.Len())), nil
		}
		return nil, nil
	case "keys":
		keys := value.Array{}
		o, _ := v.(*value.Object)
		for _, m := range o.Members() {
			keys = append(keys, m.Key)
		}
		return keys, nil
	case "first", "last", "index":
		return e.pick(f, v)
	case "append":
		a, _ := v.(value.Array)
		out := append(value.Array{}, a...)
		for _, arg := range f.args {
			x, _, err := e.operand(arg, v)
			if err != nil {
				return nil, err
			}
			out = append(out, x)
		}
		return out, nil
	case "concat":
		return e.concat(f, v)
	}
	return e.aggregate(f, v)
}

func (e *eval) pick(f function, v value.Value) (value.Value, error) {
	at := map[string]int{"first": 0, "last": -1}[f.name]
	if f.name == "index" && len(f.args) == 1 {
		if n, ok := f.args[0].lit.(value.Number); ok {
			i, _ := n.Int64()
			at = int(i)
		}
	}
	a, _ := v.(value.Array)
	x, ok := element(a, at)
	if !ok {
		return nil, &NotFoundError{"Aggregation function attempted to calculate value using empty array"}
	}
	return x, nil
}

func (e *eval) concat(f function, v value.Value) (value.Value, error) {
	out := ""
	add := func(x value.Value) {
		if s, ok := x.(string); ok {
			out += s
		}
	}
	if a, ok := v.(value.Array); ok {
		for _, x := range a {
			add(x)
		}
	}
	for _, arg := range f.args {
		x, _, err := e.operand(arg, v)
		if err != nil {
			return nil, err
		}
		add(x)
	}
	return out, nil
}

// aggregate does min, max, avg, sum and stddev, which give floats.
func (e *eval) aggregate(f function, v value.Value) (value.Value, error) {
	var nums []float64
	a, _ := v.(value.Array)
	for _, x := range a {
		if n, ok := x.(value.Number); ok {
			nums = append(nums, n.Float64())
		}
	}
	for _, arg := range f.args {
		x, _, err := e.operand(arg, v)
		if err != nil {
			return nil, err
		}
		if n, ok := x.(value.Number); ok {
			nums = append(nums, n.Float64())
		}
	}
	if len(nums) == 0 {
		return nil, &NotFoundError{"Aggregation function attempted to calculate value using empty array"}
	}
	low, high, sum, squares := nums[0], nums[0], 0.0, 0.0
	for _, n := range nums {
		low, high, sum, squares = math.Min(low, n), math.Max(high, n), sum+n, squares+n*n
	}
	mean := sum / float64(len(nums))
	switch f.name {
	case "min":
		return value.Float(low), nil
	case "max":
		return value.Float(high), nil
	case "avg":
		return value.Float(mean), nil
	case "stddev":
		return value.Float(math.Sqrt(squares/float64(len(nums)) - mean*mean)), nil
	}
	return value.Float(sum), nil
}
