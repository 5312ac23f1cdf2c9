package web

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	iap "github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/event"
)

// eventFilter is what the log is filtered by, as it stands in the address.
type eventFilter struct{ Type, Source, Subject, Instance, Since, Text string }

// readEventFilter reads the filter that an address holds.
func readEventFilter(q url.Values) eventFilter {
	get := func(name string) string { return strings.TrimSpace(q.Get(name)) }
	return eventFilter{Type: get("type"), Source: get("source"), Subject: get("subject"), Instance: get("instance"), Since: get("since"),
		Text: get("text")}
}

// values is the filter as it stands in an address; empty fields are left out.
func (f eventFilter) values() url.Values {
	return filled(map[string]string{"type": f.Type, "source": f.Source, "subject": f.Subject, "instance": f.Instance,
		"since": f.Since, "text": f.Text})
}

// query is what the filter chooses of the log.
func (f eventFilter) query(s *Server) event.Query {
	return event.Query{Filter: event.Filter{Type: f.Type, Source: f.Source, Subject: f.Subject, Group: f.Instance}, Since: s.localTime(f.Since), Text: f.Text}
}

// eventRow is an event in a table.
type eventRow struct {
	event.Event
	About eventRef
	Brief string // its data on one line
}

// mostBrief is how many bytes of an event's data its row has.
const mostBrief = 160

func viewEventRow(e event.Event) eventRow {
	row := eventRow{Event: e, About: eventRef{Text: e.Subject}}
	if refs := eventRefs(e); len(refs) > 0 && refs[0].Subject {
		row.About = refs[0]
	}
	row.Brief = brief(e)
	return row
}

// brief writes an event's data on one line, without what its row says already.
func brief(e event.Event) string {
	d := json.NewDecoder(bytes.NewReader(e.Data))
	var b strings.Builder
	if open, err := d.Token(); err != nil || open != json.Delim('{') {
		b.Write(e.Data[:min(len(e.Data), mostBrief)])
	} else {
		for b.Len() < mostBrief && d.More() {
			name, err := d.Token()
			var value json.RawMessage
			if err != nil || d.Decode(&value) != nil {
				break
			}
			shown := string(value)
			if s := textOf(value); s != "" {
				if s == e.Subject || s == e.Group || s == e.Owner {
					continue
				}
				shown = s
			}
			if b.Len() > 0 {
				b.WriteString(" · ")
			}
			fmt.Fprintf(&b, "%v %.*s", name, mostBrief, shown)
		}
	}
	line := strings.Join(strings.Fields(b.String()), " ")
	return strings.ToValidUTF8(line[:min(len(line), mostBrief)], "")
}

type eventsPage struct {
	layout
	F        eventFilter
	Rows     []eventRow
	Types    []string // to choose from: the portal's own, and those of the rows
	Filtered bool
	Paged    bool   // it does not begin with the newest event
	Cut      bool   // the search ended before it had found enough
	First    string // address of the newest ones
	More     string // address of the older ones
	Tail     string // topic of the stream that brings the new ones
}

func (s *Server) eventsPage(w http.ResponseWriter, r *http.Request, actor iap.Actor) error {
	p := eventsPage{layout: s.layout(r, actor, "Events"), F: readEventFilter(r.URL.Query())}
	if since := p.F.Since; since != "" && s.localTime(since).IsZero() {
		return iap.FieldErrorf("web.events", "since", "%.40q is no time such as 2026-01-31T12:00", since)
	}
	before := r.URL.Query().Get("before")
	q := p.F.query(s)
	q.Limit = pageSize
	if before != "" {
		n, err := strconv.ParseInt(before, 10, 64)
		if err != nil || n < 1 {
			return iap.FieldErrorf("web.events", "before", "%.40q is not the number of an event", before)
		}
		q.Before, p.Paged = n, true
	}
	found, err := event.Search(r.Context(), s.cfg.Reader, q)
	if err != nil {
		return err
	}
	for _, e := range found.Events {
		p.Rows = append(p.Rows, viewEventRow(e))
		if !slices.Contains(p.Types, e.Type) {
			p.Types = append(p.Types, e.Type)
		}
	}
	for _, d := range event.Types() {
		if !slices.Contains(p.Types, d.Type) {
			p.Types = append(p.Types, d.Type)
		}
	}
	slices.Sort(p.Types)
	here := p.F.values()
	p.Filtered, p.Cut, p.First, p.Tail = len(here) > 0, found.Cut, "/events?"+here.Encode(), tailTopic(p.F)
	if found.Next > 0 {
		here.Set("before", strconv.FormatInt(found.Next, 10))
		p.More = "/events?" + here.Encode()
	}
	return s.render(w, http.StatusOK, "events", p)
}
