package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/internal-app-portal/iap/examples/internal/app"
)

// start serves an inspector with the given environment; quit receives the code of its end.
func start(t *testing.T, environ ...string) (server *httptest.Server, quit <-chan int) {
	t.Helper()
	codes := make(chan int, 1)
	handler, err := newHandler(environ, app.Logger(t.Output(), "inspector"), func(code int) { codes <- code })
	if err != nil {
		t.Fatal(err)
	}
	server = httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return server, codes
}

// ask sends a request with headers given as "Name: value".
func ask(t *testing.T, server *httptest.Server, method, path, body string, headers ...string) (*http.Response, string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, server.URL+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		request.Header.Add(name, value)
	}
	answer, err := server.Client().Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	data, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer, string(data)
}

func TestReportTellsTheRequest(t *testing.T) {
	server, _ := start(t, "B=2", "API_TOKEN=abc", "A=1")
	for _, how := range [][2]string{{"/json/a?q=1&q=2", "Accept: text/html"}, {"/some/path?q=1&q=2", "Accept: application/json"}} {
		answer, text := ask(t, server, "PUT", how[0], "hello ✓", how[1], "X-One: a", "X-One: b",
			"Cookie: taste=oat; x=y", "X-Forwarded-For: 203.0.113.7", "Forwarded: for=203.0.113.7")
		var r Report
		if err := json.Unmarshal([]byte(text), &r); err != nil {
			t.Fatalf("%s: %v in %s", how, err, text)
		}
		if r.Method != "PUT" || r.URL != how[0] || fmt.Sprint(r.Query) != "map[q:[1 2]]" || r.Proto != "HTTP/1.1" || r.TLS {
			t.Errorf("%s: %+v", how, r)
		}
		if fmt.Sprint(r.Headers["X-One"]) != "[a b]" || "http://"+r.Host != server.URL || !strings.HasPrefix(r.ClientAddress, "127.0.0.1:") {
			t.Errorf("%s: headers %v, host %s, client %s", how, r.Headers, r.Host, r.ClientAddress)
		}
		if fmt.Sprint(r.Cookies) != "[{taste oat} {x y}]" || len(r.Forwarded) != 2 || r.Forwarded.Get("Forwarded") == "" {
			t.Errorf("%s: cookies %v, forwarded %v", how, r.Cookies, r.Forwarded)
		}
		if r.Body.Text != "hello ✓" || r.Body.Bytes != 9 {
			t.Errorf("%s: body %+v", how, r.Body)
		}
		if fmt.Sprint(r.Environment) != "[{A 1 false} {API_TOKEN "+mask+" true} {B 2 false}]" {
			t.Errorf("%s: environment %v", how, r.Environment)
		}
		if got := answer.Header.Get("Content-Type"); got != "application/json" {
			t.Errorf("%s: content type %s", how, got)
		}
	}
}

