package cases_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/internal-app-portal/iap/asl"
	"github.com/internal-app-portal/iap/asl/value"
	"github.com/internal-app-portal/iap/workflow/cases"
	"github.com/internal-app-portal/iap/workflow/memory"
)

// run runs one case and gives the difference, "" when there is none.
func run(t *testing.T, line string) string {
	t.Helper()
	c, err := cases.Parse([]byte(line))
	if err != nil {
		t.Fatal(err)
	}
	d, err := c.Run(t.Context(), cases.Options{Clock: memory.Virtual})
	if err != nil {
		t.Fatal(err)
	}
	if d == nil {
		return ""
	}
	return d.String()
}

func parsed(t *testing.T, text string) value.Value {
	t.Helper()
	v, err := value.Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// pass is a case of a machine that gives its input back.
func pass(input, expect string) string {
	return `{"definition":{"StartAt":"A","States":{"A":{"Type":"Pass","End":true}}},"input":` + input + `,` + expect + `}`
}

func TestFirstDifference(t *testing.T) {
	for line, want := range map[string]string{
		pass(`{"a":1}`, `"expect":{"status":"SUCCEEDED","output":{"a":1.0}}`):                             "",
		pass(`{"a":1}`, `"expect":{"output":{"a":2}}`):                                                    "/output/a: want 2, got 1",
		pass(`{"a":1}`, `"expect":{"output":{}}`):                                                         "/output/a: want nothing, got 1",
		pass(`{}`, `"expect":{"output":{"a":{"b":null}}}`):                                                `/output/a: want {"b":null}, got nothing`,
		pass(`{"a/b":{"~":[1,2]}}`, `"expect":{"output":{"a/b":{"~":[1,3]}}}`):                            "/output/a~1b/~0/1: want 3, got 2",
		pass(`[1]`, `"expect":{"output":[1,2]}`):                                                          "/output/1: want 2, got nothing",
		pass(`[1,2]`, `"expect":{"output":[1]}`):                                                          "/output/1: want nothing, got 2",
		pass(`"1"`, `"expect":{"output":"1"}`):                                                            "",
		pass(`1`, `"expect":{"output":"1"}`):                                                              `/output: want "1", got 1`,
		pass(`"{\"a\":1}"`, `"expect":{"output":{"a":1}}`):                                                "",
		pass(`9007199254740993`, `"expect":{"output":9007199254740992}`):                                  "/output: want 9007199254740992, got 9007199254740993",
		pass(`{"a":1,"b":2}`, `"expect":{"output":{"a":5,"b":2}},"wildcards":["/output/a"]`):              "",
		pass(`{}`, `"expect":{"error":"E"}`):                                                              `/error: want "E", got null`,
		pass(`{}`, `"expect":{"status":"FAILED","events":[]}`):                                            `/status: want "FAILED", got "SUCCEEDED"`,
		pass(`{}`, `"expect":{"events":[]}`):                                                              `/events/0: want nothing, got {"type":"ExecutionStarted","id":1,"previousEventId":0,"executionStartedEventDetails":{"input":"{}","inputDetails":{"truncated":false}}}`,
		pass(`{}`, `"expect":{"events":[{"type":"ExecutionStarted"}]},"unordered":true`):                  `/events: want ["ExecutionStarted"], got ["ExecutionStarted","ExecutionSucceeded","PassStateEntered","PassStateExited"]`,
		`{"definitionText":"{}","valid":true}`:                                                            "/valid: want true, got",
		`{"definition":{"StartAt":"A","States":{}},"input":{},"expect":{"status":"SUCCEEDED"}}`:           `/status: want "SUCCEEDED", got "1:`,
		`{"request":{"definition":"{}"},"expect":{"result":"OK"}}`:                                        "/result: want \"OK\", got \"FAIL\"",
		`{"request":{"definition":"{"},"expectError":false,"expect":{"status":"SUCCEEDED"}}`:              `/status: want "SUCCEEDED", got "InvalidDefinition: `,
		`{"request":{"definition":"{\"Type\":\"Succeed\"}"},"expectError":true,"expect":{"Error":{}}}`:    `/Error: want {}, got {"output":`,
		`{"op":"create_state_machine","request":{"definition":"{}"},"expect":"An error occurred (Mine)"}`: `: want "An error occurred (Mine)", got "An error occurred (InvalidDefinition) when calling the CreateStateMachine operation: `,
	} {
		got := run(t, line)
		if got != want && (want == "" || !strings.HasPrefix(got, want)) {
			t.Errorf("%s\ngot  %s\nwant %s", line, got, want)
		}
	}
}

func TestBadCases(t *testing.T) {
	for line, want := range map[string]string{
		`[]`:                      "a case must be a JSON object",
		`{"id":"x"}`:              "this is no case",
		`{"a":1,"a":2}`:           "twice",
		pass(`{}`, `"expect":[]`): "expect must be an object",
		pass(`{}`, `"id":"x"`):    "expect is missing",
		pass(`{}`, `"id":5`):      "id must be a string",
		pass(`{}`, `"mocks":[]`):  "mocks must be an object",
		pass(`{}`, `"expect":{},"wildcards":[5]`): "wildcards must be JSON Pointers",
		`{"definition":5,"input":{},"expect":{}}`: "definition must be an object",
	} {
		if _, err := cases.Parse([]byte(line)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s\ngot  %v\nwant %s", line, err, want)
		}
	}
}

// runText runs a file of cases.
func runText(t *testing.T, text string) (cases.File, error) {
	t.Helper()
	name := filepath.Join(t.TempDir(), "cases.jsonl")
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return cases.RunFile(t.Context(), name, cases.Options{Clock: memory.Virtual})
}

func TestNoCases(t *testing.T) {
	for text, want := range map[string]string{
		"":                            "there is no case in it",
		"{}\n":                        "line 1: this is no case",
		"\n\n{\"definitionText\":":    "line 3: invalid JSON",
		"\xff\n":                      "line 1: ",
		strings.Repeat("[", 2000):     "line 1: ",
		"{\"definitionText\":1e400}":  "too large",
		"\ufeff{\"definitionText\":1": "line 1: invalid JSON at byte 19",
	} {
		if _, err := runText(t, text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q\ngot  %v\nwant %s", text, err, want)
		}
	}
}

// TestBadLines: one line that is no case does not keep the others from running.
func TestBadLines(t *testing.T) {
	good := pass(`{}`, `"expect":{"output":{}}`)
	f, err := runText(t, strings.Join([]string{good, `{"id":"odd"}`, "", good, `[`, `{"definition":{},"inputText":"{","expect":{}}`, good}, "\n"))
	if err != nil {
		t.Fatal(err)
	}
	if f.Passed != 3 || f.Failed != 3 {
		t.Errorf("%d passed, %d failed", f.Passed, f.Failed)
	}
	var got []string
	for _, x := range f.Failures {
		got = append(got, fmt.Sprintf("%d %s %s", x.Line, x.ID, x.Got))
	}
	for i, want := range []string{`2 odd "this is no case`, `5 line 5 "invalid JSON`, `6 line 6 "`} {
		if i >= len(got) || !strings.HasPrefix(got[i], want) {
			t.Errorf("got %q, want %s", got, want)
		}
	}
}

func TestBadMocks(t *testing.T) {
	for text, want := range map[string]string{
		`[]`:                                "mocks must be an object with the names of states, and not a JSON array",
		`{"A":[5]}`:                         `state "A", call 1: it must be an object`,
		`{"A":[{},{"retrun":1}]}`:           `state "A", call 2: there is no field "retrun"`,
		`{"A":{"return":1,"throw":{}}}`:     "it must have one of return, throw and timeout, and not 2",
		`{"A":{"throw":"E"}}`:               "throw: it must be an object with error and cause",
		`{"A":{"throw":{"name":"E"}}}`:      `throw: there is no field "name"`,
		`{"A":{"return":1,"after":-1}}`:     "after: it must be a number of seconds",
		`{"A":{"return":1,"after":"soon"}}`: "after: it must be a number of seconds",
	} {
		if _, err := cases.MocksOf(parsed(t, text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s\ngot  %v\nwant %s", text, err, want)
		}
	}
}

func TestMocks(t *testing.T) {
	mocks, err := cases.MocksOf(parsed(t, `{"A":[{"return":1},{"throw":{"error":"E","cause":{"why":2}}},
		{"timeout":{"error":"T"}},{"submitted":3},{"return":4,"after":1.5}]}`))
	if err != nil {
		t.Fatal(err)
	}
	do := mocks.Handler(cases.Echo)
	call := func(state string, seconds int64) memory.Answer {
		return do(context.Background(), asl.ScheduleTask{State: state, TimeoutSeconds: seconds, Arguments: value.MustText(`"echo"`)})
	}
	if a := call("A", 0); a.Output.String() != "1" {
		t.Errorf("first: %+v", a)
	}
	if a := call("A", 0); a.Failure == nil || a.Failure.Error != "E" || a.Failure.Cause != `{"why":2}` {
		t.Errorf("second: %+v", a.Failure)
	}
	if a := call("A", 0); a.Failure == nil || !a.Failure.TimedOut || a.Failure.Error != "T" {
		t.Errorf("third: %+v", a)
	}
	if a := call("A", 0); !a.Silent || a.Submitted.String() != "3" {
		t.Errorf("fourth: %+v", a)
	}
	if a := call("A", 0); a.After != 1500*time.Millisecond || a.Output.String() != "4" {
		t.Errorf("fifth: %+v", a)
	}
	if a := call("A", 0); a.Failure == nil || a.Failure.Error != "Mock.Missing" || !strings.Contains(a.Failure.Cause, "call 6") {
		t.Errorf("sixth: %+v", a.Failure)
	}
	if a := call("B", 0); a.Output.String() != `"echo"` {
		t.Errorf("a state without mocks: %+v", a)
	}
	again := mocks.Handler(nil)
	for range 2 {
		again(context.Background(), asl.ScheduleTask{State: "A"})
	}
	if a := again(context.Background(), asl.ScheduleTask{State: "A", TimeoutSeconds: 5}); !a.Silent {
		t.Errorf("a state with a time-out: %+v", a)
	}
}

func TestBrokenOff(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	enough := errors.New("enough")
	cancel(enough)
	c, err := cases.Parse([]byte(pass(`{}`, `"expect":{}`)))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Run(ctx, cases.Options{}); !errors.Is(err, enough) {
		t.Errorf("got %v", err)
	}
}
