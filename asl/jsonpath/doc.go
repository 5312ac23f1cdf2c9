// Package jsonpath evaluates JSONPath expressions with the semantics of
// Jayway's JsonPath for Java, as AWS Step Functions shows them: a definite path
// gives one value or an error, an indefinite one (wildcard, slice, filter,
// "..") gives an array that may be empty, several names in one pair of brackets
// give an object, the step of a slice is ignored, and filters compare "42" and
// 42 as equal.
//
// A path is compiled once and may then be used by several goroutines. The work
// of one evaluation is bounded, see MaxWork.
package jsonpath

import (
	"errors"

	"github.com/internal-app-portal/iap/asl/value"
)

// MaxWork bounds the values that one evaluation may visit.
const MaxWork = 1_000_000

// ErrTooMuchWork tells that a path visited more than MaxWork values.
var ErrTooMuchWork = errors.New("the path visits too many values")

// NotFoundError tells that a definite path leads to nothing. Its text is the
// one of Jayway.
type NotFoundError struct{ Msg string }

func (e *NotFoundError) Error() string { return e.Msg }

// SyntaxError tells what is wrong with the text of a path.
type SyntaxError struct {
	Path   string
	Offset int // in bytes, from 0
	Msg    string
}

func (e *SyntaxError) Error() string { return e.Msg }

// RootKind says where a path starts.
type RootKind int

// The places where a path may start.
const (
	RootInput    RootKind = iota // $
	RootContext                  // $$
	RootVariable                 // $name
)

// Path is a compiled path.
type Path struct {
	text     string
	root     RootKind
	variable string
	tokens   []token
	definite bool
	// function is the index of the first function among the tokens, or -1.
	function int
}

// String is the text of the path as it was given.
func (p *Path) String() string { return p.text }

// Root says where the path starts; variable is the name for RootVariable.
func (p *Path) Root() (kind RootKind, variable string) { return p.root, p.variable }

// Definite tells whether the path gives at most one value.
func (p *Path) Definite() bool { return p.definite }

// IsRoot tells whether the path is nothing but its root.
func (p *Path) IsRoot() bool { return len(p.tokens) == 0 }

// Eval follows the path from root. The error is a *NotFoundError or
// ErrTooMuchWork.
func (p *Path) Eval(root value.Value) (value.Value, error) {
	if len(p.tokens) == 0 {
		return root, nil
	}
	e := eval{root: root, work: new(int)}
	return e.path(p, root)
}
