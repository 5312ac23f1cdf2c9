package web

import (
	"net/http"

	iap "github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/leak"
)

func (s *Server) leakRoutes(in func(pattern string, h handler)) {
	if s.cfg.Leaks == nil {
		return
	}
	in("GET /leaks", s.admin(s.leaksPage))
	in("GET /leaks/{id}/remove", s.admin(s.removeLeakPage))
	in("POST /leaks/{id}/remove", s.admin(s.removeLeak))
	if s.cfg.Schedules != nil {
		in("POST /leaks/check", s.admin(s.checkLeaks))
	}
}

type leaksPage struct {
	layout
	All     bool // those that are gone as well
	Looking string
	Rows    []leak.Leak
	More    string // address of the older ones
}

// leaksPage lists what outlived its instance.
func (s *Server) leaksPage(w http.ResponseWriter, r *http.Request, actor iap.Actor) error {
	q := r.URL.Query()
	p := leaksPage{layout: s.layout(r, actor, "Leaks"), All: q.Get("show") == "all", Looking: q.Get("check")}
	if !iap.ValidID(p.Looking) {
		p.Looking = ""
	}
	found, err := s.cfg.Leaks.List(r.Context(), actor, leak.Filter{Gone: p.All, Before: q.Get("before"), Limit: pageSize + 1})
	if err != nil {
		return err
	}
	if len(found) > pageSize {
		found = found[:pageSize]
		q.Set("before", found[pageSize-1].ID)
		p.More = "/leaks?" + q.Encode()
	}
	p.Rows = found
	return s.render(w, http.StatusOK, "leaks", p)
}

// removeLeakPage asks before something is removed.
func (s *Server) removeLeakPage(w http.ResponseWriter, r *http.Request, actor iap.Actor) error {
	l, err := s.cfg.Leaks.Get(r.Context(), actor, r.PathValue("id"))
	if err != nil {
		return err
	}
	return s.render(w, http.StatusOK, "removeleak", struct {
		layout
		L leak.Leak
	}{s.layout(r, actor, "Remove a leak"), l})
}

func (s *Server) removeLeak(w http.ResponseWriter, r *http.Request, actor iap.Actor) error {
	if _, err := s.cfg.Leaks.Remove(r.Context(), actor, r.PathValue("id")); err != nil {
		return err
	}
	return seeOther(w, r, "/leaks")
}

// checkLeaks has the platform compared with the database now.
func (s *Server) checkLeaks(w http.ResponseWriter, r *http.Request, actor iap.Actor) error {
	f, err := s.cfg.Schedules.Run(r.Context(), actor, leak.CheckName)
	if err != nil {
		return err
	}
	return seeOther(w, r, "/leaks?check="+f.Execution)
}
