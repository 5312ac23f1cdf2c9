package web_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	iap "github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/event"
	"github.com/internal-app-portal/iap/event/delivery"
	"github.com/internal-app-portal/iap/event/send"
	"github.com/internal-app-portal/iap/store"
	"github.com/internal-app-portal/iap/web"
)

// clear seals nothing: what it keeps is gone with the test.
type clear struct{}

func (clear) Seal(s string) string          { return s }
func (clear) Open(s string) (string, error) { return s, nil }

// told is a portal whose events, rules, targets and deliveries are the real
// ones, on a database, with a receiver of webhooks.
type told struct {
	*portal
	db       *store.DB
	events   *event.Log
	service  *delivery.Service
	receiver *httptest.Server
	code     atomic.Int64 // that the receiver answers
	got      chan string  // the subjects that it took
}

func startTold(t *testing.T) *told {
	t.Helper()
	db, err := store.Open(t.Context(), filepath.Join(t.TempDir(), "iap.db"), store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	p := &told{db: db, events: event.NewLog(db), got: make(chan string, 1000)}
	p.code.Store(200)
	p.receiver = httptest.NewServer(http.HandlerFunc(p.receive))
	p.service = delivery.New(delivery.Config{Store: db, Tx: db, Log: p.events, Events: db, Sealer: clear{}, Now: db.Now,
		Senders: map[delivery.Kind]delivery.Sender{delivery.Webhook: &send.Webhook{Clients: send.NewClients(), Now: time.Now},
			delivery.Execution: &send.Execution{}}})
	m := newMemory(time.Now)
	s, err := web.New(web.Config{Instances: m, Apps: apps{m}, Jobs: jobs{m}, Events: p.events, Auth: people{iap.Actor{ID: me, Role: iap.Admin}},
		Reader: db, Deliveries: p.service, Location: time.UTC})
	if err != nil {
		t.Fatal(err)
	}
	for _, start := range []func(context.Context) error{p.events.Start, p.service.Start, s.Start} {
		if err := start(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	srv := httptest.NewServer(s)
	p.portal = &portal{memory: m, t: t, srv: srv, s: s}
	t.Cleanup(func() {
		s.Stop(context.Background())
		srv.Close()
		p.service.Stop(context.Background())
		p.events.Stop(context.Background())
		p.receiver.Close()
		db.Close()
	})
	return p
}

func (p *told) receive(w http.ResponseWriter, r *http.Request) {
	var e struct{ Subject string }
	_ = json.NewDecoder(r.Body).Decode(&e)
	code := int(p.code.Load())
	w.WriteHeader(code)
	fmt.Fprintf(w, "I say <%d>", code)
	if code == 200 {
		p.got <- e.Subject
	}
}

// tell appends an event and returns its number.
func (p *told) tell(e event.Event) int64 {
	p.t.Helper()
	if e.Time.IsZero() {
		e.Time = time.Now()
	}
	if e.Data == nil {
		e.Data = json.RawMessage("{}")
	}
	if err := p.events.Append(p.t.Context(), &e); err != nil {
		p.t.Fatal(err)
	}
	return e.Number
}

func (p *told) get(path string) string {
	p.t.Helper()
	res, body := p.do("GET", path, "", nil)
	if res.StatusCode != 200 {
		p.t.Fatalf("GET %s: %s", path, res.Status)
	}
	return body
}

// numbers returns the numbers of the events in a table, as they follow.
func numbers(body string) (out []string) {
	for _, part := range strings.Split(body, ` data-number="`)[1:] {
		out = append(out, part[:strings.IndexByte(part, '"')])
	}
	return out
}

func TestTheLogIsFiltered(t *testing.T) {
	p := startTold(t)
	old := time.Now().Add(-48 * time.Hour)
	p.tell(event.Event{Source: "https://ci.example.com", Type: "ci.build.ended", Subject: "b1", Time: old, Data: json.RawMessage(`{"by":"Jo <b>"}`)})
	p.tell(event.Event{Source: "/jobs", Type: event.JobChanged, Subject: "j1", Group: "i1", Data: json.RawMessage(`{"id":"j1","status":"running"}`)})
	p.tell(event.Event{Source: "/jobs", Type: event.JobChanged, Subject: "j2", Data: json.RawMessage(`{"id":"j2","status":"failed"}`)})
	for query, want := range map[string]string{
		"": "3 2 1", "?type=iap.job.*": "3 2", "?type=iap.job": "", "?source=/jobs&subject=j2": "3", "?instance=i1": "2",
		"?text=FAILED+iap.job": "3", "?text=jo": "1 ", "?text=nothing": "", "?since=" + time.Now().Add(-24*time.Hour).UTC().Format("2006-01-02T15:04"): "3 2",
		"?before=3": "2 1",
	} {
		want = strings.TrimSpace(want)
		if query == "?text=jo" {
			want = "3 2 1" // all have it: jobs, Jo
		}
		body := p.get("/events" + query)
		if got := strings.Join(numbers(body), " "); got != want {
			t.Errorf("%s shows %q, not %q", query, got, want)
		}
		if strings.Contains(body, "Jo <b>") {
			t.Errorf("%s: what came from elsewhere is not escaped", query)
		}
	}
	contains(t, p.get("/events"), `href="/jobs/j2"`, "status failed", `data-tail="tail:"`)
	for _, query := range []string{"?since=yesterday", "?before=x"} {
		if res, _ := p.do("GET", "/events"+query, "", nil); res.StatusCode != 422 {
			t.Errorf("%s: %s", query, res.Status)
		}
	}
	if res, _ := p.do("GET", "/events", "jane@example.com", nil); res.StatusCode != 403 {
		t.Errorf("a member sees the log: %s", res.Status)
	}
}

func TestTheLogHasPages(t *testing.T) {
	p := startTold(t)
	var all []*event.Event
	for n := range 120 {
		all = append(all, &event.Event{Source: "/t", Type: "t", Subject: fmt.Sprint(n), Time: time.Now(), Data: json.RawMessage(`{}`)})
	}
	if err := p.events.Append(t.Context(), all...); err != nil {
		t.Fatal(err)
	}
	for _, query := range []string{"/events", "/events?text=t"} {
		var seen []string
		for next := query; next != ""; {
			body := p.get(next)
			seen = append(seen, numbers(body)...)
			_, after, _ := strings.Cut(body, `id="older" href="`)
			next, _, _ = strings.Cut(after, `"`)
			next = strings.ReplaceAll(next, "&amp;", "&")
		}
		if len(seen) != 120 || seen[0] != "120" || seen[119] != "1" {
			t.Errorf("%s: %d events from %s to %s", query, len(seen), seen[0], seen[len(seen)-1])
		}
	}
}

// TestTheTailIsFiltered: the stream brings each event that the filter chooses,
// also where several are of one subject, and no other.
func TestTheTailIsFiltered(t *testing.T) {
	p := startTold(t)
	l := p.listen("?want=tail:type%3Dci.*%26text%3Dred%252Dhat", "", "")
	for n := range 5 {
		p.tell(event.Event{Source: "/ci", Type: "ci.ended", Subject: "b", Data: json.RawMessage(fmt.Sprintf(`{"on":"red-hat","n":%d}`, n))})
		p.tell(event.Event{Source: "/ci", Type: "ci.ended", Subject: "b", Data: json.RawMessage(`{"on":"suse"}`)})
		p.tell(event.Event{Source: "/jobs", Type: event.JobChanged, Subject: "red-hat"})
	}
	for n := range 5 {
		m, ok := l.next()
		if !ok || m.name != "tail:type=ci.*&text=red%2Dhat" {
			t.Fatalf("got %q", m.name)
		}
		contains(t, m.data, fmt.Sprintf("n %d", n), fmt.Sprintf(`data-number="%d"`, 3*n+1))
	}
	jane := p.listen("?want=tail:", "jane@example.com", "")
	p.tell(event.Event{Source: "/jobs", Type: event.JobChanged, Subject: "secret", Owner: "paul@example.com"})
	p.tell(event.Event{Source: "/rules", Type: event.RuleChanged, Subject: "secret", Owner: event.AdminsOnly})
	p.tell(event.Event{Source: "/jobs", Type: event.JobChanged, Subject: "own", Owner: "jane@example.com"})
	if m, ok := jane.next(); !ok || strings.Contains(m.data, "secret") || !strings.Contains(m.data, "own") {
		t.Errorf("jane follows what is not hers: %q", m.data)
	}
}

func TestAnEventWithItsDeliveries(t *testing.T) {
	p := startTold(t)
	p.code.Store(503)
	p.addTarget("ops", 2)
	p.addRule("ends", "event.type == 'ci.ended'", "ops")
	p.tell(event.Event{Source: "/ci", Type: "ci.other"})
	n := p.tell(event.Event{Source: "/ci", Type: "ci.ended", Subject: "b", Group: "i1", Data: json.RawMessage(`{"x":["<b>"]}`)})
	p.until(delivery.Dead)
	p.addRule("late", "true", "ops")
	body := p.get(fmt.Sprint("/events/", n))
	contains(t, body, `href="/instances/i1"`, "&lt;b&gt;", "Dead letter", "2 attempts", "503", "I say &lt;503&gt;", "led to a delivery", "was added or resumed after it",
		`href="/rules/ends"`, `href="/deliveries/`)
	contains(t, p.get(fmt.Sprint("/events/", n-1)), "No target gets it", `href="/rules/late"`)
	for _, path := range []string{"/events/0", "/events/x", "/events/999999"} {
		if res, _ := p.do("GET", path, "", nil); res.StatusCode != 404 {
			t.Errorf("GET %s: %s", path, res.Status)
		}
	}
}

// addTarget adds a target that is the receiver, and tries a few times.
func (p *told) addTarget(name string, attempts int) {
	p.t.Helper()
	_, err := p.service.AddTarget(p.t.Context(), iap.Actor{ID: me, Role: iap.Admin}, delivery.Target{Name: name, Kind: delivery.Webhook,
		Attempts: attempts, Backoff: time.Millisecond, Settings: delivery.Settings{URL: p.receiver.URL, Private: true}})
	if err != nil {
		p.t.Fatal(err)
	}
}

func (p *told) addRule(name, when string, targets ...string) {
	p.t.Helper()
	_, _, err := p.service.PutRule(p.t.Context(), iap.Actor{ID: me, Role: iap.Admin}, delivery.Rule{Name: name, When: when, Targets: targets})
	if err != nil {
		p.t.Fatal(err)
	}
}

// until waits until there is a delivery of a status.
func (p *told) until(status delivery.Status) {
	p.t.Helper()
	for tick := time.Tick(2 * time.Millisecond); ; <-tick {
		found, err := p.db.Deliveries(p.t.Context(), delivery.Filter{Status: status, Limit: 1})
		if err != nil {
			p.t.Fatal(err)
		}
		if len(found) > 0 {
			return
		}
	}
}

// TestTheEndOfASweepIsLive: the page of a sweep that goes on loads it anew then.
func TestTheEndOfASweepIsLive(t *testing.T) {
	p := startTold(t)
	admin := p.listen("?want=sweep-01", "", "")
	p.tell(event.Event{Source: "/sweeps", Type: event.SweepFinished, Subject: "02", Owner: event.AdminsOnly})
	p.tell(event.Event{Source: "/sweeps", Type: event.SweepFinished, Subject: "01", Owner: event.AdminsOnly})
	if m, ok := admin.next(); !ok || m.name != "sweep-01" {
		t.Errorf("the page is told of %q", m.name)
	}
}
