package iap

import (
	"errors"
	"fmt"
	"time"
)

// Kind says what sort of failure an Error is; the edges turn it into a status.
type Kind int

// The kinds of error. Other kinds are never needed at an edge.
const (
	Internal        Kind = iota // a fault of the portal: its text stays in the log
	Invalid                     // bad input: the text names the field and what would be right
	Unauthenticated             // nobody is signed in
	Forbidden                   // signed in, known, not allowed
	NotFound                    // there is none, or the actor may not know of it
	Conflict                    // there is one already, or its state does not allow it
	Limit                       // a limit is reached
	Unavailable                 // something underneath is down or busy: try again
	Full                        // no room on the disk
	Timeout                     // it took too long
)

var kindNames = [...]string{"internal error", "invalid", "not signed in", "not allowed", "not found",
	"conflict", "limit reached", "unavailable", "no space left", "timed out"}

// String returns the words for k that a person reads.
func (k Kind) String() string {
	if k < 0 || int(k) >= len(kindNames) {
		return "unknown"
	}
	return kindNames[k]
}

// Error is the one error type of the portal.
type Error struct {
	Op         string        // what was attempted: "catalog.Add"
	Kind       Kind          // what sort of failure it is
	Field      string        // the field of the input that is wrong, as a path: "parameters[0].name"
	RetryAfter time.Duration // when a new attempt makes sense; 0 when unknown
	Err        error         // the cause; shown to clients unless Kind is Internal
}

// E makes an Error of a kind.
func E(op string, kind Kind, err error) *Error { return &Error{Op: op, Kind: kind, Err: err} }

// Errorf makes an Error of a kind from a format as fmt.Errorf takes it.
func Errorf(op string, kind Kind, format string, args ...any) *Error {
	return &Error{Op: op, Kind: kind, Err: fmt.Errorf(format, args...)}
}

// FieldErrorf makes an Invalid error that names the field.
func FieldErrorf(op, field, format string, args ...any) *Error {
	return &Error{Op: op, Kind: Invalid, Field: field, Err: fmt.Errorf(format, args...)}
}

// Error returns the operation, the field and the cause, for a log.
func (e *Error) Error() string {
	s := e.Message()
	if e.Field != "" {
		s = e.Field + ": " + s
	}
	if e.Op != "" {
		s = e.Op + ": " + s
	}
	return s
}

// Message returns the cause alone, for a person who knows what was attempted.
func (e *Error) Message() string {
	if e.Err == nil {
		return e.Kind.String()
	}
	var inner *Error
	if errors.As(e.Err, &inner) && inner == e.Err {
		return inner.Message()
	}
	return e.Err.Error()
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// KindOf returns the kind of the outermost Error in err's chain, Internal
// when there is none.
func KindOf(err error) Kind {
	var e *Error
	if errors.As(err, &e) {
		return e.Kind
	}
	return Internal
}

// IsKind reports whether err is an Error of kind k.
func IsKind(err error, k Kind) bool { return err != nil && KindOf(err) == k }

// Fields returns the Errors of err that name a field: err itself, or each of
// those joined in it.
func Fields(err error) []*Error {
	var out []*Error
	var walk func(error)
	walk = func(err error) {
		if e, ok := err.(*Error); ok && e.Field != "" {
			out = append(out, e)
			return
		}
		switch u := err.(type) {
		case interface{ Unwrap() []error }:
			for _, e := range u.Unwrap() {
				walk(e)
			}
		case interface{ Unwrap() error }:
			if inner := u.Unwrap(); inner != nil {
				walk(inner)
			}
		}
	}
	if err != nil {
		walk(err)
	}
	return out
}
