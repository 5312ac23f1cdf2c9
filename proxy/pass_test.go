package proxy_test

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/internal-app-portal/iap/event"
	"github.com/internal-app-portal/iap/instance"
	"github.com/internal-app-portal/iap/proxy"
)

func TestHeadersThatNoClientMaySet(t *testing.T) {
	var got http.Header
	var gotHost string
	f := serve(t, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { got, gotHost = r.Header.Clone(), r.Host }), nil)
	f.get(host, "/", "X-Portal-User", "root", "X_Portal_User", "root", "x-portal_user", "root", "Remote-User", "root", "Remote_User", "root",
		"X-Forwarded-For", "1.2.3.4", "X-Forwarded-Host", "evil", "X_Forwarded_Proto", "https", "X-Forwarded-Proto", "https", "Forwarded", "for=1.2.3.4",
		"X-Real-Ip", "1.2.3.4", "Connection", "X-Secret-Hop", "X-Secret-Hop", "1", "Proxy-Authorization", "x", "X-Mine", "kept", "Authorization", "Bearer app")
	for key := range got {
		if flat := strings.ToLower(strings.ReplaceAll(key, "_", "-")); strings.Contains(flat, "portal") || strings.Contains(flat, "remote") || strings.Contains(key, "_") {
			t.Errorf("the app gets %s", key)
		}
	}
	for key, want := range map[string]string{"X-Forwarded-For": "127.0.0.1", "X-Forwarded-Host": host, "X-Forwarded-Proto": "http", "Forwarded": "",
		"X-Real-Ip": "", "X-Secret-Hop": "", "Proxy-Authorization": "", "X-Mine": "kept", "Authorization": "Bearer app"} {
		if got.Get(key) != want {
			t.Errorf("%s: %q, want %q", key, got.Get(key), want)
		}
	}
	if gotHost != host {
		t.Errorf("Host %q", gotHost)
	}
}

func TestCookies(t *testing.T) {
	var got []string
	f := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got = r.Header["Cookie"]
		w.Header().Add("Set-Cookie", "a=1; Path=/; Domain=apps.example.com; HttpOnly")
		w.Header().Add("Set-Cookie", "b=domain=x; domain = .example.com;SameSite=Lax")
		w.Header().Add("Set-Cookie", "c=3; Secure")
	}), nil)
	res, _ := f.get(host, "/", "Cookie", `iap_session=secret; theme="a b"; my_iap_session=2;  __Host-iap=x`, "Cookie", "iap_session=again")
	if want := []string{`theme="a b"; my_iap_session=2`}; !slices.Equal(got, want) {
		t.Errorf("the app gets %q", got)
	}
	want := []string{"a=1; Path=/; HttpOnly", "b=domain=x;SameSite=Lax", "c=3; Secure"}
	if set := res.Header["Set-Cookie"]; !slices.Equal(set, want) {
		t.Errorf("the browser gets %q", set)
	}
	if f.get(host, "/", "Cookie", "x=1; y=2"); !slices.Equal(got, []string{"x=1; y=2"}) {
		t.Errorf("other cookies: %q", got)
	}
}

func TestStreaming(t *testing.T) {
	goOn := make(chan struct{})
	f := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Length", "10") // a known length must not make it wait
		io.WriteString(w, "first")
		w.(http.Flusher).Flush()
		<-goOn
		io.WriteString(w, "after")
	}), nil)
	req, _ := http.NewRequestWithContext(t.Context(), "GET", f.front.URL, nil)
	req.Host = host
	res, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	buf := make([]byte, 5)
	if _, err := io.ReadFull(res.Body, buf); err != nil || string(buf) != "first" {
		t.Fatalf("%q %v", buf, err)
	}
	close(goOn)
	if rest, err := io.ReadAll(res.Body); err != nil || string(rest) != "after" {
		t.Errorf("%q %v", rest, err)
	}
}

