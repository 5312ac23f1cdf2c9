package web

import (
	"net/http"
	"strings"

	iap "github.com/internal-app-portal/iap"
)

func (s *Server) appPage(w http.ResponseWriter, r *http.Request, actor iap.Actor) error {
	p := struct {
		layout
		App      appView
		State    cardView
		Versions []versionView
		MayEdit  bool
		Fields   []fieldView
	}{layout: s.layout(r, actor, ""), MayEdit: actor.Role.Includes(iap.Publisher)}
	a, err := s.cfg.Apps.Get(r.Context(), r.PathValue("slug"))
	if err != nil {
		return err
	}
	p.App, p.Fields = viewApp(a), viewFields(a.Version.Manifest.Parameters, nil)
	p.Title = p.App.Name
	versions, err := s.cfg.Apps.Versions(r.Context(), a.Slug)
	if err != nil {
		return err
	}
	for _, v := range versions {
		p.Versions = append(p.Versions, viewVersion(v))
	}
	usual, err := s.cfg.Instances.ReadySeconds(r.Context())
	if err != nil {
		return err
	}
	current, err := s.cfg.Instances.Current(r.Context(), actor)
	if err != nil {
		return err
	}
	p.State = s.viewCard(r.Context(), a, current, usual, actor)
	return s.render(w, http.StatusOK, "app", p)
}

// appIcon serves a publisher's file, which must never run as part of the
// portal: it is sandboxed, and no page when opened alone.
func (s *Server) appIcon(w http.ResponseWriter, r *http.Request, _ iap.Actor) error {
	a, err := s.cfg.Apps.Get(r.Context(), r.PathValue("slug"))
	if err != nil {
		return err
	}
	data, mediaType, err := s.cfg.Apps.Icon(r.Context(), a.Version)
	if err != nil {
		return err
	}
	h := w.Header()
	if !strings.HasPrefix(mediaType, "image/") {
		mediaType = "application/octet-stream"
	}
	h.Set("Content-Type", mediaType)
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; sandbox")
	h.Set("Cache-Control", "private, max-age=31536000, immutable")
	w.Write(data)
	return nil
}
