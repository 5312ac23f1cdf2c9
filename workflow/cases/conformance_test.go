package cases_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/internal-app-portal/iap/workflow/cases"
	"github.com/internal-app-portal/iap/workflow/memory"
)

// floors are how many cases that were recorded from AWS passed when they were
// last looked at.
var floors = map[string]int{"execution.jsonl": 493, "execution-mocked.jsonl": 98, "test-state.jsonl": 99,
	"create-error.jsonl": 62, "validate.jsonl": 4, "definition-lint.jsonl": 170}

// waived cases contradict others or depend on what the recording left out.
var waived = map[string]string{
	"express/test_express_sync.py::TestExpressSync::test_retry#start_execution_sync_response":                                          "the task's answers were not recorded",
	"local_mocking/test_base_scenarios.py::TestBaseScenarios::test_lambda_service_invoke_sync_execution#start_execution_sync_response": "the task's answers were not recorded",
	"scenarios/test_base_scenarios.py::TestBaseScenarios::test_lambda_invoke_with_retry_extended_input#get_execution_history":          "recorded before the Context Object had RedriveCount",
	"scenarios/test_base_scenarios.py::TestBaseScenarios::test_lambda_service_invoke_with_retry_extended_input#get_execution_history":  "recorded before the Context Object had RedriveCount",
	"statelint/task-with-credentials.json":            "AWS demands RoleArn in Credentials",
	"asl-validator/valid-task-credentials.json":       "AWS demands RoleArn in Credentials",
	"asl-validator/valid-task-intrisic-function.json": "functions of CloudFormation are not part of the language",
}

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
			f, err := cases.RunFile(t.Context(), filepath.Join(dir, name), cases.Options{Clock: memory.Virtual, Skip: func(c *cases.Case) string { return waived[c.ID] }})
			if err != nil {
				t.Fatal(err)
			}
			for _, failure := range f.Failures {
				t.Logf("FAIL line %d %s\n      %s", failure.Line, failure.ID, failure.Difference.String())
			}
			fmt.Printf("%s: %d passed of %d, %d skipped\n", name, f.Passed, f.Passed+f.Failed, f.Skipped)
			if f.Passed < floor {
				t.Errorf("%d cases passed, but it were %d before", f.Passed, floor)
			}
		})
	}
}
