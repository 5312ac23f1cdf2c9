package web

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	iap "github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/event"
)

const (
	// heartbeat is how often a stream says that it is there.
	heartbeat = 15 * time.Second
	// writeTimeout is how long one write to a browser may take.
	writeTimeout = 10 * time.Second
	// tooFar is how many events a browser may be behind; beyond, it loads its
	// page anew.
	tooFar = 5000
	// maxTopics is how many topics one stream may want; pages need a few.
	maxTopics = 100
)

var errStopped = errors.New("the portal stops")

// heartbeats wakes all streams from one ticker.
func (s *Server) heartbeats() {
	defer s.done.Done()
	t := time.NewTicker(heartbeat)
	defer t.Stop()
	for {
		select {
		case <-s.stopped.Done():
			return
		case <-t.C:
			s.mu.Lock()
			close(s.beat)
			s.beat = make(chan struct{})
			s.mu.Unlock()
		}
	}
}

func (s *Server) nextBeat() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.beat
}

// enter counts a stream, unless the server has stopped.
func (s *Server) enter() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stopped.Err() != nil {
		return false
	}
	s.done.Add(1)
	return true
}

// sameOrigin reports whether a page of the portal itself asks: browsers say so
// with every request of an EventSource, and no protection of forms looks at a
// GET.
func sameOrigin(r *http.Request) bool {
	switch r.Header.Get("Sec-Fetch-Site") {
	case "same-origin", "none":
		return true
	case "":
	default:
		return false
	}
	origin := r.Header.Get("Origin")
	if origin == "" {
		return true
	}
	u, err := url.Parse(origin)
	return err == nil && u.Host == r.Host
}

// stream is GET /stream: the one live stream of a browser.
//
// Each message's data begins with a line that names it; its id is the event's
// number, "N.k" for all but the last message of event N, so that a browser that
// lost the connection between two of them gets the event again. Where logs are
// followed (?log=JOB:offset) ";JOB=offset" follows for each.
//
// With ?want=TOPIC, repeated, nothing but messages of these topics is sent, and
// nothing else is rendered. A topic is the name of a message, or the part of it
// before the first "-" for all such names.
func (s *Server) stream(w http.ResponseWriter, r *http.Request) {
	if !sameOrigin(r) {
		http.Error(w, "the stream is for the portal's own pages", http.StatusForbidden)
		return
	}
	actor, ok := s.cfg.Auth.Actor(r)
	if !ok {
		http.Error(w, "sign in first", http.StatusUnauthorized)
		return
	}
	if !s.enter() {
		w.Header().Set("Retry-After", "1")
		http.Error(w, "the portal stops", http.StatusServiceUnavailable)
		return
	}
	defer s.done.Done()
	ctx, cancel := context.WithCancelCause(r.Context())
	defer cancel(nil)
	defer context.AfterFunc(s.stopped, func() { cancel(errStopped) })()

	v := &viewer{s: s, r: r, actor: actor, w: w, rc: http.NewResponseController(w), offsets: map[string]int64{}, ends: map[string][]byte{}}
	v.position(r)
	h := w.Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Accel-Buffering", "no")
	w.WriteHeader(http.StatusOK)
	if err := v.run(ctx); err != nil && ctx.Err() == nil && !isGone(err) {
		s.cfg.Logger.Warn("a stream ended", "err", err)
	}
}

// viewer is one open stream.
type viewer struct {
	s       *Server
	r       *http.Request
	actor   iap.Actor
	w       http.ResponseWriter
	rc      *http.ResponseController
	last    int64             // number of the last event sent whole
	offsets map[string]int64  // of the logs followed, by job
	order   []string          // of the logs, as asked for
	wants   map[string]bool   // topics; nil: all
	tails   []tail            // of the log, that are wanted
	told    int64             // the number that the browser knows
	ends    map[string][]byte // what was sent of ends last, by topic
	buf     []byte
	resync  bool
}

// position reads where the browser was: its Last-Event-ID, else ?last and
// ?log.
func (v *viewer) position(r *http.Request) {
	newest := v.s.cfg.Events.Last()
	v.last = newest
	v.want(r.URL.Query()["want"])
	for _, text := range r.URL.Query()["log"] {
		if want, ok := parseWanted(text); ok && len(v.order) < maxLogs {
			if _, twice := v.offsets[want.job]; !twice {
				v.order = append(v.order, want.job)
			}
			v.offsets[want.job] = want.offset
		}
	}
	at := r.URL.Query().Get("last")
	if id := r.Header.Get("Last-Event-ID"); id != "" {
		at = id
	}
	parts := strings.Split(at, ";")
	number, part, _ := strings.Cut(parts[0], ".")
	if n, err := strconv.ParseInt(number, 10, 64); err == nil && n >= 0 {
		if part != "" { // event n was sent in part: again
			n--
		}
		v.resync = n > newest || n < newest-tooFar
		if !v.resync {
			v.last = n
		}
	}
	for _, p := range parts[1:] {
		id, offset, _ := strings.Cut(p, "=")
		if _, asked := v.offsets[id]; !asked {
			continue
		}
		if n, err := strconv.ParseInt(offset, 10, 64); err == nil && n >= 0 {
			v.offsets[id] = n
		}
	}
}

