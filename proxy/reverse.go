package proxy

import (
	"context"
	"errors"
	"io"
	"log"
	"net/http"
	"net/http/httputil"
	"net/textproto"
	"slices"
	"strings"
	"sync"
)

// reverse passes requests to the app of a route.
func (p *Proxy) reverse(rt *route) *httputil.ReverseProxy {
	host := rt.upstream.Host
	return &httputil.ReverseProxy{
		Rewrite: func(pr *httputil.ProxyRequest) {
			out := pr.Out
			out.URL.Scheme, out.URL.Host = "http", host
			out.Host = pr.In.Host
			// As it came: nothing here decides by the query, so an app may read
			// it as it likes, unparsable parts included.
			out.URL.RawQuery = pr.In.URL.RawQuery
			clean(out.Header)
			stripCookies(out.Header, p.cfg.Cookies)
			pr.SetXForwarded()
			if rt.bar && wantsBar(pr.In) {
				limitEncodings(out.Header)
			}
		},
		ModifyResponse: func(res *http.Response) error {
			keepCookies(res.Header)
			if rt.bar {
				addBar(res)
			}
			return nil
		},
		ErrorHandler:  func(w http.ResponseWriter, r *http.Request, err error) { p.failed(w, r, rt, err) },
		Transport:     p.transport,
		BufferPool:    &p.buffers,
		FlushInterval: -1,
		ErrorLog:      silent, // a reader who went away is no news
	}
}

var silent = log.New(io.Discard, "", 0)

// identity are the beginnings of headers by which proxies tell apps who asks;
// names are compared in lower case with dashes for underscores, for that is how
// many servers read them.
var identity = []string{"x-portal-", "x-iap-", "x-forwarded-", "x-auth-request-", "x-remote-", "remote-", "x-authenticated-"}

// clean drops what a client must not say of itself.
func clean(h http.Header) {
	for name := range h {
		if forged(name) {
			delete(h, name)
		}
	}
}

// forged reports whether only a proxy may set the header of this name.
func forged(name string) bool {
	// Most names begin with other letters: this is called for every header.
	if name == "" || !strings.ContainsRune("xXrRfF", rune(name[0])) {
		return false
	}
	name = strings.ReplaceAll(strings.ToLower(name), "_", "-")
	if name == "forwarded" || name == "x-real-ip" || name == "x-user" || name == "x-client-ip" {
		return true
	}
	return slices.ContainsFunc(identity, func(begin string) bool { return strings.HasPrefix(name, begin) })
}

// stripCookies takes the portal's cookies out of a request. The text of the
// others is left as it is.
func stripCookies(h http.Header, names []string) {
	lines := h["Cookie"]
	if len(lines) == 0 || len(names) == 0 {
		return
	}
	kept := lines[:0]
	for _, line := range lines {
		if mentions(line, names) {
			line = without(line, names)
		}
		if line != "" {
			kept = append(kept, line)
		}
	}
	if len(kept) == 0 {
		delete(h, "Cookie")
		return
	}
	h["Cookie"] = kept
}

func mentions(line string, names []string) bool {
	return slices.ContainsFunc(names, func(n string) bool { return strings.Contains(line, n) })
}

func without(line string, names []string) string {
	var kept []string
	for part := range strings.SplitSeq(line, ";") {
		name, _, _ := strings.Cut(part, "=")
		name = textproto.TrimString(name)
		if name == "" && textproto.TrimString(part) == "" || slices.Contains(names, name) {
			continue
		}
		kept = append(kept, textproto.TrimString(part))
	}
	return strings.Join(kept, "; ")
}

// keepCookies takes the attribute Domain out of an app's cookies, so that they
// are of its own host alone.
func keepCookies(h http.Header) {
	for i, line := range h["Set-Cookie"] {
		if !strings.Contains(strings.ToLower(line), "domain") {
			continue
		}
		var kept []string
		for n, part := range strings.Split(line, ";") {
			name, _, _ := strings.Cut(part, "=")
			if n > 0 && strings.EqualFold(textproto.TrimString(name), "Domain") {
				continue
			}
			kept = append(kept, part)
		}
		h["Set-Cookie"][i] = strings.Join(kept, ";")
	}
}

// failed answers when the app did not.
func (p *Proxy) failed(w http.ResponseWriter, r *http.Request, rt *route, err error) {
	var tooLarge *http.MaxBytesError
	switch {
	case errors.Is(context.Cause(r.Context()), errClosed):
		refuse(w, http.StatusForbidden, "this instance is not open to you any more")
	case errors.Is(err, context.Canceled) && r.Context().Err() != nil:
		w.WriteHeader(499) // the client went away; nobody reads this
	case errors.As(err, &tooLarge):
		refuse(w, http.StatusRequestEntityTooLarge, "the request is too large")
	default:
		// The instance may have ended since: the store knows.
		i, lookErr := p.cfg.Instances.InstanceByHostName(r.Context(), rt.instance.HostName)
		if lookErr != nil {
			i = rt.instance
		}
		if i.Status != rt.instance.Status {
			p.slow(w, r, i.HostName, false)
			return
		}
		p.unanswered(w, r, i)
	}
}

// buffers hands out the memory through which bodies are passed.
type buffers struct{ pool sync.Pool }

const bufferSize = 32 << 10

func (b *buffers) Get() []byte {
	if v, ok := b.pool.Get().(*[bufferSize]byte); ok {
		return v[:]
	}
	return new([bufferSize]byte)[:]
}

func (b *buffers) Put(buf []byte) {
	if cap(buf) >= bufferSize {
		b.pool.Put((*[bufferSize]byte)(buf[:bufferSize]))
	}
}
