package web

import (
	"errors"
	"net/http"
	"slices"
	"strings"

	iap "github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/event/delivery"
)

// ruleForm is what the form of a rule holds, with what is wrong by field.
type ruleForm struct {
	New      bool
	Name     string
	When     string
	Chosen   []string // targets
	Targets  []targetView
	Tried    *triedView
	Problems map[string]string
	Problem  string // of no field
}

// Leads reports whether the rule leads to a target.
func (f ruleForm) Leads(target string) bool { return slices.Contains(f.Chosen, target) }

// triedView is how an expression fares with the newest events.
type triedView struct {
	Rows    []eventRow // that it chooses
	Of      int        // it was tried on
	Neither int        // of which it is neither true nor false
	Why     string     // of the first of these
	Problem string     // with the expression itself
	Place   string     // the line with the problem, and the place below
}

// try says which of the newest events an expression chooses. An expression that
// is wrong is part of the answer.
func (s *Server) try(r *http.Request, actor iap.Actor, when string) (*triedView, error) {
	v := &triedView{}
	tried, err := s.cfg.Deliveries.Try(r.Context(), actor, when)
	if len(iap.Fields(err)) > 0 {
		v.Problem = iap.Fields(err)[0].Message()
		var at *delivery.PlaceError
		if errors.As(err, &at) {
			v.Place = pointAt(when, at.Line, at.Column)
		}
		return v, nil
	}
	if err != nil {
		return nil, err
	}
	v.Of = len(tried)
	for _, t := range tried {
		switch {
		case t.Matches:
			v.Rows = append(v.Rows, viewEventRow(t.Event))
		case t.Error != "":
			if v.Neither++; v.Why == "" {
				v.Why = t.Error
			}
		}
	}
	return v, nil
}

// pointAt returns a line of a text with a mark below a column; both count from 1.
func pointAt(text string, line, column int) string {
	lines := strings.Split(text, "\n")
	if line < 1 || line > len(lines) {
		return ""
	}
	shown := []rune(strings.ReplaceAll(strings.TrimRight(lines[line-1], "\r"), "\t", " "))
	return string(shown) + "\n" + strings.Repeat(" ", min(max(column-1, 0), len(shown))) + "^"
}

func (s *Server) rulesPage(w http.ResponseWriter, r *http.Request, actor iap.Actor) error {
	p := struct {
		layout
		Rows []delivery.Rule
	}{layout: s.layout(r, actor, "Rules")}
	var err error
	if p.Rows, err = s.cfg.Deliveries.Rules(r.Context(), actor); err != nil {
		return err
	}
	return s.render(w, http.StatusOK, "rules", p)
}

// tryRule is what the try-it box shows, alone.
func (s *Server) tryRule(w http.ResponseWriter, r *http.Request, actor iap.Actor) error {
	if err := parseForm(w, r); err != nil {
		return err
	}
	v, err := s.try(r, actor, r.PostForm.Get("when"))
	if err != nil {
		return err
	}
	return s.writePart(w, "tried", v)
}

func (s *Server) newRule(w http.ResponseWriter, r *http.Request, actor iap.Actor) error {
	f := ruleForm{New: true, When: r.URL.Query().Get("when"), Chosen: r.URL.Query()["target"]}
	return s.showRule(w, r, actor, http.StatusOK, f, delivery.Rule{})
}

func (s *Server) rulePage(w http.ResponseWriter, r *http.Request, actor iap.Actor) error {
	rule, err := s.cfg.Deliveries.Rule(r.Context(), actor, r.PathValue("name"))
	if err != nil {
		return err
	}
	return s.showRule(w, r, actor, http.StatusOK, ruleForm{Name: rule.Name, When: rule.When, Chosen: rule.Targets}, rule)
}

func (s *Server) showRule(w http.ResponseWriter, r *http.Request, actor iap.Actor, status int, f ruleForm, rule delivery.Rule) error {
	p := struct {
		layout
		Form ruleForm
		Rule delivery.Rule
	}{s.layout(r, actor, "Add a rule"), f, rule}
	if !f.New {
		p.Title = f.Name
	}
	all, health, err := s.cfg.Deliveries.Targets(r.Context(), actor)
	if err != nil {
		return err
	}
	for _, t := range all {
		p.Form.Targets = append(p.Form.Targets, viewTarget(t, health[t.Name]))
	}
	if p.Form.When != "" {
		if p.Form.Tried, err = s.try(r, actor, p.Form.When); err != nil {
			return err
		}
	}
	return s.render(w, status, "rule", p)
}

// putRule adds or changes a rule; with the button that tries it, it only shows
// what the rule would choose.
func (s *Server) putRule(w http.ResponseWriter, r *http.Request, actor iap.Actor) error {
	if err := parseForm(w, r); err != nil {
		return err
	}
	f := ruleForm{Name: r.PathValue("name"), When: r.PostForm.Get("when"), Chosen: r.PostForm["target"], Problems: map[string]string{}}
	var old delivery.Rule
	var err error
	if f.Name != "" {
		if old, err = s.cfg.Deliveries.Rule(r.Context(), actor, f.Name); err != nil {
			return err
		}
	} else {
		f.New, f.Name = true, strings.TrimSpace(r.PostForm.Get("name"))
	}
	if r.PostForm.Has("try") {
		return s.showRule(w, r, actor, http.StatusOK, f, old)
	}
	if _, err = s.cfg.Deliveries.Rule(r.Context(), actor, f.Name); f.New && err == nil {
		f.Problems["name"] = "There is a rule of this name already"
		return s.showRule(w, r, actor, http.StatusUnprocessableEntity, f, old)
	}
	if _, _, err = s.cfg.Deliveries.PutRule(r.Context(), actor, delivery.Rule{Name: f.Name, When: f.When, Targets: f.Chosen}); err == nil {
		return seeOther(w, r, "/rules/"+f.Name)
	}
	if !f.wrong(err) {
		return err
	}
	return s.showRule(w, r, actor, http.StatusUnprocessableEntity, f, old)
}

// wrong puts what is wrong beside the fields; it reports whether that is all of
// err.
func (f *ruleForm) wrong(err error) bool {
	for _, e := range iap.Fields(err) {
		f.Problems[e.Field] = capital(e.Message())
	}
	if f.Problems["targets"] != "" && len(f.Chosen) == 0 {
		f.Problems["targets"] = "Choose where the events go"
	}
	if iap.IsKind(err, iap.Limit) {
		f.Problem = capital(message(err))
		return true
	}
	return len(f.Problems) > 0
}

func (s *Server) pauseRule(paused bool) handler {
	return func(w http.ResponseWriter, r *http.Request, actor iap.Actor) error {
		if _, err := s.cfg.Deliveries.PauseRule(r.Context(), actor, r.PathValue("name"), paused); err != nil {
			return err
		}
		return seeOther(w, r, "/rules/"+r.PathValue("name"))
	}
}

func (s *Server) removeRule(w http.ResponseWriter, r *http.Request, actor iap.Actor) error {
	if err := s.cfg.Deliveries.DeleteRule(r.Context(), actor, r.PathValue("name")); err != nil {
		return err
	}
	return seeOther(w, r, "/rules")
}