// run sends until the browser or the server goes.
func (v *viewer) run(ctx context.Context) error {
	ctx, cancel := context.WithCancelCause(ctx)
	pieces := make(chan piece)
	running := v.s.followLogs(ctx, v, pieces)
	defer func() {
		cancel(nil)
		<-running
	}()
	v.buf = append(v.buf[:0], "retry: 1000\n\n"...)
	if v.resync {
		v.message(strconv.FormatInt(v.last, 10), "resync", nil)
	}
	if err := v.flush(); err != nil {
		return err
	}
	v.told = v.last
	sub, beat := v.s.cfg.Events.Subscribe(v.last), v.s.nextBeat()
	for {
		batch, changed, err := sub.Poll(ctx)
		if err == nil && len(batch) > 0 {
			err = v.events(ctx, batch)
		}
		if err != nil {
			return err
		}
		if len(batch) > 0 {
			continue
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-changed:
		case p := <-pieces:
			err = v.piece(p)
		case <-beat:
			beat = v.s.nextBeat()
			err = v.beat(ctx)
		}
		if err != nil {
			return err
		}
	}
}

var errSignedOut = errors.New("the browser is not signed in any more")

func (v *viewer) signedIn() bool {
	a, ok := v.s.cfg.Auth.Actor(v.r)
	return ok && a == v.actor
}

// beat says that the stream is there, and how far the log is when the browser
// was not told of the newest events.
func (v *viewer) beat(ctx context.Context) error {
	if !v.signedIn() {
		return errSignedOut
	}
	v.buf = append(v.buf[:0], ": beat\n\n"...)
	if v.told != v.last {
		v.message(strconv.FormatInt(v.last, 10), "at", nil)
		v.told = v.last
	}
	v.used(ctx)
	return v.flush()
}

// events sends what the viewer may see and wants of a batch. Of several events
// of one subject the last alone is rendered, for all are rendered from the
// present state; who follows the log itself gets each.
func (v *viewer) events(ctx context.Context, batch []event.Event) error {
	newest := make(map[subject]int, len(batch))
	for n, e := range batch {
		newest[subjectOf(e)] = n
	}
	v.buf = v.buf[:0]
	for n, e := range batch {
		if e.Type == event.LoginEnded && e.Owner == v.actor.ID && !v.signedIn() {
			return errSignedOut
		}
		v.event(ctx, e, newest[subjectOf(e)] == n)
		v.last = e.Number
	}
	if len(v.buf) == 0 {
		return nil
	}
	return v.flush()
}

// subject is what events are about.
type subject struct{ kind, id string }

// subjectOf returns what an event is about. Dead letters are shown by their
// number alone, as one.
func subjectOf(e event.Event) subject {
	if e.Type == event.DeliveryDead {
		return subject{kind: e.Type}
	}
	return subject{e.Type, e.Subject}
}

// event adds the messages of one event; unless it is the newest of its subject,
// those alone that show the event itself.
func (v *viewer) event(ctx context.Context, e event.Event, newest bool) {
	texts := v.tailed(ctx, e)
	if newest {
		texts = append(texts, v.present(ctx, e)...)
	}
	for k, text := range texts {
		id := strconv.FormatInt(e.Number, 10)
		if k < len(texts)-1 {
			id += "." + strconv.Itoa(k)
		} else {
			v.last, v.told = e.Number, e.Number
		}
		v.raw(id, text)
	}
}

// present returns the messages of an event that show how things are now.
func (v *viewer) present(ctx context.Context, e event.Event) (texts [][]byte) {
	for _, f := range v.s.messages(ctx, e, v.actor) {
		if f.name == tailName || !v.wanted(f.name) {
			continue
		}
		if text := f.encoded(); len(text) > 0 {
			texts = append(texts, text)
		}
	}
	return texts
}

// want notes the topics that the browser's pages listen to.
func (v *viewer) want(topics []string) {
	if len(topics) == 0 {
		return
	}
	v.wants = make(map[string]bool, min(len(topics), maxTopics)+1)
	for _, topic := range topics[:min(len(topics), maxTopics)] {
		if t, ok := v.s.parseTail(topic); ok {
			v.tails = append(v.tails, t)
		}
		v.wants[topic] = true
	}
	v.wants["stale"] = true
}

func (v *viewer) wanted(name string) bool {
	if v.wants == nil {
		return true
	}
	kind, _, _ := strings.Cut(name, "-")
	return v.wants[name] || v.wants[kind]
}

func (v *viewer) piece(p piece) error {
	v.offsets[p.Job] = p.To
	data, err := json.Marshal(p)
	if err != nil {
		return err
	}
	v.buf = v.buf[:0]
	v.message(strconv.FormatInt(v.last, 10), "log-"+p.Job, data)
	return v.flush()
}

// message adds a message of one line.
func (v *viewer) message(id, name string, data []byte) {
	v.raw(id, encodeMessage(name, data))
}

// raw adds an encoded message under an id.
func (v *viewer) raw(id string, encoded []byte) {
	v.buf = append(append(v.buf, "id: "...), id...)
	for _, job := range v.order {
		v.buf = append(append(append(v.buf, ';'), job...), '=')
		v.buf = strconv.AppendInt(v.buf, v.offsets[job], 10)
	}
	v.buf = append(append(v.buf, '\n'), encoded...)
}

// flush writes what was added; a browser that does not read is given up.
func (v *viewer) flush() error {
	if err := v.writeUntil(time.Now().Add(writeTimeout)); err != nil {
		return err
	}
	if _, err := v.w.Write(v.buf); err != nil {
		return gone{err}
	}
	if err := v.rc.Flush(); err != nil {
		return gone{err}
	}
	// In HTTP/2 a deadline ends the stream also while nothing is written.
	return v.writeUntil(time.Time{})
}

func (v *viewer) writeUntil(t time.Time) error {
	if err := v.rc.SetWriteDeadline(t); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return err
	}
	return nil
}

// gone is the error of a browser that went away.
type gone struct{ error }

func isGone(err error) bool {
	var g gone
	return errors.As(err, &g) || errors.Is(err, errStopped) || errors.Is(err, errSignedOut)
}
