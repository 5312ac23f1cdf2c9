package asl_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/internal-app-portal/iap/asl"
	"github.com/internal-app-portal/iap/asl/value"
)

// builder draws a random machine: a chain of states, some of which hold graphs.
type builder struct {
	t *rapid.T
	n int
	// labels is how many distributed Maps there are: their labels must differ.
	labels int
	// vars is how many variables are assigned, scope those that may be read where
	// the next state stands.
	vars  int
	scope []int
}

// assigned names a new variable. An inner graph must not assign to one of an
// outer one, so each is new.
func (b *builder) assigned() string {
	b.vars++
	b.scope = append(b.scope, b.vars)
	return fmt.Sprintf("v%d", b.vars)
}

func (b *builder) name() string {
	b.n++
	return fmt.Sprintf("S%d", b.n)
}

func (b *builder) graph(depth int) string {
	outer := slices.Clone(b.scope)
	defer func() { b.scope = outer }()
	n := rapid.IntRange(1, 4).Draw(b.t, "states")
	names := make([]string, n)
	for i := range names {
		names[i] = b.name()
	}
	body := ""
	for i, name := range names {
		next := `"End":true`
		if i+1 < n {
			next = fmt.Sprintf(`"Next":%q`, names[i+1])
		}
		if i > 0 {
			body += ","
		}
		body += fmt.Sprintf("%q:{%s}", name, b.state(depth, next, names[n-1]))
	}
	return fmt.Sprintf(`"StartAt":%q,"States":{%s}`, names[0], body)
}

func (b *builder) state(depth int, next, last string) string {
	kinds := []string{"pass", "task", "select", "wait", "assign", "query"}
	if len(b.scope) > 0 {
		kinds = append(kinds, "recall", "recall")
	}
	if strings.HasPrefix(next, `"Next"`) {
		kinds = append(kinds, "choice")
	}
	if depth > 0 {
		kinds = append(kinds, "parallel", "map", "map", "distributed")
	}
	rules := fmt.Sprintf(`"Retry":[{"ErrorEquals":["Again"],"MaxAttempts":2,"JitterStrategy":"FULL"}],
		"Catch":[{"ErrorEquals":["Caught"],"ResultPath":"$.error","Next":%q}]`, last)
	switch rapid.SampledFrom(kinds).Draw(b.t, "kind") {
	case "task":
		return `"Type":"Task","Resource":"arn:iap:states:::job:apply.waitForTaskToken","TimeoutSeconds":20,"HeartbeatSeconds":5,
			"Parameters":{"in.$":"$","n.$":"$$.State.RetryCount","id.$":"States.UUID()"},"ResultPath":"$.r",` + rules + "," + next
	case "select":
		// The third element is missing in every answer, which is told with the
		// number of the event by which the state was entered.
		return fmt.Sprintf(`"Type":"Task","Resource":"arn:iap:states:::job:apply.waitForTaskToken","TimeoutSeconds":20,"ResultSelector":{"one.$":"$.deep[%d]"},"ResultPath":"$.r",`,
			rapid.SampledFrom([]int{0, 1, 1, 2}).Draw(b.t, "element")) + rules + "," + next
	case "wait":
		return `"Type":"Wait","Seconds":3,` + next
	case "assign":
		return fmt.Sprintf(`"Type":"Pass","Assign":{"%s.$":"$"},"Parameters":{"x.$":"States.MathRandom(0, 1000)","items":[1,2,3]},`, b.assigned()) + next
	case "recall":
		return fmt.Sprintf(`"Type":"Pass","Parameters":{"v.$":"$v%d"},"ResultPath":"$.recalled",`, rapid.SampledFrom(b.scope).Draw(b.t, "variable")) + next
	case "query":
		return fmt.Sprintf(`"Type":"Pass","QueryLanguage":"JSONata","Assign":{"%s":"{%% $states.input %%}"},
			"Output":{"in":"{%% $states.input %%}","by":"{%% $states.context.State.Name %%}"},`, b.assigned()) + next
	case "choice":
		return fmt.Sprintf(`"Type":"Choice","Choices":[{"Or":[{"Variable":"$.pass","IsPresent":true},{"Variable":"$$.State.RetryCount","NumericGreaterThan":0}],%s}],"Default":%q`,
			next, last)
	case "parallel":
		return fmt.Sprintf(`"Type":"Parallel","Branches":[{%s},{%s}],"ResultPath":"$.p",%s,%s`, b.graph(depth-1), b.graph(depth-1), rules, next)
	case "distributed":
		return b.distributed(depth, rules, next)
	case "map":
		return fmt.Sprintf(`"Type":"Map","ItemsPath":"$$.Execution.Input.list","MaxConcurrency":%d,"ItemSelector":{"i.$":"$$.Map.Item.Value","all.$":"$"},
			"ItemProcessor":{%s},"ResultPath":"$.m",%s,%s`, rapid.IntRange(0, 3).Draw(b.t, "limit"), b.graph(depth-1), rules, next)
	}
	return `"Type":"Pass","Result":{"fixed":[1,2]},"ResultPath":"$.pass",` + next
}

