package intrinsic

import (
	"fmt"
	"math"

	"github.com/internal-app-portal/iap/asl/value"
)

// spec is one function: how many arguments it takes and what it does.
type spec struct {
	min, max int
	// kinds are the types of the arguments, of which the last one goes for all
	// that follow: a array, b boolean, n number, o object, s string, * any.
	kinds string
	run   func(*frame) (value.Value, error)
}

// wants names the type that argument i must have; "" when any will do.
func (s spec) wants(i int) string {
	switch s.kinds[min(i, len(s.kinds)-1)] {
	case 'a':
		return "array"
	case 'b':
		return "boolean"
	case 'n':
		return "number"
	case 'o':
		return "object"
	case 's':
		return "string"
	}
	return ""
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
	"Array":          {0, math.MaxInt, "*", array},
	"ArrayContains":  {2, 2, "a*", arrayContains},
	"ArrayGetItem":   {2, 2, "an", arrayGetItem},
	"ArrayLength":    {1, 1, "a", arrayLength},
	"ArrayPartition": {2, 2, "an", arrayPartition},
	"ArrayRange":     {3, 3, "n", arrayRange},
	"ArrayUnique":    {1, 1, "a", arrayUnique},
	"Base64Decode":   {1, 1, "s", base64Decode},
	"Base64Encode":   {1, 1, "s", base64Encode},
	"Format":         {1, math.MaxInt, "s*", format},
	"Hash":           {2, 2, "*s", hash},
	"JsonMerge":      {3, 3, "oob", jsonMerge},
	"JsonToString":   {1, 1, "*", jsonToString},
	"MathAdd":        {2, 2, "n", mathAdd},
	"MathRandom":     {2, 3, "n", mathRandom},
	"StringSplit":    {2, 2, "s", stringSplit},
	"StringToJson":   {1, 1, "s", stringToJSON},
	"UUID":           {0, 0, "*", newUUID},
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

// limit is how long a text may be that a function makes.
func (f *frame) limit() int {
	if f.env.MaxBytes <= 0 {
		return 1 << 20
	}
	return f.env.MaxBytes
}

// small checks that argument i is not too large to be written as a text.
func (f *frame) small(i int) error {
	if deep, large := value.Measure(f.args[i], value.MaxDepth, f.limit()); deep || large {
		return fmt.Errorf("argument %d is too large: the text would be longer than %d bytes", i+1, f.limit())
	}
	return nil
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
