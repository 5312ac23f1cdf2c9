package proxy_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	iap "github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/event"
	"github.com/internal-app-portal/iap/instance"
	"github.com/internal-app-portal/iap/proxy"
)

// store keeps instances and events in memory.
type store struct {
	mu        sync.Mutex
	instances map[string]instance.Instance // by host name
	events    []event.Event
	lookups   int
}

func (s *store) LiveInstances(context.Context) ([]instance.Instance, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []instance.Instance
	for _, i := range s.instances {
		if !i.Status.Ended() {
			out = append(out, i)
		}
	}
	return out, nil
}

func (s *store) InstanceByHostName(_ context.Context, name string) (instance.Instance, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lookups++
	i, ok := s.instances[name]
	if !ok {
		return i, iap.Errorf("store", iap.NotFound, "no instance %q", name)
	}
	return i, nil
}

func (s *store) AppendEvents(_ context.Context, events ...*event.Event) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, e := range events {
		e.Number = int64(len(s.events) + 1)
		s.events = append(s.events, *e)
	}
	return nil
}

func (s *store) EventsAfter(_ context.Context, after int64, limit int) ([]event.Event, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	rest := s.events[min(int(after), len(s.events)):]
	return append([]event.Event(nil), rest[:min(limit, len(rest))]...), nil
}

func (s *store) EventsOf(context.Context, string) ([]event.Event, error) { return nil, nil }

func (s *store) LastEventNumber(context.Context) (int64, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return int64(len(s.events)), nil
}

// pages writes what it is asked for as a word.
type pages struct{}

func (pages) Instance(_ context.Context, w io.Writer, i instance.Instance) error {
	_, err := fmt.Fprintf(w, "page of %s: %s", i.HostName, i.Status)
	return err
}
func (pages) Unanswered(_ context.Context, w io.Writer, i instance.Instance) error {
	_, err := fmt.Fprintf(w, "no answer of %s", i.HostName)
	return err
}
func (pages) Early(_ context.Context, w io.Writer, i instance.Instance, preview bool) error {
	_, err := fmt.Fprintf(w, "%s opens later, preview %v", i.HostName, preview)
	return err
}
func (pages) Unknown(_ context.Context, w io.Writer, name string) error {
	_, err := fmt.Fprintf(w, "unknown %s", name)
	return err
}
func (pages) Progress(_ context.Context, w io.Writer, i instance.Instance) error {
	_, err := fmt.Fprintf(w, "<p>\n%s\n</p>", i.Status)
	return err
}
func (pages) Asset(w http.ResponseWriter, r *http.Request) {
	if strings.HasSuffix(r.URL.Path, "/bar.js") { // the real one
		w.Header().Set("Content-Type", "text/javascript")
		http.ServeFile(w, r, "../web/static/js/bar.js")
		return
	}
	io.WriteString(w, "asset "+r.URL.Path)
}

type fixture struct {
	t     *testing.T
	store *store
	log   *event.Log
	proxy *proxy.Proxy
	front *httptest.Server
	over  chan string // the paths of the requests that are over
}

// serve starts a proxy with an app of the name brave-otter-lamp-todo.
func serve(t *testing.T, app http.Handler, change func(*proxy.Config)) *fixture {
	t.Helper()
	f := &fixture{t: t, store: &store{instances: map[string]instance.Instance{}}}
	f.log = event.NewLog(f.store)
	if err := f.log.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	if app != nil {
		back := httptest.NewServer(app)
		t.Cleanup(back.Close)
		f.put(instance.Instance{ID: "i1", HostName: name, App: "todo", Owner: "jane@example.com", Status: instance.Running, Upstream: back.URL})
	}
	cfg := proxy.Config{AppsDomain: "apps.example.com", Log: f.log, Instances: f.store, Pages: pages{}, Cookies: []string{"iap_session", "__Host-iap"}}
	if change != nil {
		change(&cfg)
	}
	f.proxy = proxy.New(cfg)
	if err := f.proxy.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	f.over = make(chan string, 64)
	f.front = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			select {
			case f.over <- r.URL.Path:
			default: // nobody waits for any
			}
		}()
		f.proxy.ServeHTTP(w, r)
	}))
	t.Cleanup(func() {
		f.proxy.Stop(context.Background())
		f.front.Close()
		f.log.Stop(context.Background())
	})
	return f
}

