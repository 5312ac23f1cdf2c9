package edit_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/internal-app-portal/iap/asl/edit"
)

// drawn writes a sketch as columns of names and lines of names.
func drawn(t *testing.T, text string) (string, edit.Sketch) {
	t.Helper()
	g, err := edit.Read([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	s := g.Sketch()
	var out []string
	for _, c := range s.Columns {
		var names []string
		for _, i := range c {
			names = append(names, g.States[i].Name)
		}
		out = append(out, strings.Join(names, ","))
	}
	for _, l := range s.Lines {
		way := ">"
		if l.Catch {
			way = "!"
		}
		out = append(out, g.States[s.Columns[l.FromColumn][l.FromRow]].Name+way+g.States[s.Columns[l.ToColumn][l.ToRow]].Name)
	}
	return strings.Join(out, " "), s
}

func TestSketch(t *testing.T) {
	for name, c := range map[string]struct{ text, want string }{
		"a way past a state": {`{"StartAt":"A","States":{"C":{"Type":"Succeed"},"B":{"Type":"Pass","Next":"C"},
			"A":{"Type":"Choice","Choices":[{"Variable":"$.x","IsNull":true,"Next":"C"}],"Default":"B"}}}`, "A B C B>C A>C A>B"},
		"a loop": {`{"StartAt":"A","States":{"A":{"Type":"Pass","Next":"B"},"B":{"Type":"Task","Resource":"x","Next":"A","Catch":[{"ErrorEquals":["States.ALL"],"Next":"C"}]},"C":{"Type":"Fail"}}}`,
			"A B C A>B B>A B!C"},
		"two ways": {`{"StartAt":"A","States":{"A":{"Type":"Choice","Choices":[{"Variable":"$.x","IsNull":true,"Next":"B"}],"Default":"C"},"B":{"Type":"Succeed"},"C":{"Type":"Succeed"}}}`,
			"A B,C A>B A>C"},
		"what is within another, and what nothing leads to": {`{"StartAt":"P","States":{"P":{"Type":"Parallel","Branches":[{"StartAt":"X","States":{"X":{"Type":"Pass","End":true}}}],"End":true},"Lost":{"Type":"Pass","End":true}}}`,
			"Lost,P"},
		"a way to itself": {`{"StartAt":"A","States":{"A":{"Type":"Pass","Next":"A"}}}`, "A"},
		"no start":        {`{"States":{"A":{"Type":"Pass","End":true}}}`, "A"},
		"nothing":         {`{}`, ""},
		"no definition":   {`[1]`, ""},
	} {
		t.Run(name, func(t *testing.T) {
			if got, _ := drawn(t, c.text); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func TestSketchOfALargeMachine(t *testing.T) {
	var chain, fan strings.Builder
	for i := range 1999 {
		fmt.Fprintf(&chain, `"S%d":{"Type":"Pass","Next":"S%d"},`, i, i+1)
		fmt.Fprintf(&fan, `%s{"Variable":"$.x","NumericEquals":%d,"Next":"S1999"}`, map[bool]string{true: ","}[i > 0], i)
	}
	_, s := drawn(t, `{"StartAt":"S0","States":{`+chain.String()+`"S1999":{"Type":"Succeed"}}}`)
	if !s.Cut || len(s.Columns) > 20 || s.States != 2000 {
		t.Errorf("a chain has %d columns, %d states, cut %t", len(s.Columns), s.States, s.Cut)
	}
	_, s = drawn(t, `{"StartAt":"A","States":{"A":{"Type":"Choice","Choices":[`+fan.String()+`]},"S1999":{"Type":"Succeed"}}}`)
	if s.Cut || len(s.Columns) != 2 || len(s.Lines) != 1 {
		t.Errorf("a thousand ways to one state: %d columns, %d lines, cut %t", len(s.Columns), len(s.Lines), s.Cut)
	}
}
