package memory_test

import (
	"context"
	"testing"

	"github.com/internal-app-portal/iap/asl"
	"github.com/internal-app-portal/iap/asl/jsonata"
	"github.com/internal-app-portal/iap/asl/value"
	"github.com/internal-app-portal/iap/workflow/memory"
)

// BenchmarkExpress measures executions a second, one after the other: a Pass, a
// Task that is answered at once, a Choice and a Succeed.
func BenchmarkExpress(b *testing.B) {
	for _, machine := range []struct{ name, definition string }{
		{"jsonpath", `{"StartAt":"A","States":{"A":{"Type":"Pass","Parameters":{"n.$":"$.n"},"Next":"B"},
			"B":{"Type":"Task","Resource":"arn:iap:states:::job:apply","Next":"C"},
			"C":{"Type":"Choice","Choices":[{"Variable":"$.n","NumericEquals":1,"Next":"D"}]},"D":{"Type":"Succeed"}}}`},
		{"jsonata-fast", `{"QueryLanguage":"JSONata","StartAt":"A","States":{"A":{"Type":"Pass","Output":{"n":"{% $states.input.n %}"},"Next":"B"},
			"B":{"Type":"Task","Resource":"arn:iap:states:::job:apply","Next":"C"},
			"C":{"Type":"Choice","Choices":[{"Condition":"{% $states.input.n = 1 %}","Next":"D"}]},"D":{"Type":"Succeed"}}}`},
		{"jsonata-engine", `{"QueryLanguage":"JSONata","StartAt":"A","States":{"A":{"Type":"Pass","Output":{"n":"{% $reduce([1,0], function($a, $b) { $a * 1 + $b }) %}"},"Next":"B"},
			"B":{"Type":"Task","Resource":"arn:iap:states:::job:apply","Next":"C"},
			"C":{"Type":"Choice","Choices":[{"Condition":"{% $states.input.n = 1 %}","Next":"D"}]},"D":{"Type":"Succeed"}}}`},
	} {
		b.Run(machine.name, func(b *testing.B) { benchmarkExpress(b, machine.definition) })
	}
}

func benchmarkExpress(b *testing.B, definition string) {
	pool := jsonata.NewPool(jsonata.Config{})
	defer pool.Close()
	m, input := parse(b, definition), value.MustText(`{"n":1}`)
	answer := func(context.Context, asl.ScheduleTask) memory.Answer { return memory.Answer{Output: input} }
	o := memory.Options{Task: answer, Env: asl.Env{JSONata: pool}}
	b.ReportAllocs()
	for b.Loop() {
		if r, err := memory.Run(b.Context(), m, input, o); err != nil || r.Status != asl.Succeeded {
			b.Fatal(r, err)
		}
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "executions/s")
}
