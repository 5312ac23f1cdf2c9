package asl_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/internal-app-portal/iap/asl"
	"github.com/internal-app-portal/iap/asl/value"
)

// BenchmarkStep measures one transition of each kind, with the state read from
// and written to JSON as a durable executor does, and without.
func BenchmarkStep(b *testing.B) {
	env := asl.Env{Now: time.Unix(1_800_000_000, 0)}
	input := value.MustText(`{"app":"todo","host":"brave-otter-lamp-todo","limits":{"memory":268435456,"cpu":0.5},"tags":["a","b","c"]}`)
	for name, body := range map[string]string{
		"Pass":   `"A":{"Type":"Pass","Parameters":{"app.$":"$.app","n.$":"States.MathAdd($.limits.memory, 1)"},"ResultPath":"$.r","End":true}`,
		"Choice": `"A":{"Type":"Choice","Choices":[{"And":[{"Variable":"$.app","StringEquals":"todo"},{"Variable":"$.limits.cpu","NumericLessThan":1}],"Next":"B"}]},"B":{"Type":"Succeed"}`,
		"Task":   `"A":{"Type":"Task","Resource":"arn:iap:states:::job:apply","Parameters":{"host.$":"$.host"},"End":true}`,
	} {
		m := parse(b, states(body))
		start := new(asl.State)
		if _, err := asl.Step(m, start, asl.Start{Input: input}, env); err != nil {
			b.Fatal(err)
		}
		stored, err := json.Marshal(start)
		if err != nil {
			b.Fatal(err)
		}
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				f := *start.Frames[asl.RootFrame]
				s := &asl.State{Status: asl.Running, LastEventID: 1, Frames: map[asl.FrameID]*asl.Frame{asl.RootFrame: &f}}
				if _, err := asl.Step(m, s, asl.Advance{}, env); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(name+"/stored", func(b *testing.B) {
			for b.Loop() {
				s := new(asl.State)
				if err := json.Unmarshal(stored, s); err != nil {
					b.Fatal(err)
				}
				if _, err := asl.Step(m, s, asl.Advance{}, env); err != nil {
					b.Fatal(err)
				}
				if _, err := json.Marshal(s); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
