package client

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
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
}

// The types of events that clients look at.
const (
	InstanceChanged = "iap.instance.changed"
	JobChanged      = "iap.job.changed"
)

// Follow says what to follow and who to tell.
type Follow struct {
	After    int64  // number of the last event that was seen; 0: from now on
	Instance string // one instance alone, by a ref as Instance takes it
	All      bool   // everybody's, for admins
	// Opened is called each time the stream is there, from the first on: what
	// is read from now on is not older than what the stream will tell.
	Opened func() error
	// Event is called for each event in order.
	Event func(Event) error
	// Lost is called when the stream broke, before it is opened again.
	Lost func(error)
}

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
// where it broke. An answer that refuses the stream ends it, as does a portal
// that does not answer at the first attempt.
func (c *Client) Follow(ctx context.Context, f Follow) error {
	pause, opened := firstPause, false
	for {
		err := c.followOnce(ctx, &f, func() error {
			pause, opened = firstPause, true
			if f.Opened != nil {
				return f.Opened()
			}
			return nil
		})
		var stop *stopError
		var refused *Error
		switch {
		case errors.As(err, &stop):
			return stop.err
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case !opened:
			return err
		case errors.As(err, &refused) && refused.Status < 500 && refused.Status != http.StatusTooManyRequests:
			return err
		}
		if f.Lost != nil {
			f.Lost(err)
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(pause/2 + rand.N(pause/2)):
		}
		pause = min(2*pause, lastPause)
	}
}

// stopError carries an error of a function that Follow called.
type stopError struct{ err error }

func (e *stopError) Error() string { return e.err.Error() }

func (c *Client) followOnce(ctx context.Context, f *Follow, opened func() error) error {
	q := url.Values{}
	if f.Instance != "" {
		q.Set("instance", f.Instance)
	}
	if f.All {
		q.Set("all", "true")
	}
	h := http.Header{"Accept": {"text/event-stream"}}
	if f.After > 0 {
		h.Set("Last-Event-ID", strconv.FormatInt(f.After, 10))
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	resp, err := c.send(ctx, request{method: http.MethodGet, path: "/stream", query: q, header: h})
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	quiet := time.AfterFunc(c.quiet, cancel)
	defer quiet.Stop()
	body := readerFunc(func(b []byte) (int, error) {
		n, err := resp.Body.Read(b)
		quiet.Reset(c.quiet)
		return n, err
	})
	return readStream(body, func(m message) error {
		if n, err := strconv.ParseInt(m.id, 10, 64); err == nil && n > 0 {
			f.After = n
		}
		var err error
		switch m.event {
		case "open":
			err = opened()
		case "":
		default:
			var e Event
			if json.Unmarshal([]byte(m.data), &e) == nil && f.Event != nil {
				err = f.Event(e)
			}
		}
		if err != nil {
			return &stopError{err}
		}
		return nil
	})
}

// readerFunc is a function that is an io.Reader.
type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(b []byte) (int, error) { return f(b) }

// message is one message of a stream of server-sent events.
type message struct{ id, event, data string }

// readStream calls fn with each message of r until r ends, which is an error
// too, or fn returns one. (HTML Standard, 9.2.6: interpreting an event stream.)
func readStream(r io.Reader, fn func(message) error) error {
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, 4<<20)
	var m message
	var data []string
	for lines.Scan() {
		line := lines.Text()
		if line == "" {
			m.data = strings.Join(data, "\n")
			if err := fn(m); err != nil {
				return err
			}
			m, data = message{id: m.id}, nil
			continue
		}
		field, value, _ := strings.Cut(line, ":")
		value = strings.TrimPrefix(value, " ")
		switch field {
		case "id":
			m.id = value
		case "event":
			m.event = value
		case "data":
			data = append(data, value)
		}
	}
	if err := lines.Err(); err != nil {
		return err
	}
	return io.ErrUnexpectedEOF
}
