package sfn

import (
	"encoding/json"
	"errors"
	"testing"

	"github.com/internal-app-portal/iap/asl"
)

// FuzzDecode: any body is decoded or refused with a name, for each shape of
// request, and what was taken satisfies its constraints.
func FuzzDecode(f *testing.F) {
	for _, seed := range []string{`{}`, `{"name":"a","definition":"{}","roleArn":"arn:aws:iam::1:role/x","tags":[{"key":"k","value":"v"}],"publish":true}`,
		`{"maxResults":1e3,"nextToken":"x"}`, `{"routingConfiguration":[{"stateMachineVersionArn":"arn:iap:states:::stateMachine:m:1","weight":100}]}`,
		`{"tagKeys":["a",null]}`, `{"loggingConfiguration":{"level":"ALL","destinations":[{}]}}`, `{"maxResults":-9223372036854775808}`,
		`{"toleratedFailurePercentage":1e400}`, `{"name":"\ud800"}`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		o, err := parse(body)
		if err != nil {
			wantException(t, err)
			return
		}
		for _, into := range []any{&createStateMachine{}, &updateStateMachine{}, &listing{}, &createAlias{}, &tagResource{}, &untagResource{},
			&updateMapRun{}, &getHistory{}, &startExecution{}, &sendTaskSuccess{}, &listExecutions{}} {
			if err := decode(o, into, asl.DefaultPayloadBytes); err != nil {
				wantException(t, err)
				continue
			}
			if c, ok := into.(*createStateMachine); ok && (c.Name == "" || len([]rune(c.Name)) > 80 || c.Definition == "") {
				t.Errorf("taken: %+v", c)
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