// distributed is a Map whose children are executions of their own, which know
// nothing of the variables around them.
func (b *builder) distributed(depth int, rules, next string) string {
	b.labels++
	label, more := b.labels, ""
	for _, field := range []string{`"ItemBatcher":{"MaxItemsPerBatch":2},`, `"ToleratedFailureCount":1,`, `"ToleratedFailurePercentage":70,`} {
		if rapid.IntRange(0, 3).Draw(b.t, "field") == 0 {
			more += field
		}
	}
	selected := `"i.$":"$$.Map.Item.Value","all.$":"$","list.$":"$$.Execution.Input.list"`
	if len(b.scope) > 0 {
		selected += fmt.Sprintf(`,"v.$":"$v%d"`, rapid.SampledFrom(b.scope).Draw(b.t, "variable"))
	}
	outer := b.scope
	defer func() { b.scope = outer }()
	b.scope = nil
	return fmt.Sprintf(`"Type":"Map","ItemsPath":"$$.Execution.Input.list","MaxConcurrency":%d,"Label":"L%d",%s"ItemSelector":{%s},
		"ItemProcessor":{"ProcessorConfig":{"Mode":"DISTRIBUTED","ExecutionType":%q},%s},"ResultPath":"$.d",%s,%s`,
		rapid.IntRange(0, 3).Draw(b.t, "limit"), label, more, selected, rapid.SampledFrom([]string{"STANDARD", "EXPRESS"}).Draw(b.t, "type"),
		b.graph(depth-1), rules, next)
}

// outcome is all that can be seen of a run.
type outcome struct {
	Events   []string
	Tasks    []string
	Children []string // what happened in the children of map runs
	Complete string
}

// answering gives answers that depend on the task's identity alone.
func answering(answers []int) func(asl.ScheduleTask) answer {
	return func(task asl.ScheduleTask) answer {
		switch answers[(int(task.Frame)*7+task.Attempt)%len(answers)] {
		case 0:
			return answer{fails: true, err: "Again"}
		case 1:
			return answer{fails: true, err: "Caught", cause: "c"}
		case 2:
			return answer{fails: true, err: "Fatal"}
		case 3:
			return answer{timeout: true}
		}
		return answer{submitted: value.MustText(`{ "s": 1 }`), output: value.MustText(`{"deep": [1, {"x": 1.50}]}`)}
	}
}

// runMachine runs a machine; between, unless it is nil, is called after every
// step and may replace the state.
func runMachine(t *testing.T, m *asl.Machine, answers []int, input value.JSON, between func(*asl.State) *asl.State) outcome {
	d := newDriver(t, m, answering(answers))
	d.between = between
	d.env.Limits.HistoryEvents = 2000
	d.run(input)
	var o outcome
	for _, e := range d.events {
		b, err := json.Marshal(e)
		if err != nil {
			t.Fatal(err)
		}
		o.Events = append(o.Events, string(b))
	}
	for _, task := range d.scheduled {
		o.Tasks = append(o.Tasks, fmt.Sprintf("%+v", task))
	}
	if d.complete == nil {
		t.Fatalf("the execution did not end: %v", d.state)
	}
	if len(d.timers) != 0 || len(d.tasks) != 0 || len(d.runs) != 0 {
		t.Fatalf("work was left behind: %v %v %v", d.timers, d.tasks, d.runs)
	}
	o.Children = d.children
	o.Complete = string(d.complete.Status) + d.complete.Output.String() + describe(d.complete)
	return o
}

// TestStoredAfterEachStep: an execution that is stored and read back between any
// two steps goes as one that is not; and the events are numbered without gaps.
func TestStoredAfterEachStep(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		b := &builder{t: rt}
		text := "{" + b.graph(2) + "}"
		m, problems := asl.Parse([]byte(text))
		if len(problems) > 0 {
			rt.Fatalf("%v\n%s", problems, text)
		}
		answers := rapid.SliceOfN(rapid.IntRange(0, 12), 1, 20).Draw(rt, "answers")
		input := value.MustText(`{ "list": [ {"a":1}, 2.50, "x" ] , "big": 12345678901234567890}`)
		plain := runMachine(t, m, answers, input, nil)
		if diff := cmp.Diff(plain, runMachine(t, m, answers, input, roundTrip(t))); diff != "" {
			rt.Fatalf("%s\n%s", text, diff)
		}
		for i, e := range plain.Events {
			var head struct{ ID, PreviousEventID int64 }
			if err := json.Unmarshal([]byte(e), &head); err != nil || head.ID != int64(i+1) || head.PreviousEventID >= head.ID {
				rt.Fatalf("event %d is %s (%v)", i, e, err)
			}
		}
	})
}
