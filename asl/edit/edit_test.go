package edit_test

import (
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	iap "github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/asl"
	"github.com/internal-app-portal/iap/asl/edit"
)

const order = `{
	"StartAt": "Ask",
	"States": {
		"Ask": { "Type": "Task", "Resource": "arn:iap:states:::http:invoke.sync",
			"Catch": [{ "ErrorEquals": ["States.ALL"], "Next": "Sorry" }],
			"Next": "Big?" },
		"Big?": {
			"Type": "Choice",
			"Choices": [
				{ "Variable": "$.size", "NumericGreaterThan": 3, "Next": "Each" }
			],
			"Default": "Done"
		},
		"Each": {"Type": "Map", "ItemProcessor": {"StartAt": "One", "States": {
			"One": {"Type": "Pass", "End": true}
		}}, "End": true},
		"Sorry": { "Type": "Fail",   "Error": "Sorry" },
		"Done": { "Type": "Succeed" }
	}
}
`

func TestReadDrawsEveryState(t *testing.T) {
	g, err := edit.Read([]byte(order))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range g.Edges {
		got = append(got, strings.TrimSpace(g.States[e.From].Name+" -"+string(e.Kind)+"-> "+g.States[e.To].Name+" "+e.Label))
	}
	want := []string{"Ask -next-> Big?", "Ask -catch-> Sorry ALL", "Big? -choice-> Each $.size > 3", "Big? -default-> Done otherwise"}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	if len(g.Regions) != 2 || g.States[g.Regions[1].Owner].Name != "Each" || g.States[g.Regions[1].Start].Name != "One" {
		t.Errorf("regions: %+v", g.Regions)
	}
	ask := g.States[0]
	if ask.Line != 4 || ask.Column != 3 || ask.Last != 6 || ask.Note != "http:invoke.sync" {
		t.Errorf("Ask: %+v", ask)
	}
}

func TestReadTakesWhatIsUnfinished(t *testing.T) {
	for _, src := range []string{`{}`, `[]`, `null`, `{"States": 3}`, `{"States": {"A": 1, "B": {"Type": 7, "Next": {}, "Choices": [1, {"Next": "A"}], "Catch": 3}}}`,
		`{"StartAt": "X", "States": {"X": {"Branches": [1, {"States": {"X": {}}}], "Iterator": {"States": []}}}}`} {
		if _, err := edit.Read([]byte(src)); err != nil {
			t.Errorf("%s: %v", src, err)
		}
		_, _, _ = edit.Apply([]byte(src), edit.Change{Do: "add", Type: "Pass"}) // must not panic
	}
	if _, err := edit.Read([]byte(`{"States": `)); err == nil {
		t.Error("half a text is no JSON")
	}
}

// changed returns the lines that are in one text alone, "-" and "+" before them.
func changed(before, after string) string {
	a, b := strings.Split(before, "\n"), strings.Split(after, "\n")
	for len(a) > 0 && len(b) > 0 && a[0] == b[0] {
		a, b = a[1:], b[1:]
	}
	for len(a) > 0 && len(b) > 0 && a[len(a)-1] == b[len(b)-1] {
		a, b = a[:len(a)-1], b[:len(b)-1]
	}
	var out []string
	for _, l := range a {
		out = append(out, "-"+strings.TrimSpace(l))
	}
	for _, l := range b {
		out = append(out, "+"+strings.TrimSpace(l))
	}
	return strings.Join(out, "\n")
}

func TestApply(t *testing.T) {
	tests := []struct {
		name   string
		change edit.Change
		want   string
	}{
		{"rename", edit.Change{Do: "rename", From: "Done", To: "Gone"},
			"-\"Default\": \"Done\"\n-},\n-\"Each\""},
		{"join a choice", edit.Change{Do: "join", From: "Big?", To: "Sorry", Kind: asl.EdgeChoice},
			"-{ \"Variable\": \"$.size\", \"NumericGreaterThan\": 3, \"Next\": \"Each\" }\n" +
				"+{ \"Variable\": \"$.size\", \"NumericGreaterThan\": 3, \"Next\": \"Each\" },\n" +
				"+{ \"Variable\": \"$.value\", \"IsPresent\": true, \"Next\": \"Sorry\" }"},
		{"join a state that ends", edit.Change{Do: "join", From: "Each", To: "Done"},
			"-}}, \"End\": true},\n+}}, \"Next\": \"Done\"},"},
		{"join by catching", edit.Change{Do: "join", From: "Each", To: "Sorry", Kind: asl.EdgeCatch},
			"-}}, \"End\": true},\n+}}, \"End\": true, \"Catch\": [{ \"ErrorEquals\": [\"States.ALL\"], \"Next\": \"Sorry\" }]},"},
		{"cut a catcher", edit.Change{Do: "cut", From: "Ask", Kind: asl.EdgeCatch},
			"-\"Catch\": [{ \"ErrorEquals\": [\"States.ALL\"], \"Next\": \"Sorry\" }],"},
		{"cut what comes next", edit.Change{Do: "cut", From: "Ask", Kind: asl.EdgeNext}, "-\"Next\": \"Big?\" },\n+\"End\": true },"},
		{"start", edit.Change{Do: "start", From: "Big?"}, "-\"StartAt\": \"Ask\",\n+\"StartAt\": \"Big?\","},
		{"add behind", edit.Change{Do: "add", Type: "Wait", From: "Each"},
			"-}}, \"End\": true},\n+}}, \"Next\": \"Wait\"},\n+\"Wait\": {\n+\"Type\": \"Wait\",\n+\"Seconds\": 60,\n+\"End\": true\n+},"},
		{"add an end behind what goes on", edit.Change{Do: "add", Type: "Fail", From: "Ask"},
			"+\"Fail\": {\n+\"Type\": \"Fail\",\n+\"Error\": \"Failed\",\n+\"Cause\": \"Say here what went wrong.\"\n+},"},
		{"add at the end", edit.Change{Do: "add", Type: "Succeed"},
			"-\"Done\": { \"Type\": \"Succeed\" }\n+\"Done\": { \"Type\": \"Succeed\" },\n+\"Succeed\": {\n+\"Type\": \"Succeed\"\n+}"},
		{"remove leads on", edit.Change{Do: "remove", From: "Big?"}, "-\"Next\": \"Big?\" },\n-\"Big?\": {\n-\"Type\": \"Choice\",\n-\"Choices\": [\n" +
			"-{ \"Variable\": \"$.size\", \"NumericGreaterThan\": 3, \"Next\": \"Each\" }\n-],\n-\"Default\": \"Done\"\n-},\n+\"Next\": \"Done\" },"},
		{"remove what ends", edit.Change{Do: "remove", From: "Sorry"}, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			out, _, err := edit.Apply([]byte(order), test.change)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := edit.Read(out); err != nil {
				t.Fatalf("%v in\n%s", err, out)
			}
			if got := changed(order, string(out)); test.want != "" && !strings.HasPrefix(got, test.want) {
				t.Errorf("got\n%s\nwant\n%s", got, test.want)
			}
			if strings.Contains(string(out), "Sorry\" }]") && test.change.Do == "remove" && test.change.From == "Sorry" {
				t.Errorf("something still leads to the state that is gone:\n%s", out)
			}
		})
	}
}

