package web

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"time"

	iap "github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/asl"
)

// statePanel is what is known of one state of an execution: one of its visits
// whole, and the list of all.
type statePanel struct {
	Execution string
	Base      string // address of the page that shows it
	Name      string
	Type      string
	Look      statusView
	Visits    []visitRow
	Count     int // of all visits
	Shown     int // number of the visit that is shown, from 1
	V         visit
	Took      float64
	Where     string // the iteration or branch
	Data      []dataView
	Tries     []tryView
	Around    []string // names of the states around it
}

// visitRow is a visit in the list.
type visitRow struct {
	N       int // from 1
	Look    statusView
	Where   string
	Entered time.Time
	Took    float64
	Current bool
}

// dataView is a JSON document with a title.
type dataView struct {
	Title, Text string
	Cut         bool
}

// tryView is an event of a visit, such as an attempt of its task.
type tryView struct {
	Number      int64
	What        string
	At          time.Time
	Error, Note string
}

// mostVisits is how many visits a panel lists; the newest and those that did
// not go well come first.
const mostVisits = 200

func (s *Server) executionState(w http.ResponseWriter, r *http.Request, actor iap.Actor) error {
	p, err := s.statePanel(r, actor, r.PathValue("id"), r.URL.Query().Get("state"))
	if err != nil {
		return err
	}
	return s.writePart(w, "state-panel", p)
}

func (s *Server) writePart(w http.ResponseWriter, part string, data any) error {
	html, err := s.part(part, data)
	if err != nil {
		return err
	}
	return writeHTML(w, http.StatusOK, html)
}

// statePanel reads a state: the visit that ?visit names, from 1, or the newest.
func (s *Server) statePanel(r *http.Request, actor iap.Actor, id, name string) (statePanel, error) {
	ctx := r.Context()
	p := statePanel{Execution: id, Base: "/executions/" + id, Name: name, Look: visitLooks[visitUntouch]}
	x, err := s.cfg.Workflows.Execution(ctx, actor, id)
	if err != nil {
		return p, err
	}
	k, release := s.replays.get(id, x.Text)
	defer release()
	if err := k.catchUp(ctx, s.historyOf(actor, id)); err != nil {
		return p, err
	}
	if _, known := k.regions[name]; !known {
		return p, iap.Errorf("web", iap.NotFound, "the state machine has no state %q", name)
	}
	all := k.byState[name]
	p.Count = len(all)
	if len(all) == 0 {
		return p, nil
	}
	p.Shown, _ = strconv.Atoi(r.URL.Query().Get("visit"))
	if p.Shown < 1 || p.Shown > len(all) {
		p.Shown = len(all)
	}
	p.V = k.visits[all[p.Shown-1]]
	p.Type, p.Look, p.Where = p.V.Type, visitLooks[p.V.Status], k.where(p.V)
	p.Took = took(p.V, s.cfg.Now())
	p.Visits = k.visitRows(all, p.Shown, s.cfg.Now())
	return p, s.readVisit(ctx, actor, k, &p)
}

func took(v visit, now time.Time) float64 {
	if v.Exited.IsZero() {
		return now.Sub(v.Entered).Seconds()
	}
	return v.Exited.Sub(v.Entered).Seconds()
}

// where says in which iterations and branches a visit is.
func (r *replay) where(v visit) string {
	out := ""
	for v.Parent >= 0 {
		around := r.visits[v.Parent]
		word := "iteration"
		if around.Type == string(asl.TypeParallel) {
			word = "branch"
		}
		part := word + " " + strconv.Itoa(v.Index) + " of " + around.State
		if out != "" {
			part += ", "
		}
		out = part + out
		v = around
	}
	return out
}

func (r *replay) visitRows(all []int, shown int, now time.Time) []visitRow {
	var rows []visitRow
	add := func(i int) {
		v := r.visits[all[i]]
		rows = append(rows, visitRow{N: i + 1, Look: visitLooks[v.Status], Where: r.where(v), Entered: v.Entered, Took: took(v, now), Current: i+1 == shown})
	}
	for i := range slices.Backward(all) {
		st := r.visits[all[i]].Status
		if len(rows) < mostVisits/2 && (st == visitFailed || st == visitCaught || st == visitActive) || i+1 == shown {
			add(i)
		}
	}
	for i := range slices.Backward(all) {
		if len(rows) >= mostVisits {
			break
		}
		if !slices.ContainsFunc(rows, func(r visitRow) bool { return r.N == i+1 }) {
			add(i)
		}
	}
	slices.SortFunc(rows, func(a, b visitRow) int { return b.N - a.N })
	return rows
}

// mostTries is how many events of one visit are read.
const mostTries = 400

// readVisit reads what the history keeps of the visit that is shown.
func (s *Server) readVisit(ctx context.Context, actor iap.Actor, k *keptReplay, p *statePanel) error {
	v := p.V
	var events []int64
	for n := v.EnterEvent; n <= v.last && len(events) < mostTries; n++ {
		if int(k.at[n-1].visit) == v.Number {
			events = append(events, n)
		}
	}
	for i := 0; i < len(events); {
		chunk, err := s.cfg.Workflows.History(ctx, actor, p.Execution, events[i]-1, 50)
		if err != nil {
			return err
		}
		if len(chunk) == 0 {
			return nil
		}
		last := chunk[len(chunk)-1].Number
		for _, e := range chunk {
			if i < len(events) && events[i] == e.Number {
				p.take(e.Number, e.Type, e.Time, e.Details)
				i++
			}
		}
		if i < len(events) && events[i] <= last {
			return nil // a number is missing: the rest is not to be had
		}
	}
	return nil
}

// take notes an event of the visit that is shown.
func (p *statePanel) take(number int64, kind string, at time.Time, details json.RawMessage) {
	var all map[string]json.RawMessage
	var d struct {
		Name, Input, Output, Parameters, Error, Cause, Resource string
		AssignedVariables                                       map[string]string
	}
	if json.Unmarshal(details, &all) == nil {
		_ = json.Unmarshal(all[asl.DetailsKey(kind)], &d) // some types have none
	}
	add := func(title, text string) {
		if text != "" {
			p.Data = append(p.Data, viewData(title, text))
		}
	}
	switch {
	case number == p.V.EnterEvent:
		add("Input", d.Input)
		return
	case number == p.V.Ending && d.Name == p.V.State:
		add("Output", d.Output)
		if len(d.AssignedVariables) > 0 {
			vars := map[string]json.RawMessage{}
			for name, text := range d.AssignedVariables {
				vars[name] = json.RawMessage(text)
			}
			if b, err := json.Marshal(vars); err == nil {
				add("Variables assigned", string(b))
			}
		}
		return
	case d.Parameters != "" && len(p.Data) < 3:
		add("Arguments", d.Parameters)
	}
	p.Tries = append(p.Tries, tryView{Number: number, What: eventWords(kind), At: at, Error: d.Error, Note: d.Cause})
}

// mostText is how many bytes of a document a page shows.
const mostText = 64 << 10

func viewData(title, text string) dataView {
	d := dataView{Title: title, Text: pretty([]byte(text))}
	if len(d.Text) > mostText {
		d.Text, d.Cut = string(bytes.ToValidUTF8([]byte(d.Text[:mostText]), nil)), true
	}
	return d
}

// pretty indents JSON; what is none is left as it is.
func pretty(text []byte) string {
	var b bytes.Buffer
	if json.Indent(&b, text, "", "  ") != nil {
		return string(text)
	}
	return b.String()
}
