package asl_test

import (
	"strings"
	"testing"
	"time"

	"github.com/internal-app-portal/iap/asl"
	"github.com/internal-app-portal/iap/asl/jsonata"
	"github.com/internal-app-portal/iap/asl/value"
)

// runQuery runs a machine of JSONata; its tasks answer with the outputs.
func runQuery(t *testing.T, states, input string, change func(*asl.Env), outputs ...string) *asl.Complete {
	t.Helper()
	m, problems := asl.Parse([]byte(`{"QueryLanguage":"JSONata","StartAt":"A","States":` + states + `}`))
	if m == nil {
		t.Fatalf("%v", problems)
	}
	pool := jsonata.NewPool(jsonata.Config{Machines: 1})
	t.Cleanup(pool.Close)
	d := newDriver(t, m, func(asl.ScheduleTask) answer {
		a := answer{output: value.MustText(outputs[0])}
		outputs = outputs[1:]
		return a
	})
	d.env.JSONata = pool
	if change != nil {
		change(&d.env)
	}
	d.run(value.MustText(input))
	if d.complete == nil {
		t.Fatal("the execution did not end")
	}
	return d.complete
}

const inStateA = "An error occurred while executing the state 'A' (entered at the event id #2). "

func TestQueries(t *testing.T) {
	for name, c := range map[string]struct{ states, input, output, want string }{
		"variables are those before the state": {`{"A":{"Type":"Pass","Assign":{"x":1},"Next":"B"},
			"B":{"Type":"Pass","Assign":{"x":2},"Output":"{% $x %}","End":true}}`, "{}", "", "1"},
		"an iteration sees the variables around it": {`{"A":{"Type":"Pass","Assign":{"x":"out"},"Next":"B"},
			"B":{"Type":"Map","Items":[1,"{% 2 %}"],"ItemProcessor":{"StartAt":"C","States":{"C":{"Type":"Pass","Output":"{% $x & $states.input %}","End":true}}},"End":true}}`,
			"{}", "", `["out1","out2"]`},
		"choice": {`{"A":{"Type":"Choice","Output":0,"Choices":[{"Condition":"{% $states.input.n > 1 %}","Output":"{% $states.input.n %}","Next":"B"}],"Default":"B"},"B":{"Type":"Succeed"}}`,
			`{"n":7}`, "", "7"},
		"default of a choice": {`{"A":{"Type":"Choice","Output":0,"Choices":[{"Condition":"{% $states.input.n > 1 %}","Next":"B"}],"Default":"B"},"B":{"Type":"Succeed"}}`,
			`{"n":1}`, "", "0"},
		"result": {`{"A":{"Type":"Task","Resource":"arn:aws:lambda:us-east-1:111111111111:function:f","Arguments":1,"Output":{"r":"{% $states.result %}","i":"{% $states.input %}"},"End":true}}`,
			`{"n":1}`, `"done"`, `{"r":"done","i":{"n":1}}`},
		"a caught error": {`{"A":{"Type":"Task","Resource":"arn:aws:lambda:us-east-1:111111111111:function:f","Output":"{% $states.result.none %}","Catch":[{"ErrorEquals":["States.QueryEvaluationError"],"Output":"{% $states.errorOutput.Error %}","Next":"B"}],"End":true},"B":{"Type":"Succeed"}}`,
			`{}`, `{}`, `"States.QueryEvaluationError"`},
		"a failure's words":    {`{"A":{"Type":"Fail","Error":"{% 'E' & $states.input.n %}","Cause":"{% $states.input.why %}"}}`, `{"n":1,"why":"because"}`, "", "E1: because"},
		"a wait of no seconds": {`{"A":{"Type":"Wait","Seconds":"{% $states.input.n %}","Output":"{% 'waited' %}","End":true}}`, `{"n":3}`, "", `"waited"`},
		"not a number of seconds": {`{"A":{"Type":"Wait","Seconds":"{% 'x' %}","End":true}}`, `{}`, "",
			`States.QueryEvaluationError: ` + inStateA + `The JSONata expression ''x'' specified for the field 'Seconds' returned an unexpected result type. Expected 'number', but was 'string' for value: "x"`},
		"an error thrown": {`{"A":{"Type":"Pass","Output":{"a":["{% 1 + 'x' %}"]},"End":true}}`, `{}`, "",
			`States.QueryEvaluationError: ` + inStateA + `The JSONata expression '1 + 'x'' specified for the field 'Output/a[0]' threw an error during evaluation. T2002: The right side of the "+" operator must evaluate to a number`},
		"an endless expression": {`{"A":{"Type":"Pass","Output":"{% ($f := function($n) { $f($n + 1) }; $f(0)) %}","End":true}}`, `{}`, "",
			`States.QueryEvaluationError: ` + inStateA + `The JSONata expression '($f := function($n) { $f($n + 1) }; $f(0))' specified for the field 'Output' could not be evaluated: the evaluation took too long.`},
		"too large a result": {`{"A":{"Type":"Pass","Output":"{% $pad('x', 300000) %}","End":true}}`, `{}`, "",
			`States.DataLimitExceeded: The state/task 'A' returned a result with a size exceeding the maximum number of bytes service limit.`},
		"the time is that of the step": {`{"A":{"Type":"Pass","Output":"{% $now() %}","End":true}}`, `{}`, "", `"2026-11-23T09:00:00.000Z"`},
		"digits and order are kept": {`{"A":{"Type":"Pass","Output":"{% $append($states.input, []) %}","End":true}}`,
			`[{"b":12345678901234567890,"2":1,"1":0.5}]`, "", `[{"b":12345678901234567890,"2":1,"1":0.5}]`},
	} {
		t.Run(name, func(t *testing.T) {
			got := runQuery(t, c.states, c.input, nil, c.output)
			text := got.Output.String()
			if got.Error != nil {
				text = *got.Error + ": " + *got.Cause
			}
			if text != c.want {
				t.Errorf("got %s\nwant %s", text, c.want)
			}
		})
	}
}

