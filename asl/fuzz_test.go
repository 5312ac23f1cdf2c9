package asl_test

import (
	"errors"
	"testing"
	"time"

	"github.com/internal-app-portal/iap/asl"
	"github.com/internal-app-portal/iap/asl/value"
)

// FuzzParse: no definition makes Parse or Step panic or go on without end, and
// each problem has a place and a message.
func FuzzParse(f *testing.F) {
	f.Add([]byte(states(taskWithClocks)), []byte(`{"a":1}`))
	f.Add([]byte(states(parallel)), []byte(`[]`))
	f.Add([]byte(states(`"A":{"Type":"Map","ItemsPath":"$.x","ItemProcessor":{"StartAt":"B","States":{"B":{"Type":"Fail","ErrorPath":"$"}}},"End":true}`)), []byte(`{"x":[1,"2"]}`))
	f.Add([]byte(states(`"A":{"Type":"Choice","Choices":[{"Not":{"Variable":"$.a","StringMatches":"*x*"},"Next":"A"}]}`)), []byte(`{"a":"x"}`))
	f.Add([]byte(query(`"Arguments":{"a":["{% $states.input.x[$ > 1] %}"]},"Output":"{% $x := $states.result; $x %}","Assign":{"v":"{% 1 %}"},"TimeoutSeconds":"{% 2 %}"`)), []byte(`{"x":1}`))
	f.Add([]byte(states(`"A":{"Type":"Choice","QueryLanguage":"JSONata","Choices":[{"Condition":"{% $states.input.a = 1 %}","Output":1,"Next":"B"}],"Default":"B"},"B":{"Type":"Succeed"}`)), []byte(`{"a":1}`))
	f.Add([]byte(distributed(`{"Mode":"DISTRIBUTED","ExecutionType":"EXPRESS"}`, `"Label":"l","ItemBatcher":{"MaxItemsPerBatch":2},"ItemReader":{"Resource":"arn:aws:states:::s3:getObject","ReaderConfig":{"InputType":"CSV","CSVHeaderLocation":"FIRST_ROW"},"Parameters":{"Bucket":"b","Key":"k"}},"ToleratedFailurePercentage":1.5,`)), []byte(`[]`))
	f.Add([]byte("{\"a\":\n[1,"), []byte(`{}`))
	f.Fuzz(func(t *testing.T, src, input []byte) {
		m, problems := asl.Parse(src)
		if d := asl.Diagnose(src, asl.Express, asl.SeverityWarning, 0); d.Result == "OK" && m == nil {
			t.Fatalf("valid for Express, but not otherwise: %v", problems)
		}
		for _, p := range problems {
			if p.Line < 1 || p.Column < 1 || p.Message == "" || p.Code == "" {
				t.Fatalf("a poor problem: %+v", p)
			}
		}
		if (m == nil) != (len(problems) > 0) {
			t.Fatalf("a machine %v with problems %v", m, problems)
		}
		in, err := value.FromText(string(input))
		if m == nil || err != nil {
			return
		}
		walk(t, m, in)
	})
}

// walk runs a machine for a while: tasks fail, timers fire at once.
func walk(t *testing.T, m *asl.Machine, in value.JSON) {
	s := new(asl.State)
	env := asl.Env{Now: time.Unix(1_800_000_000, 0), Limits: asl.Limits{HistoryEvents: 300, PayloadBytes: 20_000}}
	queue := []asl.Signal{asl.Start{Input: in}}
	for n := 0; len(queue) > 0 && n < 500; n++ {
		out, err := asl.Step(m, s, queue[0], env)
		if err != nil && !errors.Is(err, asl.ErrStale) && !errors.Is(err, asl.ErrInput) {
			t.Fatal(err)
		}
		queue = queue[1:]
		for _, id := range out.Ready {
			queue = append(queue, asl.Advance{Frame: id})
		}
		for _, c := range out.Commands {
			switch c := c.(type) {
			case asl.SetTimer:
				queue = append(queue, asl.TimerFired{Frame: c.Frame, ID: c.ID})
			case asl.ScheduleTask:
				queue = append(queue, asl.TaskFailed{Frame: c.Frame, Attempt: c.Attempt, Error: "E"})
			}
		}
	}
}
