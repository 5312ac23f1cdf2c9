package web

import (
	"net/http"
	"strings"

	iap "github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/instance"
)

type instancesPage struct {
	layout
	Rows             []instanceView
	Apps             []string
	Status, App, Q   string
	More             string
	Statuses         []statusView
	Filtered, Paging bool
}

func (s *Server) instancesPage(w http.ResponseWriter, r *http.Request, actor iap.Actor) error {
	q := r.URL.Query()
	p := instancesPage{layout: s.layout(r, actor, "Instances"), Status: q.Get("status"), App: q.Get("app"), Q: strings.TrimSpace(q.Get("q"))}
	f := instance.Filter{App: p.App, Text: p.Q, Before: q.Get("before"), Limit: pageSize + 1}
	p.Filtered, p.Paging = p.Status != "" || p.App != "" || p.Q != "", f.Before != ""
	all := []instance.Status{instance.Queued, instance.Deploying, instance.Checking, instance.Running, instance.Destroying,
		instance.Destroyed, instance.DeployFailed, instance.DestroyFailed}
	for _, st := range all {
		p.Statuses = append(p.Statuses, viewStatus(string(st), ""))
	}
	switch p.Status {
	case "":
	case "live":
		f.Statuses = all[:5]
	default:
		if statusWords[p.Status] == "" {
			return iap.FieldErrorf("web", "status", "%q is no status; one of queued, deploying, checking, running, destroying, destroyed, deploy_failed, destroy_failed, live", p.Status)
		}
		f.Statuses = []instance.Status{instance.Status(p.Status)}
	}
	list, err := s.cfg.Instances.List(r.Context(), actor, f)
	if err != nil {
		return err
	}
	if len(list) > pageSize {
		list = list[:pageSize]
		p.More = list[pageSize-1].ID
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
	}
	return s.render(w, http.StatusOK, "instances", p)
}
