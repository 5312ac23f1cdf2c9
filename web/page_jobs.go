package web

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"

	iap "github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/job"
)

type jobView struct {
	job.Job
	State statusView
	Title string // "Create todo"
	Words string // of its instance, on pages of many
	Rows  []jobStepView
	Took  float64
}

type jobStepView struct {
	job.Step
	Took      float64
	Hue, Icon string
}

// kindWords say what a job does.
var kindWords = map[job.Kind]string{job.Apply: "Create", job.Destroy: "Destroy"}

func (s *Server) viewJob(j job.Job) jobView {
	note := ""
	switch {
	case j.Status == job.Queued && j.Waiting != "":
		note = "waiting for " + j.Waiting
	case j.Status == job.Queued && j.Position > 0:
		note = ordinal(j.Position) + " in the queue"
	case j.Status == job.Running && j.CancelledBy != "":
		note = "being cancelled by " + j.CancelledBy
	}
	v := jobView{Job: j, State: viewStatus(string(j.Status), note), Title: kindWords[j.Kind] + " " + j.App}
	if j.Status == job.Running {
		v.State.Word, v.State.Hue, v.State.Name = "Working", "working", "deploying"
	}
	now := s.cfg.Now()
	if !j.StartedAt.IsZero() {
		end := j.EndedAt
		if end.IsZero() {
			end = now
		}
		v.Took = end.Sub(j.StartedAt).Seconds()
	}
	for _, st := range j.Steps {
		r := jobStepView{Step: st, Hue: "running", Icon: "done"}
		switch {
		case st.Error != "":
			r.Hue, r.Icon = "failed", "failed"
		case st.EndedAt.IsZero():
			r.Hue, r.Icon = "working", "active"
			r.Took = now.Sub(st.StartedAt).Seconds()
		}
		if !st.EndedAt.IsZero() {
			r.Took = st.EndedAt.Sub(st.StartedAt).Seconds()
		}
		v.Rows = append(v.Rows, r)
	}
	return v
}

// ordinal writes 1st, 2nd, 3rd, 4th, …
func ordinal(n int) string {
	suffix := "th"
	if n%100 < 11 || n%100 > 13 {
		switch n % 10 {
		case 1:
			suffix = "st"
		case 2:
			suffix = "nd"
		case 3:
			suffix = "rd"
		}
	}
	return fmt.Sprint(n) + suffix
}

func lowerFirst(s string) string {
	if s == "" {
		return s
	}
	return strings.ToLower(s[:1]) + s[1:]
}

// text writes a parameter's value as people type it.
func text(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case nil:
		return ""
	}
	b, err := json.Marshal(v)
	if err != nil {
		return fmt.Sprint(v)
	}
	return string(b)
}

// visibleJob returns a job that the actor may see; another's is NotFound.
func (s *Server) visibleJob(r *http.Request, actor iap.Actor, id string) (job.Job, error) {
	j, err := s.cfg.Jobs.Get(r.Context(), id)
	if err != nil {
		return job.Job{}, err
	}
	if j.Owner != actor.ID && !actor.Role.Includes(iap.Admin) {
		return job.Job{}, iap.Errorf("web", iap.NotFound, "no job %q", id)
	}
	return j, nil
}

func (s *Server) jobPage(w http.ResponseWriter, r *http.Request, actor iap.Actor) error {
	l := s.layout(r, actor, "Job")
	j, err := s.visibleJob(r, actor, r.PathValue("id"))
	if err != nil {
		return err
	}
	section, err := s.logSection(r.Context(), j, 1)
	if err != nil {
		return err
	}
	p := struct {
		layout
		J    jobView
		Log  logView
		Host string
	}{layout: l, J: s.viewJob(j), Log: logView{ID: j.Instance, Sections: []logSection{section}}}
	p.Title = p.J.Title
	if i, err := s.cfg.Instances.Get(r.Context(), actor, j.Instance); err == nil {
		p.Host = i.HostName
	}
	return s.render(w, http.StatusOK, "job", p)
}

// wordsOf returns the words of the instance of a job; empty when it is not to
// be found, without which a row of the job is still of use.
func (s *Server) wordsOf(ctx context.Context, actor iap.Actor, j job.Job) string {
	i, err := s.cfg.Instances.Get(ctx, actor, j.Instance)
	if err != nil {
		return ""
	}
	return words(i.HostName, i.App)
}

// pageSize is how many rows a table has.
const pageSize = 50

type jobsPage struct {
	layout
	Jobs                     []jobView
	Status, Kind, App, Owner string // the filter
	Statuses                 []statusView
	Apps                     []string
	More                     string // address of the older ones
	Filtered, Paging         bool
}

func (s *Server) jobsPage(w http.ResponseWriter, r *http.Request, actor iap.Actor) error {
	q := r.URL.Query()
	p := jobsPage{layout: s.layout(r, actor, "Jobs"), Status: q.Get("status"), Kind: q.Get("kind"), App: q.Get("app"), Owner: strings.TrimSpace(q.Get("owner"))}
	p.Filtered, p.Paging = p.Status+p.Kind+p.App+p.Owner != "", q.Get("before") != ""
	f := job.Filter{App: p.App, Owner: p.Owner, Before: q.Get("before"), Limit: pageSize + 1}
	if err := f.Parse(p.Kind, p.Status); err != nil {
		return err
	}
	jobs, err := s.cfg.Jobs.List(r.Context(), f)
	if err != nil {
		return err
	}
	if len(jobs) > pageSize {
		jobs = jobs[:pageSize]
		q.Set("before", jobs[pageSize-1].ID)
		p.More = "/admin/jobs?" + q.Encode()
	}
	for _, st := range job.Statuses {
		p.Statuses = append(p.Statuses, s.viewJob(job.Job{Status: st}).State)
		p.Statuses[len(p.Statuses)-1].Name = string(st)
	}
	apps, err := s.cfg.Apps.List(r.Context(), actor)
	if err != nil {
		return err
	}
	for _, a := range apps {
		p.Apps = append(p.Apps, a.Slug)
	}
	for _, j := range jobs {
		v := s.viewJob(j)
		v.Words = s.wordsOf(r.Context(), actor, j)
		p.Jobs = append(p.Jobs, v)
	}
	return s.render(w, http.StatusOK, "jobs", p)
}
