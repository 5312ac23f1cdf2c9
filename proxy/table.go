package proxy

import (
	"context"
	"encoding/json"
	"net/http/httputil"
	"net/url"
	"sync"

	iap "github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/event"
	"github.com/internal-app-portal/iap/instance"
)

// route is what the table knows of one host name; it is never changed, only
// replaced.
type route struct {
	instance instance.Instance      // public fields
	proxy    *httputil.ReverseProxy // nil unless it is running
	meter    *meter
	bar      bool // its pages get the bar
	upstream *url.URL
}

// table maps host names to routes. Reading takes no lock.
type table struct {
	routes sync.Map // host name → *route

	mu      sync.Mutex
	at      int64         // number of the last event taken in
	changed chan struct{} // closed and replaced when at grows; nil until asked for
}

// reached notes that all events up to number are in the table.
func (t *table) reached(number int64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.at = number
	if t.changed != nil {
		close(t.changed)
		t.changed = nil
	}
}

// WaitFor waits until the table has taken in the event with this number, or
// returns ctx's error: what the proxy answers from then on is not older.
func (p *Proxy) WaitFor(ctx context.Context, number int64) error {
	t := &p.table
	for {
		t.mu.Lock()
		if t.at >= number {
			t.mu.Unlock()
			return nil
		}
		if t.changed == nil {
			t.changed = make(chan struct{})
		}
		changed := t.changed
		t.mu.Unlock()
		select {
		case <-changed:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

func (t *table) get(name string) *route {
	if v, ok := t.routes.Load(name); ok {
		return v.(*route)
	}
	return nil
}

func (t *table) set(r *route) { t.routes.Store(r.instance.HostName, r) }

func (t *table) drop(name string) { t.routes.Delete(name) }

// newRoute makes the route of an instance. No upstream, or one that is no
// address of a server over HTTP, gives one without a proxy.
func (p *Proxy) newRoute(i instance.Instance) *route {
	r := &route{instance: i, meter: new(meter), bar: i.WarningBar && p.cfg.Ending != nil}
	if before := p.table.get(i.HostName); before != nil && before.instance.ID == i.ID {
		r.meter = before.meter
	}
	if i.Status != instance.Running {
		return r
	}
	if i.Upstream == "" { // its container has exited
		return r
	}
	u, err := url.Parse(i.Upstream)
	if err != nil || u.Scheme != "http" || u.Host == "" || u.User != nil {
		p.cfg.Logger.Warn("a running instance has no upstream that requests can go to", "instance", i.ID)
		return r
	}
	r.upstream = u
	r.proxy = p.reverse(r)
	return r
}

// follow keeps the table as the events tell.
func (p *Proxy) follow(ctx context.Context, sub *event.Subscription) {
	for {
		batch, err := sub.Next(ctx)
		if ctx.Err() != nil {
			return
		}
		if err != nil {
			// Requests are answered from the store meanwhile.
			p.cfg.Logger.Warn("following the event log failed; trying again", "err", err)
			if !pause(ctx) {
				return
			}
			continue
		}
		for _, e := range batch {
			switch e.Type {
			case event.InstanceChanged:
				p.apply(e)
			case event.LoginEnded:
				p.review("")
			}
		}
		p.table.reached(sub.Position())
	}
}

// apply takes one change of an instance into the table.
func (p *Proxy) apply(e event.Event) {
	var s instance.Snapshot
	if err := json.Unmarshal(e.Data, &s); err != nil || s.HostName == "" {
		p.cfg.Logger.Error("an event of an instance cannot be read", "event", e.Number, "err", err)
		return
	}
	if s.Status.Ended() {
		p.table.drop(s.HostName)
		return
	}
	p.table.set(p.newRoute(s.Instance()))
	p.review(s.HostName)
}

var errStopped = iap.Errorf("proxy", iap.Unavailable, "the portal stops")