// await waits until a request of this path is over, which it may not be yet when
// its answer is there.
func (f *fixture) await(path string) {
	for p := range f.over {
		if p == path {
			return
		}
	}
}

const name = "brave-otter-lamp-todo"

// put stores an instance and tells of it; it returns the event's number.
func (f *fixture) put(i instance.Instance) int64 {
	f.store.mu.Lock()
	f.store.instances[i.HostName] = i
	f.store.mu.Unlock()
	data, _ := json.Marshal(instance.Snapshot{ID: i.ID, HostName: i.HostName, Status: i.Status, Upstream: i.Upstream, WarningBar: i.WarningBar, OpensAt: i.OpensAt})
	e := &event.Event{Type: event.InstanceChanged, Subject: i.ID, Group: i.ID, Data: data, Time: time.Now()}
	f.log.Append(context.Background(), e)
	return e.Number
}

func (f *fixture) change(status instance.Status) int64 {
	f.store.mu.Lock()
	i := f.store.instances[name]
	f.store.mu.Unlock()
	i.Status = status
	return f.put(i)
}

// taken waits until the proxy goes by an event.
func (f *fixture) taken(number int64) {
	f.t.Helper()
	if err := f.proxy.WaitFor(f.t.Context(), number); err != nil {
		f.t.Fatal(err)
	}
}

// get asks for a path of a host.
func (f *fixture) get(host, path string, header ...string) (*http.Response, string) {
	f.t.Helper()
	req, err := http.NewRequestWithContext(f.t.Context(), "GET", f.front.URL+path, nil)
	if err != nil {
		f.t.Fatal(err)
	}
	req.Host = host
	for n := 0; n < len(header); n += 2 {
		req.Header[header[n]] = append(req.Header[header[n]], header[n+1])
	}
	res, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		f.t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		f.t.Fatal(err)
	}
	return res, string(body)
}

const host = name + ".apps.example.com"

func TestARunningInstanceAnswers(t *testing.T) {
	f := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "%s %s %s", r.Method, r.Host, r.URL)
	}), nil)
	for _, h := range []string{host, host + ":8080", "Brave-Otter-Lamp-TODO.Apps.Example.COM"} {
		res, body := f.get(h, "/a%2Fb?x=1;y&z")
		if res.StatusCode != 200 || body != "GET "+h+" /a%2Fb?x=1;y&z" {
			t.Errorf("%s: %s %q", h, res.Status, body)
		}
	}
	if f.store.lookups != 0 {
		t.Errorf("%d look-ups in the store for a running instance", f.store.lookups)
	}
}

func TestHostileHosts(t *testing.T) {
	f := serve(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "the app") }), nil)
	for _, h := range []string{"apps.example.com", "a." + host, host + ".", host + ".:80", host + ":", host + ":x", host + ":123456", "a_b.apps.example.com",
		"-a.apps.example.com", "a-.apps.example.com", ".apps.example.com", "127.0.0.1", "[::1]", "localhost", "evil.com", host + ".evil.com",
		strings.Repeat("a", 64) + ".apps.example.com", "xapps.example.com", "bücher.apps.example.com"} {
		if got, ok := f.proxy.Match(h); ok {
			t.Errorf("%q is taken for %q", h, got)
		}
	}
	for raw, want := range map[string]int{
		"GET / HTTP/1.1\r\n\r\n":                                                                    400,
		"GET / HTTP/1.1\r\nHost: " + host + "\r\nHost: x\r\n\r\n":                                   400,
		"GET / HTTP/1.1\r\nHost: a/../x\r\n\r\n":                                                    400,
		"GET / HTTP/1.1\r\nHost: a@evil\r\n\r\n":                                                    400,
		"GET / HTTP/1.1\r\nHost: " + host + ".:80\r\n\r\n":                                          421,
		"GET http://" + host + "/ HTTP/1.1\r\nHost: x\r\n\r\n":                                      400,
		"GET http://127.0.0.1/ HTTP/1.1\r\nHost: " + host + "\r\n\r\n":                              400,
		"CONNECT " + host + ":80 HTTP/1.1\r\nHost: " + host + "\r\n\r\n":                            400,
		"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n":                                                 421,
		"GET / HTTP/1.1\r\nHost: a." + host + "\r\n\r\n":                                            421,
		"GET / HTTP/1.1\r\nHost: a_b.apps.example.com\r\n\r\n":                                      421,
		"GET / HTTP/1.1\r\nHost: other-otter-lamp-todo.apps.example.com\r\n\r\n":                    404,
		"GET / HTTP/1.1\r\nHost: " + host + "\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n": 501,
	} {
		if got := f.raw(raw); got.StatusCode != want {
			t.Errorf("%q: %s, want %d", raw, got.Status, want)
		}
	}
}

