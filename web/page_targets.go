package web

import (
	"net/http"
	"slices"

	iap "github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/event/delivery"
)

// targetView is a target in a list or on its page.
type targetView struct {
	delivery.Target
	Health delivery.Health
	State  statusView
	Title  string // of its kind
	Where  string
}

func viewTarget(t delivery.Target, h delivery.Health) targetView {
	v := targetView{Target: t, Health: h, Title: kindOf(t.Kind).Title, Where: t.Where()}
	switch {
	case t.Disabled != "":
		v.State = statusView{Name: "cancelled", Word: "Disabled", Hue: "failed"}
	case t.Paused:
		v.State = statusView{Name: "cancelled", Word: "Paused", Hue: "ending"}
	case h.Down():
		v.State = statusView{Name: "failed", Word: "Down", Hue: "failed"}
	case h.Failing():
		v.State = statusView{Name: "caught", Word: "Failing", Hue: "ending"}
	case h.LastOK.IsZero():
		v.State = statusView{Name: "queued", Word: "Not used yet", Hue: "waiting"}
	default:
		v.State = statusView{Name: "done", Word: "Working", Hue: "running"}
	}
	return v
}

// Why says what a target's state comes from, where it is not as it should be.
func (v targetView) Why() string {
	switch {
	case v.Disabled != "":
		return v.Disabled
	case v.Paused, !v.Health.Failing():
		return ""
	}
	return v.Health.LastError
}

func (s *Server) targetsPage(w http.ResponseWriter, r *http.Request, actor iap.Actor) error {
	p := struct {
		layout
		Rows []targetView
	}{layout: s.layout(r, actor, "Targets")}
	all, health, err := s.cfg.Deliveries.Targets(r.Context(), actor)
	if err != nil {
		return err
	}
	for _, t := range all {
		p.Rows = append(p.Rows, viewTarget(t, health[t.Name]))
	}
	return s.render(w, http.StatusOK, "targets", p)
}

// newTarget is the form of a target that is not there yet.
func (s *Server) newTarget(w http.ResponseWriter, r *http.Request, actor iap.Actor) error {
	kind, err := s.askedKind(r)
	if err != nil {
		return err
	}
	f := targetForm{Kind: kind, Values: map[string]string{"backoff": delivery.DefaultBackoff.String(), "timeout": delivery.DefaultTimeout.String()}}
	return s.showNewTarget(w, r, actor, http.StatusOK, f)
}

func (s *Server) askedKind(r *http.Request) (targetKind, error) {
	for _, k := range s.kinds() {
		if string(k.Kind) == r.PathValue("kind") {
			return k, nil
		}
	}
	return targetKind{}, iap.Errorf("web.target", iap.NotFound, "%.40q is no kind of target that this portal has", r.PathValue("kind"))
}

func (s *Server) showNewTarget(w http.ResponseWriter, r *http.Request, actor iap.Actor, status int, f targetForm) error {
	f.New, f.Kinds = true, s.kinds()
	return s.render(w, status, "newtarget", struct {
		layout
		Form targetForm
	}{s.layout(r, actor, "Add a target"), f})
}

// addTarget adds a target. A new secret is shown in the answer and never again.
func (s *Server) addTarget(w http.ResponseWriter, r *http.Request, actor iap.Actor) error {
	kind, err := s.askedKind(r)
	if err != nil {
		return err
	}
	f, t, err := readTargetForm(w, r, kind)
	if err != nil {
		return err
	}
	if len(f.Problems) > 0 {
		return s.showNewTarget(w, r, actor, http.StatusUnprocessableEntity, f)
	}
	own := t.Secret != ""
	if t, err = s.cfg.Deliveries.AddTarget(r.Context(), actor, t); err != nil {
		if f.wrong(err) {
			return s.showNewTarget(w, r, actor, http.StatusUnprocessableEntity, f)
		}
		return err
	}
	if own || t.Secret == "" {
		return seeOther(w, r, "/targets/"+t.Name)
	}
	return s.showSecret(w, r, actor, http.StatusCreated, t, t.Name+" is added", true)
}

// showSecret shows the secret of a target, once.
func (s *Server) showSecret(w http.ResponseWriter, r *http.Request, actor iap.Actor, status int, t delivery.Target, title string, added bool) error {
	w.Header().Set("Cache-Control", "no-store")
	return s.render(w, status, "secret", struct {
		layout
		T     delivery.Target
		Added bool
	}{s.layout(r, actor, title), t, added})
}

