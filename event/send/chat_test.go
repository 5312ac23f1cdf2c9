package send_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/internal-app-portal/iap/event"
	"github.com/internal-app-portal/iap/event/delivery"
	"github.com/internal-app-portal/iap/event/send"
)

// channel is an incoming webhook of a chat, which keeps what it got.
func channel(t *testing.T) (url string, got func() string) {
	t.Helper()
	bodies := make(chan string, 10)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		bodies <- string(b)
		w.WriteHeader(http.StatusAccepted)
	}))
	t.Cleanup(s.Close)
	return s.URL, func() string { return <-bodies }
}

func wrote(t *testing.T, s delivery.Settings) any {
	t.Helper()
	url, got := channel(t)
	s.URL, s.Private = url, true
	chat := &send.Chat{Clients: send.NewClients(), Portal: "https://portal.example.com", Now: time.Now}
	if err := chat.Check(target(delivery.Chat, s)); err != nil {
		t.Fatal(err)
	}
	if r := chat.Send(t.Context(), target(delivery.Chat, s), message()); r.Err != "" || r.Code != http.StatusAccepted {
		t.Fatalf("%+v", r)
	}
	var v any
	if err := json.Unmarshal([]byte(got()), &v); err != nil {
		t.Fatal(err)
	}
	return v
}

func parsed(t *testing.T, text string) (v any) {
	t.Helper()
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		t.Fatal(err)
	}
	return v
}

func TestWritesToSlack(t *testing.T) {
	got := wrote(t, delivery.Settings{Format: delivery.FormatSlack})
	want := parsed(t, `{"text":"todo of ann: deploy failed","blocks":[
		{"type":"header","text":{"type":"plain_text","text":"todo of ann: deploy failed"}},
		{"type":"section","text":{"type":"mrkdwn","text":"app: todo\nends at: 28 Nov 2026 19:00 UTC\nowner: ann\nreason: &lt;b&gt;*no* image &amp; more\nstatus: deploy_failed"}},
		{"type":"context","elements":[{"type":"mrkdwn","text":"event 7, iap.instance.changed, 21 Sep 2026 14:13 UTC · <https://portal.example.com/instances/i|Open in the portal>"}]}]}`)
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

// TestAWarningLeadsToWhereItIsKept: the path is the link, and no line of its own.
func TestAWarningLeadsToWhereItIsKept(t *testing.T) {
	url, got := channel(t)
	chat := &send.Chat{Clients: send.NewClients(), Portal: "https://portal.example.com", Now: time.Now}
	m := message()
	m.Event.Type, m.Event.Data = event.InstanceEnding, json.RawMessage(`{"app":"todo","owner":"ann","minutes":5,"keep":"/bookings/b1"}`)
	if r := chat.Send(t.Context(), target(delivery.Chat, delivery.Settings{Format: delivery.FormatSlack, URL: url, Private: true}), m); r.Err != "" {
		t.Fatalf("%+v", r)
	}
	if text := string(got()); !strings.Contains(text, "https://portal.example.com/bookings/b1|Open") || strings.Contains(text, "keep:") {
		t.Errorf("it writes %s", text)
	}
}

func TestWritesToTeams(t *testing.T) {
	got := wrote(t, delivery.Settings{Format: delivery.FormatTeams, Title: "data.app + ' broke'", Text: "data.reason"})
	want := parsed(t, `{"type":"message","attachments":[{"contentType":"application/vnd.microsoft.card.adaptive","contentUrl":null,"content":{
		"$schema":"http://adaptivecards.io/schemas/adaptive-card.json","type":"AdaptiveCard","version":"1.4","body":[
		{"type":"TextBlock","text":"todo broke","size":"Medium","weight":"Bolder","wrap":true},
		{"type":"TextBlock","text":"<b>\\*no\\* image & more","wrap":true},
		{"type":"TextBlock","text":"event 7, iap.instance.changed, 21 Sep 2026 14:13 UTC","isSubtle":true,"size":"Small","wrap":true}],
		"actions":[{"type":"Action.OpenUrl","title":"Open in the portal","url":"https://portal.example.com/instances/i"}]}}]}`)
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	facts := wrote(t, delivery.Settings{Format: delivery.FormatTeams})
	if b, _ := json.Marshal(facts); !strings.Contains(string(b), `{"title":"status","value":"deploy\\_failed"}`) {
		t.Errorf("without a text the card has no facts: %s", b)
	}
}

func TestExpressionOfAChatFails(t *testing.T) {
	chat := &send.Chat{Clients: send.NewClients(), Now: time.Now}
	r := chat.Send(t.Context(), target(delivery.Chat, delivery.Settings{URL: "https://example.com", Text: "data.nothing"}), message())
	if !r.Final || !strings.Contains(r.Err, "the target's text: no such key: nothing") {
		t.Errorf("%+v", r)
	}
}

func TestATestNeedsNotFitTheWordsOfATarget(t *testing.T) {
	url, got := channel(t)
	m := message()
	m.Test, m.Event.Type, m.Event.Subject, m.Event.Data = true, event.Test, "t", json.RawMessage(`{"target":"t","by":"ann"}`)
	chat := &send.Chat{Clients: send.NewClients(), Now: time.Now}
	r := chat.Send(t.Context(), target(delivery.Chat, delivery.Settings{URL: url, Private: true, Title: "'About ' + event.id", Text: "data.app + ' failed: ' + data.reason"}), m)
	if r.Err != "" {
		t.Fatalf("%+v", r)
	}
	if text := got(); !strings.Contains(text, "A test of the target t") || !strings.Contains(text, "ann") {
		t.Errorf("it got %s", text)
	}
}
