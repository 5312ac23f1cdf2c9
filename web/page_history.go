package web

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
	"unicode"

	iap "github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/workflow"
)

// historyRows is how many events a page of a history has, and historyScan how
// many are searched through for them at most.
const (
	historyRows = 100
	historyScan = 50_000
)

// historyPanel is a part of an execution's history.
type historyPanel struct {
	Execution       string
	Q               string
	Rows            []historyRow
	First, Next     string // addresses; empty: nothing there
	Previous, Final string
}

type historyRow struct {
	Number      int64
	What, State string
	Hue         string
	At          time.Time
	Since       float64 // seconds since the start
	Note        string
	MapRun      string // ID; empty: none
}

func (s *Server) executionHistory(w http.ResponseWriter, r *http.Request, actor iap.Actor) error {
	p, err := s.historyPanel(r, actor, r.PathValue("id"))
	if err != nil {
		return err
	}
	return s.writePart(w, "history-panel", p)
}

// historyPanel reads the part of a history that the address asks for: what
// follows ?after, of which the text has ?q in it.
func (s *Server) historyPanel(r *http.Request, actor iap.Actor, id string) (historyPanel, error) {
	q := r.URL.Query()
	p := historyPanel{Execution: id, Q: strings.TrimSpace(q.Get("q"))}
	after, _ := strconv.ParseInt(q.Get("after"), 10, 64)
	after = max(after, 0)
	x, err := s.cfg.Workflows.Execution(r.Context(), actor, id)
	if err != nil {
		return p, err
	}
	k, release := s.replays.get(id, x.Text)
	defer release()
	if err := k.catchUp(r.Context(), s.historyOf(actor, id)); err != nil {
		return p, err
	}
	at := after
	wanted, piece := strings.ToLower(p.Q), historyRows
	if wanted != "" {
		piece = 2000
	}
	for at-after < historyScan && len(p.Rows) < historyRows {
		events, err := s.cfg.Workflows.History(r.Context(), actor, id, at, piece)
		if err != nil {
			return p, err
		}
		for _, e := range events {
			if len(p.Rows) == historyRows {
				break
			}
			at = e.Number
			if wanted == "" || k.matches(wanted, e) {
				p.Rows = append(p.Rows, k.row(e))
			}
		}
		if len(events) < piece {
			break
		}
	}
	p.links(after, at, k.last)
	return p, nil
}

func (p *historyPanel) links(after, at, last int64) {
	to := func(after int64) string {
		v := url.Values{"after": {strconv.FormatInt(max(after, 0), 10)}}
		if p.Q != "" {
			v.Set("q", p.Q)
		}
		return "/executions/" + p.Execution + "?" + v.Encode() + "#history"
	}
	if after > 0 {
		p.First = to(0)
		p.Previous = to(after - historyRows)
	}
	if at < last {
		p.Next = to(at)
		if p.Q == "" {
			p.Final = to((last - 1) / historyRows * historyRows)
		}
	}
}

func (r *replay) row(e workflow.HistoryEvent) historyRow {
	t := tell(e)
	row := historyRow{Number: e.Number, What: eventWords(e.Type), At: e.Time, State: t.Name, Hue: "waiting", Note: t.Error}
	if e.Number <= int64(len(r.at)) {
		if n := r.at[e.Number-1].visit; n >= 0 {
			row.State = r.visits[n].State
		}
	}
	if !r.Started.IsZero() {
		row.Since = e.Time.Sub(r.Started).Seconds()
	}
	switch {
	case strings.HasSuffix(e.Type, "Failed"), strings.HasSuffix(e.Type, "TimedOut"):
		row.Hue = "failed"
	case strings.HasSuffix(e.Type, "Succeeded"), strings.HasSuffix(e.Type, "Exited"):
		row.Hue = "running"
	case strings.HasSuffix(e.Type, "Started"), strings.HasSuffix(e.Type, "Entered"), strings.HasSuffix(e.Type, "Scheduled"), strings.HasSuffix(e.Type, "Submitted"):
		row.Hue = "working"
	}
	if t.Resource != "" && row.Note == "" {
		row.Note = t.Resource
	}
	if t.MapRun != "" {
		row.MapRun = lastPart(t.MapRun)
	}
	if strings.HasPrefix(e.Type, "MapIteration") {
		row.Note = "iteration " + strconv.Itoa(t.Index)
	}
	return row
}

// matches tells whether an event has a text in it, or happened in a state that
// has it in its name.
func (r *replay) matches(wanted string, e workflow.HistoryEvent) bool {
	if e.Number <= int64(len(r.at)) {
		if n := r.at[e.Number-1].visit; n >= 0 && strings.Contains(strings.ToLower(r.visits[n].State), wanted) {
			return true
		}
	}
	return strings.Contains(strings.ToLower(eventWords(e.Type)), wanted) || strings.Contains(strings.ToLower(string(e.Details)), wanted)
}

// eventWords writes the type of an event as words: "Task scheduled".
func eventWords(kind string) string {
	var b strings.Builder
	for i, r := range kind {
		if i > 0 && unicode.IsUpper(r) {
			b.WriteByte(' ')
			r = unicode.ToLower(r)
		}
		b.WriteRune(r)
	}
	return b.String()
}

// executionEvent is one event, whole.
func (s *Server) executionEvent(w http.ResponseWriter, r *http.Request, actor iap.Actor) error {
	n, err := strconv.ParseInt(r.PathValue("number"), 10, 64)
	if err != nil || n < 1 {
		return iap.Errorf("web", iap.NotFound, "there is no event %q", r.PathValue("number"))
	}
	if _, err := s.cfg.Workflows.Execution(r.Context(), actor, r.PathValue("id")); err != nil {
		return err
	}
	events, err := s.cfg.Workflows.History(r.Context(), actor, r.PathValue("id"), n-1, 1)
	if err != nil {
		return err
	}
	if len(events) == 0 || events[0].Number != n {
		return iap.Errorf("web", iap.NotFound, "there is no event %d", n)
	}
	return s.writePart(w, "json", viewData(eventWords(events[0].Type), string(unfold(events[0].Details))))
}

// unfold makes JSON of the texts in an event's details that are JSON
// themselves, so that it can be read.
func unfold(details json.RawMessage) json.RawMessage {
	var all map[string]json.RawMessage
	if json.Unmarshal(details, &all) != nil {
		return details
	}
	for key, part := range all {
		var fields map[string]json.RawMessage
		if !strings.HasSuffix(key, "Details") || json.Unmarshal(part, &fields) != nil {
			continue
		}
		for name, v := range fields {
			var text string
			if json.Unmarshal(v, &text) == nil && len(text) > 1 && json.Valid([]byte(text)) {
				fields[name] = json.RawMessage(text)
			}
			if strings.HasSuffix(name, "Details") { // says only that nothing was cut off
				delete(fields, name)
			}
		}
		if b, err := json.Marshal(fields); err == nil {
			all[key] = b
		}
	}
	b, err := json.Marshal(all)
	if err != nil {
		return details
	}
	return b
}
