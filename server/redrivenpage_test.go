package server_test

import (
	"encoding/json"
	"io"
	"net/http"
	"testing"

	"github.com/internal-app-portal/iap/client"
)

// TestTheGraphOfWhatFailedInABranch: what failed is marked so, and not as stopped
// like its neighbours, at first and after each redrive; a redrive is no retry.
func TestTheGraphOfWhatFailedInABranch(t *testing.T) {
	p := startPortal(t, testConfig(t))
	const both = `{"StartAt":"Both","States":{"Both":{"Type":"Parallel","End":true,"Branches":[
		{"StartAt":"Bad","States":{"Bad":{"Type":"Task","Resource":"arn:iap:states:::http:invoke","Parameters":{"Method":"GET","ApiEndpoint":"http://10.0.0.1/"},"End":true}}},
		{"StartAt":"Slow","States":{"Slow":{"Type":"Wait","Seconds":86400,"End":true}}}]}}}`
	const each = `{"StartAt":"Each","States":{"Each":{"Type":"Map","End":true,"ItemsPath":"$.items","ItemProcessor":{"StartAt":"No","States":{"No":{"Type":"Fail","Error":"No"}}}}}}`
	for _, test := range []struct {
		machine, definition string
		want                map[string]string
	}{
		{"both", both, map[string]string{"Both": "failed", "Bad": "failed", "Slow": "aborted"}},
		{"each", each, map[string]string{"Each": "failed", "No": "failed"}},
	} {
		if _, _, err := p.PutStateMachine(t.Context(), test.machine, client.PutStateMachine{Definition: test.definition}); err != nil {
			t.Fatal(err)
		}
		x, err := p.StartExecution(t.Context(), test.machine, client.StartExecution{Input: []byte(`{"items":[1]}`)})
		if err != nil {
			t.Fatal(err)
		}
		for redrives := range 3 {
			if x, err = p.ended(t.Context(), x.ID); err != nil || x.Status != "FAILED" {
				t.Fatalf("%s is %s, %v", test.machine, x.Status, err)
			}
			for state, m := range stateMarks(t, p, x.ID) {
				if m.Status != test.want[state] || m.Retries != 0 {
					t.Errorf("after %d redrives of %s, %s is %s with %d retries, not %s", redrives, test.machine, state, m.Status, m.Retries, test.want[state])
				}
			}
			if x, err = p.RedriveExecution(t.Context(), x.ID); err != nil {
				t.Fatal(err)
			}
		}
	}
}

type stateMark struct {
	Status  string
	Retries int
}

// stateMarks are what the page of an execution shows of its states.
func stateMarks(t *testing.T, p *portal, id string) map[string]stateMark {
	t.Helper()
	res, err := http.Get(p.URL() + "/executions/" + id + "/live")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	var live struct{ States map[string]stateMark }
	if err != nil || json.Unmarshal(body, &live) != nil || len(live.States) == 0 {
		t.Fatalf("%s: %s, %v", res.Status, body, err)
	}
	return live.States
}
