package server

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"time"

	iap "github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/auth"
	"github.com/internal-app-portal/iap/instance"
	"github.com/internal-app-portal/iap/proxy"
)

// Access to an instance. Its host is on another site than the portal, so the
// portal's cookie is not sent there. A browser without the host's own cookie is
// sent to the portal (accessPath), which knows the person, and comes back with
// a short-lived ticket (ticketPath) that becomes the host's cookie.
const (
	accessPath   = "/access"
	ticketPath   = "/.iap/access"
	accessCookie = "iap_access"

	purposeTicket = "ticket"
	purposeCookie = "cookie"

	ticketLife = time.Minute
	cookieLife = 12 * time.Hour

	maxAccessCookies = 16 // that are looked at
)

// authorize decides on a request to an instance: with --dev whoever reaches
// the portal may, else who has the host's cookie.
func (s *Server) authorize(r *http.Request, i instance.Instance) proxy.Decision {
	if s.cfg.Dev {
		return proxy.Decision{Allow: true, Preview: true}
	}
	if until, ok := s.hasAccess(r, i); ok {
		return proxy.Decision{Allow: true, Preview: true, Until: until} // its owner, or an admin
	}
	q := url.Values{"host": {i.HostName}, "return": {r.URL.RequestURI()}}
	return proxy.Decision{Redirect: s.cfg.PortalURL + accessPath + "?" + q.Encode()}
}

func (s *Server) accessKey() []byte { return derive(s.key, "instance access") }

// hasAccess looks for the host's cookie, which ends with the login by which it
// was given, and at until. A neighbour's app may set cookies of the name for all
// hosts: they neither help, for a cookie opens one host, nor harm, for the right
// one counts beside them.
func (s *Server) hasAccess(r *http.Request, i instance.Instance) (until time.Time, ok bool) {
	cookies := r.CookiesNamed(accessCookie)
	for _, c := range cookies[:min(len(cookies), maxAccessCookies)] {
		t, err := auth.OpenTicket(s.accessKey(), c.Value, purposeCookie, i.HostName, time.Now())
		if err != nil {
			continue
		}
		if actor, ok := s.auth.Granted(r.Context(), t); ok && (actor.ID == i.Owner || actor.Role.Includes(iap.Admin)) {
			return t.Expires, true
		}
	}
	return time.Time{}, false
}

// access is the portal's part: it gives a ticket to who owns the instance, or
// runs the portal. Others learn nothing about the host.
func (s *Server) access(w http.ResponseWriter, r *http.Request) {
	actor, ok := s.auth.Actor(r)
	if !ok {
		http.Redirect(w, r, "/login?"+url.Values{"next": {r.URL.RequestURI()}}.Encode(), http.StatusSeeOther)
		return
	}
	host := r.URL.Query().Get("host")
	i, err := s.instances.Get(r.Context(), actor, host)
	if err != nil || i.HostName != host {
		if err == nil || iap.IsKind(err, iap.NotFound) || iap.IsKind(err, iap.Invalid) {
			err = iap.Errorf("server.access", iap.NotFound, "there is no instance %q that you may open", host)
		}
		s.web.Error(w, r, err)
		return
	}
	t := auth.Ticket{Purpose: purposeTicket, Host: i.HostName, Actor: actor.ID, Grant: s.auth.Grant(r), Expires: time.Now().Add(ticketLife)}
	q := url.Values{"ticket": {t.Seal(s.accessKey())}, "return": {localPath(r.URL.Query().Get("return"))}}
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Referrer-Policy", "no-referrer")
	http.Redirect(w, r, s.cfg.appURL(i.HostName)+ticketPath+"?"+q.Encode(), http.StatusSeeOther)
}

// redeem is the instance host's part: the ticket becomes the host's cookie.
func (s *Server) redeem(w http.ResponseWriter, r *http.Request) {
	hostName, ok := s.proxy.Match(r.Host)
	if !ok {
		plain(w, http.StatusMisdirectedRequest, "no instance can have this host")
		return
	}
	t, err := auth.OpenTicket(s.accessKey(), r.URL.Query().Get("ticket"), purposeTicket, hostName, time.Now())
	if err != nil {
		plain(w, http.StatusForbidden, "this link has expired; open "+s.cfg.appURL(hostName)+" again")
		return
	}
	t.Purpose, t.Expires = purposeCookie, time.Now().Add(cookieLife)
	http.SetCookie(w, &http.Cookie{Name: accessCookie, Value: t.Seal(s.accessKey()), Path: "/", HttpOnly: true,
		Secure: secure(s.cfg.PortalURL), SameSite: http.SameSiteLaxMode, MaxAge: int(cookieLife.Seconds())})
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Referrer-Policy", "no-referrer")
	http.Redirect(w, r, localPath(r.URL.Query().Get("return")), http.StatusSeeOther)
}

// ending is what the bar in an app's pages tells.
func (s *Server) ending(ctx context.Context, i instance.Instance) (proxy.Ending, error) {
	i, err := s.db.Instance(ctx, i.ID)
	if err != nil {
		return proxy.Ending{}, err
	}
	end, err := s.instances.EndOf(ctx, i)
	return proxy.Ending{EndsAt: end.At, By: end.By, Warned: i.Warned(end), Keep: s.cfg.PortalURL + i.KeepPath()}, err
}

// localPath returns p when it is a path on the same host, else "/": "//evil" and
// "/\evil" lead elsewhere in a browser.
func localPath(p string) string {
	if !strings.HasPrefix(p, "/") || strings.HasPrefix(p, "//") || strings.ContainsAny(p, "\\\r\n\t") {
		return "/"
	}
	return p
}
