package web

import (
	"net/http"
	"slices"

	iap "github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/catalog"
	"github.com/internal-app-portal/iap/event"
	"github.com/internal-app-portal/iap/job"
)

// tabView is a tab of the instance page: a real link.
type tabView struct {
	ID, Title string
	Current   bool
}

type instancePage struct {
	layout
	I     instanceView
	Tabs  []tabView
	Tab   string
	Panel any
}

var instanceTabs = []tabView{{ID: "log", Title: "Log"}, {ID: "lifecycle", Title: "Lifecycle"}, {ID: "events", Title: "Events"}, {ID: "details", Title: "Details"}}

func (s *Server) instancePage(w http.ResponseWriter, r *http.Request, actor iap.Actor) error {
	l := s.layout(r, actor, "")
	i, err := s.cfg.Instances.Get(r.Context(), actor, r.PathValue("id"))
	if err != nil {
		return err
	}
	if i.ID != r.PathValue("id") { // named by its host name: one address for each
		http.Redirect(w, r, "/instances/"+i.ID, http.StatusSeeOther)
		return nil
	}
	v, err := s.withProgress(r.Context(), s.viewInstance(r.Context(), i, actor.ID))
	if err != nil {
		return err
	}
	l.Title = v.Words
	p := instancePage{layout: l, I: v, Tab: "log"}
	if t := r.URL.Query().Get("tab"); slices.ContainsFunc(instanceTabs, func(v tabView) bool { return v.ID == t }) {
		p.Tab = t
	}
	for _, t := range instanceTabs {
		if t.ID == "lifecycle" && s.cfg.Workflows == nil {
			continue
		}
		t.Current = t.ID == p.Tab
		p.Tabs = append(p.Tabs, t)
	}
	if p.Panel, err = s.panel(r, actor, v, p.Tab); err != nil {
		return err
	}
	return s.render(w, http.StatusOK, "instance", p)
}

// instancePanel is what a tab shows, alone: pages fetch it anew when it changed.
func (s *Server) instancePanel(w http.ResponseWriter, r *http.Request, actor iap.Actor) error {
	i, err := s.cfg.Instances.Get(r.Context(), actor, r.PathValue("id"))
	if err != nil {
		return err
	}
	tab := r.PathValue("tab")
	panel, err := s.panel(r, actor, s.viewInstance(r.Context(), i, actor.ID), tab)
	if err != nil {
		return err
	}
	html, err := s.part("panel-"+tab, panel)
	if err != nil {
		return err
	}
	return writeHTML(w, http.StatusOK, html)
}

func (s *Server) panel(r *http.Request, actor iap.Actor, v instanceView, tab string) (any, error) {
	switch tab {
	case "log":
		return s.logPanel(r.Context(), v.ID)
	case "lifecycle":
		return s.lifecyclePanel(r, v)
	case "events":
		events, err := s.cfg.Instances.Events(r.Context(), actor, v.ID)
		return viewEvents(v.ID, events), err
	case "details":
		return s.detailsPanel(r, v)
	}
	return nil, iap.Errorf("web", iap.NotFound, "no tab %q", tab)
}

// detailView is one parameter of an instance.
type detailView struct{ Name, Value string }

type detailsView struct {
	I          instanceView
	Parameters []detailView
	Jobs       []jobView
}

// masked stands for a secret.
const masked = "••••••••"

func (s *Server) detailsPanel(r *http.Request, v instanceView) (any, error) {
	d := detailsView{I: v}
	jobs, err := s.cfg.Jobs.Of(r.Context(), v.ID)
	if err != nil {
		return nil, err
	}
	for _, j := range jobs {
		d.Jobs = append(d.Jobs, s.viewJob(j))
	}
	version, err := s.cfg.Apps.Version(r.Context(), v.App, v.Version)
	if err != nil && !iap.IsKind(err, iap.NotFound) {
		return nil, err
	}
	d.Parameters = viewParameters(version.Manifest.Parameters, v.Parameters)
	return d, nil
}

// viewParameters shows the values of parameters; what the version does not
// declare as open is masked.
func viewParameters(params []catalog.Parameter, values map[string]any) []detailView {
	open := map[string]bool{}
	for _, p := range params {
		open[p.Name] = !p.Secret
	}
	var names []string
	for name := range values {
		names = append(names, name)
	}
	slices.Sort(names)
	var out []detailView
	for _, name := range names {
		value := masked
		if open[name] {
			value = text(values[name])
		}
		out = append(out, detailView{name, value})
	}
	return out
}

type eventView struct {
	event.Event
	What, Note string
	Hue, Icon  string
}

type eventsView struct {
	ID     string
	Events []eventView
	Cut    bool // some in the middle of a long history may be missing
}

// lastJobs returns an instance's jobs as its log shows them.
func lastJobs(jobs []job.Job) []job.Job {
	const most = 8
	return jobs[max(0, len(jobs)-most):]
}
