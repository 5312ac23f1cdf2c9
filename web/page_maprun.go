package web

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"

	iap "github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/workflow"
)

// mapRunView is a map run as its page and its execution's show it.
type mapRunView struct {
	workflow.MapRun
	Look    statusView
	Took    float64
	Percent int // of the items whose number is known
	Known   bool
	Counts  []mapCount
}

// mapCount is a row of the counts.
type mapCount struct {
	Word, Hue       string
	Items, Children int64
}

func (s *Server) viewMapRun(r workflow.MapRun) mapRunView {
	v := mapRunView{MapRun: r, Look: executionWords[r.Status], Known: r.Total > 0}
	if r.Redriving {
		v.Look.Note = "is being redriven"
	}
	end := r.StoppedAt
	if end.IsZero() {
		end = s.cfg.Now()
	}
	v.Took = end.Sub(r.StartedAt).Seconds()
	if v.Known {
		v.Percent = int(100 * (r.Items.Succeeded + r.Items.Unsuccessful()) / r.Total)
	}
	i, c := r.Items, r.Children
	for _, row := range []mapCount{{"Pending", "waiting", i.Pending, c.Pending}, {"Running", "working", i.Running, c.Running},
		{"Succeeded", "running", i.Succeeded, c.Succeeded}, {"Failed", "failed", i.Failed, c.Failed},
		{"Timed out", "failed", i.TimedOut, c.TimedOut}, {"Stopped", "waiting", i.Aborted, c.Aborted},
		{"To be redriven", "waiting", i.PendingRedrive, c.PendingRedrive}, {"Not redrivable", "failed", i.NotRedrivable, c.NotRedrivable},
		{"Results written", "running", i.ResultsWritten, c.ResultsWritten}, {"All", "", i.Total(), c.Total()}} {
		rare := slices.Contains([]string{"Timed out", "To be redriven", "Not redrivable", "Results written"}, row.Word)
		if !rare || row.Items+row.Children > 0 {
			v.Counts = append(v.Counts, row)
		}
	}
	return v
}

// TotalText says how many items there are.
func (v mapRunView) TotalText() string {
	if v.Total >= 0 {
		return strconv.FormatInt(v.Total, 10)
	}
	return strconv.FormatInt(v.Items.Total(), 10) + " so far"
}

// Percentage is the tolerated one as the form has it, empty when not set.
func (v mapRunView) Percentage() string {
	if v.ToleratedPercentage == nil {
		return ""
	}
	return strconv.FormatFloat(*v.ToleratedPercentage, 'f', -1, 64)
}

// mapRunPageData is what the page shows.
type mapRunPageData struct {
	layout
	Run    mapRunView
	Parent workflow.Execution
	List   executionList
}

func (s *Server) mapRunPage(w http.ResponseWriter, r *http.Request, actor iap.Actor) error {
	run, err := s.cfg.Workflows.MapRun(r.Context(), actor, r.PathValue("id"))
	if err != nil {
		return err
	}
	x, err := s.cfg.Workflows.Execution(r.Context(), actor, run.Execution)
	if err != nil {
		return err
	}
	p := mapRunPageData{layout: s.layout(r, actor, "Map run of "+run.State), Run: s.viewMapRun(run), Parent: x.Execution}
	if !run.Express {
		if p.List, err = s.mapChildren(r, actor, run.ID); err != nil {
			return err
		}
	}
	return s.render(w, http.StatusOK, "maprun", p)
}

// mapChildren lists the executions of a map run's children as the address asks.
func (s *Server) mapChildren(r *http.Request, actor iap.Actor, id string) (executionList, error) {
	q := r.URL.Query()
	l := executionList{Filter: executionFilter{Status: q.Get("status"), Fixed: true, Address: r.URL.Path}}
	for _, st := range executionStatuses {
		l.Filter.Statuses = append(l.Filter.Statuses, statusOption{string(st), executionWords[st].Word})
	}
	want := workflow.ExecutionFilter{MapRun: id, Before: q.Get("before"), Limit: pageSize + 1}
	if slices.Contains(executionStatuses, workflow.Status(l.Filter.Status)) {
		want.Status = workflow.Status(l.Filter.Status)
	}
	l.Any = l.Filter.Status+q.Get("before") != ""
	items, err := s.cfg.Workflows.Executions(r.Context(), actor, want)
	if err != nil {
		return l, err
	}
	s.fill(&l, items, r)
	return l, nil
}

// limitLabels are the limits as the form names them, by their names in it and
// in the engine's errors.
var limitLabels = map[string]string{
	"max_concurrency": "executions at once", "maxConcurrency": "executions at once",
	"tolerated_failure_count": "items that may fail", "toleratedFailureCount": "items that may fail",
	"tolerated_failure_percentage": "percent that may fail", "toleratedFailurePercentage": "percent that may fail",
}

// updateMapRun takes the form of the limits; what is left empty stays.
func (s *Server) updateMapRun(w http.ResponseWriter, r *http.Request, actor iap.Actor) error {
	id := r.PathValue("id")
	var c workflow.MapRunChange
	for name, to := range map[string]**int64{"max_concurrency": &c.MaxConcurrency, "tolerated_failure_count": &c.ToleratedCount} {
		text := strings.TrimSpace(r.PostFormValue(name))
		if text == "" {
			continue
		}
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			return iap.FieldErrorf("web.updateMapRun", limitLabels[name], "%.40q is not a whole number", text)
		}
		*to = &n
	}
	if text := strings.TrimSpace(r.PostFormValue("tolerated_failure_percentage")); text != "" {
		n, err := strconv.ParseFloat(text, 64)
		if err != nil {
			return iap.FieldErrorf("web.updateMapRun", limitLabels["tolerated_failure_percentage"], "%.40q is not a number", text)
		}
		c.ToleratedPercentage = &n
	}
	err := s.cfg.Workflows.UpdateMapRun(r.Context(), actor, id, c)
	for _, e := range iap.Fields(err) {
		if label := limitLabels[e.Field]; label != "" {
			return iap.FieldErrorf("web.updateMapRun", label, "%s", e.Message())
		}
	}
	if err != nil {
		return err
	}
	return seeOther(w, r, "/map-runs/"+id)
}

// mostMapRuns is how many map runs the page of an execution shows.
const mostMapRuns = 20

// mapRunsOf are the newest map runs of an execution.
func (s *Server) mapRunsOf(ctx context.Context, actor iap.Actor, id string) ([]mapRunView, error) {
	runs, err := s.cfg.Workflows.MapRuns(ctx, actor, id, mostMapRuns)
	if err != nil {
		return nil, err
	}
	var out []mapRunView
	for _, r := range runs {
		out = append(out, s.viewMapRun(r))
	}
	return out, nil
}

// mapRun shows a map run where it is.
func (f *fragments) mapRun(id string) {
	var is struct{ Execution string }
	if err := json.Unmarshal(f.e.Data, &is); err != nil {
		f.failed(err)
		f.add("stale")
		return
	}
	f.part("maprun-"+id, "maprun-board", func() (any, error) {
		run, err := f.s.cfg.Workflows.MapRun(f.ctx, f.actor, id)
		return f.s.viewMapRun(run), err
	})
	f.add("changed-" + id)
	f.add("changed-" + is.Execution)
}
