package server_test

import (
	"bufio"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/internal-app-portal/iap/client"
)

// address is where a portal listens, and its port.
func address(t *testing.T, p *portal) (addr, port string) {
	t.Helper()
	_, port, err := net.SplitHostPort(strings.TrimPrefix(p.URL(), "http://"))
	if err != nil {
		t.Fatal(err)
	}
	return "127.0.0.1:" + port, port
}

// raw sends bytes as they are and returns the answer and its body.
func raw(t *testing.T, addr, text string) (int, string) {
	t.Helper()
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(testTimeout))
	if _, err := io.WriteString(c, text); err != nil {
		t.Fatal(err)
	}
	resp, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		t.Fatalf("%.60q: %v", text, err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Fatal(err)
	}
	return resp.StatusCode, string(body)
}

// TestHostsThatAreNot: with --dev a foreign name that leads here reaches
// neither the portal nor an instance, however it is written.
func TestHostsThatAreNot(t *testing.T) {
	p := startPortal(t, testConfig(t))
	addr, port := address(t, p)
	for head, want := range map[string]int{
		"GET / HTTP/1.1\r\nHost: localhost:" + port + "\r\n\r\n":                          200,
		"GET / HTTP/1.1\r\nHost: LOCALHOST:" + port + "\r\n\r\n":                          200,
		"GET / HTTP/1.1\r\nHost: 127.0.0.1:" + port + "\r\n\r\n":                          200,
		"GET / HTTP/1.1\r\n\r\n":                                                          400,
		"GET / HTTP/1.1\r\nHost:\r\n\r\n":                                                 421,
		"GET / HTTP/1.0\r\n\r\n":                                                          421,
		"GET / HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\n\r\n":                 400,
		"GET / HTTP/1.1\r\nHost: a/../x\r\n\r\n":                                          400,
		"GET / HTTP/1.1\r\nHost: a@evil\r\n\r\n":                                          400,
		"GET / HTTP/1.1\r\nHost: localhost.:" + port + "\r\n\r\n":                         421,
		"GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n":                                    421,
		"GET / HTTP/1.1\r\nHost: localhost.evil.example:" + port + "\r\n\r\n":             421,
		"GET / HTTP/1.1\r\nHost: 10.0.0.1:" + port + "\r\n\r\n":                           421,
		"GET http://evil.example/ HTTP/1.1\r\nHost: localhost:" + port + "\r\n\r\n":       421,
		"GET / HTTP/1.1\r\nHost: a.b.localhost:" + port + "\r\n\r\n":                      421,
		"GET / HTTP/1.1\r\nHost: a_b.localhost:" + port + "\r\n\r\n":                      421,
		"GET / HTTP/1.1\r\nHost: -a.localhost:" + port + "\r\n\r\n":                       421,
		"GET / HTTP/1.1\r\nHost: " + strings.Repeat("a", 64) + ".localhost\r\n\r\n":       421,
		"GET / HTTP/1.1\r\nHost: no-such-name-todo.localhost:" + port + "\r\n\r\n":        404,
		"GET /api/v1/me HTTP/1.1\r\nHost: no-such-name-todo.localhost\r\n\r\n":            404,
		"GET /.iap/access?ticket=x HTTP/1.1\r\nHost: a.b.localhost:" + port + "\r\n\r\n":  421,
		"GET /.iap/access?ticket=x HTTP/1.1\r\nHost: no-such-name-todo.localhost\r\n\r\n": 403,
	} {
		if got, body := raw(t, addr, head); got != want {
			t.Errorf("%q: %d %.80q, want %d", head, got, body, want)
		}
	}
}

// TestPathsThatLeadOut: no path gives a file of the portal's folder or of the
// machine, and none an answer that tells something internal.
func TestPathsThatLeadOut(t *testing.T) {
	cfg := testConfig(t)
	p := startPortal(t, cfg)
	addr, port := address(t, p)
	if err := os.WriteFile(filepath.Join(cfg.Data, "canary"), []byte("canary-in-the-data"), 0o600); err != nil {
		t.Fatal(err)
	}
	var paths []string
	for _, prefix := range []string{"/", "/static/", "/apps/", "/apps/todo/", "/icons/", "/instances/", "/jobs/", "/tfstate/", "/api/v1/apps/", "/api/v1/jobs/",
		"/api/v1/instances/", "/api/v1/stream?log="} {
		for _, out := range []string{"../canary", "%2e%2e%2fcanary", "..%2f..%2fcanary", "%2e%2e/%2e%2e/etc/passwd", "..%5c..%5ccanary", "....//canary", "%00",
			"..%252fcanary", "/etc/passwd", "%c0%ae%c0%ae/canary", strings.Repeat("a/", 2000)} {
			paths = append(paths, prefix+out)
			if strings.HasSuffix(prefix, "jobs/") {
				paths = append(paths, prefix+out+"/log")
			}
		}
	}
	for _, path := range paths {
		status, body := raw(t, addr, "GET "+path+" HTTP/1.1\r\nHost: localhost:"+port+"\r\nConnection: close\r\n\r\n")
		if status == http.StatusOK || status >= 500 {
			t.Errorf("%.60s: %d %.80q", path, status, body)
		}
		for _, never := range []string{"canary-in", "root:", cfg.Data, "goroutine "} {
			if strings.Contains(body, never) {
				t.Errorf("%.60s: the answer shows %q", path, never)
			}
		}
	}
}

// TestABodyWithoutEnd: the portal stops reading long before it was sent 2 GB.
func TestABodyWithoutEnd(t *testing.T) {
	p := startPortal(t, testConfig(t))
	addr, port := address(t, p)
	for path, contentType := range map[string]string{
		"/api/v1/instances": "application/json", "/api/v1/apps": "multipart/form-data; boundary=x", "/deploy/todo": "application/x-www-form-urlencoded",
		"/login": "application/x-www-form-urlencoded",
	} {
		c, err := net.Dial("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		_ = c.SetDeadline(time.Now().Add(testTimeout))
		sent := make(chan int, 1)
		go func() {
			n, _ := io.WriteString(c, "POST "+path+" HTTP/1.1\r\nHost: localhost:"+port+"\r\nContent-Type: "+contentType+"\r\nContent-Length: 2147483648\r\n\r\n{\"app\":\"")
			for chunk := []byte(strings.Repeat("x", 64<<10)); n < 1<<31; {
				m, err := c.Write(chunk)
				if n += m; err != nil {
					break
				}
			}
			sent <- n
		}()
		resp, err := http.ReadResponse(bufio.NewReader(c), nil)
		if err != nil {
			// The answer may be lost with a connection that is closed while it is written to.
			t.Logf("%s: %v", path, err)
		} else if resp.StatusCode < 400 || resp.StatusCode >= 500 {
			t.Errorf("%s: %s", path, resp.Status)
		}
		_ = c.Close()
		if n := <-sent; n > 128<<20 {
			t.Errorf("%s: %d bytes were taken", path, n)
		}
	}
	if list, err := p.Instances(t.Context(), client.InstanceFilter{All: true}); err != nil || len(list.Items) != 0 {
		t.Errorf("something was stored: %v, %v", list, err)
	}
}