func TestPageShowsAndEscapes(t *testing.T) {
	server, _ := start(t, "DB_PASSWORD=hunter2")
	answer, page := ask(t, server, "POST", "/x?a=<b>", "<script>", "Accept: text/html, application/json", "X-Forwarded-Proto: https")
	if got := answer.Header.Get("Content-Type"); got != "text/html; charset=utf-8" {
		t.Errorf("content type %s", got)
	}
	for _, want := range []string{"POST", "a=&lt;b&gt;", "&lt;script&gt;", `class="forwarded"`, "DB_PASSWORD"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	for _, bad := range []string{"hunter2", "><script>"} {
		if strings.Contains(page, bad) {
			t.Errorf("the page has %q", bad)
		}
	}
}

// A path is shown as it was sent, not cleaned and redirected.
func TestPathIsShownRaw(t *testing.T) {
	server, _ := start(t)
	conn, err := net.Dial("tcp", server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_, _ = io.WriteString(conn, "GET /a/..//%2e%2e%2fb HTTP/1.1\r\nHost: x\r\nAccept: application/json\r\nConnection: close\r\n\r\n")
	answer, _ := io.ReadAll(conn)
	if !strings.HasPrefix(string(answer), "HTTP/1.1 200 ") || !strings.Contains(string(answer), `"url": "/a/..//%2e%2e%2fb"`) {
		t.Errorf("answer: %s", answer)
	}
}

func TestBodyIsBounded(t *testing.T) {
	server, _ := start(t)
	cases := map[string]struct {
		body string
		want Body
	}{
		"long":   {strings.Repeat("a", maxBody-1) + "ää", Body{Bytes: maxBody + 3, Text: strings.Repeat("a", maxBody-1), Truncated: true}},
		"binary": {"\x00\xff", Body{Bytes: 2, Base64: "AP8="}},
		"none":   {"", Body{}},
	}
	for name, c := range cases {
		_, text := ask(t, server, "POST", "/json", c.body)
		var r Report
		if err := json.Unmarshal([]byte(text), &r); err != nil || r.Body != c.want {
			t.Errorf("%s: %d bytes, %d of text, %+v", name, r.Body.Bytes, len(r.Body.Text), err)
		}
	}
}

func TestBehaviours(t *testing.T) {
	server, _ := start(t)
	cases := []struct {
		method, path, body string
		status             int
		says               string
	}{
		{"GET", "/healthz", "", 200, "ok"},
		{"GET", "/status/503", "", 503, "503 Service Unavailable"},
		{"GET", "/status/204", "", 204, ""},
		{"GET", "/status/99", "", 400, "200 to 599"},
		{"GET", "/status/", "", 400, "200 to 599"},
		{"GET", "/delay/1ms", "", 200, "/delay/1ms"},
		{"GET", "/delay/9h", "", 400, "at most 5m"},
		{"GET", "/delay/soon", "", 400, "500ms"},
		{"GET", "/bytes/0", "", 200, ""},
		{"GET", "/bytes/30", "", 200, "abcdefghijklmnopqrstuvwxyzabcd"},
		{"GET", "/bytes/-1", "", 400, "number"},
		{"GET", "/bytes/9999999999", "", 400, "number"},
		{"GET", "/stream?lines=x", "", 400, "lines"},
		{"GET", "/stream?every=x", "", 400, "every"},
		{"POST", "/echo", "said", 200, "said"},
		{"GET", "/cookie/set", "", 400, "name="},
		{"GET", "/exit?code=256", "", 400, "0 to 255"},
		{"GET", "/inspector.css", "", 200, ".forwarded"},
	}
	for _, c := range cases {
		answer, text := ask(t, server, c.method, c.path, c.body)
		if answer.StatusCode != c.status || !strings.Contains(text, c.says) {
			t.Errorf("%s: %d %.80s, want %d and %q", c.path, answer.StatusCode, text, c.status, c.says)
		}
	}
	answer, _ := ask(t, server, "HEAD", "/bytes/1048576", "")
	if answer.ContentLength != 1<<20 {
		t.Errorf("HEAD /bytes: length %d", answer.ContentLength)
	}
	if _, text := ask(t, server, "GET", "/bytes/100000", ""); len(text) != 100000 {
		t.Errorf("/bytes/100000 has %d bytes", len(text))
	}
}

func TestStreamComesLineByLine(t *testing.T) {
	server, _ := start(t)
	_, text := ask(t, server, "GET", "/stream?lines=3&every=0s", "")
	if strings.Count(text, "\n") != 3 || !strings.HasPrefix(text, "line 1 at ") {
		t.Errorf("lines: %q", text)
	}
	_, text = ask(t, server, "GET", "/stream?lines=2&every=0s", "", "Accept: text/event-stream")
	if strings.Count(text, "\n\n") != 2 || !strings.HasPrefix(text, "id: 1\ndata: ") {
		t.Errorf("events: %q", text)
	}
	// The first line of an endless stream arrives although the next is far away.
	answer, err := server.Client().Get(server.URL + "/stream?lines=0&every=5m")
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if line, err := bufio.NewReader(answer.Body).ReadString('\n'); err != nil || !strings.HasPrefix(line, "line 1 ") {
		t.Errorf("first line %q, %v", line, err)
	}
}

// Each half of the body comes back before the next is sent.
func TestEchoIsFullDuplex(t *testing.T) {
	server, _ := start(t)
	body, send := io.Pipe()
	go func() { _, _ = io.WriteString(send, "one\n") }()
	answer, err := server.Client().Post(server.URL+"/echo", "text/x", body)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	lines := bufio.NewReader(answer.Body)
	if line, err := lines.ReadString('\n'); err != nil || line != "one\n" {
		t.Fatalf("first %q, %v", line, err)
	}
	go func() { _, _ = io.WriteString(send, "two\n"); _ = send.Close() }()
	if rest, err := io.ReadAll(lines); err != nil || string(rest) != "two\n" || answer.Header.Get("Content-Type") != "text/x" {
		t.Errorf("rest %q, %v, %v", rest, err, answer.Header)
	}
}

func TestCookieIsSetAsAskedFor(t *testing.T) {
	server, _ := start(t)
	answer, _ := ask(t, server, "GET", "/cookie/set?name=a&value=b&domain=.example.com&path=/x&max_age=60&same_site=None&secure&http_only", "")
	want := "a=b; Domain=.example.com; Path=/x; Max-Age=60; SameSite=None; Secure; HttpOnly"
	if got := answer.Header.Get("Set-Cookie"); got != want {
		t.Errorf("Set-Cookie: %s, want %s", got, want)
	}
	answer, _ = ask(t, server, "GET", "/cookie/set?name=a%0d%0aX-Evil:+1", "")
	if answer.Header.Get("X-Evil") != "" {
		t.Error("a line break in the name made a header")
	}
}

func TestSocketEchoes(t *testing.T) {
	server, _ := start(t)
	conn, _, err := websocket.Dial(t.Context(), server.URL+"/ws", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.CloseNow()
	if err := conn.Write(t.Context(), websocket.MessageBinary, []byte("hi")); err != nil {
		t.Fatal(err)
	}
	if kind, data, err := conn.Read(t.Context()); err != nil || kind != websocket.MessageBinary || string(data) != "hi" {
		t.Errorf("%v %q %v", kind, data, err)
	}
}

func TestExitEndsWithTheCode(t *testing.T) {
	server, quit := start(t)
	if _, text := ask(t, server, "POST", "/exit?code=3", ""); !strings.Contains(text, "code 3") {
		t.Errorf("answer %q", text)
	}
	if code := <-quit; code != 3 {
		t.Errorf("it ended with %d", code)
	}
}

func TestUnhealthy(t *testing.T) {
	for entry, want := range map[string]int{"UNHEALTHY=1": 503, "UNHEALTHY=true": 503, "UNHEALTHY=0": 200, "UNHEALTHY=": 200} {
		server, _ := start(t, entry)
		if answer, _ := ask(t, server, "GET", "/healthz", ""); answer.StatusCode != want {
			t.Errorf("%s: %d, want %d", entry, answer.StatusCode, want)
		}
	}
}

func TestSettings(t *testing.T) {
	for text, want := range map[string]time.Duration{"": 0, "2s": 2 * time.Second, "0s": 0} {
		if got, err := startDelay(text); err != nil || got != want {
			t.Errorf("startDelay(%q) = %s, %v", text, got, err)
		}
	}
	for _, text := range []string{"2", "-1s", "soon"} {
		if _, err := startDelay(text); err == nil || !strings.Contains(err.Error(), "START_DELAY") {
			t.Errorf("startDelay(%q) = %v", text, err)
		}
	}
	t.Setenv("FAIL_AT_START", "no licence")
	if code := run(t.Context()); code != 3 {
		t.Errorf("run = %d, want 3", code)
	}
	if lines := failAtStart("no licence"); strings.Count(lines, "\n") != 3 || !strings.Contains(lines, "no licence") {
		t.Errorf("it says %q", lines)
	}
}

func TestSecretsAreMasked(t *testing.T) {
	secret := []string{
		"API_KEY=x", "db_password=x", "GITHUB_TOKEN=x", "PGPASSWORD=x", "SESSION_SECRET=x", "clientSecret=x", "MYSQL_PWD=x",
		"A=ghp_0123456789", "B=eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.abc", "C=postgres://u:p@db/x",
		"D=-----BEGIN RSA PRIVATE KEY-----", "E=9b74c9897bac770ffc029102a200c5de9b74c989", "F=dGhpc0lzQVJhbmRvbVNlY3JldDEyMzQ1Njc4OTA=",
	}
	open := []string{
		"PATH=/usr/local/sbin:/usr/local/bin", "HOME=/", "PORT=8080", "KEYBOARD=de", "AUTHOR=Jane", "PWD=/app", "API_TOKEN=",
		"URL=https://example.com/a/b", "LIST_TITLE=Interview with Jane", "HOSTNAME=brave-otter-lamp-inspector-with-a-long-name",
		"ID=550e8400-e29b-41d4-a716-446655440000", "VERSION=1.26.8",
	}
	for _, v := range environment(secret) {
		if !v.Masked || v.Value != mask {
			t.Errorf("%s is shown: %s", v.Name, v.Value)
		}
	}
	for _, v := range environment(open) {
		if v.Masked {
			t.Errorf("%s is masked", v.Name)
		}
	}
}
