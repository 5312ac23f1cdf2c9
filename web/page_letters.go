package web

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"time"

	iap "github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/event/delivery"
)

// mostDead is how many dead letters are counted for the navigation.
const mostDead = 100

// deadLetters counts the dead letters, mostDead at most, for the navigation:
// without it a page is still of use.
func (s *Server) deadLetters(ctx context.Context, actor iap.Actor) int {
	if s.cfg.Deliveries == nil {
		return 0
	}
	found, err := s.cfg.Deliveries.Deliveries(ctx, actor, delivery.Filter{Status: delivery.Dead, Limit: mostDead})
	if err != nil && ctx.Err() == nil {
		s.cfg.Logger.Warn("dead letters could not be counted", "err", err)
	}
	return len(found)
}

// letterFilter is what dead letters are filtered by, as it stands in the address.
type letterFilter struct{ Target, Type, Since string }

func readLetterFilter(q url.Values) letterFilter {
	get := func(name string) string { return strings.TrimSpace(q.Get(name)) }
	return letterFilter{get("target"), get("type"), get("since")}
}

// values is the filter as it stands in an address; empty fields are left out.
func (f letterFilter) values() url.Values {
	return filled(map[string]string{"target": f.Target, "type": f.Type, "since": f.Since})
}

// filled are the fields that are not empty, for an address.
func filled(fields map[string]string) url.Values {
	v := url.Values{}
	for name, value := range fields {
		if value != "" {
			v.Set(name, value)
		}
	}
	return v
}

// query is what the filter chooses. The error is Invalid.
func (f letterFilter) query(s *Server) (delivery.Filter, error) {
	q := delivery.Filter{Target: f.Target, EventType: f.Type, Status: delivery.Dead, Since: s.localTime(f.Since), Limit: pageSize + 1}
	if f.Since != "" && q.Since.IsZero() {
		return q, iap.FieldErrorf("web.letters", "since", "%.40q is no time such as 2026-01-31T12:00", f.Since)
	}
	return q, nil
}

type lettersPage struct {
	layout
	F        letterFilter
	Rows     []deliveryView
	Targets  []string // to choose from
	Total    int      // of the filter's target, or of all
	Chosen   []string // what was ticked in a form that was not accepted
	Reason   string
	Problem  string
	Filtered bool
	Since    time.Time // of the filter
	Paged    bool
	More     string // address of the older ones
}

// Ticked reports whether a letter was ticked.
func (p lettersPage) Ticked(id string) bool {
	for _, one := range p.Chosen {
		if one == id {
			return true
		}
	}
	return false
}

func (s *Server) lettersPage(w http.ResponseWriter, r *http.Request, actor iap.Actor) error {
	return s.showLetters(w, r, actor, http.StatusOK, lettersPage{F: readLetterFilter(r.URL.Query())}, r.URL.Query().Get("before"))
}

func (s *Server) showLetters(w http.ResponseWriter, r *http.Request, actor iap.Actor, status int, p lettersPage, before string) error {
	p.layout = s.layout(r, actor, "Dead letters")
	q, err := p.F.query(s)
	if err != nil {
		return err
	}
	if _, _, err := delivery.ParseID(before); before != "" && err != nil {
		return iap.FieldErrorf("web.letters", "before", "%.80q is not the ID of a delivery", before)
	}
	q.Before, p.Paged, p.Since = before, before != "", q.Since
	found, err := s.cfg.Deliveries.Deliveries(r.Context(), actor, q)
	if err != nil {
		return err
	}
	here := p.F.values()
	p.Filtered = len(here) > 0
	if len(found) > pageSize {
		found = found[:pageSize]
		here.Set("before", found[pageSize-1].ID())
		p.More = "/dead-letters?" + here.Encode()
	}
	for _, d := range found {
		p.Rows = append(p.Rows, viewDelivery(d, nil))
	}
	targets, health, err := s.cfg.Deliveries.Targets(r.Context(), actor)
	if err != nil {
		return err
	}
	for _, t := range targets {
		p.Targets = append(p.Targets, t.Name)
		if p.F.Target == "" || p.F.Target == t.Name {
			p.Total += health[t.Name].Dead
		}
	}
	return s.render(w, status, "letters", p)
}

// refused shows the list again with what is wrong with what was asked.
func (s *Server) refused(w http.ResponseWriter, r *http.Request, actor iap.Actor, problem string) error {
	p := lettersPage{F: readLetterFilter(r.PostForm), Chosen: r.PostForm["id"], Reason: r.PostForm.Get("reason"), Problem: problem}
	return s.showLetters(w, r, actor, http.StatusUnprocessableEntity, p, r.PostForm.Get("before"))
}

// redriveLetters has those that were ticked, or all that the filter chooses, be
// delivered again.
func (s *Server) redriveLetters(w http.ResponseWriter, r *http.Request, actor iap.Actor) error {
	if err := parseForm(w, r); err != nil {
		return err
	}
	ids := r.PostForm["id"]
	var id string
	var n int
	f, err := readLetterFilter(r.PostForm).query(s)
	if err != nil {
		return err
	}
	switch {
	case r.PostForm.Has("all"):
		id, n, err = s.cfg.Deliveries.RedriveAll(r.Context(), actor, delivery.Filter{Target: f.Target, EventType: f.EventType, Since: f.Since})
	case len(ids) == 0:
		return s.refused(w, r, actor, "Nothing is ticked: tick the dead letters that should be redriven.")
	default:
		id, n, err = s.cfg.Deliveries.Redrive(r.Context(), actor, ids)
	}
	if err != nil {
		return err
	}
	if n == 0 { // they were redriven or deleted meanwhile
		return seeOther(w, r, "/dead-letters")
	}
	return seeOther(w, r, "/redrives/"+id)
}

// deleteLetters gives those that were ticked up for good.
func (s *Server) deleteLetters(w http.ResponseWriter, r *http.Request, actor iap.Actor) error {
	if err := parseForm(w, r); err != nil {
		return err
	}
	ids := r.PostForm["id"]
	if len(ids) == 0 {
		return s.refused(w, r, actor, "Nothing is ticked: tick the dead letters that should be deleted.")
	}
	err := s.cfg.Deliveries.DeleteLetters(r.Context(), actor, ids, strings.TrimSpace(r.PostForm.Get("reason")))
	if fields := iap.Fields(err); len(fields) > 0 {
		return s.refused(w, r, actor, "The reason: "+fields[0].Message()+".")
	}
	if err != nil {
		return err
	}
	return seeOther(w, r, strings.TrimSuffix("/dead-letters?"+readLetterFilter(r.PostForm).values().Encode(), "?"))
}
