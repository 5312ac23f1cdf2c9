package server_test

import (
	"io"
	"net"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/internal-app-portal/iap/store/pgtest"
)

// cable is the way to a database, which can be cut.
type cable struct {
	net.Listener
	to    string
	mu    sync.Mutex
	cut   bool
	conns []net.Conn
}

// layCable returns a cable to the server of a URL, and the URL that leads through
// it.
func layCable(t *testing.T, database string) (*cable, string) {
	t.Helper()
	u, err := url.Parse(database)
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	c := &cable{Listener: l, to: u.Host}
	t.Cleanup(func() { _ = l.Close(); c.set(true) })
	go c.run()
	u.Host = l.Addr().String()
	return c, u.String()
}

func (c *cable) run() {
	for {
		near, err := c.Accept()
		if err != nil {
			return
		}
		far, err := net.Dial("tcp", c.to)
		if err != nil {
			_ = near.Close()
			continue
		}
		c.mu.Lock()
		c.conns = append(c.conns, near, far)
		if c.cut {
			_, _ = near.Close(), far.Close() // nobody reads them any more
		}
		c.mu.Unlock()
		for _, way := range [][2]net.Conn{{near, far}, {far, near}} {
			go func() {
				_, _ = io.Copy(way[0], way[1])
				_, _ = way[0].Close(), way[1].Close()
			}()
		}
	}
}

// set cuts the cable, or mends it.
func (c *cable) set(cut bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.cut = cut; cut {
		for _, conn := range c.conns {
			_ = conn.Close()
		}
		c.conns = nil
	}
}

// TestReadyWithoutTheSession: a portal that has lost its session with the database
// says at /readyz that it is not ready, and again that it is when it has a new one.
func TestReadyWithoutTheSession(t *testing.T) {
	cable, database := layCable(t, pgtest.URL(t))
	cfg := testConfig(t)
	cfg.Database = database
	p := startPortal(t, cfg)
	await := func(want int, text string) {
		t.Helper()
		for end := time.Now().Add(time.Minute); ; {
			status, body := get(t, p.URL()+"/readyz")
			if status == want {
				if !strings.Contains(body, text) {
					t.Errorf("%d: %s", status, body)
				}
				return
			}
			if time.Now().After(end) {
				t.Fatalf("/readyz answers %d: %s", status, body)
			}
		}
	}
	await(200, "ready")
	cable.set(true)
	await(503, "the session with the database was lost")
	cable.set(false)
	await(200, "ready")
}