// rotateSecret gives a target a new secret. Deliveries are signed by the old one
// as well for a while, unless that has become known.
func (s *Server) rotateSecret(w http.ResponseWriter, r *http.Request, actor iap.Actor) error {
	if err := parseForm(w, r); err != nil {
		return err
	}
	overlap := delivery.DefaultOverlap
	if r.PostForm.Has("known") {
		overlap = 0
	}
	t, err := s.cfg.Deliveries.RotateSecret(r.Context(), actor, r.PathValue("name"), "", overlap)
	if err != nil {
		return err
	}
	return s.showSecret(w, r, actor, http.StatusOK, t, t.Name+" has a new secret", false)
}

type targetPage struct {
	layout
	T          targetView
	Rules      []string // that lead there
	Deliveries []deliveryView
	Form       targetForm
	Edit       bool         // the form is open
	Test       *attemptView // that was made just now
}

// recent is how many deliveries the page of a target shows.
const recent = 30

func (s *Server) targetPage(w http.ResponseWriter, r *http.Request, actor iap.Actor) error {
	return s.showTarget(w, r, actor, http.StatusOK, nil, nil)
}

func (s *Server) showTarget(w http.ResponseWriter, r *http.Request, actor iap.Actor, status int, form *targetForm, test *attemptView) error {
	p := targetPage{layout: s.layout(r, actor, r.PathValue("name")), Edit: form != nil, Test: test}
	t, h, err := s.cfg.Deliveries.Target(r.Context(), actor, r.PathValue("name"))
	if err != nil {
		return err
	}
	if p.T, p.Form = viewTarget(t, h), formOf(t); form != nil {
		p.Form = *form
	}
	rules, err := s.cfg.Deliveries.Rules(r.Context(), actor)
	if err != nil {
		return err
	}
	for _, rule := range rules {
		if slices.Contains(rule.Targets, t.Name) {
			p.Rules = append(p.Rules, rule.Name)
		}
	}
	ds, err := s.cfg.Deliveries.Deliveries(r.Context(), actor, delivery.Filter{Target: t.Name, Limit: recent})
	if err != nil {
		return err
	}
	for _, d := range ds {
		p.Deliveries = append(p.Deliveries, viewDelivery(d, nil))
	}
	return s.render(w, status, "target", p)
}

func (s *Server) changeTarget(w http.ResponseWriter, r *http.Request, actor iap.Actor) error {
	name := r.PathValue("name")
	old, _, err := s.cfg.Deliveries.Target(r.Context(), actor, name)
	if err != nil {
		return err
	}
	f, t, err := readTargetForm(w, r, kindOf(old.Kind))
	if err != nil {
		return err
	}
	f.Name, t.Name = name, name
	if len(f.Problems) == 0 {
		if _, err = s.cfg.Deliveries.ChangeTarget(r.Context(), actor, t); err == nil {
			return seeOther(w, r, "/targets/"+name)
		}
		if !f.wrong(err) {
			return err
		}
	}
	return s.showTarget(w, r, actor, http.StatusUnprocessableEntity, &f, nil)
}

func (s *Server) testTarget(w http.ResponseWriter, r *http.Request, actor iap.Actor) error {
	a, err := s.cfg.Deliveries.TestTarget(r.Context(), actor, r.PathValue("name"))
	if err != nil {
		return err
	}
	return s.showTarget(w, r, actor, http.StatusOK, nil, &attemptView{Attempt: a, Seconds: a.Took.Seconds(), Cut: len(a.Answer) >= delivery.MaxAnswer})
}

func (s *Server) pauseTarget(paused bool) handler {
	return func(w http.ResponseWriter, r *http.Request, actor iap.Actor) error {
		if _, err := s.cfg.Deliveries.PauseTarget(r.Context(), actor, r.PathValue("name"), paused); err != nil {
			return err
		}
		return seeOther(w, r, "/targets/"+r.PathValue("name"))
	}
}

func (s *Server) removeTarget(w http.ResponseWriter, r *http.Request, actor iap.Actor) error {
	if err := s.cfg.Deliveries.DeleteTarget(r.Context(), actor, r.PathValue("name")); err != nil {
		return err
	}
	return seeOther(w, r, "/targets")
}
