package docker_test

import (
	"context"
	"io/fs"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/instance"
	"github.com/internal-app-portal/iap/platform/docker"
)

// engine makes a Platform of an engine that a handler plays.
func engine(t *testing.T, handler http.HandlerFunc) *docker.Platform {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	p, err := docker.New("tcp://"+server.Listener.Addr().String(), "portal")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Close() })
	return p
}

func TestBuiltInBundleIsThere(t *testing.T) {
	for _, name := range []string{"main.tf", "outputs.tf", "variables.tf"} {
		if _, err := fs.Stat(docker.BuiltIn(), name); err != nil {
			t.Error(err)
		}
	}
}

func TestNoEngine(t *testing.T) {
	socket := "unix://" + filepath.Join(t.TempDir(), "none.sock")
	p, err := docker.New(socket, "portal")
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	ctx := t.Context()
	calls := map[string]func() error{
		"Ping":      func() error { return p.Ping(ctx) },
		"Resources": func() error { _, err := p.Resources(ctx, "", ""); return err },
		"Remove":    func() error { return p.Remove(ctx, instance.Resource{Kind: "network", ID: "x"}) },
		"Container": func() error { _, err := p.Container(ctx, "x", 5); return err },
		"WatchExit": func() error { _, err := p.WatchExit(ctx, "x"); return err },
		"Upstream":  func() error { return p.CheckUpstream(ctx, "x", "http://127.0.0.1:8080") },
		"Network":   func() error { return p.MakeNetwork(ctx, "x", nil) },
		"Used":      func() error { _, err := p.NetworkUsed(ctx, "x", nil, ""); return err },
		"Limit":     func() error { return p.LimitProcesses(ctx, "x", 10) },
	}
	for name, call := range calls {
		err := call()
		if !iap.IsKind(err, iap.Unavailable) || !strings.HasSuffix(err.Error(), "Docker does not answer at "+socket) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestBadHost(t *testing.T) {
	for _, host := range []string{"nonsense", "ftp://x", "unix"} {
		if _, err := docker.New(host, "portal"); !iap.IsKind(err, iap.Invalid) || iap.Fields(err)[0].Field != "docker.host" {
			t.Errorf("%q: %v", host, err)
		}
	}
}

// TestEngineThatHangs has an engine that takes connections and never answers.
func TestEngineThatHangs(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	p, err := docker.New("tcp://"+listener.Addr().String(), "portal")
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := p.Ping(ctx); !iap.IsKind(err, iap.Unavailable) {
		t.Errorf("got %v", err)
	}
}

func TestCheckUpstreamRefusesOtherAddresses(t *testing.T) {
	p := engine(t, func(w http.ResponseWriter, r *http.Request) {
		t.Errorf("the engine was asked: %s", r.URL)
	})
	for _, upstream := range []string{
		"", "file:///etc/passwd", "https://127.0.0.1:8080", "http://169.254.169.254/latest", "http://localhost:8080",
		"http://127.0.0.1", "http://127.0.0.1:0", "http://127.0.0.1:65536", "http://127.0.0.1:080", "http://127.0.0.1:+80",
		"http://user@127.0.0.1:8080", "http://127.0.0.1@evil:80", "http://127.0.0.1:8080/x", "http://127.0.0.1:8080?x", "http://127.0.0.1:8080?",
		"http://127.0.0.1:8080#x", "http://0.0.0.0:8080", "http://[::1]:8080", "http://①②⑦.0.0.1:80", "http://2130706433:80",
		"http://127.1:80", "http://10.0.0.1:80", "gopher://127.0.0.1:80", "//127.0.0.1:80", "127.0.0.1:80",
		" http://127.0.0.1:80", "http://127.0.0.1:80\n", strings.Repeat("x", 5<<20),
	} {
		err := p.CheckUpstream(t.Context(), "i", upstream)
		if !iap.IsKind(err, iap.Invalid) || iap.Fields(err)[0].Field != "upstream" {
			t.Errorf("%.40q: %v", upstream, err)
		}
		if err != nil && len(err.Error()) > 400 {
			t.Errorf("%.40q: the error has %d characters", upstream, len(err.Error()))
		}
	}
}

func TestWatchExitEndsWithItsContext(t *testing.T) {
	waiting, gone := make(chan struct{}), make(chan struct{})
	p := engine(t, func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.URL.Path == "/_ping":
			w.Header().Set("Api-Version", "1.41")
		case strings.HasSuffix(r.URL.Path, "/containers/json"):
			_, _ = w.Write([]byte(`[{"Id":"c1"}]`))
		case strings.HasSuffix(r.URL.Path, "/c1/json"):
			_, _ = w.Write([]byte(`{"Id":"c1","State":{"Running":true}}`))
		case strings.HasSuffix(r.URL.Path, "/c1/wait"):
			w.(http.Flusher).Flush()
			close(waiting)
			<-r.Context().Done()
			close(gone)
		}
	})
	ctx, cancel := context.WithCancel(t.Context())
	exited, err := p.WatchExit(ctx, "i")
	if err != nil {
		t.Fatal(err)
	}
	<-waiting
	select {
	case <-exited:
		t.Fatal("a running container has exited")
	default:
	}
	cancel()
	<-exited
	<-gone
}

