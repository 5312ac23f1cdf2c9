package jsonpath

import (
	"strconv"
	"strings"

	"github.com/internal-app-portal/iap/asl/value"
)

// token is one step of a path.
type token interface {
	// definite tells whether the step gives at most one value.
	definite(leaf bool) bool
	// text is the step as Jayway writes it in its errors.
	text() string
}

type (
	names    []string // ['a'] or ['a','b'] or .a
	indexes  []int    // [0] or [0,1]
	wildcard struct{} // [*] or .*
	scan     struct{} // ..
	slice    struct{ from, to *int }
	filter   struct {
		cond condition
		src  string
	}
	function struct {
		name string
		args []operand
	}
)

func (t names) definite(leaf bool) bool { return len(t) == 1 || leaf }
func (t indexes) definite(bool) bool    { return len(t) == 1 }
func (wildcard) definite(bool) bool     { return false }
func (scan) definite(bool) bool         { return false }
func (slice) definite(bool) bool        { return false }
func (filter) definite(bool) bool       { return false }
func (function) definite(bool) bool     { return true }

func (t names) text() string {
	quoted := make([]string, len(t))
	for i, n := range t {
		quoted[i] = "'" + n + "'"
	}
	return "[" + strings.Join(quoted, ",") + "]"
}

func (t indexes) text() string {
	s := make([]string, len(t))
	for i, n := range t {
		s[i] = strconv.Itoa(n)
	}
	return "[" + strings.Join(s, ",") + "]"
}

func (wildcard) text() string   { return "[*]" }
func (scan) text() string       { return ".." }
func (t filter) text() string   { return "[?]" }
func (t function) text() string { return "." + t.name + "()" }

func (t slice) text() string {
	part := func(n *int) string {
		if n == nil {
			return ""
		}
		return strconv.Itoa(*n)
	}
	return "[" + part(t.from) + ":" + part(t.to) + "]"
}

// bounds gives the indexes of a slice over n elements as Jayway walks them.
func (t slice) bounds(n int) (from, to int) {
	switch {
	case t.from != nil && t.to == nil:
		if from = *t.from; from < 0 {
			from += n
		}
		return max(from, 0), n
	case t.from == nil && t.to != nil:
		if to = *t.to; to < 0 {
			to += n
		}
		return 0, min(to, n)
	case t.from == nil:
		return 0, n
	}
	return *t.from, min(*t.to, n)
}

// element gives an element, counting from the end for a negative index.
func element(a value.Array, i int) (value.Value, bool) {
	if i < 0 {
		i += len(a)
	}
	if i < 0 || i >= len(a) {
		return nil, false
	}
	return a[i], true
}
