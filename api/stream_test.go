package api_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"testing/iotest"
	"time"

	"github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/api"
	"github.com/internal-app-portal/iap/api/apitest"
	"github.com/internal-app-portal/iap/client"
	"github.com/internal-app-portal/iap/event"
)

// message is one of a stream's messages.
type message struct{ id, event, data string }

// openStream opens a stream and returns its messages; the channel is closed at
// the stream's end.
func openStream(t *testing.T, p *apitest.Portal, token, query, lastID string) <-chan message {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	t.Cleanup(cancel)
	req, err := http.NewRequestWithContext(ctx, "GET", p.URL+"/api/v1/stream"+query, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+token)
	if lastID != "" {
		req.Header.Set("Last-Event-ID", lastID)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	if resp.StatusCode != 200 || resp.Header.Get("Content-Type") != "text/event-stream" {
		t.Fatalf("stream: %s %s", resp.Status, resp.Header.Get("Content-Type"))
	}
	ch := make(chan message, 1000)
	go func() {
		defer close(ch)
		defer resp.Body.Close()
		readMessages(resp.Body, ch)
	}()
	return ch
}

func next(t *testing.T, ch <-chan message) message {
	t.Helper()
	select {
	case m, ok := <-ch:
		if !ok {
			t.Fatal("the stream ended")
		}
		return m
	case <-time.After(2 * time.Minute):
		t.Fatal("nothing came")
	}
	panic("not reached")
}

func TestStream(t *testing.T) {
	p := apitest.New(t, nil)
	deploy(t, p, apitest.AnnToken, "todo") // before: must not be seen
	ch := openStream(t, p, apitest.JaneToken, "", "")
	if m := next(t, ch); m.event != "open" {
		t.Fatalf("got %+v", m)
	}
	deploy(t, p, apitest.AnnToken, "slow") // another's: must not be seen
	i := deploy(t, p, apitest.JaneToken, "todo")
	var ids []string
	for {
		m := next(t, ch)
		var e client.Event
		if err := json.Unmarshal([]byte(m.data), &e); err != nil {
			t.Fatal(err)
		}
		if e.Group != i.ID || m.event != e.Type || m.id != strconv.FormatInt(e.Number, 10) {
			t.Fatalf("got %+v", m)
		}
		ids = append(ids, m.id)
		var data client.Instance
		if json.Unmarshal(e.Data, &data) == nil && data.Status == "running" {
			break
		}
	}
	// From any number on, the same follows.
	again := openStream(t, p, apitest.JaneToken, "", ids[1])
	next(t, again)
	for _, id := range ids[2:] {
		if m := next(t, again); m.id != id {
			t.Errorf("resumed: got %s, want %s", m.id, id)
		}
	}
}

func TestStreamOfAll(t *testing.T) {
	p := apitest.New(t, nil)
	resp, body := call(t, p, apitest.JaneToken, "GET", "/api/v1/stream?all=true", "")
	wantProblem(t, resp, body, 403)
	all := openStream(t, p, apitest.AnnToken, "?all=true", "")
	next(t, all)
	i := deploy(t, p, apitest.JaneToken, "todo")
	if m := next(t, all); !strings.Contains(m.data, i.ID) {
		t.Errorf("got %+v", m)
	}
}

func TestStreamOfLogs(t *testing.T) {
	p := apitest.New(t, nil)
	i := deploy(t, p, apitest.JaneToken, "slow")
	_, body := call(t, p, apitest.JaneToken, "GET", "/api/v1/instances/"+i.ID+"/jobs", "")
	var jobs client.List[client.Job]
	if err := json.Unmarshal([]byte(body), &jobs); err != nil {
		t.Fatal(err)
	}
	job := jobs.Items[0].ID
	ch := openStream(t, p, apitest.JaneToken, "?log="+job+":0", "")
	next(t, ch)
	first := next(t, ch)
	if first.event != "log" || !strings.Contains(first.data, `"text":"creating the container"`) || !strings.HasSuffix(first.id, ";"+job+"=23") {
		t.Fatalf("got %+v", first)
	}
	p.WriteLog(job, "two\n\ndata: evil\n")
	again := openStream(t, p, apitest.JaneToken, "?log="+job+":0", first.id)
	next(t, again)
	for _, want := range []string{`"two"`, `""`, `"data: evil"`} {
		if m := next(t, again); m.event != "log" || !strings.Contains(m.data, `"text":`+want) {
			t.Errorf("got %+v, want %s", m, want)
		}
	}
	p.EndJob(job)
	for {
		if m := next(t, again); m.event == "log-end" {
			break
		}
	}
}

// brokenLogs has logs that cannot be read.
type brokenLogs struct{ api.Jobs }

func (brokenLogs) Log(context.Context, string, int64, bool) (io.ReadCloser, error) {
	return io.NopCloser(iotest.ErrReader(errors.New("the disk does not answer"))), nil
}

func TestStreamEndsWhenALogCannotBeRead(t *testing.T) {
	p := apitest.New(t, func(c *api.Config) {
		c.Jobs, c.Logger = brokenLogs{c.Jobs}, slog.New(slog.DiscardHandler)
	})
	i := deploy(t, p, apitest.JaneToken, "slow")
	c, err := client.New(p.URL, apitest.JaneToken)
	if err != nil {
		t.Fatal(err)
	}
	jobs, err := c.JobsOf(t.Context(), i.ID)
	if err != nil {
		t.Fatal(err)
	}
	ch := openStream(t, p, apitest.JaneToken, "?log="+jobs[0].ID+":0", "")
	next(t, ch)
	if m, open := <-ch; open {
		t.Errorf("got %+v", m)
	}
}

func TestStreamEndsWithTheServer(t *testing.T) {
	done := make(chan struct{})
	p := apitest.New(t, func(c *api.Config) { c.Done = done })
	ch := openStream(t, p, apitest.JaneToken, "", "")
	next(t, ch)
	close(done)
	if m, open := <-ch; open {
		t.Errorf("got %+v", m)
	}
}

func TestStreamShowsLife(t *testing.T) {
	p := apitest.New(t, func(c *api.Config) { c.Heartbeat = time.Millisecond })
	ch := openStream(t, p, apitest.JaneToken, "", "")
	next(t, ch)
	if m := next(t, ch); m.event != ":" {
		t.Errorf("got %+v", m)
	}
}

func TestEventsOfALongLife(t *testing.T) {
	p := apitest.New(t, nil)
	i := deploy(t, p, apitest.JaneToken, "todo")
	cut := func() bool {
		t.Helper()
		var out client.List[client.Event]
		_, body := call(t, p, apitest.JaneToken, "GET", "/api/v1/instances/"+i.ID+"/events", "")
		if err := json.Unmarshal([]byte(body), &out); err != nil || len(out.Items) == 0 {
			t.Fatal(err, body)
		}
		return out.Cut
	}
	if cut() {
		t.Error("a short life is cut")
	}
	for range event.FirstOf + event.LastOf {
		if err := p.Log.Append(t.Context(), &event.Event{Source: "/instances", Type: event.InstanceChanged, Subject: i.ID, Group: i.ID, Time: time.Now()}); err != nil {
			t.Fatal(err)
		}
	}
	if !cut() {
		t.Error("that a long life is cut is not said")
	}
}

func TestJobsOfAMember(t *testing.T) {
	p := apitest.New(t, nil)
	own := deploy(t, p, apitest.JaneToken, "todo")
	for _, app := range []string{"todo", "slow", "broken"} {
		deploy(t, p, apitest.AnnToken, app)
	}
	c, err := client.New(p.URL, apitest.JaneToken)
	if err != nil {
		t.Fatal(err)
	}
	page, err := c.Jobs(t.Context(), client.JobFilter{Limit: 1})
	if err != nil || len(page.Items) != 1 || page.Items[0].Instance != own.ID {
		t.Fatalf("%+v %v", page, err)
	}
	if page, err = c.Jobs(t.Context(), client.JobFilter{Before: page.Next, Limit: 1}); err != nil || len(page.Items) != 0 {
		t.Errorf("the next page: %+v %v", page, err)
	}
}

// changing is an Auth whose answer a test changes.
type changing struct {
	api.Auth
	actor atomic.Pointer[func(*http.Request) (iap.Actor, bool)]
}

func (c *changing) Actor(r *http.Request) (iap.Actor, bool) {
	if fn := c.actor.Load(); fn != nil {
		return (*fn)(r)
	}
	return c.Auth.Actor(r)
}

func TestStreamEndsWithTheSession(t *testing.T) {
	for name, now := range map[string]func(*http.Request) (iap.Actor, bool){
		"signed out":   func(*http.Request) (iap.Actor, bool) { return iap.Actor{}, false },
		"another role": func(*http.Request) (iap.Actor, bool) { return apitest.People()[0].Actor(), true },
	} {
		t.Run(name, func(t *testing.T) {
			who := &changing{}
			p := apitest.New(t, func(c *api.Config) {
				who.Auth, c.Auth, c.Heartbeat = c.Auth, who, time.Millisecond
			})
			ch := openStream(t, p, apitest.AnnToken, "?all=true", "")
			next(t, ch)
			next(t, ch)
			who.actor.Store(&now)
			late := time.After(2 * time.Minute)
			for {
				select {
				case _, open := <-ch:
					if !open {
						return
					}
				case <-late:
					t.Fatal("the stream goes on")
				}
			}
		})
	}
}

func TestFollowedLog(t *testing.T) {
	p := apitest.New(t, nil)
	i := deploy(t, p, apitest.JaneToken, "slow")
	_, body := call(t, p, apitest.JaneToken, "GET", "/api/v1/jobs", "")
	var jobs client.List[client.Job]
	if err := json.Unmarshal([]byte(body), &jobs); err != nil || len(jobs.Items) != 1 || jobs.Items[0].Instance != i.ID {
		t.Fatalf("%v %s", err, body)
	}
	id := jobs.Items[0].ID
	c, err := client.New(p.URL, apitest.JaneToken)
	if err != nil {
		t.Fatal(err)
	}
	log, err := c.Log(t.Context(), id, 9, true)
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	buf := make([]byte, 100)
	n, err := log.Read(buf)
	if err != nil || string(buf[:n]) != "the container\n" {
		t.Errorf("%v %q", err, buf[:n])
	}
	if _, err := c.CancelJob(t.Context(), id); err != nil {
		t.Error(err)
	}
	if n, err = log.Read(buf); n != 0 || err == nil {
		t.Errorf("the log goes on: %q %v", buf[:n], err)
	}
	if _, err := c.CancelJob(t.Context(), id); err == nil {
		t.Error("cancelled twice")
	}
}
