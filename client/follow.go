package client

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Event is one entry of the portal's log: a CloudEvents 1.0 event with its
// number. The data of iap.instance.changed is an Instance, that of
// iap.job.changed the public fields of a Job.
type Event struct {
	Number  int64           `json:"number" doc:"Position in the log"`
	ID      string          `json:"id"`
	Source  string          `json:"source"`
	Type    string          `json:"type"`
	Subject string          `json:"subject,omitempty" doc:"ID of what changed"`
	Time    time.Time       `json:"time"`
	Owner   string          `json:"owner,omitempty" doc:"The person it concerns; absent: all"`
	Group   string          `json:"group,omitempty" doc:"The instance it belongs to"`
	Data    json.RawMessage `json:"data,omitempty"`
	// Extensions are further attributes of an event from elsewhere.
	Extensions json.RawMessage `json:"extensions,omitempty" doc:"Further attributes of an event from elsewhere, by name"`
}

// The types of events that clients look at.
const (
	InstanceChanged = "iap.instance.changed"
	JobChanged      = "iap.job.changed"
)

// LogLine is one line of a job's log.
type LogLine struct {
	Job    string `json:"job"`
	Offset int64  `json:"offset" doc:"The byte of the log after the line"`
	Text   string `json:"text"`
}

// Follow says what to follow and who to tell. Its functions are called one at
// a time.
type Follow struct {
	After    int64  // number of the last event that was seen; 0: from now on
	Instance string // one instance alone, by a ref as Instance takes it
	All      bool   // everybody's, for admins
	// Logs are the jobs whose logs are followed too, at most eight at a time,
	// each from a byte on. Follow moves the bytes on with the lines, and
	// removes a log that has ended. A function that changes Logs returns ErrReopen.
	Logs map[string]int64
	// Opened is called each time the stream is there, from the first on: what
	// is read from now on is not older than what the stream will tell.
	Opened func() error
	// Event is called for each event in order.
	Event func(Event) error
	// Line is called for each line of Logs, once and in the order of its log.
	Line func(LogLine) error
	// LogEnd is called when all lines of a log were told; the offset is the
	// log's length. A log that nobody began to write yet may end at 0.
	LogEnd func(job string, offset int64) error
	// Lost is called when the stream broke, before it is opened again.
	Lost func(error)
}

// ErrReopen is returned by a function of Follow to have the stream opened anew
// where it is, with the Logs that there are now.
var ErrReopen = errors.New("open the stream again")

// The waits between attempts to open a stream again.
const (
	firstPause = 100 * time.Millisecond
	lastPause  = 5 * time.Second
)

// maxQuiet is how long a stream may say nothing before it is taken as broken:
// a portal shows a sign of life every 15 seconds.
const maxQuiet = 50 * time.Second

// Follow reads the portal's stream until ctx is done or a function of f
// returns an error, which Follow returns. A stream that breaks is opened again
// where it broke; a function's error that says that the portal cannot be
// reached or is busy breaks it as well. An answer that refuses the stream ends
// it, as does a portal that does not answer at the first attempt.
func (c *Client) Follow(ctx context.Context, f Follow) error {
	s := &stream{c: c, f: &f, pause: firstPause}
	for {
		err := s.once(ctx)
		var stop *stopError
		stopped := errors.As(err, &stop)
		switch {
		case stopped && stop.err == ErrReopen:
			continue
		case stopped && !passes(stop.err):
			return stop.err
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case stopped:
			err = stop.err
		case !s.opened || refused(err):
			return err
		}
		if f.Lost != nil {
			f.Lost(err)
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(s.pause/2 + rand.N(s.pause/2)):
		}
		s.pause = min(2*s.pause, lastPause)
	}
}

// refused reports whether the portal will not have the stream, however often
// it is asked.
func refused(err error) bool {
	var e *Error
	return errors.As(err, &e) && e.Status < 500 && e.Status != http.StatusTooManyRequests
}

// passes reports whether a function failed since the portal stops, starts or
// is busy.
func passes(err error) bool {
	var gone *NoPortalError
	var e *Error
	if errors.As(err, &e) {
		return e.Status == http.StatusTooManyRequests || e.Status >= 502 && e.Status <= 504
	}
	return errors.As(err, &gone) || errors.Is(err, io.ErrUnexpectedEOF)
}

// stopError carries an error of a function that Follow called.
type stopError struct{ err error }

func (e *stopError) Error() string { return e.err.Error() }

// stream is one call of Follow.
type stream struct {
	c      *Client
	f      *Follow
	opened bool // once at least
	pause  time.Duration
}

// once opens the stream and reads it until it breaks.
func (s *stream) once(ctx context.Context) error {
	q, h := s.f.request()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	resp, err := s.c.send(ctx, request{method: http.MethodGet, path: "/stream", query: q, header: h})
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	quiet := time.AfterFunc(s.c.quiet, cancel)
	defer quiet.Stop()
	body := readerFunc(func(b []byte) (int, error) {
		n, err := resp.Body.Read(b)
		quiet.Reset(s.c.quiet)
		return n, err
	})
	return readStream(body, func(m message) error {
		if err := s.take(m); err != nil {
			return &stopError{err}
		}
		return nil
	})
}

// request returns what asks for the stream from where f is.
func (f *Follow) request() (url.Values, http.Header) {
	q := url.Values{}
	if f.Instance != "" {
		q.Set("instance", f.Instance)
	}
	if f.All {
		q.Set("all", "true")
	}
	for _, job := range slices.Sorted(maps.Keys(f.Logs)) {
		q.Add("log", job+":"+strconv.FormatInt(f.Logs[job], 10))
	}
	h := http.Header{"Accept": {"text/event-stream"}}
	if f.After > 0 {
		h.Set("Last-Event-ID", strconv.FormatInt(f.After, 10))
	}
	return q, h
}

// take notes how far a message leads and tells of it.
func (s *stream) take(m message) error {
	number, _, _ := strings.Cut(m.id, ";") // the offsets of logs follow
	if n, err := strconv.ParseInt(number, 10, 64); err == nil && n > 0 {
		s.f.After = n
	}
	if m.event != "open" {
		s.pause = firstPause // it does not only open and break
	}
	switch m.event {
	case "open":
		s.opened = true
		if s.f.Opened != nil {
			return s.f.Opened()
		}
	case "log", "log-end":
		return s.log(m)
	case "": // a sign of life
	default:
		var e Event
		if json.Unmarshal([]byte(m.data), &e) == nil && s.f.Event != nil {
			return s.f.Event(e)
		}
	}
	return nil
}

// log takes a line or the end of a log.
func (s *stream) log(m message) error {
	var l LogLine
	if err := json.Unmarshal([]byte(m.data), &l); err != nil {
		return fmt.Errorf("a line of a log of %s cannot be read: %w", s.c.server, err)
	}
	at, followed := s.f.Logs[l.Job]
	switch {
	case !followed:
	case m.event == "log-end":
		delete(s.f.Logs, l.Job)
		if s.f.LogEnd != nil {
			return s.f.LogEnd(l.Job, l.Offset)
		}
	case l.Offset > at: // else it was told before
		s.f.Logs[l.Job] = l.Offset
		if s.f.Line != nil {
			return s.f.Line(l)
		}
	}
	return nil
}
