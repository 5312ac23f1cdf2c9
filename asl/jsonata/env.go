package jsonata

import (
	"time"

	"github.com/internal-app-portal/iap/asl/value"
)

// Env is what an evaluation may know of the world. It is used by one goroutine
// at a time, and only during the evaluation.
type Env interface {
	// Variable gives the value of a variable other than $states.
	Variable(name string) (value.Value, bool)
	// States gives a field of $states: one of StatesFields.
	States(field string) (value.Value, bool)
	// Now is what $now and $millis tell.
	Now() time.Time
	// Random gives a number in [0,1) for $random and $shuffle.
	Random() float64
	// NewUUID gives a UUID for $uuid.
	NewUUID() string
}

// StatesFields are the fields that $states may have, in their order.
var StatesFields = []string{"input", "context", "result", "errorOutput"}

// allStates builds $states.
func allStates(env Env) *value.Object {
	o := &value.Object{}
	for _, field := range StatesFields {
		if v, ok := env.States(field); ok {
			o.Set(field, v)
		}
	}
	return o
}
