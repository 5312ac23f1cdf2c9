package auth_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/auth"
)

// TestGrant: what was given to somebody who is signed in ends with the login.
func TestGrant(t *testing.T) {
	a, _ := newAuth(t, nil)
	c := login(t, a)
	session := withCookies(c.Name + "=" + c.Value)
	ticket := func(r *http.Request) auth.Ticket {
		return auth.Ticket{Actor: jane().ID, Grant: a.Grant(r)}
	}
	bySession, byToken := ticket(session), ticket(request("Authorization", "Bearer "+token))
	for name, given := range map[string]auth.Ticket{"session": bySession, "token": byToken} {
		if got, ok := a.Granted(t.Context(), given); !ok || got != jane().Actor() {
			t.Errorf("%s: %+v %v", name, got, ok)
		}
	}
	for name, r := range map[string]*http.Request{"nobody": request(), "wrong token": request("Authorization", "Bearer x", "Cookie", c.Name+"="+c.Value)} {
		if _, ok := a.Granted(t.Context(), ticket(r)); ok {
			t.Errorf("%s: granted", name)
		}
	}
	if _, ok := a.Granted(t.Context(), auth.Ticket{Actor: "joe@example.com", Grant: bySession.Grant}); ok {
		t.Error("granted to somebody else")
	}
	newToken, _ := newAuth(t, func(c *auth.Config) {
		c.People = []auth.Person{{ID: jane().ID, Role: iap.Member, TokenSHA256: auth.HashToken("new")}}
	})
	if _, ok := newToken.Granted(t.Context(), byToken); ok {
		t.Error("granted after the person got a new token")
	}
	a.Logout(httptest.NewRecorder(), session)
	if _, ok := a.Granted(t.Context(), bySession); ok {
		t.Error("granted after the logout")
	}
	if _, ok := a.Granted(t.Context(), byToken); !ok {
		t.Error("the token is not a session")
	}
}