// TestWatchExitOutlivesTheEngine breaks the wait off: that is no exit.
func TestWatchExitOutlivesTheEngine(t *testing.T) {
	waits := make(chan chan string)
	p := engine(t, func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.URL.Path == "/_ping":
			w.Header().Set("Api-Version", "1.41")
		case strings.HasSuffix(r.URL.Path, "/containers/json"):
			_, _ = w.Write([]byte(`[{"Id":"c1"}]`))
		case strings.HasSuffix(r.URL.Path, "/c1/json"):
			_, _ = w.Write([]byte(`{"Id":"c1","State":{"Running":true}}`))
		case strings.HasSuffix(r.URL.Path, "/c1/wait"):
			w.(http.Flusher).Flush()
			answer := make(chan string)
			waits <- answer
			_, _ = w.Write([]byte(<-answer))
		}
	})
	exited, err := p.WatchExit(t.Context(), "i")
	if err != nil {
		t.Fatal(err)
	}
	(<-waits) <- "" // the engine goes away in the middle
	second := <-waits
	select {
	case <-exited:
		t.Fatal("the end of the engine counts as the end of the container")
	default:
	}
	second <- `{"StatusCode":0}`
	<-exited
}

func TestLastLinesAreHarmless(t *testing.T) {
	frames := ""
	frame := func(stream byte, text string) {
		frames += string([]byte{stream, 0, 0, 0, byte(len(text) >> 24), byte(len(text) >> 16), byte(len(text) >> 8), byte(len(text))}) + text
	}
	frame(1, "listening on :8080\n")
	frame(2, "\x1b[31mred\x1b[0m \x1b]0;title\x07alert\x00 <script>\u202e\xff\n")
	frame(1, "10%\r50%\r100%\n\ndata: x\n")
	frame(2, strings.Repeat("y", 100<<10)+"\nlast")
	p := engine(t, func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.URL.Path == "/_ping":
			w.Header().Set("Api-Version", "1.41")
		case strings.HasSuffix(r.URL.Path, "/containers/json"):
			_, _ = w.Write([]byte(`[{"Id":"c1"}]`))
		case strings.HasSuffix(r.URL.Path, "/c1/json"):
			_, _ = w.Write([]byte(`{"Id":"c1","State":{"ExitCode":137,"OOMKilled":true},"Config":{}}`))
		case strings.HasSuffix(r.URL.Path, "/c1/logs"):
			_, _ = w.Write([]byte(frames))
		}
	})
	c, err := p.Container(t.Context(), "i", 10)
	if err != nil {
		t.Fatal(err)
	}
	if !c.Exists || c.Running || c.ExitCode != 137 || !c.OOMKilled {
		t.Errorf("got %+v", c)
	}
	if n := len(c.LastLines); n != 2 || c.LastLines[1] != "last" || len(c.LastLines[0]) > 600 {
		t.Errorf("a flood is kept as %d lines", n)
	}
	frames = frames[:strings.Index(frames, "yyy")-8]
	c, err = p.Container(t.Context(), "i", 10)
	want := []string{"listening on :8080", "red alert <script>\uFFFD", "100%", "data: x"}
	if err != nil || strings.Join(c.LastLines, "|") != strings.Join(want, "|") {
		t.Errorf("got %q, %v", c.LastLines, err)
	}
}

func TestCloseEndsTheStreams(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, err := docker.New("unix:///nonexistent/docker.sock", "portal")
		if err != nil {
			t.Fatal(err)
		}
		exits := p.Changes(context.Background())
		for range 5 { // it goes on trying, and says each time that there may be more
			if e := <-exits; e.Instance != "" {
				t.Errorf("an exit from nowhere: %+v", e)
			}
		}
		_ = p.Close()
		for e := range exits {
			t.Errorf("after the end: %+v", e)
		}
	})
}
