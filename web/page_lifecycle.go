package web

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strings"

	iap "github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/event"
	"github.com/internal-app-portal/iap/instance"
	"github.com/internal-app-portal/iap/job"
	"github.com/internal-app-portal/iap/workflow"
)

// lifecycleView is the execution that an instance is.
type lifecycleView struct {
	ID string // of the instance
	X  *executionView
}

func lifecyclePath(id string) string { return "/instances/" + id + "/lifecycle" }

func (s *Server) lifecyclePanel(r *http.Request, v instanceView) (any, error) {
	x, err := s.viewLifecycle(r.Context(), v.Instance)
	if iap.IsKind(err, iap.NotFound) {
		return lifecycleView{ID: v.ID}, nil
	}
	if err != nil {
		return nil, err
	}
	return lifecycleView{v.ID, &x}, nil
}

// viewLifecycle reads the execution of an instance that the viewer may see. The
// execution itself is the portal's own.
func (s *Server) viewLifecycle(ctx context.Context, i instance.Instance) (executionView, error) {
	if s.cfg.Workflows == nil || i.Execution == "" {
		return executionView{}, iap.Errorf("web", iap.NotFound, "no lifecycle is kept for this instance")
	}
	x, err := s.viewExecution(ctx, iap.System, i.Execution)
	x.Base = lifecyclePath(i.ID)
	return x, err
}

// lifecycleLive is what has changed of an instance's lifecycle.
func (s *Server) lifecycleLive(w http.ResponseWriter, r *http.Request, actor iap.Actor) error {
	i, err := s.cfg.Instances.Get(r.Context(), actor, r.PathValue("id"))
	if err != nil {
		return err
	}
	x, err := s.viewLifecycle(r.Context(), i)
	if err != nil {
		return err
	}
	return s.writeLive(w, x)
}

func (s *Server) lifecycleState(w http.ResponseWriter, r *http.Request, actor iap.Actor) error {
	i, err := s.cfg.Instances.Get(r.Context(), actor, r.PathValue("id"))
	if err != nil {
		return err
	}
	if s.cfg.Workflows == nil || i.Execution == "" {
		return iap.Errorf("web", iap.NotFound, "no lifecycle is kept for this instance")
	}
	p, err := s.statePanel(r, iap.System, i.Execution, r.URL.Query().Get("state"))
	if err != nil {
		return err
	}
	p.Base = lifecyclePath(i.ID)
	return s.writePart(w, "state-panel", p)
}

func (s *Server) lifecycleJSON(w http.ResponseWriter, r *http.Request, actor iap.Actor) error {
	i, err := s.cfg.Instances.Get(r.Context(), actor, r.PathValue("id"))
	if err != nil {
		return err
	}
	x, err := s.viewLifecycle(r.Context(), i)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/json")
	w.Write([]byte(x.Definition)) // the reader may be gone; there is nobody to tell
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
