package server_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/internal-app-portal/iap/client"
)

// TestStateMachines makes state machines over the REST API and runs them.
func TestStateMachines(t *testing.T) {
	p, tokens := company(t)
	const waits = `{"StartAt":"Wait","States":{"Wait":{"Type":"Wait","Seconds":86400,"Next":"End"},"End":{"Type":"Succeed"}}}`
	const fails = `{"StartAt":"A","States":{"A":{"Type":"Choice","Choices":[{"Variable":"$.ok","IsPresent":true,"Next":"End"}],"Default":"Bad"},
		"Bad":{"Type":"Fail","Error":"Bad","Cause":"luck"},"End":{"Type":"Succeed"}}}`
	for name, definition := range map[string]string{"waits": waits, "fails": fails} {
		m, created, err := p.PutStateMachine(t.Context(), name, client.PutStateMachine{Definition: definition})
		if err != nil || !created || m.Type != "STANDARD" {
			t.Fatal(m, created, err)
		}
	}
	if _, created, err := p.PutStateMachine(t.Context(), "fails", client.PutStateMachine{Definition: fails + " "}); err != nil || created {
		t.Fatal(created, err)
	}
	x, err := p.StartExecution(t.Context(), "waits", client.StartExecution{Name: "one", Input: []byte(`{"a":1}`)})
	if err != nil || x.Status != "RUNNING" {
		t.Fatal(x, err)
	}
	again, err := p.StartExecution(t.Context(), "waits", client.StartExecution{Name: "one", Input: []byte(`{"a": 1}`)})
	if err != nil || again.ID != x.ID {
		t.Errorf("the same name and input started %s (%v), want %s", again.ID, err, x.ID)
	}
	if x, err = p.StopExecution(t.Context(), x.ID, client.StopExecution{Error: "Enough", Cause: "said Ann"}); err != nil || x.Status != "ABORTED" || x.Cause != "said Ann" {
		t.Errorf("stopped: %+v %v", x, err)
	}
	if x, err = p.RedriveExecution(t.Context(), x.ID); err != nil || x.Status != "RUNNING" {
		t.Errorf("redriven: %+v %v", x, err)
	}
	h, err := p.History(t.Context(), x.ID, 0)
	if err != nil || len(h.Items) < 4 || !strings.Contains(string(h.Items[len(h.Items)-1]), "ExecutionRedriven") {
		t.Errorf("history: %s %v", h.Items, err)
	}
	page, err := p.Executions(t.Context(), client.ExecutionFilter{StateMachine: "waits", Status: "RUNNING"})
	if err != nil || len(page.Items) != 1 || page.Items[0].ID != x.ID || page.Items[0].StateMachine != "waits" {
		t.Errorf("list: %+v %v", page, err)
	}

	large := []byte(`"` + strings.Repeat("x", 300_000) + `"`)
	_, err = p.StartExecution(t.Context(), "waits", client.StartExecution{Input: large})
	wantStatus(t, "an input that is too large", err, http.StatusUnprocessableEntity)
	if err == nil || !strings.Contains(err.Error(), "at most 262144") {
		t.Errorf("an input that is too large: %v", err)
	}

	double := `{"QueryLanguage":"JSONata","StartAt":"A","States":{"A":{"Type":"Pass","Output":"{% $states.input * 2 %}","End":true}}}`
	if _, _, err := p.PutStateMachine(t.Context(), "double", client.PutStateMachine{Definition: double, Type: "EXPRESS"}); err != nil {
		t.Fatal(err)
	}
	if x, err := p.StartExecution(t.Context(), "double", client.StartExecution{Input: []byte("21"), Wait: true}); err != nil || string(x.Output) != "42" {
		t.Errorf("an Express execution gave %+v %v", x, err)
	}

	jane := p.as(tokens["jane"])
	_, err = jane.StartExecution(t.Context(), "fails", client.StartExecution{})
	wantStatus(t, "a member starts", err, http.StatusForbidden)
	_, err = jane.Execution(t.Context(), x.ID)
	wantStatus(t, "a member looks at another's execution", err, http.StatusNotFound)
	_, err = jane.StopExecution(t.Context(), x.ID, client.StopExecution{})
	wantStatus(t, "a member stops another's execution", err, http.StatusNotFound)
	if _, err := p.StopExecution(t.Context(), x.ID, client.StopExecution{}); err != nil {
		t.Error(err)
	}
	if err := p.DeleteStateMachine(t.Context(), "fails"); err != nil {
		t.Error(err)
	}
	wantStatus(t, "deleting it twice", p.DeleteStateMachine(t.Context(), "fails"), http.StatusNotFound)
}
