package web

import (
	"net/http"
	"net/url"
	"strings"

	iap "github.com/internal-app-portal/iap"
)

// handler answers a request of somebody who is signed in; what it returns is
// turned into a page in one place.
type handler func(w http.ResponseWriter, r *http.Request, actor iap.Actor) error

// signedIn asks for a login first.
func (s *Server) signedIn(h handler) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		actor, ok := s.cfg.Auth.Actor(r)
		if !ok {
			s.askLogin(w, r)
			return
		}
		r = r.WithContext(iap.WithActor(r.Context(), actor))
		if err := h(w, r, actor); err != nil {
			s.fail(w, r, actor, err)
		}
	}
}

// open lets everybody in.
func (s *Server) open(h handler) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		actor, _ := s.cfg.Auth.Actor(r)
		if err := h(w, r, actor); err != nil {
			s.fail(w, r, actor, err)
		}
	}
}

// admin lets admins in; for others the page does not exist.
func (s *Server) admin(h handler) handler {
	return func(w http.ResponseWriter, r *http.Request, actor iap.Actor) error {
		if !actor.Role.Includes(iap.Admin) {
			return iap.Errorf("web", iap.Forbidden, "this page is for admins; you are signed in as %s", actor.ID)
		}
		return h(w, r, actor)
	}
}

func (s *Server) askLogin(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		s.fail(w, r, iap.Actor{}, iap.Errorf("web", iap.Unauthenticated, "sign in, then try again"))
		return
	}
	to := "/login"
	if p := r.URL.RequestURI(); p != "/" {
		to += "?next=" + url.QueryEscape(p)
	}
	http.Redirect(w, r, to, http.StatusSeeOther)
}

// localPath returns p when it is a path of the portal itself, else "/".
func localPath(p string) string {
	if !strings.HasPrefix(p, "/") || strings.HasPrefix(p, "//") || strings.ContainsAny(p, "\\\r\n\t") {
		return "/"
	}
	u, err := url.Parse(p)
	if err != nil || u.Host != "" || u.Scheme != "" {
		return "/"
	}
	return p
}

func seeOther(w http.ResponseWriter, r *http.Request, to string) error {
	http.Redirect(w, r, to, http.StatusSeeOther)
	return nil
}

// maxForm is the size of a form in bytes that is taken at most.
const maxForm = 256 << 10

func parseForm(w http.ResponseWriter, r *http.Request) error {
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	if err := r.ParseForm(); err != nil {
		return iap.Errorf("web", iap.Invalid, "the form could not be read: it must be at most %d KiB of form fields", maxForm>>10)
	}
	return nil
}
