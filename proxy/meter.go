package proxy

import (
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"github.com/internal-app-portal/iap/instance"
)

// kinds are the ways of using an app, by the number that a meter has for each.
// The later ones say more of what is open.
var kinds = [...]instance.ActivityKind{instance.ByRequest, instance.ByStream, instance.BySocket}

// meter tells when the app of a route was used last. It lives for as long as the
// instance has a route, and takes no lock: every request passes it.
type meter struct {
	last atomic.Int64             // milliseconds, times the number of kinds, plus the kind
	open [len(kinds)]atomic.Int64 // that are open now
}

// kindOf returns the number of the way in which a request uses its app.
func kindOf(r *http.Request) int {
	switch {
	case r.Header.Get("Upgrade") != "":
		return 2
	case strings.Contains(r.Header.Get("Accept"), "text/event-stream"):
		return 1
	}
	return 0
}

func (m *meter) begin(kind int, now time.Time) {
	m.open[kind].Add(1)
	m.use(kind, now)
}

func (m *meter) end(kind int, now time.Time) {
	m.open[kind].Add(-1)
	m.use(kind, now)
}

func (m *meter) use(kind int, now time.Time) {
	m.last.Store(now.UnixMilli()*int64(len(kinds)) + int64(kind))
}

// activity returns the last use; now, when anything is open.
func (m *meter) activity(now time.Time) (a instance.Activity) {
	for n := range kinds {
		if open := m.open[n].Load(); open > 0 {
			a.At, a.Kind, a.Open = now, kinds[n], a.Open+int(open)
		}
	}
	if last := m.last.Load(); a.Open == 0 && last > 0 {
		a.At, a.Kind = time.UnixMilli(last/int64(len(kinds))).UTC(), kinds[last%int64(len(kinds))]
	}
	return a
}

// Activity returns the last use of the app with a host name that has passed here;
// the zero value when there was none.
func (p *Proxy) Activity(hostName string) instance.Activity {
	rt := p.table.get(hostName)
	if rt == nil {
		return instance.Activity{}
	}
	return rt.meter.activity(p.cfg.Now())
}

// pass leads a request to the app of a route.
func (p *Proxy) pass(w http.ResponseWriter, r *http.Request, rt *route) {
	kind := kindOf(r)
	if kinds[kind] != instance.ByRequest {
		held, leave, ok := p.hold(r, rt.instance)
		defer leave()
		if !ok {
			refuse(w, http.StatusForbidden, "this instance is not open to you")
			return
		}
		r = held
	}
	rt.meter.begin(kind, p.cfg.Now())
	defer func() { rt.meter.end(kind, p.cfg.Now()) }()
	rt.proxy.ServeHTTP(w, r)
}
