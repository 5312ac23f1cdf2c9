package auth

import (
	"context"
	"net/http"
	"strings"

	"github.com/internal-app-portal/iap"
)

// Grant says by what the sender of a request is signed in, as text that a
// Ticket can carry: what was given on the strength of it ends with it. Empty
// when nobody is signed in, and in development mode without a session.
func (a *Auth) Grant(r *http.Request) string {
	if headers := r.Header.Values("Authorization"); len(headers) > 0 {
		p, ok := a.bearer(headers)
		if !ok {
			return ""
		}
		return p.TokenSHA256[:16] + "."
	}
	if _, ok := a.session(r); !ok {
		return ""
	}
	c, _ := a.claims(r)
	return c.Token + "." + c.Session
}

// Granted returns the person of a ticket as they are today; false when the
// person is gone or has a new token, or the session was ended.
func (a *Auth) Granted(ctx context.Context, t Ticket) (iap.Actor, bool) {
	token, session, ok := strings.Cut(t.Grant, ".")
	p, known := a.people.byID(t.Actor)
	if !ok || !known || p.TokenSHA256[:16] != token {
		return iap.Actor{}, false
	}
	if session != "" {
		if revoked, err := a.cfg.Revocations.Revoked(ctx, session); err != nil || revoked {
			return iap.Actor{}, false
		}
	}
	return p.Actor(), true
}
