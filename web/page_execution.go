package web

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"time"

	iap "github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/asl/edit"
	"github.com/internal-app-portal/iap/workflow"
)

// stateMark is how a state is shown in the graph and in the list of states.
type stateMark struct {
	Name    string  `json:"-"`
	Type    string  `json:"-"`
	Depth   int     `json:"-"`
	Status  string  `json:"status"`
	Count   int     `json:"count"` // visits
	Active  int     `json:"active,omitempty"`
	Failed  int     `json:"failed,omitempty"`
	Caught  int     `json:"caught,omitempty"`
	Retries int     `json:"retries,omitempty"`
	Total   int     `json:"total,omitempty"` // iterations of the newest visit
	Ended   int     `json:"ended,omitempty"`
	Note    string  `json:"note,omitempty"` // the newest error's name
	Took    float64 `json:"took,omitempty"` // seconds of the newest visit
	Entered time.Time
}

// Hue and Icon are the mark's colour and sign.
func (m stateMark) Hue() string  { return visitLooks[m.Status].Hue }
func (m stateMark) Icon() string { return visitLooks[m.Status].Name }

// Word says the status.
func (m stateMark) Word() string { return visitLooks[m.Status].Word }

var visitLooks = map[string]statusView{
	visitUntouch: {Name: "pending", Word: "Not entered", Hue: "waiting"},
	visitActive:  {Name: "active", Word: "Running", Hue: "working"},
	visitWaiting: {Name: "clock", Word: "Waiting", Hue: "working"},
	visitDone:    {Name: "done", Word: "Succeeded", Hue: "running"},
	visitCaught:  {Name: "caught", Word: "Failed, caught", Hue: "ending"},
	visitFailed:  {Name: "failed", Word: "Failed", Hue: "failed"},
	visitAborted: {Name: "cancelled", Word: "Stopped", Hue: "waiting"},
}

// executionView is an execution as its page and an instance's show it.
type executionView struct {
	workflow.Execution
	Machine    string
	Base       string // address of what the page fetches
	State      statusView
	Took       float64
	Events     int64
	Redrivable bool
	Why        string
	Marks      []stateMark
	Graph      string // JSON, for the drawing
	Definition string
	Last       int64 // number of the newest event that was read
	MapRuns    []mapRunView
}

// viewExecution reads an execution with what its history says of the states.
func (s *Server) viewExecution(ctx context.Context, actor iap.Actor, id string) (executionView, error) {
	x, err := s.cfg.Workflows.Execution(ctx, actor, id)
	if err != nil {
		return executionView{}, err
	}
	v := executionView{Execution: x.Execution, Machine: x.Machine, Base: "/executions/" + id, State: executionWords[x.Status], Events: x.Events,
		Redrivable: x.Redrivable, Why: x.Why, Took: x.Duration(s.cfg.Now()).Seconds(), Definition: pretty(x.Text)}
	k, release := s.replays.get(id, x.Text)
	defer release()
	if err := k.catchUp(ctx, s.historyOf(actor, id)); err != nil {
		return v, err
	}
	g, err := edit.Read(x.Text)
	if err != nil {
		return v, err
	}
	b, err := json.Marshal(g)
	if err != nil {
		return v, err
	}
	v.Graph, v.Last = string(b), k.last
	v.Marks = k.marks(g, s.cfg.Now())
	if slices.ContainsFunc(k.visits, func(v visit) bool { return v.MapRun != "" }) {
		v.MapRuns, err = s.mapRunsOf(ctx, actor, id)
	}
	return v, err
}

func (s *Server) historyOf(actor iap.Actor, id string) func(context.Context, int64, int) ([]workflow.HistoryEvent, error) {
	return func(ctx context.Context, after int64, limit int) ([]workflow.HistoryEvent, error) {
		return s.cfg.Workflows.History(ctx, actor, id, after, limit)
	}
}

// marks tells how each state of a definition is.
func (r *replay) marks(g *edit.Graph, now time.Time) []stateMark {
	out := make([]stateMark, 0, len(g.States))
	for _, st := range g.States {
		m := stateMark{Name: st.Name, Type: st.Type, Status: visitUntouch, Depth: depthOf(g, st.Region)}
		for _, n := range r.byState[st.Name] {
			m.add(r.visits[n], now)
		}
		out = append(out, m)
	}
	return out
}

