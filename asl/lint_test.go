package asl_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/internal-app-portal/iap/asl"
	"github.com/internal-app-portal/iap/asl/value"
)

// lintFloor is how many definitions were judged as by the linters.
const lintFloor = 148

// lintWaived are verdicts that AWS does not share.
var lintWaived = map[string]string{
	"statelint/task-with-credentials.json":            "AWS demands RoleArn in Credentials",
	"asl-validator/valid-task-credentials.json":       "AWS demands RoleArn in Credentials",
	"asl-validator/valid-task-intrisic-function.json": "functions of CloudFormation are not part of the language",
}

// TestLint compares the verdict on definitions with that of two linters.
func TestLint(t *testing.T) {
	dir := conformanceDir()
	if dir == "" {
		t.Skip("no conformance cases: set IAP_CONFORMANCE to their folder")
	}
	b, err := os.ReadFile(filepath.Join(dir, "definition-lint.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	passed, total, skipped := 0, 0, 0
	for line := range strings.Lines(string(b)) {
		v, err := value.Parse([]byte(strings.TrimSpace(line)))
		if err != nil {
			t.Fatal(err)
		}
		o := v.(*value.Object)
		text, _ := field(o, "definitionText").(string)
		valid, _ := field(o, "valid").(bool)
		_, problems := asl.Parse([]byte(text))
		id, _ := field(o, "id").(string)
		if unsupported(problems) != "" || lintWaived[id] != "" {
			skipped++
			continue
		}
		total++
		if (len(problems) == 0) == valid {
			passed++
			continue
		}
		t.Logf("FAIL %s: valid %v, but %v", id, valid, problems)
	}
	fmt.Printf("definition-lint.jsonl: %d/%d passed; %d skipped\n", passed, total, skipped)
	if passed < lintFloor {
		t.Errorf("%d verdicts are right, but it were %d before", passed, lintFloor)
	}
}
