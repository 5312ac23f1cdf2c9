package web

import (
	"net/http"
	"time"

	iap "github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/instance"
)

// keepForm is the form that keeps an instance.
type keepForm struct {
	I             instanceView
	Until, Reason string
	UntilAt       string // Until as RFC 3339 has it, for the browser's own clock; empty: what was put in stays
	Problems      map[string]string
	Zone          string
}

// keepView is the form as it is before anything was put in.
func (s *Server) keepView(v instanceView) keepForm {
	until := s.cfg.Now().In(s.cfg.Location).Add(2 * time.Hour).Truncate(time.Hour)
	return keepForm{I: v, Until: until.Format("15:04"), UntilAt: until.Format(time.RFC3339), Reason: v.KeepReason, Zone: s.zone()}
}

func (s *Server) keepPage(w http.ResponseWriter, r *http.Request, actor iap.Actor) error {
	i, err := s.cfg.Instances.Get(r.Context(), actor, r.PathValue("id"))
	if err != nil {
		return err
	}
	if i.Purpose == instance.ForBooking {
		return seeOther(w, r, i.KeepPath())
	}
	return s.showKeep(w, r, actor, http.StatusOK, s.keepView(s.viewInstance(r.Context(), i, actor.ID)))
}

func (s *Server) showKeep(w http.ResponseWriter, r *http.Request, actor iap.Actor, status int, f keepForm) error {
	return s.render(w, status, "keep", struct {
		layout
		Form keepForm
	}{s.layout(r, actor, "Keep "+f.I.Words), f})
}

func (s *Server) keep(w http.ResponseWriter, r *http.Request, actor iap.Actor) error {
	if err := parseForm(w, r); err != nil {
		return err
	}
	i, err := s.cfg.Instances.Get(r.Context(), actor, r.PathValue("id"))
	if err != nil {
		return err
	}
	if r.PostForm.Get("off") != "" {
		if _, err := s.cfg.Instances.Release(r.Context(), actor, i.ID); err != nil {
			return err
		}
		return seeOther(w, r, "/instances/"+i.ID)
	}
	zone := s.cfg.Location // the browser tells its own, in which its clock times are
	if l, err := time.LoadLocation(r.PostForm.Get("zone")); err == nil && r.PostForm.Get("zone") != "" {
		zone = l
	}
	until, err := instance.ParseUntil(r.PostForm.Get("until"), zone, s.cfg.Now())
	if err == nil {
		_, err = s.cfg.Instances.Keep(r.Context(), actor, i.ID, until, r.PostForm.Get("reason"))
	}
	if fields := iap.Fields(err); len(fields) > 0 {
		f := s.keepView(s.viewInstance(r.Context(), i, actor.ID))
		f.UntilAt, f.Zone = "", zone.String()
		f.Until, f.Reason, f.Problems = r.PostForm.Get("until"), r.PostForm.Get("reason"), map[string]string{}
		for _, e := range fields {
			f.Problems[e.Field] = e.Message()
		}
		return s.showKeep(w, r, actor, http.StatusUnprocessableEntity, f)
	}
	if err != nil {
		return err
	}
	return seeOther(w, r, "/instances/"+i.ID)
}
