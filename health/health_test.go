package health_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/health"
)

// network is an address in memory that a handler serves; refuse makes it
// refuse connections while it is true.
type network struct {
	listener *listener
	refuse   atomic.Bool
	dialled  chan string
}

type listener struct {
	conns chan net.Conn
	done  chan struct{}
}

func (l *listener) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.done:
		return nil, net.ErrClosed
	}
}
func (l *listener) Close() error   { close(l.done); return nil }
func (l *listener) Addr() net.Addr { return &net.TCPAddr{} }

// serve starts handler behind a Prober; stop ends it.
func serve(handler http.HandlerFunc) (n *network, prober *health.Prober, stop func()) {
	n = &network{listener: &listener{make(chan net.Conn), make(chan struct{})}, dialled: make(chan string, 1000)}
	server := &http.Server{Handler: handler}
	done := make(chan struct{})
	go func() { defer close(done); _ = server.Serve(n.listener) }()
	return n, &health.Prober{Dial: n.dial}, func() { _ = server.Close(); <-done }
}

func (n *network) dial(ctx context.Context, _, address string) (net.Conn, error) {
	n.dialled <- address
	if n.refuse.Load() {
		return nil, errors.New("dial tcp: connect: connection refused")
	}
	client, server := net.Pipe()
	select {
	case n.listener.conns <- server:
		return client, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func target(deadline time.Duration) health.Target {
	return health.Target{URL: "http://127.0.0.1:8080", Path: "/healthz", Deadline: deadline}
}

func TestHealthyAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n, prober, stop := serve(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path != "/healthz" || r.Host != "127.0.0.1:8080" {
				w.WriteHeader(http.StatusTeapot)
			}
		})
		defer stop()
		start := time.Now()
		if err := prober.Check(t.Context(), target(time.Minute)); err != nil {
			t.Fatal(err)
		}
		if d := time.Since(start); d != 0 {
			t.Errorf("the first probe waited %s", d)
		}
		if got := <-n.dialled; got != "127.0.0.1:8080" {
			t.Errorf("dialled %s", got)
		}
	})
}

func TestBacksOffUntilHealthy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var times []time.Duration
		start := time.Now()
		_, prober, stop := serve(func(w http.ResponseWriter, r *http.Request) {
			times = append(times, time.Since(start))
			if len(times) < 15 {
				w.WriteHeader(http.StatusServiceUnavailable)
			}
		})
		defer stop()
		if err := prober.Check(t.Context(), target(time.Minute)); err != nil {
			t.Fatal(err)
		}
		pause := 10 * time.Millisecond
		for i := 1; i < len(times); i++ {
			if got := times[i] - times[i-1]; got != pause {
				t.Errorf("pause %d is %s, want %s", i, got, pause)
			}
			pause = min(pause*3/2, time.Second)
		}
	})
}

func TestDeadlineTellsTheLastAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, prober, stop := serve(func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(http.StatusServiceUnavailable)
			_, _ = io.WriteString(w, "\n\x1b[31mno database\x00\nsecond line "+strings.Repeat("x", 1<<20))
		})
		defer stop()
		start := time.Now()
		err := prober.Check(t.Context(), target(3*time.Second))
		want := "not healthy within 3s: GET /healthz answered 503 Service Unavailable: [31mno database"
		if !iap.IsKind(err, iap.Timeout) || !strings.HasSuffix(err.Error(), want) {
			t.Errorf("got %v", err)
		}
		if d := time.Since(start); d != 3*time.Second {
			t.Errorf("took %s", d)
		}
	})
}

func TestConnectionRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n, prober, stop := serve(nil)
		defer stop()
		n.refuse.Store(true)
		err := prober.Check(t.Context(), target(time.Second))
		if err == nil || !strings.HasSuffix(err.Error(), "GET /healthz: connection refused") {
			t.Errorf("got %v", err)
		}
	})
}

func TestFailsAtOnceWhenTheAppExits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n, prober, stop := serve(nil)
		defer stop()
		n.refuse.Store(true)
		exited := make(chan struct{})
		time.AfterFunc(700*time.Millisecond, func() { close(exited) })
		tg := target(time.Hour)
		tg.Exited = exited
		start := time.Now()
		err := prober.Check(t.Context(), tg)
		if !iap.IsKind(err, iap.Unavailable) || !errors.Is(err, health.ErrExited) {
			t.Errorf("got %v", err)
		}
		if d := time.Since(start); d != 700*time.Millisecond {
			t.Errorf("took %s", d)
		}
	})
}

func TestHangingAnswerIsGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		first := true
		_, prober, stop := serve(func(w http.ResponseWriter, r *http.Request) {
			if first {
				first = false
				<-r.Context().Done()
			}
		})
		defer stop()
		start := time.Now()
		if err := prober.Check(t.Context(), target(time.Minute)); err != nil {
			t.Fatal(err)
		}
		if d := time.Since(start); d != health.MaxProbe+health.FirstPause {
			t.Errorf("took %s", d)
		}
	})
}

func TestEndOfContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n, prober, stop := serve(nil)
		defer stop()
		n.refuse.Store(true)
		cause := errors.New("destroyed by its owner")
		ctx, cancel := context.WithCancelCause(t.Context())
		time.AfterFunc(time.Second, func() { cancel(cause) })
		if err := prober.Check(ctx, target(time.Hour)); !errors.Is(err, cause) {
			t.Errorf("got %v", err)
		}
	})
}

func TestRedirectIsHealthyAndNotFollowed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		requests := 0
		n, prober, stop := serve(func(w http.ResponseWriter, r *http.Request) {
			requests++
			http.Redirect(w, r, "http://169.254.169.254/latest/meta-data", http.StatusFound)
		})
		defer stop()
		if err := prober.Check(t.Context(), target(time.Minute)); err != nil {
			t.Fatal(err)
		}
		if requests != 1 || len(n.dialled) != 1 {
			t.Errorf("%d requests, %d connections", requests, len(n.dialled))
		}
	})
}

func TestNoProxyFromEnvironment(t *testing.T) {
	t.Setenv("HTTP_PROXY", "http://127.0.0.1:1")
	t.Setenv("http_proxy", "http://127.0.0.1:1")
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer server.Close()
	err := (&health.Prober{}).Check(t.Context(), health.Target{URL: server.URL, Deadline: 5 * time.Second})
	if err != nil {
		t.Error(err)
	}
}

func TestRefusesWhatIsNoAddress(t *testing.T) {
	for _, u := range []string{"", "file:///etc/passwd", "https://127.0.0.1:1", "http://", "http://a@b:1", "http://a:1/x", "http://a:1?x", "127.0.0.1:80"} {
		if err := (&health.Prober{}).Check(t.Context(), health.Target{URL: u}); !iap.IsKind(err, iap.Invalid) {
			t.Errorf("%q: %v", u, err)
		}
	}
	for _, path := range []string{"x", "//evil/x", "http://evil/"} {
		if err := (&health.Prober{}).Check(t.Context(), health.Target{URL: "http://127.0.0.1:1", Path: path}); !iap.IsKind(err, iap.Invalid) {
			t.Errorf("path %q: %v", path, err)
		}
	}
}
