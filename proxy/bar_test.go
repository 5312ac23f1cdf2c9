package proxy_test

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"net/http"
	"os/exec"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/andybalholm/brotli"
	"github.com/chromedp/chromedp"

	"github.com/internal-app-portal/iap/event"
	"github.com/internal-app-portal/iap/instance"
	"github.com/internal-app-portal/iap/proxy"
)

const (
	document = "<!doctype html>\n<html><head><title>x</title></head><body><p>é</p></body></html>\n"
	barTag   = `<script defer src="/.iap/bar.js"></script>`
)

// pack compresses a text as an encoding says.
func pack(encoding, text string) []byte {
	var b bytes.Buffer
	var w io.WriteCloser = nopCloser{&b}
	switch encoding {
	case "gzip":
		w = gzip.NewWriter(&b)
	case "br":
		w = brotli.NewWriter(&b)
	}
	io.WriteString(w, text)
	w.Close()
	return b.Bytes()
}

func unpack(t *testing.T, encoding string, r io.Reader) string {
	t.Helper()
	switch encoding {
	case "gzip":
		z, err := gzip.NewReader(r)
		if err != nil {
			t.Fatal(err)
		}
		r = z
	case "br":
		r = brotli.NewReader(r)
	}
	data, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

type nopCloser struct{ io.Writer }

func (nopCloser) Close() error { return nil }

// withBar starts a proxy before an app that allows the bar.
func withBar(t *testing.T, app http.Handler, ending func() proxy.Ending) *fixture {
	t.Helper()
	f := serve(t, app, func(c *proxy.Config) {
		c.AppsDomain = "apps.localhost"
		c.Ending = func(context.Context, instance.Instance) (proxy.Ending, error) { return ending(), nil }
	})
	f.allowBar(true)
	return f
}

func (f *fixture) allowBar(yes bool) {
	f.t.Helper()
	i, err := f.store.InstanceByHostName(context.Background(), name)
	if err != nil {
		f.t.Fatal(err)
	}
	i.WarningBar = yes
	f.taken(f.put(i))
}

func noEnding() proxy.Ending { return proxy.Ending{} }

// visit asks as a browser does for a page, with headers as "Name: value" that are
// added or, when empty, left out.
func (f *fixture) visit(method, path string, headers ...string) *http.Response {
	f.t.Helper()
	req, err := http.NewRequestWithContext(f.t.Context(), method, f.front.URL+path, nil)
	if err != nil {
		f.t.Fatal(err)
	}
	req.Host = name + ".apps.localhost"
	for _, h := range append([]string{"Accept: text/html", "Accept-Encoding: gzip, deflate, br, zstd", "Sec-Fetch-Dest: document", "Sec-Fetch-Mode: navigate"}, headers...) {
		key, value, _ := strings.Cut(h, ":")
		req.Header.Del(key)
		if value = strings.TrimSpace(value); value != "" {
			req.Header.Set(key, value)
		}
	}
	resp, err := (&http.Transport{DisableCompression: true}).RoundTrip(req)
	if err != nil {
		f.t.Fatal(err)
	}
	f.t.Cleanup(func() { resp.Body.Close() })
	return resp
}

// echo answers with what the query says: encoding, body, status, and any header.
func echo(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Etag", `"v1"`)
	for name, values := range q {
		if strings.Contains(name, "-") {
			w.Header()[name] = values
		}
	}
	body := pack(q.Get("Content-Encoding"), q.Get("body"))
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	if q.Get("status") != "" {
		code, _ := strconv.Atoi(q.Get("status"))
		w.WriteHeader(code)
	}
	w.Write(body)
}

// TestBarInDocuments: whole documents get the bar in the encoding they came in,
// with headers that are true of them.
func TestBarInDocuments(t *testing.T) {
	f := withBar(t, http.HandlerFunc(echo), noEnding)
	for _, encoding := range []string{"", "gzip", "br"} {
		long := strings.Replace(document, "é", strings.Repeat("é ", 50_000), 1)
		for _, body := range []string{document, "\ufeff <!-- a --><HTML><body>x</body></HTML>", long} {
			resp := f.visit("GET", "/?"+query("Content-Encoding", encoding, "body", body))
			if got := unpack(t, encoding, resp.Body); got != body+barTag {
				t.Errorf("%q: %d bytes, ends in %.120q", encoding, len(got), got[max(0, len(got)-120):])
			}
			h := resp.Header
			if resp.ContentLength != -1 || h.Get("Etag") != `W/"v1"` || !strings.Contains(h.Get("Vary"), "Sec-Fetch-Dest") || h.Get("Content-Encoding") != encoding {
				t.Errorf("%q: length %d, %v", encoding, resp.ContentLength, h)
			}
		}
	}
	resp := f.visit("GET", "/?"+query("body", document), "Sec-Fetch-Dest:", "Sec-Fetch-Mode:") // a host without TLS
	if got := unpack(t, "", resp.Body); got != document+barTag {
		t.Errorf("got %q", got)
	}
	f.allowBar(false)
	resp = f.visit("GET", "/?"+query("body", document))
	if got := unpack(t, "", resp.Body); got != document || resp.ContentLength != int64(len(document)) {
		t.Errorf("an app that does not allow it: %q", got)
	}
}

func query(pairs ...string) string {
	var b strings.Builder
	for n := 0; n < len(pairs); n += 2 {
		if pairs[n+1] != "" {
			fmt.Fprintf(&b, "&%s=%s", pairs[n], escape(pairs[n+1]))
		}
	}
	return b.String()
}

func escape(s string) string {
	var b strings.Builder
	for _, c := range []byte(s) {
		fmt.Fprintf(&b, "%%%02x", c)
	}
	return b.String()
}

// TestBarLeavesTheRest: what is no document of a person's own tab, or must not be
// changed, passes byte for byte with its headers.
func TestBarLeavesTheRest(t *testing.T) {
	f := withBar(t, http.HandlerFunc(echo), noEnding)
	for what, c := range map[string]struct {
		query   string
		headers []string
	}{
		"a frame":              {"", []string{"Sec-Fetch-Dest: iframe"}},
		"a script's request":   {"", []string{"Sec-Fetch-Dest: empty", "Sec-Fetch-Mode: cors"}},
		"an old script's":      {"", []string{"Sec-Fetch-Dest:", "Sec-Fetch-Mode:", "X-Requested-With: XMLHttpRequest"}},
		"a range":              {"", []string{"Range: bytes=0-5"}},
		"part of a document":   {query("status", "206", "Content-Range", "bytes 0-5/100"), nil},
		"a download":           {query("Content-Disposition", "attachment; filename=x.html"), nil},
		"an error":             {query("status", "404"), nil},
		"JSON":                 {query("Content-Type", "application/json"), nil},
		"UTF-16":               {query("Content-Type", "text/html; charset=utf-16"), nil},
		"no-transform":         {query("Cache-Control", "private, no-transform"), nil},
		"a digest":             {query("Repr-Digest", "sha-256=:x:"), nil},
		"an unknown encoding":  {query("Content-Encoding", "zstd"), nil},
		"CSP without scripts":  {query("Content-Security-Policy", "script-src 'none'"), nil},
		"CSP of hashes":        {query("Content-Security-Policy", "default-src 'self'; script-src 'sha256-x'"), nil},
		"CSP without requests": {query("Content-Security-Policy", "connect-src https://api.example.com"), nil},
		"CSP with a sandbox":   {query("Content-Security-Policy", "sandbox allow-scripts"), nil},
		"CSP that is strict":   {query("Content-Security-Policy", "script-src 'self' 'strict-dynamic'"), nil},
	} {
		t.Run(what, func(t *testing.T) {
			resp := f.visit("GET", "/?"+query("body", document)+c.query, c.headers...)
			data, err := io.ReadAll(resp.Body)
			if err != nil || string(data) != document || resp.ContentLength != int64(len(document)) || resp.Header.Get("Etag") != `"v1"` {
				t.Errorf("%q, length %d, %v, %v", data, resp.ContentLength, resp.Header, err)
			}
		})
	}
	for what, body := range map[string]string{"a part of a page": "<p>x</p>", "a page that broke off": "<!doctype html><script>let a = 1", "nothing": "", "text": "plain"} {
		resp := f.visit("GET", "/?"+query("body", body))
		if got := unpack(t, "", resp.Body); got != body {
			t.Errorf("%s: %q", what, got)
		}
	}
}

// TestBarPolicies: a policy that lets the script run stays as it is; a nonce is
// used.
func TestBarPolicies(t *testing.T) {
	f := withBar(t, http.HandlerFunc(echo), noEnding)
	for policy, tag := range map[string]string{
		"default-src 'self'": barTag,
		"script-src 'nonce-abc' 'strict-dynamic'; connect-src 'self'": `<script defer src="/.iap/bar.js" nonce="abc"></script>`,
		"img-src 'none'":                       barTag,
		"script-src-elem *; script-src 'none'": barTag,
	} {
		resp := f.visit("GET", "/?"+query("body", document, "Content-Security-Policy", policy))
		if got := unpack(t, "", resp.Body); got != document+tag || resp.Header.Get("Content-Security-Policy") != policy {
			t.Errorf("%s: %q", policy, got)
		}
	}
}

// TestBarHoldsNothingBack: parts of a document arrive as the app sends them, also
// compressed; a body that breaks off breaks off.
func TestBarHoldsNothingBack(t *testing.T) {
	goOn := make(chan struct{})
	f := withBar(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		encoding := strings.TrimPrefix(r.URL.Path, "/")
		w.Header().Set("Content-Type", "text/html")
		var out interface {
			io.WriteCloser
			Flush() error
		}
		switch encoding {
		case "gzip":
			out = gzip.NewWriter(w)
		case "br":
			out = brotli.NewWriter(w)
		}
		if out != nil {
			w.Header().Set("Content-Encoding", encoding)
			io.WriteString(out, "<!doctype html><p>one")
			out.Flush()
			w.(http.Flusher).Flush()
			<-goOn
			io.WriteString(out, "<p>two</p>")
			out.Close()
			return
		}
		io.WriteString(w, "<!doctype html><p>one</p>")
		w.(http.Flusher).Flush()
		panic(http.ErrAbortHandler)
	}), noEnding)
	for _, encoding := range []string{"gzip", "br"} {
		resp := f.visit("GET", "/"+encoding)
		var r io.Reader = brotli.NewReader(resp.Body)
		if encoding == "gzip" {
			z, err := gzip.NewReader(resp.Body)
			if err != nil {
				t.Fatal(err)
			}
			r = z
		}
		begin := make([]byte, len("<!doctype html><p>one"))
		if _, err := io.ReadFull(r, begin); err != nil {
			t.Fatal(err)
		}
		goOn <- struct{}{}
		if rest, err := io.ReadAll(r); err != nil || string(rest) != "<p>two</p>"+barTag {
			t.Errorf("%s: %q, %v", encoding, rest, err)
		}
	}
	resp := f.visit("GET", "/")
	if data, err := io.ReadAll(resp.Body); err == nil || strings.Contains(string(data), "bar.js") {
		t.Errorf("broken off: %q, %v", data, err)
	}
}

