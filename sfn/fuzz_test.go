package sfn

import (
	"encoding/json"
	"errors"
	"testing"
	"time"

	"github.com/internal-app-portal/iap/asl"
)

// FuzzDecode: any body is decoded or refused with a name, for each shape of
// request, and what was taken satisfies its constraints; TestState answers or
// refuses with a name.
func FuzzDecode(f *testing.F) {
	for _, seed := range []string{`{}`, `{"name":"a","definition":"{}","roleArn":"arn:aws:iam::1:role/x","tags":[{"key":"k","value":"v"}],"publish":true}`,
		`{"maxResults":1e3,"nextToken":"x"}`, `{"routingConfiguration":[{"stateMachineVersionArn":"arn:iap:states:::stateMachine:m:1","weight":100}]}`,
		`{"tagKeys":["a",null]}`, `{"loggingConfiguration":{"level":"ALL","destinations":[{}]}}`, `{"maxResults":-9223372036854775808}`,
		`{"toleratedFailurePercentage":1e400}`, `{"name":"\ud800"}`,
		`{"definition":"{\"Type\":\"Task\",\"Resource\":\"arn:aws:states:::lambda:invoke\",\"ResultSelector\":{\"a.$\":\"$.b\"},\"Retry\":[{\"ErrorEquals\":[\"E\"]}],\"End\":true}","input":"{}","inspectionLevel":"TRACE","mock":{"errorOutput":{"error":"E"}},"stateConfiguration":{"retrierRetryCount":1}}`,
		`{"definition":"{\"Type\":\"Map\",\"ItemsPath\":\"$.l\",\"ItemProcessor\":{\"StartAt\":\"A\",\"States\":{\"A\":{\"Type\":\"Succeed\"}}},\"End\":true}","input":"{\"l\":[1]}","mock":{"result":"[1]","fieldValidationMode":"STRICT"},"variables":"{}"}`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		o, err := parse(body)
		if err != nil {
			wantException(t, err)
			return
		}
		for _, into := range []any{&createStateMachine{}, &updateStateMachine{}, &listing{}, &createAlias{}, &tagResource{}, &untagResource{},
			&updateMapRun{}, &getHistory{}, &startExecution{}, &sendTaskSuccess{}, &sendTaskFailure{}, &listExecutions{}, &validateDefinition{}} {
			if err := decode(o, into, asl.DefaultPayloadBytes); err != nil {
				wantException(t, err)
				continue
			}
			if c, ok := into.(*createStateMachine); ok && (c.Name == "" || len([]rune(c.Name)) > 80 || c.Definition == "") {
				t.Errorf("taken: %+v", c)
			}
		}
		if _, err := asl.TestState(o, asl.Env{Now: time.Unix(1_800_000_000, 0)}, nil); err != nil {
			var refused *asl.TestError
			if !errors.As(err, &refused) || refused.Code == "" || refused.Message == "" {
				t.Fatalf("TestState: an error without a name: %v", err)
			}
		}
	})
}

func wantException(t *testing.T, err error) {
	t.Helper()
	var e *exception
	if !errors.As(err, &e) {
		t.Fatalf("an error without a name: %v", err)
	}
	if _, err := json.Marshal(e.Message); err != nil {
		t.Fatal(err)
	}
}
