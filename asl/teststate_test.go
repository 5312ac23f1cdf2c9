package asl_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/internal-app-portal/iap/asl"
	"github.com/internal-app-portal/iap/asl/value"
)

// testState tests a state; request is JSON with definition and mock as objects.
func testState(t *testing.T, request string, do asl.TestTask) (string, error) {
	t.Helper()
	r, err := asl.TestState(testRequest(t, request), asl.Env{Now: time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)}, do)
	if err != nil {
		return "", err
	}
	return value.Text(r), nil
}

// testRequest writes as texts what AWS's action takes as texts.
func testRequest(t *testing.T, request string) *value.Object {
	t.Helper()
	v, err := value.Parse([]byte(request))
	if err != nil {
		t.Fatal(err)
	}
	out := &value.Object{}
	for _, m := range v.(*value.Object).Members() {
		switch m.Key {
		case "definition", "input", "variables", "context":
			m.Value = value.Text(m.Value)
		case "mock":
			mock := m.Value.(*value.Object).Clone()
			if result, ok := mock.Get("result"); ok {
				mock.Set("result", value.Text(result))
			}
			m.Value = mock
		}
		out.Set(m.Key, m.Value)
	}
	return out
}

const retried = `{"Type":"Task","Resource":"arn:iap:states:::card:charge","End":true,
	"Retry":[{"ErrorEquals":["Other"]},{"ErrorEquals":["Busy"],"IntervalSeconds":3,"BackoffRate":2,"MaxAttempts":2}],
	"Catch":[{"ErrorEquals":["Other"],"Next":"A"},{"ErrorEquals":["States.ALL"],"ResultPath":"$.error","Next":"B"}]}`

func TestTestState(t *testing.T) {
	for name, c := range map[string]struct{ request, want string }{
		"retry": {`{"definition":` + retried + `,"inspectionLevel":"DEBUG","mock":{"errorOutput":{"error":"Busy","cause":"wait"}},
			"stateConfiguration":{"retrierRetryCount":1}}`,
			`{"error":"Busy","cause":"wait","inspectionData":{"input":"{}","afterInputPath":"{}","afterParameters":"{}",` +
				`"errorDetails":{"retryIndex":1,"retryBackoffIntervalSeconds":6}},"status":"RETRIABLE"}`},
		"no retry left": {`{"definition":` + retried + `,"input":{"a":1},"mock":{"errorOutput":{"error":"Busy"}},
			"stateConfiguration":{"retrierRetryCount":2}}`,
			`{"error":"Busy","output":"{\"a\": 1, \"error\": {\"Error\": \"Busy\", \"Cause\": null}}","nextState":"B","status":"CAUGHT_ERROR"}`},
		"variables": {`{"definition":{"Type":"Pass","Assign":{"b.$":"$a"},"Parameters":{"was.$":"$a"},"Next":"N"},"variables":{"a":[1,2]},
			"inspectionLevel":"TRACE"}`,
			`{"output":"{\"was\": [1, 2]}","inspectionData":{"input":"{}","afterInputPath":"{}","afterParameters":"{\"was\": [1, 2]}",` +
				`"afterResultSelector":"{\"was\": [1, 2]}","afterResultPath":"{\"was\": [1, 2]}","variables":"{\"a\": [1, 2], \"b\": [1, 2]}"},` +
				`"nextState":"N","status":"SUCCEEDED"}`},
		"context": {`{"definition":{"Type":"Pass","Parameters":{"id.$":"$$.Execution.Id"},"End":true},"context":{"Execution":{"Id":"x"}}}`,
			`{"output":"{\"id\": \"x\"}","status":"SUCCEEDED"}`},
		"cause without where": {`{"definition":{"Type":"Pass","InputPath":"$.a","End":true}}`,
			`{"error":"States.Runtime","cause":"Invalid path '$.a' : No results for path: $['a']","status":"FAILED"}`},
		"wait": {`{"definition":{"Type":"Wait","Seconds":99999,"Next":"N"}}`, `{"output":"{}","nextState":"N","status":"SUCCEEDED"}`},
		"loop": {`{"definition":{"Type":"Pass","Next":"Again"},"input":[1]}`, `{"output":"[1]","nextState":"Again","status":"SUCCEEDED"}`},
		"inline map": {`{"definition":{"Type":"Map","ItemsPath":"$.l","ItemProcessor":{"StartAt":"A","States":{"A":{"Type":"Succeed"}}},
			"ResultPath":"$.r","End":true},"input":{"l":[1,2]},"mock":{"result":[3,4]}}`,
			`{"output":"{\"l\": [1, 2], \"r\": [3, 4]}","status":"SUCCEEDED"}`},
		"no mock, nobody": {`{"definition":{"Type":"Task","Resource":"arn:iap:states:::a:b","End":true}}`,
			`{"error":"States.Runtime","cause":"There is nobody here to do the task arn:iap:states:::a:b; give a mock.","status":"FAILED"}`},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := testState(t, c.request, nil)
			if err != nil || got != c.want {
				t.Errorf("%v\ngot  %s\nwant %s", err, got, c.want)
			}
		})
	}
}

