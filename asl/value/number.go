package value

import (
	"cmp"
	"math"
	"math/big"
	"strconv"
	"strings"
)

// Number is a number as its JSON text, so that no digit is lost.
type Number string

// Int makes a number of an integer.
func Int(i int64) Number { return Number(strconv.FormatInt(i, 10)) }

// Float makes a number of a finite float, written as Java does: 1.0, 0.1,
// 1.0E10.
func Float(f float64) Number {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return "0"
	}
	if a := math.Abs(f); a != 0 && (a < 1e-3 || a >= 1e7) {
		s := strconv.FormatFloat(f, 'E', -1, 64)
		mantissa, exponent, _ := strings.Cut(s, "E")
		if !strings.Contains(mantissa, ".") {
			mantissa += ".0"
		}
		e, _ := strconv.Atoi(exponent)
		return Number(mantissa + "E" + strconv.Itoa(e))
	}
	s := strconv.FormatFloat(f, 'f', -1, 64)
	if !strings.Contains(s, ".") {
		s += ".0"
	}
	return Number(s)
}

// IsInt tells whether the text has neither a fraction nor an exponent.
func (n Number) IsInt() bool { return !strings.ContainsAny(string(n), ".eE") }

// Int64 gives the number if it is an integer, however written, that fits.
func (n Number) Int64() (int64, bool) {
	if n.IsInt() {
		i, err := strconv.ParseInt(string(n), 10, 64)
		return i, err == nil
	}
	f := n.Float64()
	if f != math.Trunc(f) || math.Abs(f) >= 1<<63 {
		return 0, false
	}
	return int64(f), true
}

// Float64 gives the nearest float; too large a number gives an infinity.
func (n Number) Float64() float64 {
	f, _ := strconv.ParseFloat(string(n), 64)
	return f
}

// maxExact is how many digits are compared exactly.
const maxExact = 1000

// Cmp compares two numbers: -1, 0 or 1; exactly unless one has an exponent or
// very many digits.
func (n Number) Cmp(m Number) int {
	if n == m {
		return 0
	}
	if a, ok := n.small(); ok {
		if b, ok := m.small(); ok {
			switch {
			case a < b:
				return -1
			case a > b:
				return 1
			}
			return 0
		}
	}
	if len(n)+len(m) > maxExact || strings.ContainsAny(string(n)+string(m), "eE") {
		// An exponent may stand for a million digits: compare as floats.
		return cmp.Compare(n.Float64(), m.Float64())
	}
	return n.rat().Cmp(m.rat())
}

func (n Number) small() (int64, bool) {
	if len(n) > 18 || !n.IsInt() {
		return 0, false
	}
	i, err := strconv.ParseInt(string(n), 10, 64)
	return i, err == nil
}

// rat is the exact value of a number without an exponent.
func (n Number) rat() *big.Rat {
	r, ok := new(big.Rat).SetString(string(n))
	if !ok {
		return new(big.Rat)
	}
	return r
}
