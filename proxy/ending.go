package proxy

import (
	"encoding/json"
	"net/http"
	"time"

	"github.com/internal-app-portal/iap/instance"
)

// Ending is what the bar tells.
type Ending struct {
	EndsAt time.Time      `json:"ends_at"`
	By     instance.EndBy `json:"by"`
	Warned bool           `json:"warned"`         // the end is near
	Keep   string         `json:"keep,omitempty"` // address of the page where it is kept longer
}

// end is GET /.iap/end: when the instance of this host ends, for its own pages.
func (p *Proxy) end(w http.ResponseWriter, r *http.Request, name string) {
	if site := r.Header.Get("Sec-Fetch-Site"); site != "" && site != "same-origin" && site != "none" {
		refuse(w, http.StatusForbidden, "the end is for this host's own pages")
		return
	}
	rt := p.table.get(name)
	if rt == nil || p.cfg.Ending == nil {
		refuse(w, http.StatusNotFound, "no instance of this host runs")
		return
	}
	if p.cfg.Authorize != nil && !p.allowed(w, r, rt.instance) {
		return
	}
	e, err := p.cfg.Ending(r.Context(), rt.instance)
	if err != nil {
		p.cfg.Logger.Warn("the end of an instance could not be told", "host_name", name, "err", err)
		refuse(w, http.StatusServiceUnavailable, "the portal cannot look this up now; try again shortly")
		return
	}
	data, _ := json.Marshal(e)
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	_, _ = w.Write(data)
}
