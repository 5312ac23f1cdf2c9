package api_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/internal-app-portal/iap/api/apitest"
	"github.com/internal-app-portal/iap/client"
)

const passDefinition = `{"StartAt":"A","States":{"A":{"Type":"Pass","End":true}}}`

func clientOf(t *testing.T, p *apitest.Portal, token string) *client.Client {
	t.Helper()
	c, err := client.New(p.URL, token)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestExecutionsPage(t *testing.T) {
	p := apitest.New(t, nil)
	c := clientOf(t, p, apitest.AnnToken)
	if _, created, err := c.PutStateMachine(t.Context(), "pay", client.PutStateMachine{Definition: passDefinition}); err != nil || !created {
		t.Fatal(created, err)
	}
	var ids []string
	for range 5 {
		x, err := c.StartExecution(t.Context(), "pay", client.StartExecution{})
		if err != nil || x.Status != "SUCCEEDED" || string(x.Output) != "{}" {
			t.Fatal(x, err)
		}
		ids = append([]string{x.ID}, ids...)
	}
	var seen []string
	for before := ""; ; {
		page, err := c.Executions(t.Context(), client.ExecutionFilter{StateMachine: "pay", Before: before, Limit: 2})
		if err != nil {
			t.Fatal(err)
		}
		for _, x := range page.Items {
			seen = append(seen, x.ID)
		}
		if before = page.Next; before == "" {
			break
		}
	}
	if strings.Join(seen, " ") != strings.Join(ids, " ") {
		t.Errorf("pages have %v, want %v", seen, ids)
	}
	h, err := c.History(t.Context(), ids[0], 2)
	if err != nil || len(h.Items) != 2 || !strings.Contains(string(h.Items[0]), `"id":3`) || h.Next != 0 {
		t.Errorf("history after 2: %s %v", h.Items, err)
	}
}

func TestStateMachinesRefuse(t *testing.T) {
	p := apitest.New(t, nil)
	ann, jane := clientOf(t, p, apitest.AnnToken), clientOf(t, p, apitest.JaneToken)
	m, _, err := ann.PutStateMachine(t.Context(), "pay", client.PutStateMachine{Definition: passDefinition})
	if err != nil {
		t.Fatal(err)
	}
	put := func(c *client.Client, in client.PutStateMachine) error {
		_, _, err := c.PutStateMachine(t.Context(), "pay", in)
		return err
	}
	start := func(name, input string) error {
		_, err := ann.StartExecution(t.Context(), name, client.StartExecution{Input: []byte(input)})
		return err
	}
	for what, c := range map[string]struct {
		err    error
		status int
	}{
		"a member":                {put(jane, client.PutStateMachine{Definition: passDefinition}), http.StatusForbidden},
		"another revision":        {put(ann, client.PutStateMachine{Definition: passDefinition, Revision: m.Revision + "0"}), http.StatusConflict},
		"a wrong definition":      {put(ann, client.PutStateMachine{Definition: "{}"}), http.StatusUnprocessableEntity},
		"a wrong type":            {put(ann, client.PutStateMachine{Definition: passDefinition, Type: "FAST"}), http.StatusUnprocessableEntity},
		"no such state machine":   {start("nothing", "1"), http.StatusNotFound},
		"a name that is too long": {start(strings.Repeat("x", 81), "1"), http.StatusUnprocessableEntity},
		"no such execution":       {second(ann.Execution(t.Context(), "../x")), http.StatusNotFound},
		"a status that is none":   {second(ann.Executions(t.Context(), client.ExecutionFilter{Status: "DONE"})), http.StatusUnprocessableEntity},
		"a page that is none":     {second(ann.Executions(t.Context(), client.ExecutionFilter{Before: "x"})), http.StatusUnprocessableEntity},
	} {
		var answer *client.Error
		if !errors.As(c.err, &answer) || answer.Status != c.status {
			t.Errorf("%s: %v, want %d", what, c.err, c.status)
		}
	}
	if m, err := ann.StateMachine(t.Context(), "pay"); err != nil || m.Definition != passDefinition {
		t.Errorf("it changed to %+v (%v)", m, err)
	}
}

func second[T any](_ T, err error) error { return err }
