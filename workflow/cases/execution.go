package cases

import (
	"context"
	"encoding/json"
	"fmt"
	"regexp"
	"strings"

	"github.com/internal-app-portal/iap/asl"
	"github.com/internal-app-portal/iap/asl/value"
	"github.com/internal-app-portal/iap/workflow/memory"
)

// The execution of a case has these names in its history and Context Object.
const (
	activityARN = "arn:aws:states:us-east-1:111111111111:activity:activity_arn"
	functionARN = "arn:aws:lambda:us-east-1:111111111111:function:function_arn"
	worker      = "BASE_ID_ACTIVITY_CONSUMER"
)

func executionEnv(o Options) asl.Env {
	env := o.Env
	env.Execution = asl.ExecutionInfo{ID: "arn:aws:states:us-east-1:111111111111:execution:machine:name",
		Name: "name", RoleARN: "snf_role_arn"}
	env.StateMachine = asl.StateMachineInfo{ID: "arn:aws:states:us-east-1:111111111111:stateMachine:machine", Name: "machine"}
	return env
}

// runExecution runs an execution and gives the first difference, or nil.
func (c *Case) runExecution(ctx context.Context, o Options) (*Difference, error) {
	m, problems := asl.Parse([]byte(fillPlaceholders(c.Definition)))
	if m == nil {
		return &Difference{At: "/status", Want: value.Of(field(c.Expect, "status")), Got: value.Of(problemText(problems))}, nil
	}
	input, err := value.FromText(c.Input)
	if err != nil {
		return nil, fmt.Errorf("inputText: %w", err)
	}
	opts := memory.Options{Env: executionEnv(o), Clock: o.Clock, Task: c.Mocks.Handler(nil),
		ChildTask: c.Mocks.Handler(Echo), Worker: worker, History: true}
	if field(c.Expect, "status") == string(asl.Aborted) {
		opts.StopWhenWaiting = &asl.Stop{}
	}
	if o.Execution != nil {
		o.Execution(c, &opts)
	}
	r, err := memory.Run(ctx, m, input, opts)
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	if err != nil {
		return &Difference{At: "/status", Want: value.Of(field(c.Expect, "status")), Got: value.Of(err.Error())}, nil
	}
	return c.compareExecution(r), nil
}

// fillPlaceholders puts ARNs where a recording has «names» instead of them.
func fillPlaceholders(definition string) string {
	return placeholder.ReplaceAllStringFunc(definition, func(name string) string {
		inner := strings.NewReplacer("_", "", "«", "", "»", "", `\u00ab`, "", `\u00bb`, "").Replace(strings.ToLower(name))
		switch {
		case strings.HasSuffix(inner, "activityarn"):
			return activityARN
		case strings.HasSuffix(inner, "functionarn"):
			return functionARN
		}
		return name
	})
}

// placeholder is one, in JSON that may stand in a text of JSON once more.
var placeholder = regexp.MustCompile(`(?:«|\\u00ab)[^"]*?(?:»|\\u00bb)`)

func problemText(problems []asl.Problem) string {
	var all []string
	for _, p := range problems {
		all = append(all, p.String())
	}
	return strings.Join(all, "; ")
}

func (c *Case) compareExecution(r memory.Result) *Difference {
	w := comparer{c.Wildcards}
	expect, _ := c.Expect.(*value.Object)
	if want := field(expect, "status"); want != nil && want != string(r.Status) {
		return &Difference{At: "/status", Want: value.Of(want), Got: value.Of(describe(r))}
	}
	got := value.NewObject(value.Member{Key: "error", Value: optionalText(r.Error)}, value.Member{Key: "cause", Value: optionalText(r.Cause)})
	if !r.Output.IsZero() {
		got.Set("output", r.Output.Value())
	}
	for _, key := range []string{"output", "error", "cause"} {
		want, ok := expect.Get(key)
		if !ok {
			continue
		}
		v, there := got.Get(key)
		if !there && !c.Wildcards["/"+key] {
			return &Difference{At: "/" + key, Want: value.Of(want)}
		}
		if d := w.compare("/"+key, want, v); d != nil {
			return d
		}
	}
	want, ok := field(expect, "events").(value.Array)
	if !ok {
		return nil
	}
	events := Events(r.Events)
	if c.Unordered {
		return w.types("/events", want, events)
	}
	for i := range events {
		events[i] = without(events[i], "timestamp", "roleArn")
	}
	return w.compare("/events", want, events)
}

// describe tells of a result in a text: the status, or with it the error.
func describe(r memory.Result) string {
	s := string(r.Status)
	if r.Error != nil {
		s += " " + *r.Error
	}
	if r.Cause != nil {
		s += ": " + *r.Cause
	}
	return s
}

func optionalText(s *string) value.Value {
	if s == nil {
		return nil
	}
	return *s
}

// Events are a history in the form of AWS's GetExecutionHistory.
func Events(history []asl.HistoryEvent) value.Array {
	events := make(value.Array, len(history))
	for i, e := range history {
		b, err := json.Marshal(e)
		if err == nil {
			events[i], err = value.Parse(b)
		}
		if err != nil {
			events[i] = err.Error() // a fault of the engine, shown where it stands
		}
	}
	return events
}