// raw sends bytes as they are.
func (f *fixture) raw(text string) *http.Response {
	f.t.Helper()
	c, err := net.Dial("tcp", f.front.Listener.Addr().String())
	if err != nil {
		f.t.Fatal(err)
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(2 * time.Minute))
	io.WriteString(c, text)
	res, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		f.t.Fatalf("%q: %v", text, err)
	}
	return res
}

func TestTwoLengthsReachTheAppAsOne(t *testing.T) {
	var mu sync.Mutex
	var seen []string
	f := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		mu.Lock()
		defer mu.Unlock()
		seen = append(seen, fmt.Sprintf("%s %s %d %q", r.Method, r.URL.Path, r.ContentLength, body))
	}), nil)
	res := f.raw("POST /one HTTP/1.1\r\nHost: " + host + "\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n" +
		"1\r\nx\r\n0\r\n\r\nGET /smuggled HTTP/1.1\r\nX: ")
	if res.StatusCode != 200 && res.StatusCode != 400 {
		t.Errorf("answer %s", res.Status)
	}
	mu.Lock()
	defer mu.Unlock()
	for _, s := range seen {
		if s != `POST /one -1 "x"` {
			t.Errorf("the app got %s", s)
		}
	}
}

func TestTableFollowsTheLog(t *testing.T) {
	f := serve(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "the app") }), nil)
	const page = "text/html,*/*"
	for _, c := range []struct {
		status instance.Status
		code   int
		body   string
		plain  string
	}{
		{instance.Queued, 503, "page of " + name + ": queued", "the instance is not ready: queued\n"},
		{instance.Checking, 503, "page of " + name + ": checking", "the instance is not ready: checking\n"},
		{instance.Running, 200, "the app", "the app"},
		{instance.Destroying, 503, "page of " + name + ": destroying", "the instance is not ready: destroying\n"},
		{instance.Destroyed, 410, "page of " + name + ": destroyed", "the instance has ended\n"},
		{instance.DeployFailed, 410, "page of " + name + ": deploy_failed", "the instance did not become ready; it is gone\n"},
	} {
		f.change(c.status)
		f.settled()
		res, body := f.get(host, "/", "Accept", page)
		if res.StatusCode != c.code || body != c.body {
			t.Errorf("%s: %s %q", c.status, res.Status, body)
		}
		if retry := res.Header.Get("Retry-After"); (retry != "") != (c.code == 503) {
			t.Errorf("%s: Retry-After %q", c.status, retry)
		}
		if _, body := f.get(host, "/"); body != c.plain {
			t.Errorf("%s for a program: %q", c.status, body)
		}
		if _, body := f.get(host, "/", "Accept", page, "Sec-Fetch-Mode", "cors"); body != c.plain {
			t.Errorf("%s for a script: %q", c.status, body)
		}
	}
	res, body := f.get("no-such-name.apps.example.com", "/", "Accept", page)
	if res.StatusCode != 404 || body != "unknown no-such-name" {
		t.Errorf("unknown: %s %q", res.Status, body)
	}
}

// settled waits until the table has taken in all that was told.
func (f *fixture) settled() {
	f.t.Helper()
	newest, _ := f.store.LastEventNumber(f.t.Context())
	if err := f.proxy.WaitFor(f.t.Context(), newest); err != nil {
		f.t.Fatal(err)
	}
}

