package proxy_test

import (
	"context"
	"io"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/internal-app-portal/iap/instance"
	"github.com/internal-app-portal/iap/proxy"
)

// TestActivity: requests, streams and WebSockets are use for as long as they are
// open, the proxy's own addresses and refused requests are not, and a change of
// the instance forgets nothing.
func TestActivity(t *testing.T) {
	var clock atomic.Int64
	clock.Store(1_700_000_000_000)
	now := func() time.Time { return time.UnixMilli(clock.Load()).UTC() }
	hold, refused := make(chan struct{}), new(atomic.Bool)
	app := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/socket" {
			if c, err := websocket.Accept(w, r, nil); err == nil {
				_, _, _ = c.Read(r.Context())
			}
			return
		}
		if r.URL.Path == "/stream" {
			w.Header().Set("Content-Type", "text/event-stream")
			io.WriteString(w, ": hello\n\n")
			w.(http.Flusher).Flush()
			<-hold
		}
	})
	f := serve(t, app, func(c *proxy.Config) {
		c.Now = now
		c.Authorize = func(*http.Request, instance.Instance) proxy.Decision { return proxy.Decision{Allow: !refused.Load()} }
	})
	want := func(what string, a instance.Activity) {
		t.Helper()
		if got := f.proxy.Activity(name); got != a {
			t.Errorf("%s: %+v, want %+v", what, got, a)
		}
	}
	want("never used", instance.Activity{})
	f.open("/.iap/page.css", "")
	refused.Store(true)
	f.open("/", "")
	f.await("/")
	want("no use", instance.Activity{})
	refused.Store(false)
	f.open("/", "")
	f.await("/")
	first := now()
	want("a request", instance.Activity{At: first, Kind: instance.ByRequest})
	clock.Add(5000)
	want("later", instance.Activity{At: first, Kind: instance.ByRequest})
	resp := f.open("/stream", "text/event-stream")
	clock.Add(60_000)
	want("an open stream", instance.Activity{At: now(), Kind: instance.ByStream, Open: 1})
	i, _ := f.store.InstanceByHostName(context.Background(), name)
	f.taken(f.put(i))
	want("after a change", instance.Activity{At: now(), Kind: instance.ByStream, Open: 1})
	close(hold)
	io.Copy(io.Discard, resp.Body)
	f.await("/stream")
	closed := now()
	clock.Add(1000)
	want("closed", instance.Activity{At: closed, Kind: instance.ByStream})
	ws, _, err := websocket.Dial(t.Context(), f.front.URL+"/socket", &websocket.DialOptions{Host: name + ".apps.example.com"})
	if err != nil {
		t.Fatal(err)
	}
	defer ws.CloseNow()
	clock.Add(60_000)
	want("an open WebSocket", instance.Activity{At: now(), Kind: instance.BySocket, Open: 1})
}

// open asks the app of the fixture; the body is the caller's to read.
func (f *fixture) open(path, accept string) *http.Response {
	f.t.Helper()
	req, err := http.NewRequestWithContext(f.t.Context(), http.MethodGet, f.front.URL+path, nil)
	if err != nil {
		f.t.Fatal(err)
	}
	req.Host = name + ".apps.example.com"
	req.Header.Set("Accept", accept)
	resp, err := f.front.Client().Do(req)
	if err != nil {
		f.t.Fatal(err)
	}
	f.t.Cleanup(func() { resp.Body.Close() })
	return resp
}
