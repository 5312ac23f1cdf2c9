package asl

import (
	"strings"

	"github.com/internal-app-portal/iap/asl/value"
)

// splitPattern cuts a StringMatches pattern at its asterisks; \* and \\ stand
// for the characters themselves.
func splitPattern(s string) []string {
	parts := []string{}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '\\' && i+1 < len(s) && (s[i+1] == '*' || s[i+1] == '\\'):
			i++
			b.WriteByte(s[i])
		case s[i] == '*':
			parts = append(parts, b.String())
			b.Reset()
		default:
			b.WriteByte(s[i])
		}
	}
	return append(parts, b.String())
}

// matchPattern tells whether a text has the parts in order, from start to end.
func matchPattern(parts []string, s string) bool {
	first, last := parts[0], parts[len(parts)-1]
	if len(parts) == 1 {
		return s == first
	}
	if !strings.HasPrefix(s, first) {
		return false
	}
	s = s[len(first):]
	for _, part := range parts[1 : len(parts)-1] {
		i := strings.Index(s, part)
		if i < 0 {
			return false
		}
		s = s[i+len(part):]
	}
	return strings.HasSuffix(s, last)
}

// holds evaluates a condition.
func (x *exec) holds(c *condition) (bool, *failure) {
	switch {
	case c.all != nil:
		for i := range c.all {
			if ok, f := x.holds(&c.all[i]); f != nil || !ok {
				return false, f
			}
		}
		return true, nil
	case c.any != nil:
		for i := range c.any {
			if ok, f := x.holds(&c.any[i]); f != nil || ok {
				return ok, f
			}
		}
		return false, nil
	case c.not != nil:
		ok, f := x.holds(c.not)
		return !ok, f
	}
	v, err := x.path(c.variable.path)
	if c.op == "IsPresent" {
		return (err == nil) == (c.literal == true), nil
	}
	if err != nil {
		return false, x.runtime("Invalid path '%s': The choice state's condition path references an invalid value.", c.variable.text)
	}
	want := c.literal
	if c.other != nil {
		if want, err = x.path(c.other.path); err != nil {
			return false, x.runtime("Invalid path '%s': The choice state's condition path references an invalid value.", c.other.text)
		}
	}
	return c.compare(v, want), nil
}

func (c *condition) compare(v, want value.Value) bool {
	switch c.op {
	case "IsNull", "IsNumeric", "IsString", "IsBoolean", "IsTimestamp":
		return isOfType(c.op, v) == (want == true)
	case "StringMatches":
		s, ok := v.(string)
		return ok && matchPattern(c.pattern, s)
	case "BooleanEquals":
		a, ok1 := v.(bool)
		b, ok2 := want.(bool)
		return ok1 && ok2 && a == b
	}
	switch {
	case strings.HasPrefix(c.op, "String"):
		a, ok1 := v.(string)
		b, ok2 := want.(string)
		return ok1 && ok2 && relates(c.op[len("String"):], value.Compare(a, b))
	case strings.HasPrefix(c.op, "Numeric"):
		a, ok1 := v.(value.Number)
		b, ok2 := want.(value.Number)
		return ok1 && ok2 && relates(c.op[len("Numeric"):], a.Cmp(b))
	}
	a, _ := v.(string)
	b, _ := want.(string)
	t, ok1 := parseTimestamp(a)
	u, ok2 := parseTimestamp(b)
	return ok1 && ok2 && relates(c.op[len("Timestamp"):], t.Compare(u))
}

func isOfType(op string, v value.Value) bool {
	switch v := v.(type) {
	case nil:
		return op == "IsNull"
	case bool:
		return op == "IsBoolean"
	case value.Number:
		return op == "IsNumeric"
	case string:
		if op == "IsTimestamp" {
			_, ok := parseTimestamp(v)
			return ok
		}
		return op == "IsString"
	}
	return false
}

func relates(op string, order int) bool {
	switch op {
	case "Equals":
		return order == 0
	case "LessThan":
		return order < 0
	case "LessThanEquals":
		return order <= 0
	case "GreaterThan":
		return order > 0
	}
	return order >= 0
}
