package asl

import "github.com/internal-app-portal/iap/asl/value"

// The statuses of a test, as AWS spells them.
const (
	testSucceeded = "SUCCEEDED"
	testFailed    = "FAILED"
	testRetriable = "RETRIABLE"
	testCaught    = "CAUGHT_ERROR"
)

// response tells how the test went.
func (t *stateTest) response() *value.Object {
	status, output, next := t.outcome()
	o := &value.Object{}
	if status != testSucceeded {
		if t.failure.err != nil {
			o.Set("error", *t.failure.err)
		}
		if t.failure.cause != nil {
			o.Set("cause", *t.failure.cause)
		}
	}
	if !output.IsZero() {
		o.Set("output", t.shown(output.Value()))
	}
	if t.level != "INFO" {
		o.Set("inspectionData", t.inspection(status))
	}
	if next != "" {
		o.Set("nextState", next)
	}
	o.Set("status", status)
	return o
}

// outcome is the status, the output unless the state failed, and the state that
// would be next.
func (t *stateTest) outcome() (status string, output value.JSON, next string) {
	switch {
	case t.s.Status == Succeeded:
		return testSucceeded, t.s.Output, ""
	case t.s.Status.Done():
		if t.failure == nil { // the engine ended it, not the state
			t.failure = &failure{err: t.s.Error, cause: t.s.Cause}
		}
		return testFailed, value.JSON{}, ""
	case t.f.Phase == PhaseRetry:
		return testRetriable, value.JSON{}, ""
	case t.failure != nil:
		return testCaught, t.f.Data, t.f.State
	}
	return testSucceeded, t.f.Data, t.f.State
}

// inspected are the stages that AWS shows of each type of state; those of
// JSONata states are fewer.
var inspected = map[StateType][]string{
	TypePass:     {stageInput, stageParameters, stageSelected, stageMerged},
	TypeTask:     {stageInput, stageParameters, stageArguments, stageSelected, stageMerged},
	TypeParallel: {stageSelected, stageMerged},
	TypeMap:      {stageInput, stageItems, stageSelected, stageMerged, stageLimit},
	TypeChoice:   {stageInput},
	TypeWait:     {stageInput},
	TypeSucceed:  {stageInput},
	TypeFail:     {stageInput},
}

func (t *stateTest) inspection(status string) *value.Object {
	o := value.NewObject(value.Member{Key: "input", Value: t.input.String()})
	for _, stage := range inspected[t.def.Type] {
		v, ok := t.stages[stage]
		switch {
		case !ok || t.def.QueryLanguage == JSONata && stage != stageArguments && stage != stageLimit:
		case stage == stageLimit:
			o.Set(stage, v)
		default:
			o.Set(stage, t.shown(v))
		}
	}
	if t.def.Type == TypeTask && !t.result.IsZero() {
		o.Set("result", t.shown(t.result.Value()))
	}
	if t.order != nil {
		if n := t.order.ToleratedCount; n != nil {
			o.Set("toleratedFailureCount", value.Int(*n))
		}
		if p := t.order.ToleratedPercentage; p != nil {
			o.Set("toleratedFailurePercentage", value.Float(*p))
		}
	}
	if vars, ok := t.f.Vars.Value().(*value.Object); ok && vars.Len() > 0 {
		o.Set("variables", t.shown(vars))
	}
	if d := t.errorDetails(status); d != nil {
		o.Set("errorDetails", d)
	}
	return o
}

// errorDetails tell which rule took the error.
func (t *stateTest) errorDetails(status string) *value.Object {
	switch status {
	case testCaught:
		i := caughtBy(t.def.spec.catch, func(c *catcher) []string { return c.errors }, t.failure)
		return value.NewObject(value.Member{Key: "catchIndex", Value: value.Int(int64(i))})
	case testRetriable:
		i := caughtBy(t.def.spec.retry, func(r *retrier) []string { return r.errors }, t.failure)
		d := value.NewObject(value.Member{Key: "retryIndex", Value: value.Int(int64(i))})
		for _, c := range t.x.out.Commands {
			if timer, ok := c.(SetTimer); ok && timer.Kind == TimerRetry {
				d.Set("retryBackoffIntervalSeconds", value.Int(int64(timer.At.Sub(t.x.env.Now).Seconds())))
			}
		}
		return d
	}
	return nil
}

// shown writes a value as the text that a response has of it, with blanks after
// commas and colons as AWS does here; the input stays as it came.
func (t *stateTest) shown(v value.Value) string {
	if same(v, t.input.Value()) {
		return t.input.String()
	}
	return string(appendSpaced(nil, v))
}

func appendSpaced(b []byte, v value.Value) []byte {
	switch v := v.(type) {
	case value.Array:
		b = append(b, '[')
		for i, e := range v {
			if i > 0 {
				b = append(b, ", "...)
			}
			b = appendSpaced(b, e)
		}
		return append(b, ']')
	case *value.Object:
		b = append(b, '{')
		for i, m := range v.Members() {
			if i > 0 {
				b = append(b, ", "...)
			}
			b = append(value.AppendString(b, m.Key), ": "...)
			b = appendSpaced(b, m.Value)
		}
		return append(b, '}')
	}
	return value.Append(b, v)
}