func TestWebSocket(t *testing.T) {
	f := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, err := websocket.Accept(w, r, &websocket.AcceptOptions{OriginPatterns: []string{"*"}})
		if err != nil {
			return
		}
		defer c.CloseNow()
		for {
			kind, data, err := c.Read(r.Context())
			if err != nil {
				return
			}
			c.Write(r.Context(), kind, append([]byte("echo "), data...))
		}
	}), nil)
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	dialer := &http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, network, f.front.Listener.Addr().String())
	}}}
	c, _, err := websocket.Dial(ctx, "ws://"+host+"/", &websocket.DialOptions{HTTPClient: dialer})
	if err != nil {
		t.Fatal(err)
	}
	defer c.CloseNow()
	for _, text := range []string{"one", strings.Repeat("x", 30000)} {
		if err := c.Write(ctx, websocket.MessageText, []byte(text)); err != nil {
			t.Fatal(err)
		}
		if _, data, err := c.Read(ctx); err != nil || string(data) != "echo "+text {
			t.Fatalf("%d bytes, %v", len(data), err)
		}
	}
}

func TestWaitingPageMovesOn(t *testing.T) {
	f := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "the app's "+r.URL.Path) }), nil)
	f.change(instance.Deploying)
	req, _ := http.NewRequestWithContext(t.Context(), "GET", f.front.URL+"/.iap/stream", nil)
	req.Host = host
	res, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	scan := bufio.NewScanner(res.Body)
	until := func(want string) {
		t.Helper()
		for scan.Scan() {
			if scan.Text() == want {
				return
			}
		}
		t.Fatalf("the stream ended before %q", want)
	}
	until("event: progress")
	until("data: <p> deploying </p> ")
	f.change(instance.Checking)
	until("data: <p> checking </p> ")
	f.change(instance.Running)
	until("event: ready")
	if scan.Scan(); scan.Scan() && scan.Text() != "" {
		t.Errorf("after ready: %q", scan.Text())
	}
	if _, body := f.get(host, "/.iap/page.css"); body != "asset /.iap/page.css" {
		t.Errorf("the proxy's own path reaches the app: %q", body)
	}
	if res, _ := f.get(host, "/.iap/stream", "Sec-Fetch-Site", "cross-site"); res.StatusCode != 403 {
		t.Errorf("a foreign page: %s", res.Status)
	}
}

func TestStopEndsWaitingPages(t *testing.T) {
	f := serve(t, nil, nil)
	f.put(instance.Instance{ID: "i1", HostName: name, Status: instance.Deploying})
	req, _ := http.NewRequestWithContext(t.Context(), "GET", f.front.URL+"/.iap/stream", nil)
	req.Host = host
	res, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	f.proxy.Stop(context.Background())
	if _, err := io.ReadAll(res.Body); err != nil {
		t.Error(err)
	}
	if res, _ := f.get(host, "/.iap/stream"); res.StatusCode != 503 {
		t.Errorf("after the stop: %s", res.Status)
	}
}

// The same app behind a plain ReverseProxy and behind this one.
func BenchmarkProxy(b *testing.B) {
	for _, size := range []int{200, 1 << 20} {
		body := bytes.Repeat([]byte("x"), size)
		back := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.Write(body) }))
		defer back.Close()
		target, _ := url.Parse(back.URL)
		plain := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(target); r.SetXForwarded() },
			Transport: &http.Transport{MaxIdleConnsPerHost: 512, DisableCompression: true}}
		s := &store{instances: map[string]instance.Instance{name: {ID: "i1", HostName: name, Status: instance.Running, Upstream: back.URL}}}
		l := event.NewLog(s)
		l.Start(b.Context())
		p := proxy.New(proxy.Config{AppsDomain: "apps.example.com", Log: l, Instances: s, Pages: pages{}, Cookies: []string{"iap_session"}})
		p.Start(b.Context())
		for which, h := range map[string]http.Handler{"plain": plain, "portal": p} {
			b.Run(fmt.Sprintf("%s/%d", which, size), func(b *testing.B) {
				front := httptest.NewServer(h)
				defer front.Close()
				tr := &http.Transport{MaxIdleConnsPerHost: 512, DisableCompression: true}
				b.SetParallelism(16)
				b.ReportAllocs()
				b.RunParallel(func(pb *testing.PB) {
					for pb.Next() {
						req, _ := http.NewRequest("GET", front.URL, nil)
						req.Host = host
						res, err := tr.RoundTrip(req)
						if err != nil {
							b.Error(err)
							return
						}
						io.Copy(io.Discard, res.Body)
						res.Body.Close()
					}
				})
				tr.CloseIdleConnections()
			})
		}
		p.Stop(context.Background())
		l.Stop(context.Background())
	}
}
