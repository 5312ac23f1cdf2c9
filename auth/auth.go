package auth

import (
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/internal-app-portal/iap"
)

// LocalAdmin is who everybody is in development mode.
var LocalAdmin = iap.Actor{ID: "local-admin", Name: "Local admin", Role: iap.Admin}

// Config is what an Auth needs.
type Config struct {
	Dev    bool     // everybody without a token is LocalAdmin; see DevHosts
	People []Person // who may sign in
	Key    []byte   // 32 random bytes or more; signs the session cookies
	Secure bool     // people reach the portal by https
	// Revocations remembers which sessions were ended; nil: in memory, until
	// the portal ends.
	Revocations Revocations
	Lifetime    time.Duration // of a session; 0: 12 hours
	// Tell is called before a browser gets its session, after it is refused one, and
	// after a session was ended; nil: nothing is called. Its error keeps the session
	// from being given.
	Tell   func(r *http.Request, what LoginEvent, person string) error
	Now    func() time.Time // nil: time.Now
	Logger *slog.Logger     // nil: slog.Default()
}

// LoginEvent is what happens to a session.
type LoginEvent string

// What happens to sessions.
const (
	LoginSucceeded LoginEvent = "succeeded"
	LoginFailed    LoginEvent = "failed"
	LoginEnded     LoginEvent = "ended"
)

// Auth tells who asks.
type Auth struct {
	cfg    Config
	people *people
}

// New returns an Auth. The error joins one Invalid error for each field of a
// person that is wrong.
func New(cfg Config) (*Auth, error) {
	if len(cfg.Key) < 32 {
		return nil, errors.New("auth.New: the key is shorter than 32 bytes")
	}
	people, err := newPeople(cfg.People)
	if err != nil {
		return nil, err
	}
	if cfg.Lifetime <= 0 {
		cfg.Lifetime = 12 * time.Hour
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.Default()
	}
	if cfg.Tell == nil {
		cfg.Tell = func(*http.Request, LoginEvent, string) error { return nil }
	}
	if cfg.Revocations == nil {
		cfg.Revocations = NewMemory(cfg.Now)
	}
	return &Auth{cfg: cfg, people: people}, nil
}

// Actor returns who sent the request; false when nobody is signed in. A token
// that is wrong is nobody's, whatever cookie comes with it.
func (a *Auth) Actor(r *http.Request) (iap.Actor, bool) {
	if headers := r.Header.Values("Authorization"); len(headers) > 0 {
		if p, ok := a.bearer(headers); ok {
			return p.Actor(), true
		}
		if !a.cfg.Dev {
			return iap.Actor{}, false
		}
	}
	if p, ok := a.session(r); ok {
		return p.Actor(), true
	}
	if a.cfg.Dev {
		return LocalAdmin, true
	}
	return iap.Actor{}, false
}

// bearer reads an Authorization header (RFC 6750, 2.1).
func (a *Auth) bearer(headers []string) (Person, bool) {
	if len(headers) != 1 {
		return Person{}, false
	}
	scheme, token, _ := strings.Cut(headers[0], " ")
	if !strings.EqualFold(scheme, "Bearer") || len(token) > 512 {
		return Person{}, false
	}
	return a.people.byToken(strings.TrimSpace(token))
}

// Middleware puts who asks into the request's context, from where
// iap.ActorFrom takes it, and refuses nobody.
func (a *Auth) Middleware(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if actor, ok := a.Actor(r); ok {
			r = r.WithContext(iap.WithActor(r.Context(), actor))
		}
		next.ServeHTTP(w, r)
	})
}

// Require is Middleware that answers 401 with problem details (RFC 9457) and
// WWW-Authenticate to those who are not signed in.
func (a *Auth) Require(next http.Handler) http.Handler {
	return a.Middleware(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, ok := iap.ActorFrom(r.Context()); !ok {
			Refuse(w)
			return
		}
		next.ServeHTTP(w, r)
	}))
}

// Challenge is the value of WWW-Authenticate in an answer 401.
const Challenge = `Bearer realm="iap"`

// Refusal tells those who are not signed in what to do.
const Refusal = "nobody is signed in: send a token as \"Authorization: Bearer TOKEN\" (IAP_TOKEN for the command line), or sign in at /login"

// Refuse writes the answer 401.
func Refuse(w http.ResponseWriter) {
	w.Header().Set("WWW-Authenticate", Challenge)
	w.Header().Set("Content-Type", "application/problem+json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(http.StatusUnauthorized)
	_, _ = w.Write([]byte(`{"title":"Unauthorized","status":401,"detail":` + quoted(Refusal) + "}\n"))
}
