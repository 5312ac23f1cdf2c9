package jsonata

import (
	"errors"
	"fmt"
)

// ErrNothing tells that an expression gave nothing (undefined).
var ErrNothing = errors.New("the expression returned nothing (undefined)")

// ErrUnsupported tells that an expression gave something that is no JSON, such
// as a function.
var ErrUnsupported = errors.New("the expression returned an unsupported result type")

// ErrClosed tells that the pool has been closed.
var ErrClosed = errors.New("jsonata: the pool is closed")

// SyntaxError tells what is wrong with an expression, and where.
type SyntaxError struct {
	Offset int    // in bytes of the expression, from 0
	Code   string // as in JSONata's documentation: S0101 to S0500
	Msg    string
}

func (e *SyntaxError) Error() string { return e.Msg }

// Error is an error that an expression ended with.
type Error struct {
	// Code is JSONata's, such as T2001, or one of the Code constants.
	Code string
	Msg  string
	// Position is where in the expression, in characters, from 0; -1: unknown.
	Position int
}

func (e *Error) Error() string { return e.Msg }

// The codes of evaluations that were cut off.
const (
	CodeTimeout = "TIMEOUT"
	CodeMemory  = "MEMORY"
	CodeStack   = "STACK"
	CodeEngine  = "ENGINE" // anything else that the engine throws
)

// IsLimit tells whether an evaluation was cut off by one of the pool's limits.
func (e *Error) IsLimit() bool {
	return e.Code == CodeTimeout || e.Code == CodeMemory || e.Code == CodeStack
}

func syntaxError(offset int, code, format string, args ...any) *SyntaxError {
	return &SyntaxError{Offset: offset, Code: code, Msg: fmt.Sprintf(format, args...)}
}
