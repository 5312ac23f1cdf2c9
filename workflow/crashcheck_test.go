package workflow_test

import (
	"bytes"
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/internal-app-portal/iap/store"
	"github.com/internal-app-portal/iap/workflow"
)

// traces are what can be seen of a run, whatever the order of its branches.
type traces struct {
	Status  workflow.Status
	Output  string
	Events  map[string]int // by type
	Effects int            // of Run handlers, counted by their keys
	Commits string         // of Commit handlers
}

// checkAll compares every execution with those that nobody disturbed.
func checkAll(t *testing.T, db *store.DB, effects string, kills int) {
	t.Helper()
	all, err := db.Executions(t.Context(), "", "", 100_000)
	if err != nil {
		t.Fatal(err)
	}
	keys := effectKeys(t, effects)
	var want *traces
	repeated := 0
	for _, x := range all { // the newest come first: those that were not disturbed
		got := tracesOf(t, db, x, keys[x.ID])
		repeated += len(keys[x.ID]) - got.Effects
		if want == nil {
			want = &got
		}
		if d := cmp.Diff(*want, got); d != "" {
			t.Errorf("%s (-undisturbed +killed):\n%s", x.Name, d)
		}
	}
	if len(all) <= perBatch {
		t.Errorf("only %d executions were begun", len(all))
	}
	if want == nil || want.Status != workflow.Succeeded {
		t.Fatalf("an execution that nobody disturbed: %+v", want)
	}
	t.Logf("%d kills, %d executions, %d tasks done again", kills, len(all), repeated)
}

// effectKeys are the keys of the calls by their execution, as often as they
// were made.
func effectKeys(t *testing.T, file string) map[string][]string {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	keys := map[string][]string{}
	for line := range bytes.Lines(b) {
		key := strings.TrimSpace(string(line))
		id, _, _ := strings.Cut(key, ".")
		keys[id] = append(keys[id], key)
	}
	return keys
}

func tracesOf(t *testing.T, db *store.DB, x workflow.Execution, keys []string) traces {
	t.Helper()
	got := traces{Status: x.Status, Output: string(x.Output), Events: map[string]int{}}
	slices.Sort(keys)
	got.Effects = len(slices.Compact(slices.Clone(keys)))
	noted, err := db.Setting(t.Context(), "effect "+x.ID)
	if err != nil {
		t.Errorf("%s: %v", x.Name, err)
	}
	got.Commits = string(noted)
	history, err := db.History(t.Context(), x.ID, 0, 100_000)
	if err != nil {
		t.Fatal(err)
	}
	for i, h := range history {
		got.Events[h.Type]++
		var head struct{ ID, PreviousEventID int64 }
		if err := json.Unmarshal(h.Details, &head); err != nil {
			t.Fatal(err)
		}
		if h.Number != int64(i+1) || head.ID != h.Number || head.PreviousEventID != h.Previous || h.Previous >= h.Number {
			t.Errorf("%s: event %d is number %d after %d: %s", x.Name, i+1, h.Number, h.Previous, h.Details)
		}
	}
	return got
}
