package intrinsic

import (
	"errors"
	"math/big"
	"math/rand/v2"

	"github.com/internal-app-portal/iap/asl/value"
)

// jsonMerge merges two objects, of which the second one wins; only shallowly,
// as AWS allows no more.
func jsonMerge(f *frame) (value.Value, error) {
	a, ok1 := f.args[0].(*value.Object)
	b, ok2 := f.args[1].(*value.Object)
	deep, ok3 := f.args[2].(bool)
	switch {
	case !ok1 || !ok2:
		return nil, errors.New("the first two arguments must be objects")
	case !ok3 || deep:
		return nil, errors.New("the third argument must be false: only shallow merging is supported")
	}
	out := a.Clone()
	for _, m := range b.Members() {
		out.Set(m.Key, m.Value)
	}
	return out, nil
}

func mathAdd(f *frame) (value.Value, error) {
	a, err1 := f.integer(0)
	b, err2 := f.integer(1)
	if err := errors.Join(err1, err2); err != nil {
		return nil, err
	}
	sum := new(big.Int).Add(big.NewInt(a), big.NewInt(b))
	if !sum.IsInt64() {
		return nil, errors.New("the sum is too large a number")
	}
	return value.Int(sum.Int64()), nil
}

// mathRandom gives an integer from the first argument up to, but not
// including, the second; with a third, a seed, always the same one.
func mathRandom(f *frame) (value.Value, error) {
	from, err1 := f.integer(0)
	to, err2 := f.integer(1)
	if err := errors.Join(err1, err2); err != nil {
		return nil, err
	}
	if from >= to {
		return nil, errors.New("the start must be less than the end")
	}
	var x float64
	switch {
	case len(f.args) == 3:
		seed, err := f.integer(2)
		if err != nil {
			return nil, err
		}
		x = rand.New(rand.NewPCG(uint64(seed), 0)).Float64()
	case f.env.Rand != nil:
		x = f.env.Rand()
	}
	return value.Int(from + int64(x*float64(uint64(to)-uint64(from)))), nil
}

func newUUID(f *frame) (value.Value, error) {
	if f.env.NewUUID == nil {
		return "00000000-0000-0000-0000-000000000000", nil
	}
	return f.env.NewUUID(), nil
}
