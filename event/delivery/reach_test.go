package delivery_test

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"

	"github.com/internal-app-portal/iap/event/delivery"
)

// TestPrivateAddresses: without leave no address inside is connected to, however
// it is written.
func TestPrivateAddresses(t *testing.T) {
	var came atomic.Int64
	s := serve(t, func(http.ResponseWriter, *http.Request) { came.Add(1) })
	_, port, err := net.SplitHostPort(s.Listener.Addr().String())
	must(t, err)
	r := open(t, filepath.Join(t.TempDir(), "iap.db"))
	for _, host := range []string{"127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]", "0.0.0.0", "2130706433", "10.0.0.1", "192.168.1.1",
		"169.254.169.254", "[fd00::1]", "100.64.0.1"} {
		r.target(t, "http://"+host+":"+port, told, func(x *delivery.Target) { x.Attempts, x.Settings.Private = 1, false })
	}
	r.tell(t, "a")
	for len(r.dead(t)) < 11 && came.Load() == 0 {
		pauseFor(t)
	}
	ds, err := r.Deliveries(t.Context(), ann, delivery.Filter{Limit: 100})
	must(t, err)
	for _, d := range ds {
		if d.Status == delivery.Delivered || !strings.Contains(d.Reason, "inside") && !strings.Contains(d.Reason, "no such host") {
			t.Errorf("%s is %s: %s", d.Target, d.Status, d.Reason)
		}
	}
	if len(ds) != 11 || came.Load() > 0 {
		t.Errorf("%d deliveries, %d came", len(ds), came.Load())
	}
}

// TestSecondLookUp: a name that leads where deliveries may go, and at the next
// look-up somewhere inside, is refused when it is dialled.
func TestSecondLookUp(t *testing.T) {
	names := newNames(t)
	allowed, inside := newAddress(t, "127.0.0.2:0"), receive(t)
	_, port, _ := net.SplitHostPort(allowed.Listener.Addr().String())
	l, err := net.Listen("tcp", "127.0.0.1:"+port)
	must(t, err)
	atInside := &http.Server{Handler: inside.Config.Handler}
	go func() { _ = atInside.Serve(l) }()
	t.Cleanup(func() { _ = atInside.Close() })

	r := open(t, filepath.Join(t.TempDir(), "iap.db"))
	names.lead("127.0.0.2")
	r.target(t, "http://hook.example.com:"+port, told, func(x *delivery.Target) {
		x.Attempts, x.Settings = 1, delivery.Settings{URL: x.Settings.URL, Allow: []string{"127.0.0.2"}}
	})
	r.tell(t, "first")
	allowed.wait(t, 1)
	r.settle(t, delivery.Waiting)
	names.lead("127.0.0.1")
	r.tell(t, "second")
	for len(r.dead(t)) == 0 {
		pauseFor(t)
	}
	if d := r.dead(t)[0]; d.Subject != "second" || !strings.Contains(d.Reason, "its address is inside") {
		t.Errorf("%+v", d)
	}
	if got := append(allowed.subjects(), inside.subjects()...); len(got) != 1 || got[0] != "first" {
		t.Errorf("%v came", got)
	}
}

// newAddress is a receiver at an address, which keeps no connection open.
func newAddress(t *testing.T, address string) *receiver {
	t.Helper()
	r := receive(t)
	l, err := net.Listen("tcp", address)
	must(t, err)
	s := &httptest.Server{Listener: l, Config: &http.Server{Handler: r.Config.Handler}}
	s.Config.SetKeepAlivesEnabled(false)
	s.Start()
	t.Cleanup(s.Close)
	r.Server = s
	return r
}

func (r *replica) dead(t *testing.T) []delivery.Delivery {
	t.Helper()
	ds, err := r.Deliveries(t.Context(), ann, delivery.Filter{Status: delivery.Dead, Limit: 100})
	must(t, err)
	return ds
}

// names is a DNS server that leads every name to one address, and is what this
// process asks.
type names struct {
	mu sync.Mutex
	ip [4]byte
}

func newNames(t *testing.T) *names {
	n := &names{}
	c, err := net.ListenPacket("udp", "127.0.0.1:0")
	must(t, err)
	var done sync.WaitGroup
	done.Go(func() { n.serve(c) })
	before := net.DefaultResolver
	net.DefaultResolver = &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "udp", c.LocalAddr().String())
	}}
	t.Cleanup(func() { net.DefaultResolver = before; _ = c.Close(); done.Wait() })
	return n
}

func (n *names) lead(to string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	copy(n.ip[:], net.ParseIP(to).To4())
}

func (n *names) serve(c net.PacketConn) {
	b := make([]byte, 1500)
	for {
		k, from, err := c.ReadFrom(b)
		if err != nil {
			return
		}
		var m dnsmessage.Message
		if m.Unpack(b[:k]) != nil || len(m.Questions) == 0 {
			continue
		}
		m.Response, m.Additionals = true, nil
		if q := m.Questions[0]; q.Type == dnsmessage.TypeA {
			n.mu.Lock()
			m.Answers = []dnsmessage.Resource{{Header: dnsmessage.ResourceHeader{Name: q.Name, Type: q.Type, Class: q.Class},
				Body: &dnsmessage.AResource{A: n.ip}}}
			n.mu.Unlock()
		}
		if answer, err := m.Pack(); err == nil {
			_ = c.SetWriteDeadline(time.Now().Add(time.Second))
			_, _ = c.WriteTo(answer, from)
		}
	}
}
