package reference_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/internal-app-portal/iap/asl"
	"github.com/internal-app-portal/iap/task"
	"github.com/internal-app-portal/iap/task/reference"
)

// TestPage: docs/tasks.md is what the code says of itself. It is written by
// iap workflow tasks --markdown.
func TestPage(t *testing.T) {
	page, err := os.ReadFile(filepath.Join("..", "..", "docs", "tasks.md"))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(reference.Markdown(), string(page)); diff != "" {
		t.Errorf("write docs/tasks.md anew with iap workflow tasks --markdown: %s", diff)
	}
}

// TestDocs: each says all that there is to say, and its example is a state that
// parses, names the task and passes only arguments that exist.
func TestDocs(t *testing.T) {
	seen := map[string]bool{}
	for _, d := range reference.Docs() {
		t.Run(d.Key(), func(t *testing.T) {
			if seen[d.Resource] || !strings.HasPrefix(d.Resource, task.Prefix) {
				t.Errorf("its resource is %q", d.Resource)
			}
			seen[d.Resource] = true
			if d.Title == "" || d.Text == "" || d.Who == "" || len(d.Errors) == 0 {
				t.Errorf("something is not said: %+v", d)
			}
			definition := `{"StartAt":"S","States":{"S":` + d.Example + `}}`
			m, problems := asl.Parse([]byte(definition))
			if m == nil {
				t.Fatalf("its example does not parse: %v", problems)
			}
			if !strings.Contains(d.Example, d.Resource) {
				t.Error("its example does not name it")
			}
			checkParameters(t, d)
		})
	}
}

func checkParameters(t *testing.T, d task.Doc) {
	t.Helper()
	type state struct {
		Resource      string
		Parameters    map[string]json.RawMessage
		ItemProcessor struct{ States map[string]state }
	}
	var s state
	if err := json.Unmarshal([]byte(d.Example), &s); err != nil {
		t.Fatal(err)
	}
	for _, inner := range s.ItemProcessor.States {
		s = inner
	}
	given := map[string]bool{}
	for name := range s.Parameters {
		given[strings.TrimSuffix(name, ".$")] = true
	}
	for _, f := range d.Arguments {
		if f.Required && !given[f.Name] {
			t.Errorf("its example lacks %s", f.Name)
		}
		delete(given, f.Name)
	}
	for name := range given {
		t.Errorf("its example passes %s, which is no argument", name)
	}
}
