package api

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/client"
	"github.com/internal-app-portal/iap/event"
)

// writeTime is how long a client may take to read what was sent before its
// stream is closed; it comes back and goes on by number.
const writeTime = 20 * time.Second

// follower is one stream.
type follower struct {
	s        *service
	actor    iap.Actor
	instance string // ID; empty: all that the actor may see
	all      bool
	after    int64
	logs     map[string]int64 // offset by job
}

// logLine is what the reader of a log has: a line, its end, or an error.
type logLine struct {
	client.LogLine
	end bool
	err error
}

// newFollower checks what is asked for: nobody follows what they may not see.
func (s *service) newFollower(ctx context.Context, in *streamInput) (*follower, error) {
	const op = "api.Stream"
	f := &follower{s: s, actor: actor(ctx), all: in.All, after: s.cfg.Log.Last(), logs: map[string]int64{}}
	if in.All && !f.actor.Role.Includes(iap.Admin) {
		return nil, iap.Errorf(op, iap.Forbidden, "others' events are for admins to see")
	}
	if in.Instance != "" {
		i, err := s.cfg.Instances.Get(ctx, f.actor, in.Instance)
		if err != nil {
			return nil, err
		}
		f.instance = i.ID
	}
	for _, l := range in.Log {
		id, offset, err := parseLog(l)
		if err != nil {
			return nil, err
		}
		if _, err := s.job(ctx, id); err != nil {
			return nil, err
		}
		f.logs[id] = offset
	}
	last := in.LastEventID
	if last == "" {
		last = in.Last
	}
	if err := f.resume(last); err != nil || last == "" {
		return f, err
	}
	return f, s.kept(ctx, f.after+1)
}

// parseLog reads "JOB:OFFSET".
func parseLog(s string) (id string, offset int64, err error) {
	id, number, _ := strings.Cut(s, ":")
	if number != "" {
		offset, err = strconv.ParseInt(number, 10, 64)
	}
	if err != nil || offset < 0 {
		return "", 0, iap.FieldErrorf("api.Stream", "query.log", "%.80q is not JOB:OFFSET", s)
	}
	return id, offset, nil
}

// resume takes up where the id that a client saw last says. Offsets of logs
// that were not asked for now are ignored.
func (f *follower) resume(last string) error {
	if last == "" {
		return nil
	}
	number, offsets, _ := strings.Cut(last, ";")
	n, err := strconv.ParseInt(number, 10, 64)
	if err != nil || n < 0 {
		return iap.FieldErrorf("api.Stream", "Last-Event-ID", "%.80q is not an id of this stream", last)
	}
	// A number from the future is from another database: begin with now.
	f.after = min(n, f.after)
	for part := range strings.SplitSeq(offsets, ";") {
		job, at, _ := strings.Cut(part, "=")
		offset, err := strconv.ParseInt(at, 10, 64)
		if _, asked := f.logs[job]; asked && err == nil && offset >= 0 {
			f.logs[job] = offset
		}
	}
	return nil
}

// sees reports whether the stream tells of e.
func (f *follower) sees(e event.Event) bool {
	if f.instance != "" {
		return e.Group == f.instance
	}
	return e.Owner == "" || e.Owner == f.actor.ID || f.all
}

// run is the stream. One goroutine waits for events and one for each log; this
// one alone writes.
func (f *follower) run(hc huma.Context) {
	r, w := humago.Unwrap(hc)
	if !sameOrigin(r) {
		f.s.write(w, newProblem(http.StatusForbidden, "a page of another site asked for this stream"))
		return
	}
	ctx, cancel := f.s.untilDone(r.Context())
	defer cancel()
	h := w.Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("X-Accel-Buffering", "no") // a buffering proxy would hold events back
	out := &sender{f: f, w: w, rc: http.NewResponseController(w)}
	if !out.message("open", map[string]int64{"last": f.after}) || !out.flush() {
		return
	}
	events, lines := f.events(ctx), f.lines(ctx)
	beat := time.NewTicker(f.s.cfg.Heartbeat)
	defer beat.Stop()
	for ok := true; ok; {
		select {
		case <-ctx.Done():
			return
		case batch, open := <-events:
			ok = open && out.events(batch)
		case l := <-lines:
			ok = out.line(l)
		case <-beat.C:
			// Who asked may have signed out, or be somebody else by now: what
			// they may see is decided anew when they come back.
			a, signedIn := f.s.cfg.Auth.Actor(r)
			ok = signedIn && a == f.actor
			out.buf.WriteString(": alive\n\n")
		}
		ok = ok && out.flush()
	}
}

