package proxy

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	iap "github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/event"
	"github.com/internal-app-portal/iap/instance"
)

const (
	// ownPath is where the proxy itself answers on every host.
	ownPath    = "/.iap/"
	streamPath = ownPath + "stream"
	// writeTimeout is how long one write to a waiting page may take.
	writeTimeout = 10 * time.Second
	beat         = 15 * time.Second
)

// refuse answers with a line of text.
func refuse(w http.ResponseWriter, status int, text string) {
	h := w.Header()
	h.Set("Content-Type", "text/plain; charset=utf-8")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	io.WriteString(w, text+"\n")
}

// wantsPage reports whether a browser asks for a page, not a program or a
// script of a page.
func wantsPage(r *http.Request) bool {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		return false
	}
	if mode := r.Header.Get("Sec-Fetch-Mode"); mode != "" && mode != "navigate" {
		return false
	}
	return strings.Contains(r.Header.Get("Accept"), "text/html")
}

// page answers a browser with a page, others with a line.
func (p *Proxy) page(w http.ResponseWriter, r *http.Request, status int, text string, write func(io.Writer) error) {
	h := w.Header()
	h.Set("Vary", "Accept")
	if !wantsPage(r) {
		refuse(w, status, text)
		return
	}
	var b bytes.Buffer
	if err := write(&b); err != nil {
		p.cfg.Logger.Warn("a page could not be written", "host", r.Host, "err", err)
		refuse(w, status, text)
		return
	}
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", "default-src 'none'; script-src 'self'; style-src 'self'; font-src 'self'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Length", strconv.Itoa(b.Len()))
	w.WriteHeader(status)
	w.Write(b.Bytes())
}

func (p *Proxy) unanswered(w http.ResponseWriter, r *http.Request, i instance.Instance) {
	if i.Upstream != "" { // else its container has exited and stays away
		w.Header().Set("Retry-After", "1")
	}
	p.page(w, r, http.StatusBadGateway, "the app does not answer", func(w io.Writer) error {
		return p.cfg.Pages.Unanswered(r.Context(), w, i)
	})
}

// watch is GET /.iap/stream: the progress of this instance alone, as the
// waiting page shows it, and "ready" when a new request will be answered
// otherwise.
func (p *Proxy) watch(w http.ResponseWriter, r *http.Request, i instance.Instance) {
	p.stream(w, r, i, func(ctx context.Context, s *stream) error { return p.follows(ctx, s, i.HostName) })
}

// stream serves a stream to a page of an instance's own host while the one who
// asks has the right to it.
func (p *Proxy) stream(w http.ResponseWriter, r *http.Request, i instance.Instance, follow func(context.Context, *stream) error) {
	if site := r.Header.Get("Sec-Fetch-Site"); site != "" && site != "same-origin" && site != "none" {
		refuse(w, http.StatusForbidden, "the stream is for this host's own page")
		return
	}
	p.mu.Lock()
	if p.stopped.Err() != nil {
		p.mu.Unlock()
		refuse(w, http.StatusServiceUnavailable, "the portal stops")
		return
	}
	p.watchers.Add(1)
	p.mu.Unlock()
	defer p.watchers.Done()
	r, leave, ok := p.hold(r, i)
	defer leave()
	if !ok {
		refuse(w, http.StatusForbidden, "this instance is not open to you")
		return
	}
	ctx, cancel := context.WithCancelCause(r.Context())
	defer cancel(nil)
	defer context.AfterFunc(p.stopped, func() { cancel(errStopped) })()
	h := w.Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Accel-Buffering", "no")
	w.WriteHeader(http.StatusOK)
	s := &stream{w: w, rc: http.NewResponseController(w)}
	if err := follow(ctx, s); err != nil && ctx.Err() == nil && !errors.As(err, new(clientGone)) {
		p.cfg.Logger.Warn("a stream to an instance's page ended", "host_name", i.HostName, "path", r.URL.Path, "err", err)
	}
}

// follows sends an instance's progress until it needs no waiting any more.
func (p *Proxy) follows(ctx context.Context, s *stream, hostName string) error {
	sub := p.cfg.Log.Subscribe(p.cfg.Log.Last())
	for {
		i, err := p.cfg.Instances.InstanceByHostName(ctx, hostName)
		if err != nil && !iap.IsKind(err, iap.Unavailable) {
			return err
		}
		if err == nil {
			if i.Status == instance.Running || i.Status.Ended() {
				return s.send("ready", nil)
			}
			var b bytes.Buffer
			if err := p.cfg.Pages.Progress(ctx, &b, i); err != nil {
				return err
			}
			if err := s.send("progress", b.Bytes()); err != nil {
				return err
			}
		}
		if err := s.next(ctx, sub, func(e event.Event) bool { return isOf(e, i.ID) }); err != nil {
			return err
		}
	}
}

// isOf reports whether an event tells of an instance.
func isOf(e event.Event, id string) bool { return e.Group == id || e.Subject == id }

// stream writes server-sent events to a page of an instance's host.
type stream struct {
	w  http.ResponseWriter
	rc *http.ResponseController
}

// clientGone is the error of a browser that went away.
type clientGone struct{ error }

// next waits for an event that is wanted, and shows meanwhile that the stream is
// alive.
func (s *stream) next(ctx context.Context, sub *event.Subscription, wanted func(event.Event) bool) error {
	for {
		wait, cancel := context.WithTimeout(ctx, beat)
		batch, err := sub.Next(wait)
		cancel()
		if errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil {
			if err := s.write([]byte(": beat\n\n")); err != nil {
				return err
			}
			continue
		}
		if err != nil {
			return err
		}
		if slices.ContainsFunc(batch, wanted) {
			return nil
		}
	}
}

func (s *stream) send(name string, html []byte) error {
	b := append([]byte("event: "+name+"\n"), "data: "...)
	for line := range bytes.Lines(html) {
		line = bytes.Trim(line, " \t\r\n")
		b = append(append(b, bytes.ReplaceAll(line, []byte{'\r'}, []byte{' '})...), ' ')
	}
	return s.write(append(b, "\n\n"...))
}

func (s *stream) write(b []byte) error {
	if err := s.writeUntil(time.Now().Add(writeTimeout)); err != nil {
		return err
	}
	if _, err := s.w.Write(b); err != nil {
		return clientGone{err}
	}
	if err := s.rc.Flush(); err != nil {
		return clientGone{err}
	}
	// In HTTP/2 a deadline ends the stream also while nothing is written.
	return s.writeUntil(time.Time{})
}

func (s *stream) writeUntil(t time.Time) error {
	if err := s.rc.SetWriteDeadline(t); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return err
	}
	return nil
}

// pause waits a moment; false when ctx ended.
func pause(ctx context.Context) bool {
	t := time.NewTimer(time.Second)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}
