package asl_test

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"testing"

	"github.com/internal-app-portal/iap/asl"
	"github.com/internal-app-portal/iap/asl/value"
)

// floors are how many recorded cases passed when they were last looked at.
var floors = map[string]int{"execution.jsonl": 493, "execution-mocked.jsonl": 98}

// waived cases contradict others or depend on what the recording left out.
var waived = map[string]string{
	"express/test_express_sync.py::TestExpressSync::test_retry#start_execution_sync_response":                                          "the task's answers were not recorded",
	"local_mocking/test_base_scenarios.py::TestBaseScenarios::test_lambda_service_invoke_sync_execution#start_execution_sync_response": "the task's answers were not recorded",
	"scenarios/test_base_scenarios.py::TestBaseScenarios::test_lambda_invoke_with_retry_extended_input#get_execution_history":          "recorded before the Context Object had RedriveCount",
	"scenarios/test_base_scenarios.py::TestBaseScenarios::test_lambda_service_invoke_with_retry_extended_input#get_execution_history":  "recorded before the Context Object had RedriveCount",
}

const activityARN = "arn:aws:states:us-east-1:111111111111:activity:activity_arn"

// definitionText is the definition with the activity's ARN, which was redacted.
func definitionText(c *testCase) []byte {
	return []byte(strings.ReplaceAll(value.Text(c.definition), "«call0.activityArn»", activityARN))
}

// testCase is one recorded execution.
type testCase struct {
	id, needs  string
	definition value.Value
	input      string
	mocks      *value.Object
	expect     *value.Object
	wildcards  map[string]bool
	unordered  bool
}

// TestConformance runs the executions that were recorded from AWS.
func TestConformance(t *testing.T) {
	dir := conformanceDir()
	if dir == "" {
		t.Skip("no conformance cases: set IAP_CONFORMANCE to their folder")
	}
	for _, file := range []string{"execution.jsonl", "execution-mocked.jsonl"} {
		t.Run(file, func(t *testing.T) { runFile(t, filepath.Join(dir, file)) })
	}
}

// conformanceDir looks for the cases where IAP_CONFORMANCE says, or above.
func conformanceDir() string {
	if dir := os.Getenv("IAP_CONFORMANCE"); dir != "" {
		return dir
	}
	at, _ := os.Getwd()
	for ; at != filepath.Dir(at); at = filepath.Dir(at) {
		dir := filepath.Join(at, "shared", "conformance")
		if _, err := os.Stat(dir); err == nil {
			return dir
		}
	}
	return ""
}

func runFile(t *testing.T, path string) {
	passed, total := 0, 0
	skipped := map[string]int{}
	for _, c := range readCases(t, path) {
		if why := waived[c.id]; why != "" {
			skipped["waived: "+why]++
			continue
		}
		m, problems := asl.Parse(definitionText(c))
		if why := unsupported(problems); why != "" {
			skipped[why]++
			continue
		}
		total++
		if diff := runCase(t, m, problems, c); diff != "" {
			t.Logf("FAIL %s\n      %s", c.id, diff)
			continue
		}
		passed++
	}
	reasons := make([]string, 0, len(skipped))
	for why, n := range skipped {
		reasons = append(reasons, fmt.Sprintf("%s (%d)", why, n))
	}
	sort.Strings(reasons)
	fmt.Printf("%s: %d/%d passed; skipped: %s\n", filepath.Base(path), passed, total, strings.Join(reasons, "; "))
	if floor := floors[filepath.Base(path)]; passed < floor {
		t.Errorf("%d cases passed, but it were %d before", passed, floor)
	}
}

// unsupported names the first feature that is refused for now.
func unsupported(problems []asl.Problem) string {
	for _, p := range problems {
		if p.Code == asl.CodeNotSupported {
			return p.Message
		}
	}
	return ""
}

