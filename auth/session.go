package auth

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"time"

	"github.com/internal-app-portal/iap"
)

// The names of the session cookie. The prefix __Host- has browsers refuse one
// that another host set for this one (RFC 6265bis, 4.1.3.2); it needs https.
const (
	SecureCookie = "__Host-iap-session"
	PlainCookie  = "iap-session"
)

// CookieNames returns the cookies that are the portal's alone and must never
// reach an app.
func CookieNames() []string { return []string{SecureCookie, PlainCookie} }

// maxCookie is the length of a session cookie's value in bytes at most.
const maxCookie = 1024

// claims is what a session cookie says, signed.
type claims struct {
	Session string `json:"s"` // by which it is revoked
	Person  string `json:"p"`
	Token   string `json:"t"` // start of the token's hash: a new token ends old sessions
	Expires int64  `json:"e"` // Unix seconds
}

func (a *Auth) cookieName() string {
	if a.cfg.Secure {
		return SecureCookie
	}
	return PlainCookie
}

// Login gives the browser a session for a token. Unauthenticated when it is
// nobody's token.
func (a *Auth) Login(w http.ResponseWriter, r *http.Request, token string) error {
	p, ok := a.people.byToken(token)
	if !ok || len(token) > 512 {
		if err := a.cfg.Tell(r, LoginFailed, ""); err != nil {
			a.cfg.Logger.WarnContext(r.Context(), "that a login failed could not be told", "err", err)
		}
		return iap.Errorf("auth.Login", iap.Unauthenticated,
			"this token is nobody's: paste all of it, or ask an admin for a new one (iap token new)")
	}
	if err := a.cfg.Tell(r, LoginSucceeded, p.ID); err != nil {
		return err
	}
	b := make([]byte, 16)
	_, _ = rand.Read(b)
	expires := a.cfg.Now().Add(a.cfg.Lifetime)
	value := a.seal(claims{Session: base64.RawURLEncoding.EncodeToString(b), Person: p.ID,
		Token: p.TokenSHA256[:16], Expires: expires.Unix()})
	c := a.cookie(value)
	c.Expires, c.MaxAge = expires, int(a.cfg.Lifetime/time.Second)
	http.SetCookie(w, c)
	return nil
}

// Logout ends the session of the request: its cookie is worth nothing from now
// on, wherever a copy of it is. Without a session nothing happens.
func (a *Auth) Logout(w http.ResponseWriter, r *http.Request) {
	p, known := a.session(r)
	if c, ok := a.claims(r); ok {
		if err := a.cfg.Revocations.Revoke(r.Context(), c.Session, time.Unix(c.Expires, 0)); err != nil {
			a.cfg.Logger.Error("the end of a session will be forgotten at the next start", "person", c.Person, "err", err)
		}
	}
	if known {
		if err := a.cfg.Tell(r, LoginEnded, p.ID); err != nil {
			a.cfg.Logger.WarnContext(r.Context(), "the end of a session could not be told", "person", p.ID, "err", err)
		}
	}
	gone := a.cookie("")
	gone.MaxAge = -1
	http.SetCookie(w, gone)
}

// cookie returns a session cookie: for this host alone, out of reach of
// scripts, not sent along by other sites' forms.
func (a *Auth) cookie(value string) *http.Cookie {
	return &http.Cookie{Name: a.cookieName(), Value: value, Path: "/", Secure: a.cfg.Secure,
		HttpOnly: true, SameSite: http.SameSiteLaxMode}
}

// session returns the person of the request's session.
func (a *Auth) session(r *http.Request) (Person, bool) {
	c, ok := a.claims(r)
	if !ok {
		return Person{}, false
	}
	p, ok := a.people.byID(c.Person)
	if !ok || p.TokenSHA256[:16] != c.Token {
		return Person{}, false
	}
	if revoked, err := a.cfg.Revocations.Revoked(r.Context(), c.Session); err != nil || revoked {
		return Person{}, false
	}
	return p, true
}

// claims returns what the request's one session cookie says, when it is the
// portal's own and its time is not up.
func (a *Auth) claims(r *http.Request) (claims, bool) {
	cookies := r.CookiesNamed(a.cookieName())
	if len(cookies) != 1 || len(cookies[0].Value) > maxCookie {
		return claims{}, false
	}
	c, ok := a.open(cookies[0].Value)
	if !ok || a.cfg.Now().Unix() >= c.Expires {
		return claims{}, false
	}
	return c, true
}

func (a *Auth) mac(payload []byte) []byte {
	h := hmac.New(sha256.New, a.cfg.Key)
	h.Write([]byte("iap session cookie 1\n")) // so that no other use of the key makes a session
	h.Write(payload)
	return h.Sum(nil)
}

func (a *Auth) seal(c claims) string {
	payload, _ := json.Marshal(c) // strings and a number: cannot fail
	return base64.RawURLEncoding.EncodeToString(append(a.mac(payload), payload...))
}

func (a *Auth) open(value string) (c claims, ok bool) {
	raw, err := base64.RawURLEncoding.Strict().DecodeString(value)
	if err != nil || len(raw) <= sha256.Size {
		return c, false
	}
	mac, payload := raw[:sha256.Size], raw[sha256.Size:]
	if !hmac.Equal(mac, a.mac(payload)) || json.Unmarshal(payload, &c) != nil {
		return c, false
	}
	return c, c.Session != ""
}

// quoted returns s as a JSON string.
func quoted(s string) string {
	b, _ := json.Marshal(s)
	return string(b)
}
