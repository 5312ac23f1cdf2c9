package main

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/coder/websocket"
)

// Bounds of what a request may ask for.
const (
	maxDelay = 5 * time.Minute
	maxBytes = 1 << 30
	maxLines = 1_000_000
)

// status answers with the status that the path names.
func (s *server) status(w http.ResponseWriter, r *http.Request, rest string) {
	code, err := strconv.Atoi(rest)
	if err != nil || code < 200 || code > 599 {
		http.Error(w, fmt.Sprintf("status %q: it must be a number from 200 to 599", rest), http.StatusBadRequest)
		return
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(code)
	_, _ = fmt.Fprintf(w, "%d %s\n", code, http.StatusText(code)) // refused by the server where no body may be
}

// delay waits, then shows the request.
func (s *server) delay(w http.ResponseWriter, r *http.Request, rest string) {
	d, err := time.ParseDuration(rest)
	if err != nil || d < 0 || d > maxDelay {
		http.Error(w, fmt.Sprintf("delay %q: it must be a time like 500ms, at most %s", rest, maxDelay), http.StatusBadRequest)
		return
	}
	select {
	case <-time.After(d):
		s.show(w, r, "")
	case <-r.Context().Done():
	}
}

// stream writes lines as they come: Server-Sent Events to who accepts those, else plain text.
// "lines" (10; 0 without end) and "every" (1s) are in the query.
func (s *server) stream(w http.ResponseWriter, r *http.Request, _ string) {
	lines, every, err := streamQuery(r)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	format := "line %d at %s\n"
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	if strings.Contains(r.Header.Get("Accept"), "text/event-stream") {
		format = "id: %d\ndata: %s\n\n"
		w.Header().Set("Content-Type", "text/event-stream")
	}
	out := http.NewResponseController(w)
	for n := 1; lines == 0 || n <= lines; n++ {
		if _, err := fmt.Fprintf(w, format, n, time.Now().UTC().Format(time.RFC3339Nano)); err != nil || out.Flush() != nil {
			return
		}
		if n == lines {
			return
		}
		select {
		case <-time.After(every):
		case <-r.Context().Done():
			return
		}
	}
}

func streamQuery(r *http.Request) (lines int, every time.Duration, err error) {
	lines, every = 10, time.Second
	if text := r.URL.Query().Get("lines"); text != "" {
		if lines, err = strconv.Atoi(text); err != nil || lines < 0 || lines > maxLines {
			return 0, 0, fmt.Errorf("lines %q: it must be a number up to %d, or 0 for no end", text, maxLines)
		}
	}
	if text := r.URL.Query().Get("every"); text != "" {
		if every, err = time.ParseDuration(text); err != nil || every < 0 || every > maxDelay {
			return 0, 0, fmt.Errorf("every %q: it must be a time like 100ms, at most %s", text, maxDelay)
		}
	}
	return lines, every, nil
}

// echo sends the body back while it still comes.
func (s *server) echo(w http.ResponseWriter, r *http.Request, _ string) {
	out := http.NewResponseController(w)
	_ = out.EnableFullDuplex() // HTTP/2 needs no leave
	kind := r.Header.Get("Content-Type")
	if kind == "" {
		kind = "application/octet-stream"
	}
	w.Header().Set("Content-Type", kind)
	w.Header().Set("Content-Security-Policy", "sandbox; default-src 'none'") // it is not a page of ours
	buffer := make([]byte, 32<<10)
	for {
		n, err := r.Body.Read(buffer)
		if n > 0 {
			if _, err := w.Write(buffer[:n]); err != nil || out.Flush() != nil {
				return
			}
		}
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			panic(http.ErrAbortHandler) // half an echo must not look like a whole one
		}
	}
}

// bytes sends as many bytes as the path says: the alphabet, again and again.
func (s *server) bytes(w http.ResponseWriter, r *http.Request, rest string) {
	n, err := strconv.ParseInt(rest, 10, 64)
	if err != nil || n < 0 || n > maxBytes {
		http.Error(w, fmt.Sprintf("bytes %q: it must be a number up to %d", rest, maxBytes), http.StatusBadRequest)
		return
	}
	w.Header().Set("Content-Type", "application/octet-stream")
	w.Header().Set("Content-Length", rest)
	if r.Method == http.MethodHead {
		return
	}
	block := []byte(strings.Repeat("abcdefghijklmnopqrstuvwxyz", 1260)) // 32,760 bytes
	for n > 0 {
		wrote, err := w.Write(block[:min(n, int64(len(block)))])
		if err != nil {
			return
		}
		n -= int64(wrote)
	}
}

// socket sends each WebSocket message back.
func (s *server) socket(w http.ResponseWriter, r *http.Request, _ string) {
	conn, err := websocket.Accept(w, r, nil)
	if err != nil {
		return // it has answered
	}
	defer conn.CloseNow()
	conn.SetReadLimit(1 << 20)
	for {
		kind, data, err := conn.Read(r.Context())
		if err != nil {
			return
		}
		if err := conn.Write(r.Context(), kind, data); err != nil {
			return
		}
	}
}

// setCookie sets a cookie exactly as asked for, whether or not it is allowed, to see what becomes of
// it on the way. The attributes are in the query.
func (s *server) setCookie(w http.ResponseWriter, r *http.Request, rest string) {
	q := r.URL.Query()
	name := q.Get("name")
	if rest != "set" || name == "" {
		http.Error(w, "use /cookie/set?name=…&value=…, with domain, path, max_age, same_site, secure, http_only if you like", http.StatusBadRequest)
		return
	}
	line := name + "=" + q.Get("value")
	for _, attribute := range [][2]string{{"domain", "Domain"}, {"path", "Path"}, {"max_age", "Max-Age"}, {"same_site", "SameSite"}} {
		if value := q.Get(attribute[0]); value != "" {
			line += "; " + attribute[1] + "=" + value
		}
	}
	for _, flag := range [][2]string{{"secure", "Secure"}, {"http_only", "HttpOnly"}} {
		if q.Has(flag[0]) {
			line += "; " + flag[1]
		}
	}
	w.Header().Add("Set-Cookie", line)
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	_, _ = fmt.Fprintf(w, "Set-Cookie: %s\n", line)
}

// exit ends the process with the code in the query once the answer is on its way.
func (s *server) exit(w http.ResponseWriter, r *http.Request, _ string) {
	code := 0
	if text := r.URL.Query().Get("code"); text != "" {
		var err error
		if code, err = strconv.Atoi(text); err != nil || code < 0 || code > 255 {
			http.Error(w, fmt.Sprintf("code %q: it must be a number from 0 to 255", text), http.StatusBadRequest)
			return
		}
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Connection", "close")
	_, _ = fmt.Fprintf(w, "exiting with code %d\n", code)
	_ = http.NewResponseController(w).Flush()
	s.logger.Printf("exiting with code %d, as a request asked for", code)
	s.quit(code)
}
