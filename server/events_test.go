package server_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"testing"
	"time"

	iap "github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/client"
	"github.com/internal-app-portal/iap/event"
	"github.com/internal-app-portal/iap/event/delivery"
	"github.com/internal-app-portal/iap/server"
)

const waitsForBuild = `{"StartAt":"Build","States":{"Build":{"Type":"Task","Resource":"arn:iap:states:::event:put.waitForTaskToken",
	"Parameters":{"Type":"build.wanted","Data":{"token.$":"$$.Task.Token"}},"End":true}}}`

// TestPortalWasDownWhileTheBuildEnded: a state machine asks for a build by an
// event; the portal stops; the build ends and finds nobody; it tries again when
// the portal is back, twice, and the execution goes on, once.
func TestPortalWasDownWhileTheBuildEnded(t *testing.T) {
	wanted := make(chan string, 10)
	builder := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		var e struct{ Data struct{ Token string } }
		_ = json.NewDecoder(r.Body).Decode(&e)
		wanted <- e.Data.Token
	}))
	t.Cleanup(builder.Close)
	cfg := testConfig(t)
	secret := delivery.NewSecret()
	cfg.Events = event.Settings{Sources: []event.SignedSource{{Name: "ci", Secret: secret}}}
	first, c := boot(t, cfg)
	add := func(name, when string, target client.AddTarget) {
		t.Helper()
		target.Name = name
		if _, err := c.AddTarget(t.Context(), target); err != nil {
			t.Fatal(err)
		}
		if _, _, err := c.PutRule(t.Context(), name, client.PutRule{When: when, Targets: []string{name}}); err != nil {
			t.Fatal(err)
		}
	}
	add("builder", "event.type == 'workflow.build.wanted'", client.AddTarget{Kind: "webhook",
		Settings: client.TargetSettings{URL: builder.URL, Allow: []string{"127.0.0.1"}}})
	add("ended", "event.type == 'ci.build.ended' && owner == '-'", client.AddTarget{Kind: "task",
		Settings: client.TargetSettings{Token: "data.token", Output: "{'artifact': data.artifact}", Error: "data.ok ? '' : 'Build.Failed'"}})
	if _, _, err := c.PutStateMachine(t.Context(), "build", client.PutStateMachine{Definition: waitsForBuild}); err != nil {
		t.Fatal(err)
	}
	x, err := c.StartExecution(t.Context(), "build", client.StartExecution{})
	if err != nil {
		t.Fatal(err)
	}
	token := <-wanted
	if err := first.Stop(context.Background()); err != nil {
		t.Fatal(err)
	}
	body := fmt.Sprintf(`{"specversion":"1.0","id":"42","source":"https://ci.example.com/todo","type":"ci.build.ended",
		"data":{"token":%q,"ok":true,"artifact":"todo.zip"}}`, token)
	if _, err := report(first.URL(), secret, body); err == nil {
		t.Fatal("a portal that has stopped took the event")
	}

	second, c := boot(t, cfg)
	t.Cleanup(func() { _ = second.Stop(context.Background()) })
	var answers []string
	for range 2 {
		answer, err := report(second.URL(), secret, body)
		if err != nil {
			t.Fatal(err)
		}
		answers = append(answers, answer)
	}
	if answers[0] != answers[1] {
		t.Errorf("a repeat is answered with %s, not %s", answers[1], answers[0])
	}
	for x.Status == "RUNNING" {
		if x, err = c.Execution(t.Context(), x.ID); err != nil {
			t.Fatal(err)
		}
	}
	if x.Status != "SUCCEEDED" || string(x.Output) != `{"artifact":"todo.zip"}` {
		t.Errorf("it ended as %s with %s", x.Status, x.Output)
	}
	events, err := c.EventLog(t.Context(), client.EventFilter{Type: "ci.*"})
	if err != nil || len(events.Items) != 1 {
		t.Errorf("%d events are in the log, %v", len(events.Items), err)
	}
	if _, err := report(second.URL(), delivery.NewSecret(), body); err == nil {
		t.Error("an event that nobody known has signed was taken")
	}
}

// boot starts a portal that the test stops.
func boot(t *testing.T, cfg server.Config) (*server.Server, *client.Client) {
	t.Helper()
	s := launch(t, cfg)
	c, err := client.New(s.URL(), "")
	if err != nil {
		t.Fatal(err)
	}
	return s, c
}

// report posts a signed event as a build server would, and returns the answer.
func report(portal, secret, body string) (string, error) {
	now := time.Now()
	id := iap.NewID(now)
	signature, err := delivery.Sign(secret, id, now, []byte(body))
	if err != nil {
		return "", err
	}
	req, err := http.NewRequest(http.MethodPost, portal+"/api/v1/events", bytes.NewReader([]byte(body)))
	if err != nil {
		return "", err
	}
	req.Header = http.Header{"Content-Type": {event.ContentType}, "Webhook-Id": {id}, "Webhook-Signature": {signature},
		"Webhook-Timestamp": {strconv.FormatInt(now.Unix(), 10)}}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return "", err
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err == nil && res.StatusCode != http.StatusOK {
		err = fmt.Errorf("it answered %s: %s", res.Status, b)
	}
	return string(b), err
}