func TestQueryWithoutEvaluator(t *testing.T) {
	got := runQuery(t, `{"A":{"Type":"Pass","Output":"{% 1 %}","End":true}}`, "{}", func(e *asl.Env) { e.JSONata = nil })
	if got.Status != asl.Failed || *got.Error != "States.QueryEvaluationError" || !strings.Contains(*got.Cause, "nothing that evaluates JSONata") {
		t.Errorf("got %+v", got)
	}
}

func BenchmarkQueryExpress(b *testing.B) {
	m, problems := asl.Parse([]byte(`{"QueryLanguage":"JSONata","StartAt":"A","States":{
		"A":{"Type":"Pass","Assign":{"n":"{% $states.input.n %}"},"Next":"B"},
		"B":{"Type":"Choice","Choices":[{"Condition":"{% $n > 10 %}","Next":"C"}],"Default":"C"},
		"C":{"Type":"Pass","Output":{"twice":"{% $n * 2 %}"},"End":true}}}`))
	if m == nil {
		b.Fatal(problems)
	}
	pool := jsonata.NewPool(jsonata.Config{})
	defer pool.Close()
	env := asl.Env{Now: time.Unix(1_800_000_000, 0), JSONata: pool}
	input := value.MustText(`{"n":21}`)
	for b.Loop() {
		s := &asl.State{}
		if _, err := asl.Step(m, s, asl.Start{Input: input}, env); err != nil {
			b.Fatal(err)
		}
		for !s.Status.Done() {
			if _, err := asl.Step(m, s, asl.Advance{Frame: asl.RootFrame}, env); err != nil {
				b.Fatal(err)
			}
		}
		if s.Status != asl.Succeeded {
			b.Fatal(*s.Cause)
		}
	}
}
