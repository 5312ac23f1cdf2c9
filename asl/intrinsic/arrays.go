package intrinsic

import (
	"errors"
	"fmt"

	"github.com/internal-app-portal/iap/asl/value"
)

// maxRange is how many items States.ArrayRange gives at most.
const maxRange = 1000

func array(f *frame) (value.Value, error) { return value.Array(f.args), nil }

func arrayContains(f *frame) (value.Value, error) {
	a, err := f.array(0)
	if err != nil {
		return nil, err
	}
	for _, x := range a {
		if value.Equal(x, f.args[1]) {
			return true, nil
		}
	}
	return false, nil
}

func arrayGetItem(f *frame) (value.Value, error) {
	a, err := f.array(0)
	if err != nil {
		return nil, err
	}
	i, err := f.integer(1)
	if err != nil {
		return nil, err
	}
	if i < 0 || i >= int64(len(a)) {
		return nil, fmt.Errorf("the index %d is out of bounds for an array of %d items", i, len(a))
	}
	return a[i], nil
}

func arrayLength(f *frame) (value.Value, error) {
	a, err := f.array(0)
	return value.Int(int64(len(a))), err
}

func arrayPartition(f *frame) (value.Value, error) {
	a, err := f.array(0)
	if err != nil {
		return nil, err
	}
	size, err := f.integer(1)
	if err != nil {
		return nil, err
	}
	if size <= 0 {
		return nil, errors.New("the size of a chunk must be a positive number")
	}
	chunks := value.Array{}
	for len(a) > 0 {
		n := int(min(size, int64(len(a))))
		chunks = append(chunks, a[:n:n])
		a = a[n:]
	}
	return chunks, nil
}

func arrayRange(f *frame) (value.Value, error) {
	first, err1 := f.integer(0)
	last, err2 := f.integer(1)
	step, err3 := f.integer(2)
	if err := errors.Join(err1, err2, err3); err != nil {
		return nil, err
	}
	if step == 0 {
		return nil, errors.New("the increment must not be zero")
	}
	out := value.Array{}
	for n := first; step > 0 && n <= last || step < 0 && n >= last; n += step {
		if len(out) == maxRange {
			return nil, fmt.Errorf("the range must not have more than %d items", maxRange)
		}
		out = append(out, value.Int(n))
		if step > 0 && n > last-step || step < 0 && n < last-step {
			break
		}
	}
	return out, nil
}

func arrayUnique(f *frame) (value.Value, error) {
	a, err := f.array(0)
	if err != nil {
		return nil, err
	}
	out := value.Array{}
	seen := map[string]bool{}
	for _, x := range a {
		key := canonical(x)
		if !seen[key] {
			seen[key] = true
			out = append(out, x)
		}
	}
	return out, nil
}

// canonical writes a value so that equal values have equal texts.
func canonical(v value.Value) string {
	return value.Text(value.Sorted(v))
}