// TestTheEndIsTold: the bar's stream tells an end at first and when it changes, and
// is over with the instance.
func TestTheEndIsTold(t *testing.T) {
	var now atomic.Pointer[proxy.Ending]
	now.Store(&proxy.Ending{By: instance.EndBySweep})
	f := withBar(t, http.HandlerFunc(echo), func() proxy.Ending { return *now.Load() })
	req, _ := http.NewRequestWithContext(t.Context(), "GET", f.front.URL+"/.iap/end", nil)
	req.Host = name + ".apps.localhost"
	res, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	lines := bufio.NewScanner(res.Body)
	told := func() (data string) {
		for lines.Scan() {
			if text, ok := strings.CutPrefix(lines.Text(), "data: "); ok {
				return strings.TrimSpace(text)
			}
		}
		return "the end of the stream"
	}
	if got := told(); !strings.Contains(got, `"by":"nightly_sweep","warned":false`) {
		t.Errorf("at first it tells %s", got)
	}
	f.allowBar(true) // a change of something else is not told
	now.Store(&proxy.Ending{By: instance.EndByIdle, Warned: true})
	if err := f.log.Append(t.Context(), &event.Event{Source: "/schedules", Type: event.ScheduleChanged, Subject: "nightly", Time: time.Now(), Data: []byte("{}")}); err != nil {
		t.Fatal(err)
	}
	if got := told(); !strings.Contains(got, `"by":"idle","warned":true`) {
		t.Errorf("after the schedule changed it tells %s", got)
	}
	ended := f.change(instance.Destroying)
	if got := told(); got != "null" {
		t.Errorf("at its end it tells %s", got)
	}
	if got := told(); got != "the end of the stream" {
		t.Errorf("after its end it tells %s", got)
	}
	f.taken(ended)
	if res, _ := f.get(req.Host, "/.iap/end"); res.StatusCode != 404 {
		t.Errorf("of an instance that ended: %s", res.Status)
	}
	f.taken(f.change(instance.Running))
	if res, _ := f.get(req.Host, "/.iap/end", "Sec-Fetch-Site", "cross-site"); res.StatusCode != 403 {
		t.Errorf("a foreign page: %s", res.Status)
	}
}