func depthOf(g *edit.Graph, region int) int {
	depth := 0
	for g.Regions[region].Owner >= 0 {
		region = g.States[g.Regions[region].Owner].Region
		depth++
	}
	return depth
}

// add counts a visit. What runs is said before what failed, and that before
// what is over.
func (m *stateMark) add(v visit, now time.Time) {
	m.Count++
	m.Retries += max(v.Tries-1, 0)
	switch v.Status {
	case visitActive, visitWaiting:
		m.Active++
	case visitFailed:
		m.Failed++
	case visitCaught:
		m.Caught++
	}
	if m.Total, m.Ended = v.Total, v.Ended+v.Lost; v.MapRun != "" {
		m.Total, m.Ended = 0, 0 // its items end in executions of their own
	}
	m.Note = v.Error
	m.Entered = v.Entered
	end := v.Exited
	if end.IsZero() {
		end = now
	}
	m.Took = end.Sub(v.Entered).Seconds()
	switch {
	case v.Status == visitActive, m.Status != visitActive && v.Status == visitWaiting:
		m.Status = v.Status
	case m.Active > 0:
	case m.Failed > 0:
		m.Status = visitFailed
	default:
		m.Status = v.Status
	}
}

func (s *Server) executionPage(w http.ResponseWriter, r *http.Request, actor iap.Actor) error {
	l := s.layout(r, actor, "Execution")
	x, err := s.viewExecution(r.Context(), actor, r.PathValue("id"))
	if err != nil {
		return err
	}
	l.Title = x.Name
	p := struct {
		layout
		X       executionView
		Panel   statePanel
		History historyPanel
	}{layout: l, X: x}
	if name := r.URL.Query().Get("state"); name != "" {
		if p.Panel, err = s.statePanel(r, actor, x.ID, name); err != nil {
			return err
		}
	}
	if p.History, err = s.historyPanel(r, actor, x.ID); err != nil {
		return err
	}
	return s.render(w, http.StatusOK, "execution", p)
}

// executionLive is what has changed on the page of an execution.
func (s *Server) executionLive(w http.ResponseWriter, r *http.Request, actor iap.Actor) error {
	x, err := s.viewExecution(r.Context(), actor, r.PathValue("id"))
	if err != nil {
		return err
	}
	return s.writeLive(w, x)
}

func (s *Server) writeLive(w http.ResponseWriter, x executionView) error {
	board, err := s.part("execution-board", x)
	if err != nil {
		return err
	}
	list, err := s.part("execution-states", x)
	if err != nil {
		return err
	}
	runs, err := s.part("execution-map-runs", x)
	if err != nil {
		return err
	}
	return writeJSON(w, map[string]any{"board": string(board), "runs": string(runs), "list": string(list), "states": x.MarksByName(), "last": x.Last, "status": x.Status})
}

// MarksByName are the marks as the drawing takes them.
func (x executionView) MarksByName() map[string]stateMark {
	m := make(map[string]stateMark, len(x.Marks))
	for _, k := range x.Marks {
		m[k.Name] = k
	}
	return m
}

// MarksJSON is the same as text.
func (x executionView) MarksJSON() (string, error) {
	b, err := json.Marshal(x.MarksByName())
	return string(b), err
}

// PrettyInput and PrettyOutput are what went in and came out, indented.
func (x executionView) PrettyInput() string  { return viewData("", string(x.Input)).Text }
func (x executionView) PrettyOutput() string { return viewData("", string(x.Output)).Text }

func writeJSON(w http.ResponseWriter, v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.Write(b) // the reader may be gone; there is nobody to tell
	return nil
}

func (s *Server) stopExecution(w http.ResponseWriter, r *http.Request, actor iap.Actor) error {
	id := r.PathValue("id")
	if err := s.cfg.Workflows.Stop(r.Context(), actor, id, "Stopped in the portal by "+actor.ID); err != nil {
		return err
	}
	return seeOther(w, r, "/executions/"+id)
}

func (s *Server) redriveExecution(w http.ResponseWriter, r *http.Request, actor iap.Actor) error {
	id := r.PathValue("id")
	if err := s.cfg.Workflows.Redrive(r.Context(), actor, id); err != nil {
		return err
	}
	return seeOther(w, r, "/executions/"+id)
}
