package cli_test

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/internal-app-portal/iap/api/apitest"
	"github.com/internal-app-portal/iap/cli"
	"github.com/internal-app-portal/iap/client"
)

// started is a command that goes on.
type started struct {
	t     *testing.T
	lines chan string // of stdout and stderr
	code  chan int
	stop  context.CancelFunc
}

// start runs iap in the background as Jane.
func start(t *testing.T, p *apitest.Portal, args ...string) *started {
	t.Helper()
	t.Setenv("IAP_SERVER", p.URL)
	t.Setenv("IAP_TOKEN", apitest.JaneToken)
	ctx, cancel := context.WithCancel(t.Context())
	out, in := io.Pipe()
	s := &started{t: t, lines: make(chan string, 1000), code: make(chan int, 1), stop: cancel}
	go func() {
		s.code <- cli.Main(ctx, args, strings.NewReader(""), in, in, cli.Hooks{})
		in.Close()
	}()
	go func() {
		defer close(s.lines)
		scan := bufio.NewScanner(out)
		for scan.Scan() {
			s.lines <- scan.Text()
		}
	}()
	t.Cleanup(func() { cancel(); out.Close() })
	return s
}

// want waits for a line that contains text.
func (s *started) want(text string) {
	s.t.Helper()
	late := time.After(2 * time.Minute)
	for {
		select {
		case line, open := <-s.lines:
			if !open {
				s.t.Fatalf("it ended before %q", text)
			}
			if strings.Contains(line, text) {
				return
			}
		case <-late:
			s.t.Fatalf("no line with %q", text)
		}
	}
}

func (s *started) wantExit(code int) {
	s.t.Helper()
	select {
	case got := <-s.code:
		if got != code {
			s.t.Errorf("exit code %d, want %d", got, code)
		}
	case <-time.After(2 * time.Minute):
		s.t.Error("it goes on")
	}
}

func jane(t *testing.T, p *apitest.Portal) *client.Client {
	t.Helper()
	c, err := client.New(p.URL, apitest.JaneToken)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func deploy(t *testing.T, c *client.Client, app string) client.Instance {
	t.Helper()
	i, _, err := c.Deploy(t.Context(), client.DeployRequest{App: app})
	if err != nil {
		t.Fatal(err)
	}
	return i
}

// breakConnections cuts all connections to the portal, on both sides.
func breakConnections(p *apitest.Portal) {
	p.CloseClientConnections()
	http.DefaultTransport.(*http.Transport).CloseIdleConnections()
}

func TestWatch(t *testing.T) {
	p := apitest.New(t, nil)
	c := jane(t, p)
	deploy(t, c, "slow")
	s := start(t, p, "ls", "--watch")
	s.want("brave-otter-lamp-slow  deploying")
	deploy(t, c, "todo")
	s.want("calm-heron-desk-todo  running  http://calm-heron-desk-todo.localhost:8080")
	breakConnections(p) // the stream is opened again
	if _, err := c.Destroy(t.Context(), "calm"); err != nil {
		t.Fatal(err)
	}
	s.want("calm-heron-desk-todo  destroy")
	s.stop()
	s.wantExit(0)
}

func TestWatchAsJSON(t *testing.T) {
	p := apitest.New(t, nil)
	c := jane(t, p)
	deploy(t, c, "todo")
	s := start(t, p, "ls", "--watch", "-o", "json")
	var i client.Instance
	if err := json.Unmarshal([]byte(<-s.lines), &i); err != nil || i.Status != "running" {
		t.Fatalf("%v %+v", err, i)
	}
	created := i.CreatedAt
	if _, err := c.Destroy(t.Context(), i.ID); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal([]byte(<-s.lines), &i); err != nil || i.Status != "destroying" || !i.CreatedAt.Equal(created) {
		t.Errorf("%v %+v", err, i)
	}
}

// TestDeployDuringDestroy: an instance on its way out is not what was asked
// for; the new one is deployed when it is gone.
func TestDeployDuringDestroy(t *testing.T) {
	p := apitest.New(t, nil)
	c := jane(t, p)
	old := deploy(t, c, "sticky")
	p.HoldDestroys()
	if _, err := c.Destroy(t.Context(), old.ID); err != nil {
		t.Fatal(err)
	}
	refused := start(t, p, "deploy", "sticky")
	refused.want("deploy again when it is gone, or let this wait for it: iap deploy sticky --wait")
	refused.wantExit(1)
	late := start(t, p, "deploy", "sticky", "--wait", "--timeout", "50ms")
	late.want("brave-otter-lamp-sticky is still being destroyed after 50ms")
	late.wantExit(5)
	s := start(t, p, "deploy", "sticky", "--wait")
	s.want("your instance of sticky is being destroyed; another is deployed when it is gone")
	p.EndDestroys()
	s.want("left: volume sticky-data")
	s.want("http://calm-heron-desk-sticky.localhost:8080")
	s.wantExit(0)
}
