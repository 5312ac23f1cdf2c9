package tell_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	iap "github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/event"
	"github.com/internal-app-portal/iap/store"
	"github.com/internal-app-portal/iap/task/tell"
	"github.com/internal-app-portal/iap/workflow"
)

type fixture struct {
	db       *store.DB
	handlers map[string]workflow.Handler
}

func newFixture(t *testing.T, webhook string) *fixture {
	t.Helper()
	db, err := store.Open(t.Context(), filepath.Join(t.TempDir(), "iap.db"), store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	teller := tell.New(tell.Config{Log: event.NewLog(db), Tx: db, Now: time.Now, Webhook: webhook, Client: http.DefaultClient,
		Actor: func(id string) iap.Actor {
			role := iap.Member
			if id == "boss" {
				role = iap.Admin
			}
			return iap.Actor{ID: id, Role: role}
		}})
	return &fixture{db, teller.Handlers()}
}

func (f *fixture) call(t *testing.T, name, owner, arguments string) (map[string]string, error) {
	t.Helper()
	h, c := f.handlers[name], workflow.Call{Execution: "exec", Frame: 1, Attempt: 1, Owner: owner, Arguments: json.RawMessage(arguments)}
	var out json.RawMessage
	var err error
	if h.Commit != nil {
		err = f.db.Update(t.Context(), func(ctx context.Context) error {
			out, err = h.Commit(ctx, c)
			return err
		})
	} else {
		out, err = h.Run(t.Context(), c)
	}
	if err != nil {
		return nil, err
	}
	var v map[string]string
	if err := json.Unmarshal(out, &v); err != nil {
		t.Fatal(err)
	}
	return v, nil
}

func (f *fixture) events(t *testing.T) []event.Event {
	t.Helper()
	events, err := f.db.EventsAfter(t.Context(), 0, 100)
	if err != nil {
		t.Fatal(err)
	}
	return events
}

func TestPut(t *testing.T) {
	f := newFixture(t, "")
	got, err := f.call(t, "event:put", "ann", `{"Type":"iap.instance.changed","Subject":"s","Data":{"a":1}}`)
	if err != nil {
		t.Fatal(err)
	}
	e := f.events(t)[0]
	if e.Type != "workflow.iap.instance.changed" || e.Owner != "ann" || e.Subject != "s" || string(e.Data) != `{"a":1}` ||
		e.Source != "/executions/exec" || got["EventId"] != e.ID || got["Type"] != e.Type {
		t.Errorf("%+v, %v", e, got)
	}
}

func TestPutByThePortalItselfIsForAdmins(t *testing.T) {
	f := newFixture(t, "")
	if _, err := f.call(t, "event:put", iap.System.ID, `{"Type":"swept"}`); err != nil {
		t.Fatal(err)
	}
	if e := f.events(t)[0]; e.Owner != event.AdminsOnly || string(e.Data) != "{}" || e.Subject != "exec" {
		t.Errorf("%+v", e)
	}
}

func TestBadArguments(t *testing.T) {
	f := newFixture(t, "")
	for _, c := range []struct{ task, in, part string }{
		{"event:put", `{}`, "Type: it is missing"},
		{"event:put", `{"Type":"A b"}`, `Type: "A b"`},
		{"event:put", `{"Type":"a","Data":1}`, "Data: it must be of type object"},
		{"event:put", `{"Type":"a","Data":{"x":"` + strings.Repeat("x", 70_000) + `"}}`, "Data: it has"},
		{"event:put", `{"Type":"a","Subject":"a\nb"}`, "Subject: it must be one line"},
		{"notify:send", `{"Title":" "}`, "Title: it is empty"},
		{"notify:send", `{"Title":"a","Url":"javascript:alert(1)"}`, "Url:"},
		{"notify:send", `{"Title":"a","Url":"//evil.example"}`, "Url:"},
		{"notify:send", `{"Title":"a","Level":"loud"}`, "Level:"},
		{"notify:send", `{"Title":"a\u001b[1m"}`, "Title: it must be one line"},
	} {
		_, err := f.call(t, c.task, "ann", c.in)
		var failed *workflow.TaskError
		if !errors.As(err, &failed) || failed.Name != "States.ParameterPathFailure" || !strings.Contains(failed.Cause, c.part) {
			t.Errorf("%s %.60s: %v", c.task, c.in, err)
		}
	}
	if n := len(f.events(t)); n > 0 {
		t.Errorf("%d events were told", n)
	}
}

func TestSend(t *testing.T) {
	type post struct {
		id   string
		body string
	}
	posts := make(chan post, 10)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		posts <- post{r.Header.Get("webhook-id"), string(b)}
	}))
	t.Cleanup(s.Close)
	f := newFixture(t, s.URL)
	for range 2 { // the second is the same task after a crash
		got, err := f.call(t, "notify:send", "ann", `{"Title":"Ready","Url":"/instances/1"}`)
		if err != nil || got["Webhook"] != "delivered" {
			t.Fatalf("%v, %v", got, err)
		}
		if p := <-posts; p.id != got["EventId"] || !strings.Contains(p.body, `"to":"ann"`) || !strings.Contains(p.body, `"title":"Ready"`) {
			t.Errorf("%+v", p)
		}
	}
	events := f.events(t)
	if len(events) != 1 || events[0].Owner != "ann" || events[0].Type != tell.Notification {
		t.Errorf("%+v", events)
	}
}

func TestSendToOthers(t *testing.T) {
	f := newFixture(t, "")
	_, err := f.call(t, "notify:send", "ann", `{"To":"bob","Title":"x"}`)
	var failed *workflow.TaskError
	if !errors.As(err, &failed) || failed.Name != "Notify.NotAllowed" || len(f.events(t)) != 0 {
		t.Errorf("%v", err)
	}
	got, err := f.call(t, "notify:send", "boss", `{"To":"bob","Title":"x"}`)
	if err != nil || got["Webhook"] != "none" || f.events(t)[0].Owner != "bob" {
		t.Errorf("%v, %v", got, err)
	}
}

func TestSendWithoutAnAnswerOfTheWebhook(t *testing.T) {
	s := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(s.Close)
	f := newFixture(t, s.URL)
	if got, err := f.call(t, "notify:send", "ann", `{"Title":"x"}`); err != nil || got["Webhook"] != "failed" || len(f.events(t)) != 1 {
		t.Errorf("%v, %v", got, err)
	}
}