// sameOrigin reports whether no other site's page sent the request, which
// http.CrossOriginProtection does not ask for a GET.
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
	return err == nil && strings.EqualFold(u.Host, r.Host)
}

// events returns a channel of batches, closed when the log cannot be read.
func (f *follower) events(ctx context.Context) <-chan []event.Event {
	ch := make(chan []event.Event)
	sub := f.s.cfg.Log.Subscribe(f.after)
	go func() {
		defer close(ch)
		for {
			batch, err := sub.Next(ctx)
			if err != nil {
				return
			}
			select {
			case ch <- batch:
			case <-ctx.Done():
				return
			}
		}
	}()
	return ch
}

// lines returns a channel of the lines of all logs that are followed.
func (f *follower) lines(ctx context.Context) <-chan logLine {
	ch := make(chan logLine)
	for id, offset := range f.logs {
		go f.follow(ctx, id, offset, ch)
	}
	return ch
}

// follow reads a log until it ends or cannot be read.
func (f *follower) follow(ctx context.Context, id string, offset int64, ch chan<- logLine) {
	send := func(l logLine) bool {
		l.Job, l.Offset = id, offset
		select {
		case ch <- l:
			return true
		case <-ctx.Done():
			return false
		}
	}
	log, err := f.s.cfg.Jobs.Log(ctx, id, offset, true)
	if err == nil {
		defer log.Close()
		stop := context.AfterFunc(ctx, func() { log.Close() })
		defer stop()
		lines := bufio.NewReaderSize(log, 32<<10)
		for err == nil {
			var text []byte
			text, err = lines.ReadSlice('\n')
			if err == bufio.ErrBufferFull {
				err = nil
			}
			if err == nil || err == io.EOF && len(text) > 0 {
				offset += int64(len(text))
				if !send(logLine{LogLine: client.LogLine{Text: strings.ToValidUTF8(string(bytes.TrimRight(text, "\n")), "\uFFFD")}}) {
					return
				}
			}
		}
	}
	if err == io.EOF || iap.IsKind(err, iap.NotFound) {
		send(logLine{end: true})
		return
	}
	send(logLine{err: err})
}

// sender writes the messages of one stream.
type sender struct {
	f   *follower
	w   io.Writer
	rc  *http.ResponseController
	buf bytes.Buffer
}

// id returns where the stream is: what a client sends to go on from here.
func (o *sender) id() string {
	var b strings.Builder
	b.WriteString(strconv.FormatInt(o.f.after, 10))
	for _, job := range slices.Sorted(maps.Keys(o.f.logs)) {
		fmt.Fprintf(&b, ";%s=%d", job, o.f.logs[job])
	}
	return b.String()
}

// message adds one message. JSON holds no line breaks, so that what is in it
// cannot begin another message.
func (o *sender) message(name string, data any) bool {
	text, err := json.Marshal(data)
	if err != nil {
		return false
	}
	fmt.Fprintf(&o.buf, "id: %s\nevent: %s\ndata: %s\n\n", o.id(), name, text)
	return true
}

func (o *sender) events(batch []event.Event) bool {
	for _, e := range batch {
		o.f.after = e.Number
		if o.f.sees(e) && !o.message(e.Type, o.f.s.event(e)) {
			return false
		}
	}
	return true
}

func (o *sender) line(l logLine) bool {
	if l.err != nil { // the client comes back for the rest
		o.f.s.log.Warn("a log that is followed cannot be read", "job", l.Job, "err", l.err)
		return false
	}
	o.f.logs[l.Job] = l.Offset
	if l.end {
		return o.message("log-end", l.LogLine)
	}
	return o.message("log", l.LogLine)
}

func (o *sender) flush() bool {
	if o.buf.Len() == 0 {
		return true
	}
	_ = o.rc.SetWriteDeadline(time.Now().Add(writeTime)) // where the writer has no deadlines, none is set
	_, err := o.w.Write(o.buf.Bytes())
	o.buf.Reset()
	if err != nil || o.rc.Flush() != nil {
		return false
	}
	_ = o.rc.SetWriteDeadline(time.Time{}) // in HTTP/2 it ends a stream that is quiet
	return true
}