func TestTestStateDoesTheTask(t *testing.T) {
	request := `{"definition":{"Type":"Task","Resource":"arn:iap:states:::a:b","Parameters":{"n.$":"$.n"},"End":true},"input":{"n":7}}`
	got, err := testState(t, request, func(c asl.ScheduleTask) (value.JSON, string, string) {
		return value.Of(value.Array{c.Arguments.Value()}), "", ""
	})
	if want := `{"output":"[{\"n\": 7}]","status":"SUCCEEDED"}`; err != nil || got != want {
		t.Errorf("got %s %v, want %s", got, err, want)
	}
	got, err = testState(t, request, func(asl.ScheduleTask) (value.JSON, string, string) { return value.JSON{}, "Bad", "luck" })
	if want := `{"error":"Bad","cause":"luck","status":"FAILED"}`; err != nil || got != want {
		t.Errorf("got %s %v, want %s", got, err, want)
	}
}

func TestTestStateRefuses(t *testing.T) {
	task := `"definition":{"Type":"Task","Resource":"arn:aws:states:::states:startExecution","Parameters":{},"End":true}`
	for request, want := range map[string]string{
		`{` + task + `,"mock":{"result":{"ExecutionArn":1,"StartDate":"x"}}}`:                                                     "ValidationException: Mock result schema validation error: Field 'ExecutionArn' must be a string",
		`{"definition":{"Type":"Task","Resource":"arn:aws:states:::dynamodb:getItem","End":true},"mock":{"result":{"Item":"x"}}}`: "ValidationException: Mock result schema validation error: Field 'Item' must be an object",
		`{` + task + `,"mock":{"result":{}}}`:                                                                                     "ValidationException: Mock result schema validation error: Required field 'ExecutionArn' is missing",
		`{` + task + `,"mock":{"result":{"ExecutionArn":"x"},"errorOutput":{"error":"E"}}}`:                                       "ValidationException: A test mock should have only one of the following fields: [result, errorOutput].",
		`{` + task + `,"mock":{"errorOutput":{"error":"E"}},"revealSecrets":true}`:                                                "ValidationException: TestState does not support RevealSecrets when a mock is specified.",
		`{` + task + `,"context":{"Map":{}}}`:                                                                                     "ValidationException: Invalid Context object provided: 'Map' field is not supported when mocking a Context object",
		`{` + task + `,"variables":[1]}`:                                                                                          "ValidationException: Variables must be a JSON object",
		`{"definition":{"Type":"Pass"}}`:                                                                                          "InvalidDefinition: Invalid State Machine Definition: ",
		`{"definition":5}`:                                                                                                        "InvalidDefinition: ",
		`{"definition":{"StartAt":"A","States":{"A":{"Type":"Succeed"}}},"stateName":"B"}`:                                        "ValidationException: State 'B' not found",
		`{"definition":{"Type":"Pass","End":true},"mock":{"result":1}}`:                                                           "ValidationException: State type 'Pass' is not supported when a mock is specified",
		`{"definition":{"Type":"Parallel","Branches":[{"StartAt":"A","States":{"A":{"Type":"Succeed"}}}],"End":true},"mock":{"result":[1,2]}}`:    "ValidationException: Mocked result must contain the same number of items as number of Parallel branches.",
		`{"definition":{"Type":"Map","ItemProcessor":{"StartAt":"A","States":{"A":{"Type":"Succeed"}}},"End":true},"mock":{"result":{"no":"y"}}}`: "ValidationException: Mocked result must be an array.",
	} {
		_, err := testState(t, request, nil)
		var refused *asl.TestError
		if !errors.As(err, &refused) || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%s\ngot  %v\nwant %s", request, err, want)
		}
	}
}

func TestTestStateOfHostileTexts(t *testing.T) {
	deep := strings.Repeat("[", 5000)
	for key, text := range map[string]string{"definition": deep, "input": deep, "variables": deep, "context": deep} {
		request := testRequest(t, `{"definition":{"Type":"Pass","End":true}}`)
		request.Set(key, text)
		if r, err := asl.TestState(request, asl.Env{}, nil); err == nil {
			t.Errorf("%s: %s", key, value.Text(r))
		}
	}
	mock := testRequest(t, `{"definition":{"Type":"Task","Resource":"arn:iap:states:::a:b","End":true},"mock":{}}`)
	mock.Set("mock", value.NewObject(value.Member{Key: "result", Value: deep}))
	if r, err := asl.TestState(mock, asl.Env{}, nil); err == nil {
		t.Errorf("mock: %s", value.Text(r))
	}
}
