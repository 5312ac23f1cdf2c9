package web

import (
	"net/http"

	iap "github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/instance"
)

func (s *Server) deploy(w http.ResponseWriter, r *http.Request, actor iap.Actor) error {
	if err := parseForm(w, r); err != nil {
		return err
	}
	app, err := s.cfg.Apps.Get(r.Context(), r.PathValue("slug"))
	if err != nil {
		return err
	}
	params := app.Version.Manifest.Parameters
	length, err := instance.ParseFor(r.PostForm.Get("for"))
	var i instance.Instance
	if err == nil {
		i, _, err = s.cfg.Instances.Deploy(r.Context(), actor, instance.DeployRequest{App: app.Slug, Parameters: parameters(params, r.PostForm), For: length})
	}
	if iap.IsKind(err, iap.Invalid) || len(iap.Fields(err)) > 0 {
		wrong := cardView{appView: viewApp(app), Fields: viewFields(params, r.PostForm)}
		wrong.For = r.PostForm.Get("for")
		for _, e := range iap.Fields(err) {
			if e.Field == "for" {
				wrong.ForProblem = e.Message()
			}
		}
		wrong.Problem = place(wrong.Fields, err)
		return s.showDeployForm(w, r, actor, http.StatusUnprocessableEntity, wrong)
	}
	if err != nil {
		return err
	}
	return seeOther(w, r, "/instances/"+i.ID)
}

// deployForm is the form of one app alone: where a link leads, and where a form
// that was not accepted is shown again.
func (s *Server) deployForm(w http.ResponseWriter, r *http.Request, actor iap.Actor) error {
	app, err := s.cfg.Apps.Get(r.Context(), r.PathValue("slug"))
	if err != nil {
		return err
	}
	c := cardView{appView: viewApp(app), Fields: viewFields(app.Version.Manifest.Parameters, nil)}
	return s.showDeployForm(w, r, actor, http.StatusOK, c)
}

func (s *Server) showDeployForm(w http.ResponseWriter, r *http.Request, actor iap.Actor, status int, c cardView) error {
	p := struct {
		layout
		Card cardView
	}{s.layout(r, actor, "Deploy "+c.Name), c}
	usual, err := s.cfg.Instances.ReadySeconds(r.Context())
	if err != nil {
		return err
	}
	p.Card.Usual, p.Card.Open = usual[c.Slug], true
	return s.render(w, status, "deploy", p)
}

func (s *Server) destroyPage(w http.ResponseWriter, r *http.Request, actor iap.Actor) error {
	l := s.layout(r, actor, "Destroy")
	i, err := s.cfg.Instances.Get(r.Context(), actor, r.PathValue("id"))
	if err != nil {
		return err
	}
	v := s.viewInstance(r.Context(), i, actor.ID)
	l.Title = "Destroy " + v.Words + "?"
	return s.render(w, http.StatusOK, "destroy", struct {
		layout
		I instanceView
	}{l, v})
}

func (s *Server) destroy(w http.ResponseWriter, r *http.Request, actor iap.Actor) error {
	i, err := s.cfg.Instances.Destroy(r.Context(), actor, r.PathValue("id"))
	if err != nil {
		return err
	}
	return seeOther(w, r, "/instances/"+i.ID)
}

func (s *Server) cancelJob(w http.ResponseWriter, r *http.Request, actor iap.Actor) error {
	j, err := s.visibleJob(r, actor, r.PathValue("id"))
	if err != nil {
		return err
	}
	if err := s.cfg.Jobs.Cancel(r.Context(), actor.ID, j.ID); err != nil {
		return err
	}
	return seeOther(w, r, "/jobs/"+j.ID)
}

func (s *Server) retire(w http.ResponseWriter, r *http.Request, actor iap.Actor) error {
	if err := s.cfg.Apps.Retire(r.Context(), actor, r.PathValue("slug")); err != nil {
		return err
	}
	return seeOther(w, r, "/apps/"+r.PathValue("slug"))
}

func (s *Server) unretire(w http.ResponseWriter, r *http.Request, actor iap.Actor) error {
	if err := s.cfg.Apps.Unretire(r.Context(), actor, r.PathValue("slug")); err != nil {
		return err
	}
	return seeOther(w, r, "/apps/"+r.PathValue("slug"))
}

type loginPage struct {
	layout
	Next, Problem string
}

func (s *Server) loginPage(w http.ResponseWriter, r *http.Request, actor iap.Actor) error {
	next := localPath(r.URL.Query().Get("next"))
	if actor.ID != "" {
		return seeOther(w, r, next)
	}
	return s.render(w, http.StatusOK, "login", loginPage{layout: s.layout(r, actor, "Sign in"), Next: next})
}

func (s *Server) login(w http.ResponseWriter, r *http.Request, actor iap.Actor) error {
	if err := parseForm(w, r); err != nil {
		return err
	}
	next := localPath(r.PostForm.Get("next"))
	err := s.cfg.Auth.Login(w, r, r.PostForm.Get("token"))
	if iap.IsKind(err, iap.Unauthenticated) || iap.IsKind(err, iap.Invalid) {
		p := loginPage{layout: s.layout(r, actor, "Sign in"), Next: next, Problem: "This token is not known. Paste it whole, as it was given to you."}
		return s.render(w, http.StatusUnauthorized, "login", p)
	}
	if err != nil {
		return err
	}
	return seeOther(w, r, next)
}

func (s *Server) logout(w http.ResponseWriter, r *http.Request, _ iap.Actor) error {
	s.cfg.Auth.Logout(w, r)
	return seeOther(w, r, "/login")
}
