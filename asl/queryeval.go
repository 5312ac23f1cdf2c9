package asl

import (
	"errors"
	"fmt"
	"time"

	"github.com/internal-app-portal/iap/asl/jsonata"
	"github.com/internal-app-portal/iap/asl/value"
)

// Evaluator evaluates expressions of JSONata; *jsonata.Pool is one. Several
// executions may share it.
type Evaluator interface {
	Eval(e *jsonata.Expr, env jsonata.Env) (value.Value, error)
}

// queryEnv is what an expression of the state at hand sees of the world.
type queryEnv struct{ x *exec }

func (e queryEnv) Variable(name string) (value.Value, bool) { return e.x.variable(name) }

// States gives the fields of $states: a result is there once the state has one,
// an error only in a catcher.
func (e queryEnv) States(field string) (value.Value, bool) {
	x := e.x
	switch field {
	case "input":
		return x.f.Data.Value(), true
	case "context":
		return x.contextObject(), true
	case "result":
		return x.outcome.v, x.outcome.set
	case "errorOutput":
		return x.errorOutput.v, x.errorOutput.set
	}
	return nil, false
}

func (e queryEnv) Now() time.Time { return e.x.env.Now }

func (e queryEnv) Random() float64 {
	if e.x.env.Rand == nil {
		return 0
	}
	return e.x.env.Rand()
}

func (e queryEnv) NewUUID() string {
	if e.x.env.NewUUID == nil {
		return "00000000-0000-0000-0000-000000000000"
	}
	return e.x.env.NewUUID()
}

// maybe is a value that may be absent.
type maybe struct {
	v   value.Value
	set bool
}

// query evaluates an expression.
func (x *exec) query(q *query) (value.Value, *failure) {
	if x.env.JSONata == nil {
		return nil, x.evaluationFailed(q.field, "There is nothing that evaluates JSONata.")
	}
	v, err := x.env.JSONata.Eval(q.expr, queryEnv{x})
	if err == nil {
		return v, nil
	}
	about := fmt.Sprintf("The JSONata expression '%s' specified for the field '%s' ", q.text, q.field)
	var e *jsonata.Error
	switch {
	case errors.Is(err, jsonata.ErrNothing):
		about += "returned nothing (undefined)."
	case errors.Is(err, jsonata.ErrUnsupported):
		about += "returned an unsupported result type."
	case errors.As(err, &e) && (e.IsLimit() || e.Code == jsonata.CodeEngine):
		about += "could not be evaluated: " + e.Msg + "."
	case errors.As(err, &e):
		about += fmt.Sprintf("threw an error during evaluation. %s: %s", e.Code, e.Msg)
	default:
		about += "could not be evaluated."
	}
	return nil, x.evaluationFailed(q.field, about)
}

// evaluationFailed writes the event of an expression that failed, and gives the
// error that follows.
func (x *exec) evaluationFailed(field, msg string) *failure {
	f := x.broken(errQuery, msg)
	d := Details{Error: f.err, Cause: f.cause, Location: field, State: x.f.State}
	previous := x.f.Prev
	if x.entering && x.def.Type != TypeWait {
		// While a state is entered, the event stands beside that of the entry.
		previous = x.before
	}
	x.f.Prev = x.emit("EvaluationFailed", previous, d)
	return f
}

// queryOfKind evaluates an expression whose value must be of a kind that
// value.Kind names.
func (x *exec) queryOfKind(q *query, kind string) (value.Value, *failure) {
	v, f := x.query(q)
	if f == nil && value.Kind(v) != kind {
		return nil, x.unexpected(q, kind, v)
	}
	return v, f
}

// unexpected is the error of an expression whose value is of another kind.
func (x *exec) unexpected(q *query, kind string, v value.Value) *failure {
	return x.evaluationFailed(q.field, fmt.Sprintf(
		"The JSONata expression '%s' specified for the field '%s' returned an unexpected result type. Expected '%s', but was '%s' for value: %s",
		q.text, q.field, kind, value.Kind(v), value.Text(v)))
}

// queryInt evaluates an expression that must give an integer from least to most.
func (x *exec) queryInt(q *query, least, most int64) (int64, *failure) {
	v, f := x.queryOfKind(q, "number")
	if f != nil {
		return 0, f
	}
	n, _ := v.(value.Number)
	i, whole := n.Int64()
	switch {
	case !whole:
		return 0, x.evaluationFailed(q.field, fmt.Sprintf("The field '%s' must be an integer, but it is %s", q.field, n))
	case i < least || i > most:
		return 0, x.evaluationFailed(q.field, fmt.Sprintf("The field '%s' must be an integer from %d to %d, but it is %d", q.field, least, most, i))
	}
	return i, nil
}

// queryCount evaluates an amount that is an integer from 0 on.
func (x *exec) queryCount(a amount) (int64, *failure) { return x.queryInt(a.query, 0, maxSeconds) }

// queryAmount evaluates an amount.
func (x *exec) queryAmount(a amount) (value.Value, *failure) { return x.query(a.query) }

// notANumber is the failure of an expression that gives no number.
func (x *exec) notANumber(a amount) *failure {
	return x.evaluationFailed(a.query.field, fmt.Sprintf("The field '%s' must be a number in its range.", a.name))
}

// fillQuery evaluates JSON with expressions in it.
func (x *exec) fillQuery(t *queryTemplate) (value.Value, *failure) {
	switch {
	case t.constant:
		return t.lit, nil
	case t.query != nil:
		return x.query(t.query)
	case t.items != nil:
		a := make(value.Array, len(t.items))
		for i, item := range t.items {
			v, f := x.fillQuery(item)
			if f != nil {
				return nil, f
			}
			a[i] = v
		}
		return a, nil
	}
	o := &value.Object{}
	for _, m := range t.members {
		v, f := x.fillQuery(m.inner)
		if f != nil {
			return nil, f
		}
		o.Set(m.key, v)
	}
	return o, nil
}
