// Package maprun does what the hosts of map runs share: it opens the items of a
// distributed Map state, writes its results, and runs a whole map run in memory.
package maprun

import (
	"errors"
	"strings"

	iap "github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/asl"
	"github.com/internal-app-portal/iap/asl/value"
)

// argument reads a text of an ItemReader's or ResultWriter's arguments.
func argument(arguments value.JSON, name string) string {
	o, _ := arguments.Value().(*value.Object)
	v, _ := o.Get(name)
	s, _ := v.(string)
	return s
}

// Fail makes the error that a map run fails with out of any other.
func Fail(name string, err error) *asl.MapError {
	var known *asl.MapError
	if errors.As(err, &known) {
		return known
	}
	var told *iap.Error
	if errors.As(err, &told) {
		switch told.Kind {
		case iap.NotFound, iap.Invalid, iap.Conflict, iap.Full:
			return &asl.MapError{Name: name, Cause: capital(told.Message())}
		}
	}
	return &asl.MapError{Name: name, Cause: "The bucket could not be used by a fault of the portal."}
}

func capital(s string) string {
	if s == "" {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:]
}

// ChildMachine is the ARN of the state machine that the children of a run are
// executions of: "…:stateMachine:NAME/LABEL".
func ChildMachine(stateMachine, label string) string { return stateMachine + "/" + label }

// ChildARN is the ARN of a child.
func ChildARN(stateMachine, label, name string) string {
	return strings.Replace(stateMachine, ":stateMachine:", ":execution:", 1) + "/" + label + ":" + name
}
