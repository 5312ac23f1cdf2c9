package web

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	iap "github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/workflow"
)

// executionWords and executionHues say the status of an execution.
var executionWords = map[workflow.Status]statusView{
	workflow.Running:   {Name: "deploying", Word: "Running", Hue: "working"},
	workflow.Succeeded: {Name: "succeeded", Word: "Succeeded", Hue: "running"},
	workflow.Failed:    {Name: "failed", Word: "Failed", Hue: "failed"},
	workflow.TimedOut:  {Name: "timed_out", Word: "Timed out", Hue: "failed"},
	workflow.Aborted:   {Name: "cancelled", Word: "Stopped", Hue: "waiting"},
}

var executionStatuses = []workflow.Status{workflow.Running, workflow.Succeeded, workflow.Failed, workflow.TimedOut, workflow.Aborted}

// executionRow is an execution in a table.
type executionRow struct {
	workflow.ExecutionItem
	State statusView
	Took  float64
	Fixed bool // it stands on its machine's page
}

// executionFilter is what a list is filtered by, as it stands in the address.
type executionFilter struct {
	Machine, Status, Prefix, From, To string
	Fixed                             bool // the machine is the page's own
	Statuses                          []statusOption
	Address                           string
}

type statusOption struct{ Value, Word string }

type executionList struct {
	Filter executionFilter
	Rows   []executionRow
	More   string // address of the older ones
	Any    bool   // a filter is set
}

// listExecutions reads the list that an address asks for.
func (s *Server) listExecutions(r *http.Request, actor iap.Actor, machine string) (executionList, error) {
	q := r.URL.Query()
	f := executionFilter{Machine: q.Get("machine"), Status: q.Get("status"), Prefix: strings.TrimSpace(q.Get("name")),
		From: q.Get("from"), To: q.Get("to"), Fixed: machine != "", Address: r.URL.Path}
	if machine != "" {
		f.Machine = machine
	}
	for _, st := range executionStatuses {
		f.Statuses = append(f.Statuses, statusOption{string(st), executionWords[st].Word})
	}
	want := workflow.ExecutionFilter{Machine: f.Machine, Prefix: f.Prefix, Before: q.Get("before"), Limit: pageSize + 1,
		From: s.localTime(f.From), To: s.localTime(f.To)}
	if slices.Contains(executionStatuses, workflow.Status(f.Status)) {
		want.Status = workflow.Status(f.Status)
	}
	l := executionList{Filter: f, Any: f.Status+f.Prefix+f.From+f.To+q.Get("before") != "" || machine == "" && f.Machine != ""}
	items, err := s.cfg.Workflows.Executions(r.Context(), actor, want)
	if err != nil {
		return l, err
	}
	s.fill(&l, items, r)
	return l, nil
}

// fill puts what one page shows into a list, with the address of what is older.
func (s *Server) fill(l *executionList, items []workflow.ExecutionItem, r *http.Request) {
	if len(items) > pageSize {
		items = items[:pageSize]
		q := r.URL.Query()
		q.Set("before", items[pageSize-1].ID)
		l.More = r.URL.Path + "?" + q.Encode()
	}
	for _, x := range items {
		row := s.viewExecutionItem(x)
		row.Fixed = l.Filter.Fixed
		l.Rows = append(l.Rows, row)
	}
}

func (s *Server) viewExecutionItem(x workflow.ExecutionItem) executionRow {
	row := executionRow{ExecutionItem: x, State: executionWords[x.Status]}
	end := x.EndedAt
	if end.IsZero() {
		end = s.cfg.Now()
	}
	row.Took = end.Sub(x.StartedAt).Seconds()
	return row
}

// executed shows an execution in the lists.
func (f *fragments) executed() {
	s, id := f.s, f.e.Subject
	read := sync.OnceValues(func() (executionRow, error) {
		x, err := s.cfg.Workflows.Execution(f.ctx, f.actor, id)
		return s.viewExecutionItem(workflow.ExecutionItem{ID: x.ID, Name: x.Name, Machine: x.Machine, Status: x.Status,
			StartedAt: x.StartedAt, EndedAt: x.EndedAt}), err
	})
	row := func(fixed bool) func() (any, error) {
		return func() (any, error) {
			v, err := read()
			v.Fixed = fixed
			return v, err
		}
	}
	f.part("executionrow-"+id, "execution-row", row(false))
	f.part("executionrowof-"+id, "execution-row", row(true))
	f.hint("executions-new", "executionrow-"+id)
}

// localTime reads what a field of type datetime-local sends; the zero time when
// it says nothing.
func (s *Server) localTime(text string) time.Time {
	for _, form := range []string{"2006-01-02T15:04", "2006-01-02T15:04:05", "2006-01-02"} {
		if t, err := time.ParseInLocation(form, text, s.cfg.Location); err == nil {
			return t
		}
	}
	return time.Time{}
}

func (s *Server) executionsPage(w http.ResponseWriter, r *http.Request, actor iap.Actor) error {
	p := struct {
		layout
		List executionList
	}{layout: s.layout(r, actor, "Executions")}
	var err error
	if p.List, err = s.listExecutions(r, actor, ""); err != nil {
		return err
	}
	return s.render(w, http.StatusOK, "executions", p)
}

// machinePath is the address of a state machine's page.
func machinePath(name string) string { return "/machines/" + url.PathEscape(name) }
