package asl

import (
	"fmt"
	"time"

	"github.com/internal-app-portal/iap/asl/value"
)

// isQuery tells whether the state at hand speaks JSONata.
func (x *exec) isQuery() bool { return x.def.QueryLanguage == JSONata }

// arguments evaluates Arguments; without them the input is handed over.
func (x *exec) arguments() (value.Value, *failure) {
	x.at = x.f.Data.Value()
	x.see(stageInput, x.at)
	t := x.def.spec.arguments
	if t == nil {
		return x.at, nil
	}
	v, f := x.fillQuery(t)
	if f == nil {
		x.see(stageArguments, v)
	}
	return v, f
}

// leaveQuery leaves a state of JSONata: Output stands in the place of the value
// that the state hands on otherwise.
func (x *exec) leaveQuery(v value.Value, output, assign *queryTemplate, next string) *failure {
	var assigned *value.Object
	if assign != nil {
		a, f := x.fillQuery(assign)
		if f != nil {
			return f
		}
		assigned, _ = a.(*value.Object)
	}
	if output != nil {
		var f *failure
		if v, f = x.fillQuery(output); f != nil {
			return f
		}
	}
	return x.exit(v, assigned, next)
}

// succeedQuery leaves a state that has a result.
func (x *exec) succeedQuery(result value.Value) *failure {
	x.outcome = maybe{result, true}
	return x.leaveQuery(result, x.def.spec.output, x.def.spec.assignQuery, x.def.Next)
}

// handOnQuery leaves a state that has none: its input goes on.
func (x *exec) handOnQuery() *failure {
	return x.leaveQuery(x.f.Data.Value(), x.def.spec.output, x.def.spec.assignQuery, x.def.Next)
}

func (x *exec) chooseQuery() *failure {
	rules := x.def.spec.choice
	for i := range rules {
		r := &rules[i]
		v, f := x.queryOfKind(r.cond.query, "boolean")
		if f != nil {
			return f
		}
		if v == true {
			return x.leaveQuery(x.at, r.output, r.assignQuery, r.next)
		}
	}
	if x.def.spec.otherwise == "" {
		return x.broken(errNoChoice, "Failed to transition out of the state. The state does not point to a next state.")
	}
	return x.leaveQuery(x.at, x.def.spec.output, x.def.spec.assignQuery, x.def.spec.otherwise)
}

// waitQuery evaluates Seconds or Timestamp.
func (x *exec) waitQuery(w *waitSpec) (time.Time, *failure) {
	if !w.isTime {
		n, f := x.queryInt(w.query, 0, maxSeconds)
		return x.after(float64(n)), f
	}
	v, f := x.queryOfKind(w.query, "string")
	if f != nil {
		return time.Time{}, f
	}
	s, _ := v.(string)
	t, ok := parseTimestamp(s)
	if !ok {
		return t, x.evaluationFailed(w.query.field, "The Timestamp field cannot be parsed as an ISO-8601 extended offset date-time format string: "+s)
	}
	return t, nil
}

func (x *exec) failQuery() *failure {
	s := x.def.spec.fail
	out := &failure{err: s.err, cause: s.cause}
	for _, part := range []struct {
		q  *query
		to **string
	}{{s.errQuery, &out.err}, {s.causeQuery, &out.cause}} {
		if part.q == nil {
			continue
		}
		v, f := x.queryOfKind(part.q, "string")
		if f != nil {
			return f
		}
		text, _ := v.(string)
		*part.to = &text
	}
	return out
}

// itemsQuery evaluates Items; without them the input is gone through.
func (x *exec) itemsQuery() (value.Value, *failure) {
	m := x.def.spec.iterate
	items := x.at
	if m.list != nil {
		v, f := x.fillQuery(m.list)
		if f != nil {
			return nil, f
		}
		items = v
	}
	_, isList := items.(value.Array)
	_, isObject := items.(*value.Object)
	switch {
	case isList || isObject && m.run != nil:
		return items, nil
	case m.list != nil && m.list.query != nil:
		return nil, x.unexpected(m.list.query, "array", items)
	}
	return nil, x.evaluationFailed("Items", fmt.Sprintf("The field 'Items' must be an array, but it is of type %s", value.Kind(items)))
}

// toleratedQuery evaluates what an inline Map state has no use for: an error in
// it is an error all the same.
func (x *exec) toleratedQuery() *failure {
	m := x.def.spec.iterate
	for _, a := range []amount{m.toleratedCount, m.toleratedPercentage} {
		if a.query == nil {
			continue
		}
		v, f := x.queryOfKind(a.query, "number")
		if f != nil {
			return f
		}
		n, _ := v.(value.Number)
		if n.Float64() < 0 || a.name == "ToleratedFailurePercentage" && n.Float64() > 100 {
			return x.notANumber(a)
		}
	}
	return nil
}

// caughtQuery goes on at a catcher's Next; the error is $states.errorOutput.
func (x *exec) caughtQuery(k *catcher, output value.Value) *failure {
	x.errorOutput = maybe{output, true}
	return x.leaveQuery(output, k.output, k.assignQuery, k.next)
}
