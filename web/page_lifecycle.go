package web

import (
	"bytes"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"time"

	iap "github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/event"
	"github.com/internal-app-portal/iap/instance"
	"github.com/internal-app-portal/iap/job"
	"github.com/internal-app-portal/iap/workflow"
)

type stateView struct {
	State
	Took float64
	Hue  string
	Icon string
}

type lifecycleView struct {
	ID         string
	States     []stateView
	Definition string
}

func (s *Server) lifecyclePanel(r *http.Request, v instanceView) (any, error) {
	p := lifecycleView{ID: v.ID}
	if s.cfg.Lifecycle == nil {
		return p, nil
	}
	states, definition, err := s.cfg.Lifecycle.Lifecycle(r.Context(), v.ID)
	if iap.IsKind(err, iap.NotFound) {
		return p, nil
	}
	if err != nil {
		return nil, err
	}
	for _, st := range states {
		p.States = append(p.States, viewState(st, s.cfg.Now()))
	}
	var b bytes.Buffer
	if json.Indent(&b, definition, "", "  ") == nil {
		p.Definition = b.String()
	}
	return p, nil
}

func viewState(st State, now time.Time) stateView {
	v := stateView{State: st, Hue: "waiting", Icon: "pending"}
	switch st.Status {
	case "active":
		v.Hue, v.Icon = "working", "active"
	case "done":
		v.Hue, v.Icon = "running", "done"
	case "failed":
		v.Hue, v.Icon = "failed", "failed"
	}
	if !st.EnteredAt.IsZero() {
		end := st.ExitedAt
		if end.IsZero() {
			end = now
		}
		v.Took = end.Sub(st.EnteredAt).Seconds()
	}
	return v
}

func (s *Server) lifecycleJSON(w http.ResponseWriter, r *http.Request, actor iap.Actor) error {
	i, err := s.cfg.Instances.Get(r.Context(), actor, r.PathValue("id"))
	if err != nil {
		return err
	}
	if s.cfg.Lifecycle == nil {
		return iap.Errorf("web", iap.NotFound, "no lifecycle is kept")
	}
	_, definition, err := s.cfg.Lifecycle.Lifecycle(r.Context(), i.ID)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/json")
	w.Write(definition)
	return nil
}

// viewEvents tells an instance's history, newest first.
func viewEvents(id string, events []event.Event) eventsView {
	v := eventsView{ID: id, Cut: event.Cut(events)}
	before := ""
	for _, e := range events {
		if e.Type != event.ExecutionChanged {
			v.Events = append(v.Events, viewEvent(e))
			continue
		}
		// A step within a state says nothing to people.
		if view := viewExecution(e); view.What != "" && view.What != before {
			before = view.What
			v.Events = append(v.Events, view)
		}
	}
	slices.Reverse(v.Events)
	return v
}

func viewEvent(e event.Event) eventView {
	v := eventView{Event: e, What: e.Type, Hue: "waiting", Icon: "pending"}
	switch e.Type {
	case event.InstanceChanged:
		var d instance.Snapshot
		if json.Unmarshal(e.Data, &d) == nil {
			st := viewStatus(string(d.Status), "")
			v.What, v.Hue, v.Icon, v.Note = "Instance: "+lowerFirst(st.Word), st.Hue, st.Name, d.Reason
			if d.Waiting != "" {
				v.Note = "waiting for " + d.Waiting
			}
		}
	case event.JobChanged:
		var d job.Snapshot
		if json.Unmarshal(e.Data, &d) == nil {
			describeJob(&v, d)
		}
	case event.LeakFound:
		v.What, v.Hue, v.Icon = "Something was left behind", "failed", "failed"
	case event.LockReleased:
		v.What = "Lock of the state released"
	}
	return v
}

// viewExecution says which state of the lifecycle was entered, or how it ended;
// What is empty where the event tells neither.
func viewExecution(e event.Event) eventView {
	v := eventView{Event: e, Hue: "waiting", Icon: "pending"}
	var d struct {
		Status workflow.Status
		States []string
	}
	if json.Unmarshal(e.Data, &d) != nil {
		return v
	}
	switch {
	case d.Status == workflow.Running && len(d.States) > 0:
		v.What = "Lifecycle: entered " + strings.Join(d.States, ", ")
	case d.Status == workflow.Succeeded:
		v.What, v.Hue, v.Icon = "Lifecycle: ended", "running", "done"
	case d.Status != workflow.Running && d.Status != "":
		v.What, v.Hue, v.Icon = "Lifecycle: broke off", "failed", "failed"
	}
	return v
}

// describeJob says how a job was, with the step that it was at.
func describeJob(v *eventView, d job.Snapshot) {
	st := viewStatus(string(d.Status), "")
	if d.Status == job.Running {
		st = statusView{Name: "deploying", Word: "Working", Hue: "working"}
	}
	v.What, v.Hue, v.Icon, v.Note = kindWords[d.Kind]+": "+lowerFirst(st.Word), st.Hue, st.Name, d.Reason
	n := len(d.Steps)
	if v.Note != "" || n == 0 || d.Status.Ended() {
		return
	}
	step := d.Steps[n-1]
	if v.Note = step.Name + " begins"; !step.EndedAt.IsZero() {
		v.Note = step.Name + " done, " + seconds(step.EndedAt.Sub(step.StartedAt).Seconds())
	}
}
