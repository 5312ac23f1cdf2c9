package intrinsic

import (
	"fmt"
	"math"

	"github.com/internal-app-portal/iap/asl/value"
)

// spec is one function: how many arguments it takes and what it does.
type spec struct {
	min, max int
	run      func(*frame) (value.Value, error)
}

func (s spec) count() string {
	switch {
	case s.max == math.MaxInt:
		return fmt.Sprintf("%d or more arguments", s.min)
	case s.min == s.max && s.min == 1:
		return "1 argument"
	case s.min == s.max:
		return fmt.Sprintf("%d arguments", s.min)
	}
	return fmt.Sprintf("%d to %d arguments", s.min, s.max)
}

// functions are the functions by their name after "States.". It never changes.
var functions = map[string]spec{
	"Array":          {0, math.MaxInt, array},
	"ArrayContains":  {2, 2, arrayContains},
	"ArrayGetItem":   {2, 2, arrayGetItem},
	"ArrayLength":    {1, 1, arrayLength},
	"ArrayPartition": {2, 2, arrayPartition},
	"ArrayRange":     {3, 3, arrayRange},
	"ArrayUnique":    {1, 1, arrayUnique},
	"Base64Decode":   {1, 1, base64Decode},
	"Base64Encode":   {1, 1, base64Encode},
	"Format":         {1, math.MaxInt, format},
	"Hash":           {2, 2, hash},
	"JsonMerge":      {3, 3, jsonMerge},
	"JsonToString":   {1, 1, jsonToString},
	"MathAdd":        {2, 2, mathAdd},
	"MathRandom":     {2, 3, mathRandom},
	"StringSplit":    {2, 2, stringSplit},
	"StringToJson":   {1, 1, stringToJSON},
	"UUID":           {0, 0, newUUID},
}

func (f *frame) array(i int) (value.Array, error) {
	if a, ok := f.args[i].(value.Array); ok {
		return a, nil
	}
	return nil, fmt.Errorf("argument %d must be an array, but it is of type %s", i+1, value.Kind(f.args[i]))
}

func (f *frame) text(i int) (string, error) {
	if s, ok := f.args[i].(string); ok {
		return s, nil
	}
	return "", fmt.Errorf("argument %d must be a string, but it is of type %s", i+1, value.Kind(f.args[i]))
}

// integer gives a number rounded to the nearest integer, halves upwards.
func (f *frame) integer(i int) (int64, error) {
	n, ok := f.args[i].(value.Number)
	if !ok {
		return 0, fmt.Errorf("argument %d must be a number, but it is of type %s", i+1, value.Kind(f.args[i]))
	}
	if k, ok := n.Int64(); ok {
		return k, nil
	}
	x := math.Floor(n.Float64() + 0.5)
	if math.Abs(x) >= 1<<63 {
		return 0, fmt.Errorf("argument %d is too large a number", i+1)
	}
	return int64(x), nil
}