// TestBarInABrowser: the bar is there when the end is near, says when, links to
// where it is moved, and is gone when it has moved; it can be dismissed.
func TestBarInABrowser(t *testing.T) {
	path, err := exec.LookPath("chromium")
	if err != nil {
		t.Skip("skipped: there is no Chromium on the PATH (make setup)")
	}
	var now atomic.Pointer[proxy.Ending]
	set := func(d time.Duration, warned bool) {
		now.Store(&proxy.Ending{EndsAt: time.Now().Add(d), By: instance.EndBySweep, Warned: warned, Keep: "http://portal.localhost/instances/i1/keep"})
	}
	set(25*time.Minute+30*time.Second, true)
	f := withBar(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		w.Header().Set("Content-Security-Policy", "default-src 'self'; style-src 'none'")
		if r.URL.Path == "/frame" {
			io.WriteString(w, "<!doctype html><title>outer</title><iframe src='/' style='width:90%'></iframe>")
			return
		}
		io.WriteString(w, document)
	}), func() proxy.Ending { return *now.Load() })
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute)
	t.Cleanup(cancel)
	ctx, end := chromedp.NewExecAllocator(ctx, append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.NoSandbox)...)
	t.Cleanup(end)
	ctx, end = chromedp.NewContext(ctx)
	t.Cleanup(end)
	_, port, _ := strings.Cut(strings.TrimPrefix(f.front.URL, "http://"), ":")
	address := "http://" + name + ".apps.localhost:" + port
	// bar resolves to the bar's text, or to "" when there is none, as soon as that fits.
	bar := func(want string, first string) string {
		t.Helper()
		v, err := chromedp.Run(ctx, chromedp.Evaluate[string](fmt.Sprintf(`new Promise((done) => {
			%s
			const end = Date.now() + 60000;
			const look = () => {
				const bar = document.querySelector('iap-ending');
				const text = bar ? bar.shadowRoot.querySelector('span').textContent + ' ' + bar.shadowRoot.querySelector('a').href : '';
				if (%s || Date.now() > end) return done(text);
				setTimeout(look, 50);
			};
			look();
		})`, first, want), chromedp.EvalAwaitPromise))
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	move := func(d time.Duration, warned bool) {
		set(d, warned)
		f.allowBar(true) // the instance has changed
	}
	if err := chromedp.Do(ctx, chromedp.Navigate(address+"/")); err != nil {
		t.Fatal(err)
	}
	if got := bar("text", ""); !strings.Contains(got, "in 26 minutes. http://portal.localhost/instances/i1/keep") || !strings.Contains(got, "ends at "+now.Load().EndsAt.Format("15:04")) {
		t.Errorf("it says %q", got)
	}
	move(3*time.Hour, false)
	if got := bar("!text", ""); got != "" {
		t.Errorf("the end has moved, and it says %q", got)
	}
	move(4*time.Minute+30*time.Second, true)
	if got := bar("text", ""); !strings.Contains(got, "in 5 minutes") {
		t.Errorf("it says %q", got)
	}
	if got := bar("!text", `document.querySelector('iap-ending').shadowRoot.querySelector('button').click();`); got != "" {
		t.Errorf("dismissed, and it says %q", got)
	}
	if err := chromedp.Do(ctx, chromedp.Navigate(address+"/frame")); err != nil {
		t.Fatal(err)
	}
	v, err := chromedp.Run(ctx, chromedp.Evaluate[bool](`!frames[0].document.querySelector('iap-ending, script')`))
	if err != nil || !v {
		t.Errorf("the frame has it: %v", err)
	}
}
