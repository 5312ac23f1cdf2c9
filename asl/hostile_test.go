package asl_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/internal-app-portal/iap/asl"
	"github.com/internal-app-portal/iap/asl/value"
)

// within fails when f takes longer than any reasonable time on a slow machine.
func within(t *testing.T, name string, f func()) {
	t.Helper()
	start := time.Now()
	f()
	if took := time.Since(start); took > 20*time.Second {
		t.Errorf("%s took %v", name, took)
	}
}

func TestHostileDefinitions(t *testing.T) {
	many := func(n int, format string) string {
		var b strings.Builder
		for i := range n {
			if i > 0 {
				b.WriteByte(',')
			}
			fmt.Fprintf(&b, format, i)
		}
		return b.String()
	}
	nest := 200
	for name, text := range map[string]string{
		"empty":          "",
		"not an object":  "[]",
		"deep":           strings.Repeat(`{"a":`, 5000),
		"10 MB":          `{"Comment":"` + strings.Repeat("x", 10<<20) + `"}`,
		"duplicate key":  `{"StartAt":"A","StartAt":"A","States":{}}`,
		"not UTF-8":      "{\"StartAt\":\"\xff\"}",
		"1e400":          `{"StartAt":"A","TimeoutSeconds":1e400,"States":{}}`,
		"nested graphs":  strings.Repeat(`{"StartAt":"A","States":{"A":{"Type":"Parallel","End":true,"Branches":[`, nest) + "{}" + strings.Repeat(`]}}}`, nest),
		"unknown fields": states(`"A":{"Type":"Pass","End":true,` + many(30_000, `"Commentt%d":1`) + `}`),
		"dangling":       states(many(8000, `"S%d":{"Type":"Pass","Next":"nowhere near"}`)),
		"two of a name":  states(`"A":{"Type":"Parallel","End":true,"Branches":[{"StartAt":"A","States":{"A":{"Type":"Succeed"}}}]}`),
		"name of 81":     states(`"A":{"Type":"Pass","Next":"` + strings.Repeat("x", 81) + `"},"` + strings.Repeat("x", 81) + `":{"Type":"Succeed"}`),
		"no end":         states(`"A":{"Type":"Pass","Next":"A"}`),
		"MaxAttempts":    states(`"A":{"Type":"Task","Resource":"arn:iap:states:::a:b","End":true,"Retry":[{"ErrorEquals":["States.ALL"],"MaxAttempts":-1}]}`),
		"path":           states(`"A":{"Type":"Pass","InputPath":"$` + strings.Repeat("[?(@", 5000) + `","End":true}`),
		"expression":     query(`"Output":"{% ` + strings.Repeat("(", 300_000) + ` %}"`),
		"operators":      query(`"Output":"{% 1` + strings.Repeat("+-", 300_000) + ` %}"`),
		"conditions":     states(`"A":{"Type":"Choice","Choices":[` + strings.Repeat(`{"Not":`, 900) + strings.Repeat("}", 900) + `]}`),
		"unmarked":       query(`"Output":[` + many(60_000, `"{%% %d"`) + `]`),
		"warnings":       states(`"A":{"Type":"Pass","Parameters":{` + many(20_000, `"v%[1]d.$":"$x%[1]d","w%[1]d":"$.x"`) + `},"Next":"B"}`),
		"regexp":         states(`"A":{"Type":"Pass","InputPath":"$[?(@ =~ /((a{900}){900}){900}/)]","End":true}`),
	} {
		within(t, name, func() {
			m, problems := asl.Parse([]byte(text))
			if m != nil || len(problems) == 0 {
				t.Errorf("%s was taken", name)
			}
			if len(problems) > 100 {
				t.Errorf("%s: %d problems", name, len(problems))
			}
		})
	}
}

// TestHostileGrowth: data that would grow without bounds ends the execution
// with a named error before it fills the memory.
func TestHostileGrowth(t *testing.T) {
	var fields strings.Builder
	for i := range 5000 {
		fmt.Fprintf(&fields, `"f%d.$":"$",`, i)
	}
	big := value.Of(strings.Repeat("x", 200_000))
	for name, test := range map[string]struct{ state, want string }{
		"template":  {`{"Type":"Pass","Parameters":{` + fields.String() + `"z":1},"End":true}`, "States.DataLimitExceeded"},
		"arguments": {`{"Type":"Task","Resource":"arn:iap:states:::a:b","Parameters":{` + fields.String() + `"z":1},"End":true}`, "States.DataLimitExceeded"},
		"format":    {`{"Type":"Pass","Parameters":{"a.$":"States.Format('` + strings.Repeat("{}", 5000) + `'` + strings.Repeat(", $", 5000) + `)"},"End":true}`, "States.IntrinsicFailure"},
		"text":      {`{"Type":"Pass","Parameters":{"a.$":"States.JsonToString(States.Array(` + strings.Repeat("$, ", 5000) + `1))"},"End":true}`, "States.IntrinsicFailure"},
		"variables": {`{"Type":"Pass","Assign":{"a":{` + fields.String() + `"z":1}},"End":true}`, "States.DataLimitExceeded"},
	} {
		within(t, name, func() {
			d := newDriver(t, parse(t, states(`"A":`+test.state)), nil)
			d.run(big)
			if d.complete == nil || d.complete.Error == nil || *d.complete.Error != test.want {
				t.Errorf("%s: %.200s, want %s", name, describe(d.complete), test.want)
			}
		})
	}
}
