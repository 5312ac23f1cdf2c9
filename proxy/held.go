package proxy

import (
	"context"
	"net/http"
	"sync"
	"time"

	iap "github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/instance"
)

// errClosed is why a WebSocket or stream ends whose sender may use it no more.
var errClosed = iap.Errorf("proxy", iap.Forbidden, "this instance is not open to you any more")

// held are the WebSockets and streams that are open, by host name. They outlive
// the decision by which they were let in, so it is made again when something
// happens by which it may have become another.
type held struct {
	mu    sync.Mutex
	hosts map[string]map[*holding]struct{}
}

type holding struct {
	r        *http.Request
	instance instance.Instance
	end      context.CancelCauseFunc
	late     *time.Timer // ends it at its own time; nil: it has none
}

// hold notes a request that stays open, until leave is called. The returned one
// ends, with errClosed as the cause, when its sender loses the right to it; ok is
// false when that is so already.
func (p *Proxy) hold(r *http.Request, i instance.Instance) (open *http.Request, leave func(), ok bool) {
	if p.cfg.Authorize == nil {
		return r, func() {}, true
	}
	ctx, end := context.WithCancelCause(r.Context())
	h := &holding{r: r, instance: i, end: end}
	p.held.add(h)
	// Who lost the right between the decision and this is met here; who loses it
	// from now on is found among the held.
	d := p.cfg.Authorize(r, i)
	if d.Allow && !d.Until.IsZero() {
		h.late = time.AfterFunc(d.Until.Sub(p.cfg.Now()), func() { end(errClosed) })
	}
	leave = func() {
		p.held.drop(h)
		if h.late != nil {
			h.late.Stop()
		}
		end(nil)
	}
	return r.WithContext(ctx), leave, d.Allow
}

func (l *held) add(h *holding) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.hosts == nil {
		l.hosts = map[string]map[*holding]struct{}{}
	}
	host := l.hosts[h.instance.HostName]
	if host == nil {
		host = map[*holding]struct{}{}
		l.hosts[h.instance.HostName] = host
	}
	host[h] = struct{}{}
}

func (l *held) drop(h *holding) {
	l.mu.Lock()
	defer l.mu.Unlock()
	host := l.hosts[h.instance.HostName]
	delete(host, h)
	if len(host) == 0 {
		delete(l.hosts, h.instance.HostName)
	}
}

// of returns what is held of a host; of all hosts, where name is empty.
func (l *held) of(name string) []*holding {
	l.mu.Lock()
	defer l.mu.Unlock()
	var out []*holding
	for host, all := range l.hosts {
		if name != "" && host != name {
			continue
		}
		for h := range all {
			out = append(out, h)
		}
	}
	return out
}

// review decides again on what is held of a host, or of all, and ends what is not
// allowed any more. Of an instance that is known by now to have another owner,
// what counts is how it is now.
func (p *Proxy) review(name string) {
	for _, h := range p.held.of(name) {
		i := h.instance
		if rt := p.table.get(i.HostName); rt != nil && rt.instance.ID == i.ID {
			i = rt.instance
		}
		if !p.cfg.Authorize(h.r, i).Allow {
			h.end(errClosed)
		}
	}
}
