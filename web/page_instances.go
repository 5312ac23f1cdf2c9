package web

import (
	"net/http"
	"net/url"
	"strings"

	iap "github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/instance"
)

// allStatuses are the statuses of instances in the order of a life; the first
// five are those of one that has not ended, the first four can be destroyed.
var allStatuses = []instance.Status{instance.Queued, instance.Deploying, instance.Checking, instance.Running, instance.Destroying,
	instance.Destroyed, instance.DeployFailed, instance.DestroyFailed}

// instanceFilter is what instances are filtered by, as it stands in the address.
type instanceFilter struct{ Status, App, Q string }

func readInstanceFilter(q url.Values) instanceFilter {
	return instanceFilter{q.Get("status"), q.Get("app"), strings.TrimSpace(q.Get("q"))}
}

// At is the address of a page with this filter, of what is older than an instance
// when one is given; empty fields are left out.
func (f instanceFilter) At(path, before string) string {
	v := filled(map[string]string{"status": f.Status, "app": f.App, "q": f.Q, "before": before})
	return strings.TrimSuffix(path+"?"+v.Encode(), "?")
}

// filter is what the filter chooses. The error is Invalid.
func (f instanceFilter) filter() (instance.Filter, error) {
	out := instance.Filter{App: f.App, Text: f.Q}
	switch f.Status {
	case "":
	case "live":
		out.Statuses = allStatuses[:5]
	default:
		if statusWords[f.Status] == "" {
			return out, iap.FieldErrorf("web", "status", "%q is no status; one of queued, deploying, checking, running, destroying, destroyed, deploy_failed, destroy_failed, live", f.Status)
		}
		out.Statuses = []instance.Status{instance.Status(f.Status)}
	}
	return out, nil
}

type instancesPage struct {
	layout
	F                instanceFilter
	Rows             []instanceView
	Apps             []string
	More             string // address of the older ones
	Statuses         []statusView
	Filtered, Paging bool
	Destroyable      bool // some of the rows
}

func (s *Server) instancesPage(w http.ResponseWriter, r *http.Request, actor iap.Actor) error {
	p := instancesPage{layout: s.layout(r, actor, "Instances"), F: readInstanceFilter(r.URL.Query())}
	f, err := p.F.filter()
	if err != nil {
		return err
	}
	f.Before, f.Limit = r.URL.Query().Get("before"), pageSize+1
	p.Filtered, p.Paging = p.F != instanceFilter{}, f.Before != ""
	for _, st := range allStatuses {
		p.Statuses = append(p.Statuses, viewStatus(string(st), ""))
	}
	list, err := s.cfg.Instances.List(r.Context(), actor, f)
	if err != nil {
		return err
	}
	if len(list) > pageSize {
		list = list[:pageSize]
		p.More = p.F.At("/admin/instances", list[pageSize-1].ID)
	}
	apps, err := s.cfg.Apps.List(r.Context(), actor)
	if err != nil {
		return err
	}
	for _, a := range apps {
		p.Apps = append(p.Apps, a.Slug)
	}
	for _, i := range list {
		p.Rows = append(p.Rows, s.viewInstance(r.Context(), i, actor.ID))
		p.Destroyable = p.Destroyable || destroyable(i)
	}
	return s.render(w, http.StatusOK, "instances", p)
}
