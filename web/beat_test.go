package web_test

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	iap "github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/event"
	"github.com/internal-app-portal/iap/instance"
	"github.com/internal-app-portal/iap/web"
)

// pipe is a browser in a bubble of time: it keeps what it got, or, when it is
// stuck, reads nothing.
type pipe struct {
	mu       sync.Mutex
	header   http.Header
	got      bytes.Buffer
	stuck    bool
	deadline time.Time
}

func (p *pipe) Header() http.Header { return p.header }
func (p *pipe) WriteHeader(int)     {}
func (p *pipe) FlushError() error   { return nil }
func (p *pipe) SetWriteDeadline(t time.Time) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.deadline = t
	return nil
}
func (p *pipe) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.stuck {
		time.Sleep(time.Until(p.deadline))
		return 0, os.ErrDeadlineExceeded
	}
	return p.got.Write(b)
}
func (p *pipe) beats() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return bytes.Count(p.got.Bytes(), []byte(": beat\n\n"))
}

// resting reports whether no deadline is set, as must be between two writes: in
// HTTP/2 it would end the stream.
func (p *pipe) resting() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.deadline.IsZero()
}

// door is an Auth that can be shut.
type door struct {
	people
	mu   sync.Mutex
	shut bool
}

func (d *door) Actor(r *http.Request) (iap.Actor, bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.fallback, !d.shut
}

// bubble runs fn with an open stream; ended is closed when the stream is.
func bubble(t *testing.T, fn func(m *memory, p *pipe, d *door, ended <-chan struct{})) {
	bubbleOf(t, "/stream", fn)
}

func bubbleOf(t *testing.T, path string, fn func(m *memory, p *pipe, d *door, ended <-chan struct{})) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory(time.Now)
		m.log = event.NewLog(m)
		if err := m.log.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		d := &door{people: people{iap.Actor{ID: me, Role: iap.Admin}}}
		s, err := web.New(web.Config{Instances: m, Apps: apps{m}, Jobs: jobs{m}, Events: m.log, Auth: d})
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		p, ended := &pipe{header: http.Header{}}, make(chan struct{})
		go func() {
			defer close(ended)
			req, _ := http.NewRequestWithContext(t.Context(), "GET", path, nil)
			s.ServeHTTP(p, req)
		}()
		synctest.Wait()
		fn(m, p, d, ended)
		s.Stop(context.Background())
		<-ended
		m.log.Stop(context.Background())
	})
}

func isOpen(ended <-chan struct{}) bool {
	synctest.Wait()
	select {
	case <-ended:
		return false
	default:
		return true
	}
}

func TestHeartbeats(t *testing.T) {
	bubble(t, func(_ *memory, p *pipe, _ *door, ended <-chan struct{}) {
		time.Sleep(61 * time.Second)
		if n := p.beats(); n != 4 || !isOpen(ended) {
			t.Errorf("%d heartbeats in a minute", n)
		}
		if !p.resting() {
			t.Error("a quiet stream has a deadline")
		}
	})
}

// TestTheLastUseIsTold: pages learn of it by the stream, when it changes alone.
func TestTheLastUseIsTold(t *testing.T) {
	const id = "01arz3ndektsv4rrffq69g5fav"
	bubbleOf(t, "/stream?want=end-"+id, func(m *memory, p *pipe, _ *door, _ <-chan struct{}) {
		used := func(kind instance.ActivityKind) {
			m.mu.Lock()
			defer m.mu.Unlock()
			i := m.instances[id]
			i.ID, i.Owner, i.Status, i.TimeLimitAt = id, me, instance.Running, time.Now().Add(time.Hour)
			i.Active = instance.Activity{At: time.Now(), Kind: kind}
			m.instances[id] = i
		}
		told := func(text string) int {
			synctest.Wait()
			p.mu.Lock()
			defer p.mu.Unlock()
			return bytes.Count(p.got.Bytes(), []byte(text))
		}
		used(instance.ByRequest)
		time.Sleep(31 * time.Second)
		if n := told("by a request"); n != 1 {
			t.Errorf("the first use was told %d times", n)
		}
		used(instance.BySocket)
		time.Sleep(31 * time.Second)
		if told("by a WebSocket") != 1 || told("by a request") != 1 {
			t.Errorf("the second use was told %d times", told("by a WebSocket"))
		}
	})
}

func TestAStreamEndsWithTheLogin(t *testing.T) {
	bubble(t, func(_ *memory, _ *pipe, d *door, ended <-chan struct{}) {
		d.mu.Lock()
		d.shut = true
		d.mu.Unlock()
		time.Sleep(16 * time.Second)
		if isOpen(ended) {
			t.Error("the stream of somebody who signed out goes on")
		}
	})
}

// The other tabs of the same browser show it at once.
func TestAStreamEndsAtTheLogout(t *testing.T) {
	bubble(t, func(m *memory, _ *pipe, d *door, ended <-chan struct{}) {
		m.tell(&event.Event{Type: event.LoginEnded, Subject: me, Owner: me, Data: []byte(`{}`)})
		synctest.Wait()
		if !isOpen(ended) {
			t.Error("the logout in another browser has ended it")
		}
		d.mu.Lock()
		d.shut = true
		d.mu.Unlock()
		m.tell(&event.Event{Type: event.LoginEnded, Subject: me, Owner: me, Data: []byte(`{}`)})
		synctest.Wait()
		if isOpen(ended) {
			t.Error("the stream of somebody who signed out goes on")
		}
	})
}

func TestASlowBrowserIsCutOff(t *testing.T) {
	bubble(t, func(m *memory, p *pipe, _ *door, ended <-chan struct{}) {
		p.mu.Lock()
		p.stuck = true
		p.mu.Unlock()
		m.tell(&event.Event{Type: event.AppChanged, Subject: "todo", Data: []byte(`{}`)})
		time.Sleep(11 * time.Second)
		if isOpen(ended) {
			t.Error("a browser that reads nothing keeps its stream")
		}
	})
}

// TestABrowserLearnsHowFarTheLogIs: also when it wants none of the events, so
// that it need not be sent them all when it comes back.
func TestABrowserLearnsHowFarTheLogIs(t *testing.T) {
	bubble(t, func(m *memory, p *pipe, _ *door, _ <-chan struct{}) {
		m.tell(&event.Event{Type: event.RuleChanged, Subject: "x", Data: []byte(`{}`)})
		synctest.Wait()
		newest := m.log.Last()
		time.Sleep(31 * time.Second)
		p.mu.Lock()
		defer p.mu.Unlock()
		if n := strings.Count(p.got.String(), fmt.Sprintf("id: %d\ndata: at\n\n", newest)); n != 1 {
			t.Errorf("told %d times in %q", n, p.got.String())
		}
	})
}
