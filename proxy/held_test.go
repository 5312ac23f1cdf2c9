package proxy_test

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/internal-app-portal/iap/event"
	"github.com/internal-app-portal/iap/instance"
	"github.com/internal-app-portal/iap/proxy"
)

// guests are those who may open the instance, by the cookie that they have, and
// until when.
type guests struct {
	mu    sync.Mutex
	may   []string
	until time.Time
	asked func(who string) // before each decision; nil: nothing
}

func (g *guests) only(may ...string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.may = may
}

func (g *guests) authorize(r *http.Request, i instance.Instance) proxy.Decision {
	who := ""
	if c, err := r.Cookie("who"); err == nil {
		who = c.Value
	}
	if g.asked != nil {
		g.asked(who)
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	return proxy.Decision{Allow: slices.Contains(g.may, who) || who == i.Owner, Until: g.until}
}

// talker is an app whose streams and WebSockets say hello and stay open.
var talker = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("Upgrade") != "" {
		if c, err := websocket.Accept(w, r, nil); err == nil {
			_ = c.Write(r.Context(), websocket.MessageText, []byte("hello"))
			for err == nil {
				var text []byte
				if _, text, err = c.Read(context.Background()); err == nil {
					err = c.Write(context.Background(), websocket.MessageText, text)
				}
			}
		}
		return
	}
	w.Header().Set("Content-Type", "text/event-stream")
	io.WriteString(w, ": hello\n\n")
	w.(http.Flusher).Flush()
	<-r.Context().Done()
})

// dial opens a WebSocket as somebody and returns it after its first message.
func (f *fixture) dial(who string) *websocket.Conn {
	f.t.Helper()
	ws, _, err := websocket.Dial(f.t.Context(), f.front.URL+"/socket", &websocket.DialOptions{Host: host, HTTPHeader: http.Header{"Cookie": {"who=" + who}}})
	if err != nil {
		f.t.Fatal(err)
	}
	f.t.Cleanup(func() { ws.CloseNow() })
	if _, text, err := ws.Read(f.t.Context()); err != nil || string(text) != "hello" {
		f.t.Fatalf("the WebSocket says %q, %v", text, err)
	}
	return ws
}

// listen opens a stream as somebody and returns it after its first line; status
// is that of the answer where it is no stream.
func (f *fixture) listen(path, who string) (stream *bufio.Reader, status int) {
	f.t.Helper()
	req, err := http.NewRequestWithContext(guarded(f.t), http.MethodGet, f.front.URL+path, nil)
	if err != nil {
		f.t.Fatal(err)
	}
	req.Host = host
	req.Header.Set("Accept", "text/event-stream")
	req.Header.Set("Cookie", "who="+who)
	res, err := f.front.Client().Do(req)
	if err != nil {
		f.t.Fatal(err)
	}
	f.t.Cleanup(func() { res.Body.Close() })
	if res.StatusCode != http.StatusOK {
		return nil, res.StatusCode
	}
	stream = bufio.NewReader(res.Body)
	if _, err := stream.ReadString('\n'); err != nil {
		f.t.Fatal(err)
	}
	return stream, res.StatusCode
}

// ends waits until the connection ends from the other side.
func ends(t *testing.T, stream io.Reader) {
	t.Helper()
	if _, err := io.Copy(io.Discard, stream); errors.Is(err, context.DeadlineExceeded) {
		t.Error("a stream does not end")
	}
}

// guarded is a context in which a connection that should end is given up.
func guarded(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	t.Cleanup(cancel)
	return ctx
}

// signedOut tells that somebody has signed out.
func (f *fixture) signedOut() {
	f.log.Append(context.Background(), &event.Event{Type: event.LoginEnded, Subject: "somebody", Time: time.Now()})
}

// TestOpenConnectionsEndWithTheRight: who signs out loses the WebSockets, the
// streams and the waiting page's stream that are open; others keep theirs.
func TestOpenConnectionsEndWithTheRight(t *testing.T) {
	g := &guests{may: []string{"jane", "joe"}}
	f := serve(t, talker, func(c *proxy.Config) { c.Authorize = g.authorize })
	janes, kept := f.dial("jane"), f.dial("joe")
	stream, _ := f.listen("/stream", "jane")
	joes, _ := f.listen("/stream", "joe")

	g.only("joe")
	f.signedOut()
	ends(t, stream)
	if _, _, err := janes.Read(guarded(t)); err == nil || errors.Is(err, context.DeadlineExceeded) {
		t.Error("a WebSocket lives on after the logout")
	}
	if err := f.proxy.WaitFor(t.Context(), f.log.Last()); err != nil {
		t.Fatal(err)
	}
	if err := kept.Write(t.Context(), websocket.MessageText, []byte("still here")); err != nil {
		t.Fatal(err)
	}
	if _, text, err := kept.Read(t.Context()); err != nil || string(text) != "still here" {
		t.Errorf("another's WebSocket says %q, %v", text, err)
	}
	if a := f.proxy.Activity(name); a.Open != 2 {
		t.Errorf("open are %d connections, want another's 2", a.Open)
	}

	g.only()
	f.signedOut()
	ends(t, joes)
	if _, _, err := kept.Read(guarded(t)); err == nil || errors.Is(err, context.DeadlineExceeded) {
		t.Error("the last WebSocket lives on")
	}

	g.only("jane")
	f.taken(f.change(instance.Deploying))
	waiting, _ := f.listen("/.iap/stream", "jane")
	g.only()
	f.signedOut()
	ends(t, waiting)
}

// TestOpenConnectionsEndWithAChange: a change of the instance by which somebody
// has no right to it any more ends what is open, and so does the time that the
// right has.
func TestOpenConnectionsEndWithAChange(t *testing.T) {
	g := &guests{may: []string{"jane"}}
	f := serve(t, talker, func(c *proxy.Config) { c.Authorize = g.authorize })
	stream, _ := f.listen("/stream", "jane")
	g.only()
	f.change(instance.Running)
	ends(t, stream)

	g.only("jane")
	g.until = time.Now().Add(50 * time.Millisecond)
	stream, _ = f.listen("/stream", "jane")
	ends(t, stream)
}

// TestSignedOutWhileItOpens: a logout between the decision on a stream and its
// beginning is not missed.
func TestSignedOutWhileItOpens(t *testing.T) {
	g, first := &guests{may: []string{"jane"}}, true
	f := serve(t, talker, func(c *proxy.Config) { c.Authorize = g.authorize })
	g.asked = func(string) {
		if !first { // the stream was let in; now the right to it goes
			g.only()
		}
		first = false
	}
	if _, status := f.listen("/stream", "jane"); status != http.StatusForbidden {
		t.Errorf("the answer is %d", status)
	}
	if a := f.proxy.Activity(name); a != (instance.Activity{}) {
		t.Errorf("what was refused counts as use: %+v", a)
	}
}
