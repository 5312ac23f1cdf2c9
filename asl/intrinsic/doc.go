// Package intrinsic compiles and evaluates the 18 intrinsic functions of Amazon
// States Language, such as States.Format('Hello {}', $.name).
//
// A call is compiled once and may then be used by several goroutines.
package intrinsic

import (
	"fmt"

	"github.com/internal-app-portal/iap/asl/jsonpath"
	"github.com/internal-app-portal/iap/asl/value"
)

// Env is what a call may use besides its arguments.
type Env struct {
	// Path gives the value of a path argument.
	Path func(*jsonpath.Path) (value.Value, error)
	// Rand gives a number in [0,1); NewUUID a random UUID.
	Rand    func() float64
	NewUUID func() string
	// MaxBytes bounds the texts that functions make; 0 means 1 MiB.
	MaxBytes int
}

// Error tells that a function refused its arguments. AWS names such an error
// States.IntrinsicFailure.
type Error struct {
	Call string // the text of the call
	Msg  string
}

func (e *Error) Error() string {
	return fmt.Sprintf("The function '%s' had the following error: %s", e.Call, e.Msg)
}

// PathError tells that a path argument leads to nothing.
type PathError struct {
	Call string
	Path string
	Err  error
}

func (e *PathError) Error() string {
	return fmt.Sprintf("The function '%s' had the following error: The JsonPath argument for the field '%s' could not be found in the input", e.Call, e.Path)
}

// Unwrap gives the error of the path.
func (e *PathError) Unwrap() error { return e.Err }

// SyntaxError tells what is wrong with the text of a call.
type SyntaxError struct {
	Offset int // in bytes, from 0
	Msg    string
	// Near is a function's name that is nearly right, or "".
	Near string
}

func (e *SyntaxError) Error() string { return e.Msg }

// Call is a compiled call.
type Call struct {
	name string
	text string
	args []arg
}

// arg is one argument: a literal, a path or a call.
type arg struct {
	lit  value.Value
	raw  string // the text between the quotation marks, with its escapes
	path *jsonpath.Path
	call *Call
}

// String is the text of the call as it was given.
func (c *Call) String() string { return c.text }

// Paths gives every path among the arguments, those of inner calls included.
func (c *Call) Paths() []*jsonpath.Path {
	var all []*jsonpath.Path
	for _, a := range c.args {
		switch {
		case a.path != nil:
			all = append(all, a.path)
		case a.call != nil:
			all = append(all, a.call.Paths()...)
		}
	}
	return all
}

// Eval calls the function. The error is an *Error, or a *PathError when a path
// leads to nothing.
func (c *Call) Eval(env *Env) (value.Value, error) {
	vals := make([]value.Value, len(c.args))
	for i, a := range c.args {
		var err error
		switch {
		case a.call != nil:
			vals[i], err = a.call.Eval(env)
			if err != nil {
				return nil, err
			}
		case a.path != nil:
			if vals[i], err = env.Path(a.path); err != nil {
				return nil, &PathError{Call: c.text, Path: a.path.String(), Err: err}
			}
		default:
			vals[i] = a.lit
		}
	}
	f := &frame{call: c, env: env, args: vals}
	v, err := functions[c.name].run(f)
	if err != nil {
		return nil, &Error{Call: c.text, Msg: err.Error()}
	}
	return v, nil
}

// frame is one running call.
type frame struct {
	call *Call
	env  *Env
	args []value.Value
}
