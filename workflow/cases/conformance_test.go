package cases_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/internal-app-portal/iap/workflow/cases"
	"github.com/internal-app-portal/iap/workflow/memory"
)

// floors are how many cases that were recorded from AWS passed when they were
// last looked at.
var floors = map[string]int{"execution.jsonl": 493, "execution-mocked.jsonl": 98, "test-state.jsonl": 0,
	"create-error.jsonl": 0, "validate.jsonl": 0, "definition-lint.jsonl": 0}

// TestConformance runs the cases that were recorded from AWS.
func TestConformance(t *testing.T) {
	dir := os.Getenv("IAP_CONFORMANCE")
	if dir == "" {
		dir = filepath.Join("..", "..", "..", "shared", "conformance")
	}
	if _, err := os.Stat(dir); err != nil {
		t.Skip("no conformance cases: set IAP_CONFORMANCE to their folder")
	}
	for name, floor := range floors {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f, err := cases.RunFile(t.Context(), filepath.Join(dir, name), cases.Options{Clock: memory.Virtual})
			if err != nil {
				t.Fatal(err)
			}
			for _, failure := range f.Failures {
				t.Logf("FAIL line %d %s\n      %s", failure.Line, failure.ID, failure.Difference.String())
			}
			t.Logf("%s: %d passed of %d", name, f.Passed, f.Passed+f.Failed)
			if f.Passed < floor {
				t.Errorf("%d cases passed, but it were %d before", f.Passed, floor)
			}
		})
	}
}