func TestApplyRefuses(t *testing.T) {
	for _, c := range []edit.Change{{Do: "fly"}, {Do: "join", From: "Ask", To: "One"}, {Do: "join", From: "Done", To: "Ask"},
		{Do: "join", From: "Nobody", To: "Ask"}, {Do: "rename", From: "Ask", To: "Done"}, {Do: "rename", From: "Ask", To: strings.Repeat("x", 81)},
		{Do: "add", Type: "Loop"}, {Do: "cut", From: "Each", Kind: asl.EdgeCatch}, {Do: "join", From: "Big?", To: "Ask", Kind: asl.EdgeNext},
		{Do: "add", Type: "Task", Body: []byte("[]")}, {Do: "add", Type: "Pass", Owner: "Each", Index: 4}} {
		if out, _, err := edit.Apply([]byte(order), c); !iap.IsKind(err, iap.Invalid) {
			t.Errorf("%+v: %v\n%s", c, err, out)
		}
	}
}

// TestAMachineIsBuiltByEdits begins with nothing, and ends with a machine that
// the parser takes.
func TestAMachineIsBuiltByEdits(t *testing.T) {
	src := []byte("{}")
	for _, c := range []edit.Change{{Do: "add", Type: "Pass", To: "Begin"}, {Do: "add", Type: "Choice", From: "Begin"}, {Do: "add", Type: "Parallel", From: "Choice"},
		{Do: "add", Type: "Map", From: "Parallel"}, {Do: "add", Type: "Fail", To: "Bad"}, {Do: "join", From: "Choice", To: "Bad"}, {Do: "add", Type: "Wait", Owner: "Map"},
		{Do: "add", Type: "Task", From: "Map"}, {Do: "join", From: "Task", To: "Bad", Kind: asl.EdgeCatch}, {Do: "rename", From: "Wait", To: `A "minute"`}, {Do: "remove", From: "Parallel"}} {
		out, name, err := edit.Apply(src, c)
		if err != nil {
			t.Fatalf("%+v: %v\n%s", c, err, src)
		}
		if name == "" && c.Do != "remove" {
			t.Errorf("%+v: no state to look at", c)
		}
		src = out
	}
	_, problems := asl.Parse(src)
	for _, p := range problems {
		if !strings.Contains(p.Message, "not reachable") && !strings.Contains(p.Message, "transition target") { // "A minute" was never joined
			t.Errorf("%v in\n%s", p, src)
		}
	}
}

func TestALifecycleIsDrawn(t *testing.T) {
	src, err := os.ReadFile("../../instance/lifecycle.asl.json")
	if err != nil {
		t.Fatal(err)
	}
	m, problems := asl.Parse(src)
	if m == nil {
		t.Fatal(problems)
	}
	g, err := edit.Read(src)
	if err != nil {
		t.Fatal(err)
	}
	var edges int
	for i, s := range m.Root().States {
		edges += len(s.Edges)
		if got := g.States[i]; got.Name != s.Name || got.Type != string(s.Type) {
			t.Errorf("%+v, want %s", got, s.Name)
		}
	}
	if edges != len(g.Edges) {
		t.Errorf("%d edges, the parser found %d", len(g.Edges), edges)
	}
}

func FuzzApply(f *testing.F) {
	f.Add(order, "add", "Wait", "Each", "", "next", 0)
	f.Add(order, "remove", "", "Ask", "", "", 0)
	f.Add(order, "cut", "", "Big?", "", "choice", 0)
	f.Fuzz(func(t *testing.T, src, do, kind, from, to, way string, index int) {
		out, _, err := edit.Apply([]byte(src), edit.Change{Do: do, Type: kind, From: from, To: to, Kind: asl.EdgeKind(way), Index: index})
		if err != nil {
			return
		}
		if _, err := edit.Read(out); err != nil {
			t.Errorf("%v in\n%s\nof\n%s", err, out, src)
		}
	})
}
