package asl

import (
	"fmt"
	"sort"
	"strings"
	"unicode/utf8"

	"github.com/internal-app-portal/iap/asl/value"
)

// node is a value of the definition with its place in it.
type node struct {
	v      value.Value
	pos    *value.Position
	parent *node
	key    string
}

// field finds a member of an object.
func (n *node) field(name string) (*node, bool) {
	o, ok := n.v.(*value.Object)
	if !ok {
		return nil, false
	}
	for i, m := range o.Members() {
		if m.Key == name {
			return &node{v: m.Value, pos: &n.pos.Kids[i], parent: n, key: name}, true
		}
	}
	return nil, false
}

// fields gives all members of an object in order.
func (n *node) fields() []*node {
	o, _ := n.v.(*value.Object)
	out := make([]*node, 0, o.Len())
	for i, m := range o.Members() {
		out = append(out, &node{v: m.Value, pos: &n.pos.Kids[i], parent: n, key: m.Key})
	}
	return out
}

// items gives all elements of an array.
func (n *node) items() []*node {
	a, _ := n.v.(value.Array)
	out := make([]*node, len(a))
	for i, x := range a {
		out[i] = &node{v: x, pos: &n.pos.Kids[i], parent: n, key: fmt.Sprint(i)}
	}
	return out
}

// pointer is the JSON Pointer (RFC 6901) of the node.
func (n *node) pointer() string {
	var keys []string
	for at := n; at.parent != nil; at = at.parent {
		keys = append(keys, strings.NewReplacer("~", "~0", "/", "~1").Replace(at.key))
	}
	var b strings.Builder
	for i := len(keys) - 1; i >= 0; i-- {
		b.WriteString("/" + keys[i])
	}
	return b.String()
}

// maxProblems bounds the list of a hostile definition.
const maxProblems = 100

// Codes of problems, as AWS spells them where it has them.
const (
	CodeJSON         = "INVALID_JSON_DESCRIPTION"
	CodeSchema       = "SCHEMA_VALIDATION_FAILED"
	CodeNoTarget     = "MISSING_TRANSITION_TARGET"
	CodeNoEnd        = "MISSING_END_STATE"
	CodeDuplicate    = "DUPLICATE_STATE_NAME"
	CodeUnreachable  = "UNREACHABLE_STATE"
	CodeNotSupported = "NOT_SUPPORTED"
)

// checker gathers problems and graphs while it reads a definition.
type checker struct {
	src      []byte
	problems []Problem
	graphs   []*Graph
	names    map[string]bool
	depth    int
	// partial tells that a state could not be read whole, so that nothing can
	// be said of what can be reached.
	partial bool
	// seen is where a line and column were asked for last.
	seen struct{ offset, line, column int }
}

// lineColumn counts from where it counted last, so that asking for many places
// one after the other is quick even when all is on one line.
func (c *checker) lineColumn(offset int) (line, column int) {
	s := &c.seen
	if s.line == 0 || offset < s.offset {
		s.offset, s.line, s.column = 0, 1, 1
	}
	between := string(c.src[s.offset:min(offset, len(c.src))])
	if n := strings.Count(between, "\n"); n > 0 {
		s.line += n
		s.column = 1
		between = between[strings.LastIndexByte(between, '\n')+1:]
	}
	s.column += utf8.RuneCountInString(between)
	s.offset = offset
	return s.line, s.column
}

func (c *checker) problem(n *node, code, format string, args ...any) {
	c.suggest(n, code, "", format, args...)
}

func (c *checker) schema(n *node, format string, args ...any) {
	c.suggest(n, CodeSchema, "", format, args...)
}

func (c *checker) suggest(n *node, code, near, format string, args ...any) {
	if len(c.problems) >= maxProblems {
		return
	}
	p := Problem{Pointer: n.pointer(), Code: code, Message: fmt.Sprintf(format, args...), Suggestion: near}
	p.Line, p.Column = c.lineColumn(n.pos.Offset)
	c.problems = append(c.problems, p)
}

// lineColumn counts from 1; the column counts characters.
func lineColumn(src []byte, offset int) (line, column int) {
	before := string(src[:min(offset, len(src))])
	line = 1 + strings.Count(before, "\n")
	return line, 1 + utf8.RuneCountInString(before[strings.LastIndexByte(before, '\n')+1:])
}

// maxGuesses bounds the words that a wrong one is compared with.
const maxGuesses = 200

// nearest finds the word that differs least from a wrong one, if by little.
func nearest(word string, words []string) string {
	if len(words) > maxGuesses {
		words = words[:maxGuesses]
	}
	best, at := "", 2+len(word)/4
	sorted := append([]string(nil), words...)
	sort.Strings(sorted)
	for _, w := range sorted {
		if d := value.Distance(strings.ToLower(w), strings.ToLower(word)); d < at || d == 0 {
			best, at = w, d
		}
	}
	return best
}
