package server_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/internal-app-portal/iap/client"
	"github.com/internal-app-portal/iap/server"
	"github.com/internal-app-portal/iap/task"
)

// TestTasks runs the tasks of state machines in a whole portal: a parent waits
// for a child that calls a URL, tells an event and lists instances, and then
// notifies who has started it.
func TestTasks(t *testing.T) {
	posts := make(chan string, 10)
	outside := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		if r.URL.Path == "/hook" {
			posts <- string(b)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprintf(w, `{"key":%q,"body":%s}`, r.Header.Get("X-Key"), b)
	}))
	t.Cleanup(outside.Close)
	host := strings.TrimPrefix(outside.URL, "http://")
	cfg := testConfig(t)
	cfg.Tasks = task.Settings{HTTP: task.HTTPSettings{Allow: []string{host},
		Connections: map[string]task.ConnectionSettings{"outside": {Hosts: []string{host}, Headers: map[string]string{"X-Key": "k"}}}},
		Notify: task.NotifySettings{Webhook: outside.URL + "/hook"}}
	p := startPortal(t, cfg)
	put := func(name, definition string) {
		t.Helper()
		if _, _, err := p.PutStateMachine(t.Context(), name, client.PutStateMachine{Definition: definition}); err != nil {
			t.Fatal(err)
		}
	}
	put("child", `{"StartAt":"Call","States":{
		"Call":{"Type":"Task","Resource":"arn:aws:states:::http:invoke","Parameters":{"ApiEndpoint":"`+outside.URL+`/x","Method":"POST","RequestBody.$":"$",
			"Authentication":{"ConnectionArn":"arn:aws:events:us-east-1:123456789012:connection/outside/1"}},"ResultPath":"$.call","Next":"Tell"},
		"Tell":{"Type":"Task","Resource":"arn:iap:states:::event:put","Parameters":{"Type":"called","Data":{"status.$":"$.call.StatusCode"}},"ResultPath":"$.event","Next":"List"},
		"List":{"Type":"Task","Resource":"arn:iap:states:::instance:list","Parameters":{},"ResultPath":"$.list","End":true}}}`)
	put("parent", `{"StartAt":"Start","States":{
		"Start":{"Type":"Task","Resource":"arn:iap:states:::states:startExecution.sync:2","Parameters":{"StateMachineArn":"arn:iap:states:::stateMachine:child","Input.$":"$"},"ResultPath":"$.child","Next":"Notify"},
		"Notify":{"Type":"Task","Resource":"arn:iap:states:::notify:send","Parameters":{"Title.$":"$.child.Output.call.ResponseBody.key"},"ResultPath":null,"End":true}}}`)
	x, err := p.StartExecution(t.Context(), "parent", client.StartExecution{Input: []byte(`{"a":1}`)})
	if err != nil {
		t.Fatal(err)
	}
	select {
	case body := <-posts:
		if !strings.Contains(body, `"title":"k"`) || !strings.Contains(body, x.ID) {
			t.Errorf("the message is %s", body)
		}
	case <-t.Context().Done():
		t.Fatal("nobody was notified")
	}
	for x.Status == "RUNNING" {
		if x, err = p.Execution(t.Context(), x.ID); err != nil {
			t.Fatal(err)
		}
	}
	var out struct {
		Child struct {
			Output struct {
				Call struct {
					ResponseBody struct{ Body json.RawMessage }
				}
				Event struct{ Type string }
				List  struct{ Instances []any }
			}
		}
	}
	if err := json.Unmarshal(x.Output, &out); err != nil {
		t.Fatalf("%v in %s, %v: %v", err, x.Output, x.Error, x.Cause)
	}
	o := out.Child.Output
	if string(o.Call.ResponseBody.Body) != `{"a":1}` || o.Event.Type != "workflow.called" || o.List.Instances == nil {
		t.Errorf("the output is %s", x.Output)
	}
}

func TestTaskSettingsThatAreWrong(t *testing.T) {
	for field, settings := range map[string]task.Settings{
		"tasks.http.allow":         {HTTP: task.HTTPSettings{Allow: []string{"http://inside/"}}},
		"tasks.http.connections.x": {HTTP: task.HTTPSettings{Connections: map[string]task.ConnectionSettings{"x": {}}}},
		"tasks.notify.webhook":     {Notify: task.NotifySettings{Webhook: "chat"}},
	} {
		cfg := testConfig(t)
		cfg.Tasks = settings
		if _, err := server.New(t.Context(), cfg); err == nil || !strings.Contains(err.Error(), field) {
			t.Errorf("got %v; want %s", err, field)
		}
	}
}
