package main

import (
	"encoding/base64"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// maxBody is how much of a request's body is shown.
const maxBody = 64 << 10 // bytes

// Report is what the app knows about the request that it got.
type Report struct {
	Method        string      `json:"method"`
	URL           string      `json:"url"` // the request target as it was sent
	Path          string      `json:"path"`
	Query         url.Values  `json:"query"`
	Proto         string      `json:"proto"`
	Host          string      `json:"host"`
	ClientAddress string      `json:"client_address"` // of the connection: behind a proxy, the proxy's
	TLS           bool        `json:"tls"`
	Forwarded     http.Header `json:"forwarded"` // the headers by which a proxy tells about the client
	Headers       http.Header `json:"headers"`
	Cookies       []Cookie    `json:"cookies"`
	Trailers      http.Header `json:"trailers,omitempty"`
	Body          Body        `json:"body"`
	Environment   []Variable  `json:"environment"`
	Hostname      string      `json:"hostname"`
	StartedAt     time.Time   `json:"started_at"`
	ReceivedAt    time.Time   `json:"received_at"`
	Requests      int64       `json:"requests"` // since the start, this one included
}

// Cookie is one that came with the request.
type Cookie struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// Body is a request's body, or its beginning.
type Body struct {
	Bytes     int64  `json:"bytes"` // of all of it
	Text      string `json:"text,omitempty"`
	Base64    string `json:"base64,omitempty"` // instead of Text when it is not text
	Truncated bool   `json:"truncated,omitempty"`
	Error     string `json:"error,omitempty"` // why it could not be read to its end
}

// report reads a request, its body included.
func (s *server) report(r *http.Request) Report {
	body := readBody(r.Body)
	cookies := []Cookie{}
	for _, c := range r.Cookies() {
		cookies = append(cookies, Cookie{c.Name, c.Value})
	}
	return Report{
		Method: r.Method, URL: r.RequestURI, Path: r.URL.Path, Query: r.URL.Query(), Proto: r.Proto, Host: r.Host,
		ClientAddress: r.RemoteAddr, TLS: r.TLS != nil, Forwarded: forwarded(r.Header), Headers: r.Header,
		Cookies: cookies, Trailers: r.Trailer, Body: body, Environment: environment(s.environ),
		Hostname: s.hostname, StartedAt: s.started, ReceivedAt: time.Now().UTC(), Requests: s.requests.Load(),
	}
}

func readBody(from io.Reader) Body {
	head, err := io.ReadAll(io.LimitReader(from, maxBody))
	rest := int64(0)
	if err == nil {
		rest, err = io.Copy(io.Discard, from)
	}
	body := Body{Bytes: int64(len(head)) + rest, Truncated: rest > 0}
	if err != nil {
		body.Error = err.Error()
	}
	if text := whole(head, rest > 0); utf8.Valid(text) && !slices.Contains(text, 0) {
		body.Text = string(text)
	} else {
		body.Base64 = base64.StdEncoding.EncodeToString(head)
	}
	return body
}

// whole drops a character at the end that was cut in two.
func whole(text []byte, cut bool) []byte {
	if !cut {
		return text
	}
	for n := range min(utf8.UTFMax, len(text)) {
		if r, size := utf8.DecodeLastRune(text[:len(text)-n]); r != utf8.RuneError || size > 1 {
			return text[:len(text)-n]
		}
	}
	return text
}

// forwardedNames are the headers that proxies set for the app behind them.
var forwardedNames = []string{"Forwarded", "Via", "X-Real-Ip", "X-Request-Id", "Traceparent", "Tracestate", "Cf-Connecting-Ip"}

func isForwarded(name string) bool {
	return strings.HasPrefix(name, "X-Forwarded-") || slices.Contains(forwardedNames, name)
}

func forwarded(all http.Header) http.Header {
	out := http.Header{}
	for name, values := range all {
		if isForwarded(name) {
			out[name] = values
		}
	}
	return out
}
