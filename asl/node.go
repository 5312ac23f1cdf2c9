package asl

import (
	"fmt"
	"slices"
	"sort"
	"strconv"
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
	// element tells that the parent is an array, state that this is a state.
	element, state bool
}

// field finds a member of an object.
func (n *node) field(name string) (*node, bool) {
	o, ok := n.v.(*value.Object)
	if !ok {
		return nil, false
	}
	i := o.Find(name)
	if i < 0 {
		return nil, false
	}
	return &node{v: o.Members()[i].Value, pos: &n.pos.Kids[i], parent: n, key: name}, true
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
		out[i] = &node{v: x, pos: &n.pos.Kids[i], parent: n, key: strconv.Itoa(i), element: true}
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

// location is the place as AWS writes it: "/States/A/Choices[0]/Next", names as
// they are; "/" for the whole.
func (n *node) location() string {
	if n.parent == nil {
		return "/"
	}
	return n.join(func(at *node) bool { return at.parent == nil })
}

// inState is the place within its state: "Choices[0]/Next".
func (n *node) inState() string {
	return strings.TrimPrefix(n.join(func(at *node) bool { return at.parent == nil || at.state }), "/")
}

func (n *node) join(stop func(*node) bool) string {
	var parts []string
	for at := n; !stop(at); at = at.parent {
		if at.element {
			parts = append(parts, "["+at.key+"]")
		} else {
			parts = append(parts, "/"+at.key)
		}
	}
	slices.Reverse(parts)
	return strings.Join(parts, "")
}

// maxProblems bounds the list of a hostile definition.
const maxProblems = 100

// Codes of problems, as AWS spells them.
const (
	CodeJSON         = "INVALID_JSON_DESCRIPTION"
	CodeSchema       = "SCHEMA_VALIDATION_FAILED"
	CodeNoTarget     = "MISSING_TRANSITION_TARGET"
	CodeNoEnd        = "MISSING_END_STATE"
	CodeDuplicate    = "DUPLICATE_STATE_NAME"
	CodeStateName    = "INVALID_STATE_NAME"
	CodeLabel        = "INVALID_LABEL_NAME"
	CodeTwoLabels    = "DUPLICATE_LABEL_NAME"
	CodeDeep         = "TOO_DEEPLY_NESTED"
	CodeQuery        = "INVALID_JSONATA_EXPRESSION"
	CodeQueryRoot    = "UNSUPPORTED_JSONATA_EXPRESSION"
	CodeNoDollar     = "NO_DOLLAR"
	CodeNoPath       = "NO_PATH"
	CodeStaticResult = "PASS_RESULT_IS_STATIC"
)

// checker gathers problems and graphs while it reads a definition.
type checker struct {
	src      []byte
	problems []*Problem
	// count is how many problems of a severity there are.
	count  map[Severity]int
	graphs []*Graph
	names  map[string]bool
	labels map[string]bool
	depth  int
	scope  *scope
	// at is the name of the state that is being read.
	at     string
	scopes []*scope
	// lang is the machine's query language.
	lang QueryLanguage
	// express tells that the machine is to run as an Express one.
	express bool
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

func (c *checker) problem(n *node, code, format string, args ...any) *Problem {
	return c.report(n, SeverityError, code, fmt.Sprintf(format, args...))
}

func (c *checker) schema(n *node, format string, args ...any) *Problem {
	return c.problem(n, CodeSchema, format, args...)
}

// warn notes something that AWS takes but warns of.
func (c *checker) warn(n *node, code, format string, args ...any) *Problem {
	return c.report(n, SeverityWarning, code, fmt.Sprintf(format, args...))
}

// full tells whether there is no room for more problems of a severity. Errors
// and warnings have room of their own: no number of warnings hides an error.
func (c *checker) full(s Severity) bool { return c.count[s] >= maxProblems }

// report notes a problem and gives it, so that more can be said of it.
func (c *checker) report(n *node, s Severity, code, message string) *Problem {
	if c.full(s) {
		return &Problem{} // there is no room: whoever adds to it adds to nothing
	}
	c.count[s]++
	p := &Problem{Pointer: n.pointer(), Location: n.location(), Code: code, Severity: s, Message: message}
	p.Line, p.Column = c.lineColumn(n.pos.Offset)
	c.problems = append(c.problems, p)
	return p
}

// hint says in the portal's words what AWS's message leaves open.
func (p *Problem) hint(format string, args ...any) *Problem {
	p.Hint = fmt.Sprintf(format, args...)
	return p
}

// near names the word that was probably meant.
func (p *Problem) near(word string) *Problem {
	p.Suggestion = word
	return p
}

// around makes the object around the place the one that AWS's location names.
func (p *Problem) around(n *node) *Problem {
	p.Location = n.parent.location()
	return p
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