func TestARunningInstanceAnswersBeforeTheTableKnows(t *testing.T) {
	back := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "the app") }))
	defer back.Close()
	f := serve(t, nil, nil)
	f.store.mu.Lock() // stored, no event yet
	f.store.instances[name] = instance.Instance{ID: "i1", HostName: name, Status: instance.Running, Upstream: back.URL}
	f.store.mu.Unlock()
	if res, body := f.get(host, "/"); res.StatusCode != 200 || body != "the app" {
		t.Errorf("%s %q", res.Status, body)
	}
}

func TestASilentApp(t *testing.T) {
	f := serve(t, nil, nil)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.Close() // nobody listens there now
	f.put(instance.Instance{ID: "i1", HostName: name, Status: instance.Running, Upstream: "http://" + l.Addr().String()})
	f.settled()
	res, body := f.get(host, "/", "Accept", "text/html")
	if res.StatusCode != 502 || body != "no answer of "+name {
		t.Errorf("%s %q", res.Status, body)
	}
	// It ended, and the event is still on its way.
	f.store.mu.Lock()
	f.store.instances[name] = instance.Instance{ID: "i1", HostName: name, Status: instance.Destroyed}
	f.store.mu.Unlock()
	if res, _ := f.get(host, "/", "Accept", "text/html"); res.StatusCode != 410 {
		t.Errorf("ended meanwhile: %s", res.Status)
	}
}

func TestUpstreamsThatAreNone(t *testing.T) {
	f := serve(t, nil, nil)
	for _, up := range []string{"file:///etc/passwd", "https://127.0.0.1:1", "http://user:pw@127.0.0.1:1", "http://", "::", "127.0.0.1:80"} {
		f.put(instance.Instance{ID: "i1", HostName: name, Status: instance.Running, Upstream: up})
		f.settled()
		if res, _ := f.get(host, "/", "Accept", "text/html"); res.StatusCode != 502 {
			t.Errorf("%q: %s", up, res.Status)
		}
	}
}

func TestAnAppThatHasExited(t *testing.T) {
	var logged bytes.Buffer
	f := serve(t, nil, func(c *proxy.Config) { c.Logger = slog.New(slog.NewTextHandler(&logged, nil)) })
	f.put(instance.Instance{ID: "i1", HostName: name, Status: instance.Running, Reason: "its container exited"})
	f.settled()
	res, body := f.get(host, "/", "Accept", "text/html")
	if res.StatusCode != 502 || body != "no answer of "+name {
		t.Errorf("%s %q", res.Status, body)
	}
	if again := res.Header.Get("Retry-After"); again != "" {
		t.Errorf("clients are told to try again after %s s", again)
	}
	f.front.Close() // nothing is logged from here on
	if err := f.proxy.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	if logged.Len() > 0 {
		t.Errorf("an ordinary thing is logged: %s", &logged)
	}
}

func TestAuthorize(t *testing.T) {
	f := serve(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "the app") }), func(c *proxy.Config) {
		c.Authorize = func(r *http.Request, i instance.Instance) proxy.Decision {
			return proxy.Decision{Allow: r.Header.Get("X-Key") == i.ID, Redirect: "http://portal.example.com/login"}
		}
	})
	for _, status := range []instance.Status{instance.Running, instance.Deploying, instance.Destroyed} {
		f.change(status)
		f.settled()
		if res, body := f.get(host, "/"); res.StatusCode != 403 || strings.Contains(body, name) {
			t.Errorf("%s, a program: %s %q", status, res.Status, body)
		}
		if res, _ := f.get(host, "/", "Accept", "text/html"); res.StatusCode != 303 {
			t.Errorf("%s, a browser: %s", status, res.Status)
		}
		if res, _ := f.get(host, "/.iap/stream"); res.StatusCode != 403 {
			t.Errorf("%s, the stream: %s", status, res.Status)
		}
		if res, _ := f.get(host, "/", "X-Key", "i1"); res.StatusCode == 403 {
			t.Errorf("%s, allowed: %s", status, res.Status)
		}
	}
}
