package proxy

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"time"

	iap "github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/event"
	"github.com/internal-app-portal/iap/instance"
)

// Ending is what the bar tells.
type Ending struct {
	EndsAt time.Time      `json:"ends_at"`
	By     instance.EndBy `json:"by"`
	Warned bool           `json:"warned"`         // the end is near
	Keep   string         `json:"keep,omitempty"` // address of the page where it is kept longer
}

// end is GET /.iap/end: a stream of when the instance of this host ends, for its
// own pages: once at first, and whenever that changes. It is over when the
// instance runs no more.
func (p *Proxy) end(w http.ResponseWriter, r *http.Request, name string) {
	rt := p.table.get(name)
	if rt == nil || rt.instance.Status != instance.Running || p.cfg.Ending == nil {
		refuse(w, http.StatusNotFound, "no instance of this host runs")
		return
	}
	if !p.allowed(w, r, rt.instance) {
		return
	}
	p.stream(w, r, rt.instance, func(ctx context.Context, s *stream) error { return p.followEnd(ctx, s, rt.instance) })
}

func (p *Proxy) followEnd(ctx context.Context, s *stream, i instance.Instance) error {
	// The sweep ends it as well, when its schedule says so.
	concerns := func(e event.Event) bool { return isOf(e, i.ID) || e.Type == event.ScheduleChanged }
	sub := p.cfg.Log.Subscribe(p.cfg.Log.Last())
	var told []byte
	for {
		now, err := p.cfg.Instances.InstanceByHostName(ctx, i.HostName)
		if err == nil && now.Status != instance.Running {
			return s.send("end", []byte("null"))
		}
		var e Ending
		if err == nil {
			e, err = p.cfg.Ending(ctx, now)
		}
		if err != nil && !iap.IsKind(err, iap.Unavailable) { // else what is known counts until the next event
			return err
		}
		if data, _ := json.Marshal(e); err == nil && !bytes.Equal(data, told) {
			if err := s.send("end", data); err != nil {
				return err
			}
			told = data
		}
		if err := s.next(ctx, sub, concerns); err != nil {
			return err
		}
	}
}