func readCases(t *testing.T, path string) []*testCase {
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var all []*testCase
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 64<<20)
	for lines.Scan() {
		v, err := value.Parse(lines.Bytes())
		if err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		all = append(all, readCase(v.(*value.Object)))
	}
	if lines.Err() != nil || len(all) == 0 {
		t.Fatalf("%s: %v, %d cases", path, lines.Err(), len(all))
	}
	return all
}

func field(o *value.Object, key string) value.Value {
	v, _ := o.Get(key)
	return v
}

func readCase(o *value.Object) *testCase {
	c := &testCase{definition: field(o, "definition"), wildcards: map[string]bool{}}
	c.id, _ = field(o, "id").(string)
	c.input, _ = field(o, "inputText").(string)
	c.mocks, _ = field(o, "mocks").(*value.Object)
	c.expect, _ = field(o, "expect").(*value.Object)
	c.unordered, _ = field(o, "unordered").(bool)
	list, _ := field(o, "wildcards").(value.Array)
	for _, w := range list {
		c.wildcards[w.(string)] = true
	}
	return c
}

// runCase gives the first difference, or "".
func runCase(t *testing.T, m *asl.Machine, problems []asl.Problem, c *testCase) string {
	if m == nil {
		return fmt.Sprintf("the definition was refused: %v", problems)
	}
	input, err := value.FromText(c.input)
	if err != nil {
		return err.Error()
	}
	calls := map[string]int{}
	d := newDriver(t, m, func(task asl.ScheduleTask) answer {
		list, _ := field(c.mocks, task.State).(value.Array)
		n := calls[task.State]
		calls[task.State]++
		if n >= len(list) {
			return answer{fails: true, err: "NoMock", cause: "there is no answer for this call"}
		}
		return readAnswer(list[n].(*value.Object))
	})
	if field(c.expect, "status") == "ABORTED" {
		d.env.Execution.Input = input
		d.step(asl.Start{Input: input})
		d.next()
		d.step(asl.Stop{})
	} else {
		d.run(input)
	}
	return compareCase(d, c)
}

func readAnswer(o *value.Object) answer {
	var a answer
	if v, ok := o.Get("submitted"); ok {
		a.submitted = value.Of(v)
	}
	if v, ok := o.Get("return"); ok {
		a.output = value.Of(v)
	}
	for _, key := range []string{"throw", "timeout"} {
		e, ok := field(o, key).(*value.Object)
		if !ok {
			continue
		}
		a.fails, a.timeout = key == "throw", key == "timeout"
		a.err, _ = field(e, "error").(string)
		switch cause := field(e, "cause").(type) {
		case string:
			a.cause = cause
		case nil:
		default:
			a.cause = value.Text(cause)
		}
	}
	return a
}

func compareCase(d *driver, c *testCase) string {
	if d.complete == nil {
		return "the execution did not end"
	}
	w := &comparer{wild: c.wildcards}
	if want := field(c.expect, "status"); want != string(d.complete.Status) {
		return fmt.Sprintf("/status: want %v, got %s (%s)", want, d.complete.Status, describe(d.complete))
	}
	if want, ok := c.expect.Get("output"); ok {
		if diff := w.compare("/output", want, d.complete.Output.Value()); diff != "" {
			return diff
		}
	}
	for key, got := range map[string]*string{"error": d.complete.Error, "cause": d.complete.Cause} {
		if want, ok := c.expect.Get(key); ok {
			var v value.Value
			if got != nil {
				v = *got
			}
			if diff := w.compare("/"+key, want, v); diff != "" {
				return diff
			}
		}
	}
	events, ok := field(c.expect, "events").(value.Array)
	switch {
	case !ok:
		return ""
	case c.unordered:
		return compareTypes(events, d.events)
	}
	return w.compareEvents(events, d.events)
}

func describe(c *asl.Complete) string {
	s := ""
	if c.Error != nil {
		s += *c.Error
	}
	if c.Cause != nil {
		s += ": " + *c.Cause
	}
	return s
}
