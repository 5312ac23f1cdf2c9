package auth_test

import (
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/auth"
	"github.com/internal-app-portal/iap/event"
)

const token = "iap_a-token-of-jane"

func jane() auth.Person {
	return auth.Person{ID: "jane@example.com", Name: "Jane", Role: iap.Publisher, TokenSHA256: auth.HashToken(token)}
}

// clock is a clock that tests put forward.
type clock struct{ t time.Time }

func (c *clock) now() time.Time { return c.t }

func newAuth(t *testing.T, change func(*auth.Config)) (*auth.Auth, *clock) {
	t.Helper()
	c := &clock{time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)}
	cfg := auth.Config{People: []auth.Person{jane()}, Key: []byte(strings.Repeat("k", 32)), Now: c.now}
	if change != nil {
		change(&cfg)
	}
	a, err := auth.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return a, c
}

func request(header ...string) *http.Request {
	r := httptest.NewRequest("GET", "/", nil)
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Add(header[i], header[i+1])
	}
	return r
}

func TestBearer(t *testing.T) {
	a, _ := newAuth(t, nil)
	for name, c := range map[string]struct {
		header []string
		want   bool
	}{
		"right":             {[]string{"Authorization", "Bearer " + token}, true},
		"scheme in lower":   {[]string{"Authorization", "bearer " + token}, true},
		"none":              {nil, false},
		"wrong":             {[]string{"Authorization", "Bearer iap_other"}, false},
		"empty":             {[]string{"Authorization", "Bearer "}, false},
		"other scheme":      {[]string{"Authorization", "Basic " + token}, false},
		"the hash":          {[]string{"Authorization", "Bearer " + auth.HashToken(token)}, false},
		"two":               {[]string{"Authorization", "Bearer " + token, "Authorization", "Bearer " + token}, false},
		"more than the one": {[]string{"Authorization", "Bearer " + token + "x"}, false},
	} {
		got, ok := a.Actor(request(c.header...))
		if ok != c.want || (ok && got != jane().Actor()) || (!ok && got != iap.Actor{}) {
			t.Errorf("%s: got %+v %v", name, got, ok)
		}
	}
}

// login returns the cookie that a browser gets.
func login(t *testing.T, a *auth.Auth) *http.Cookie {
	t.Helper()
	w := httptest.NewRecorder()
	if err := a.Login(w, request(), token); err != nil {
		t.Fatal(err)
	}
	cookies := w.Result().Cookies()
	if len(cookies) != 1 {
		t.Fatalf("%d cookies", len(cookies))
	}
	return cookies[0]
}

func withCookies(cookies ...string) *http.Request {
	return request("Cookie", strings.Join(cookies, "; "))
}

func TestSession(t *testing.T) {
	a, clock := newAuth(t, nil)
	c := login(t, a)
	if c.Name != auth.PlainCookie || !c.HttpOnly || c.SameSite != http.SameSiteLaxMode || c.Domain != "" || c.Path != "/" || c.Secure {
		t.Errorf("cookie %+v", c)
	}
	signed := c.Name + "=" + c.Value
	if got, ok := a.Actor(withCookies("other=1", signed)); !ok || got != jane().Actor() {
		t.Errorf("got %+v %v", got, ok)
	}
	half := len(c.Value) / 2
	flipped := "A"
	if c.Value[half] == 'A' {
		flipped = "B"
	}
	for name, cookie := range map[string]string{
		"tampered":       c.Name + "=" + c.Value[:half] + flipped + c.Value[half+1:],
		"cut":            c.Name + "=" + c.Value[:half],
		"longer":         signed + "A",
		"empty":          c.Name + "=",
		"8 KB":           c.Name + "=" + strings.Repeat("A", 8192),
		"two of a name":  signed + "; " + signed,
		"tossed as well": c.Name + "=x; " + signed,
		"other name":     auth.SecureCookie + "=" + c.Value,
	} {
		if got, ok := a.Actor(withCookies(cookie)); ok {
			t.Errorf("%s: signed in as %+v", name, got)
		}
	}
	if _, ok := a.Actor(request("Cookie", signed, "Authorization", "Bearer wrong")); ok {
		t.Error("a wrong token beside a cookie signs in")
	}
	clock.t = clock.t.Add(12*time.Hour - time.Second)
	if _, ok := a.Actor(withCookies(signed)); !ok {
		t.Error("over too early")
	}
	clock.t = clock.t.Add(time.Second)
	if _, ok := a.Actor(withCookies(signed)); ok {
		t.Error("still signed in after its time")
	}
}

func TestSecureCookie(t *testing.T) {
	a, _ := newAuth(t, func(c *auth.Config) { c.Secure = true })
	if c := login(t, a); c.Name != "__Host-iap-session" || !c.Secure || c.Path != "/" || c.Domain != "" {
		t.Errorf("cookie %+v", c)
	}
}

func TestLogout(t *testing.T) {
	file := filepath.Join(t.TempDir(), "sessions")
	open := func() (*auth.Auth, *clock) {
		return newAuth(t, func(c *auth.Config) {
			kept, err := auth.OpenFile(file, c.Now)
			if err != nil {
				t.Fatal(err)
			}
			c.Revocations = kept
		})
	}
	a, _ := open()
	c, other := login(t, a), login(t, a)
	w := httptest.NewRecorder()
	a.Logout(w, withCookies(c.Name+"="+c.Value))
	if gone := w.Result().Cookies(); len(gone) != 1 || gone[0].MaxAge >= 0 {
		t.Errorf("the browser keeps %+v", gone)
	}
	restarted, _ := open()
	for name, a := range map[string]*auth.Auth{"at once": a, "after a restart": restarted} {
		if _, ok := a.Actor(withCookies(c.Name + "=" + c.Value)); ok {
			t.Errorf("%s: the cookie is still worth something", name)
		}
		if _, ok := a.Actor(withCookies(other.Name + "=" + other.Value)); !ok {
			t.Errorf("%s: another session ended too", name)
		}
	}
}

func TestSessionEndsWithItsPerson(t *testing.T) {
	a, _ := newAuth(t, nil)
	c := login(t, a)
	for name, people := range map[string][]auth.Person{
		"removed":     nil,
		"other token": {{ID: "jane@example.com", TokenSHA256: auth.HashToken("new")}},
	} {
		a, _ := newAuth(t, func(c *auth.Config) { c.People = people })
		if _, ok := a.Actor(withCookies(c.Name + "=" + c.Value)); ok {
			t.Errorf("%s: still signed in", name)
		}
	}
	demoted := jane()
	demoted.Role = iap.Member
	a, _ = newAuth(t, func(c *auth.Config) { c.People = []auth.Person{demoted} })
	if got, ok := a.Actor(withCookies(c.Name + "=" + c.Value)); !ok || got.Role != iap.Member {
		t.Errorf("the role is not today's: %+v %v", got, ok)
	}
	a, _ = newAuth(t, func(c *auth.Config) { c.Key = []byte(strings.Repeat("x", 32)) })
	if _, ok := a.Actor(withCookies(c.Name + "=" + c.Value)); ok {
		t.Error("signed by another key")
	}
}

func TestLoginWithWrongToken(t *testing.T) {
	a, _ := newAuth(t, nil)
	for _, bad := range []string{"", "x", token + " ", strings.Repeat("x", 1<<20)} {
		w := httptest.NewRecorder()
		if err := a.Login(w, request(), bad); !iap.IsKind(err, iap.Unauthenticated) || len(w.Result().Cookies()) != 0 {
			t.Errorf("%.10q: %v", bad, err)
		}
	}
}

func TestDev(t *testing.T) {
	a, _ := newAuth(t, func(c *auth.Config) { c.Dev = true })
	for name, r := range map[string]*http.Request{"nothing": request(), "wrong token": request("Authorization", "Bearer x")} {
		if got, ok := a.Actor(r); !ok || got != auth.LocalAdmin {
			t.Errorf("%s: %+v %v", name, got, ok)
		}
	}
	if got, _ := a.Actor(request("Authorization", "Bearer "+token)); got != jane().Actor() {
		t.Errorf("a person's token: %+v", got)
	}
}

func TestRequire(t *testing.T) {
	a, _ := newAuth(t, nil)
	h := a.Require(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		actor, _ := iap.ActorFrom(r.Context())
		_, _ = w.Write([]byte(actor.ID))
	}))
	w := httptest.NewRecorder()
	h.ServeHTTP(w, request())
	if w.Code != 401 || w.Header().Get("WWW-Authenticate") == "" || w.Header().Get("Content-Type") != "application/problem+json" {
		t.Errorf("%d %v", w.Code, w.Header())
	}
	w = httptest.NewRecorder()
	h.ServeHTTP(w, request("Authorization", "Bearer "+token))
	if w.Code != 200 || w.Body.String() != "jane@example.com" {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

func TestBadPeople(t *testing.T) {
	sum := auth.HashToken("x")
	for field, list := range map[string][]auth.Person{
		"login.people[0].id":           {{TokenSHA256: sum}},
		"login.people[1].id":           {{ID: "a", TokenSHA256: sum}, {ID: "A", TokenSHA256: auth.HashToken("y")}},
		"login.people[0].role":         {{ID: "a", Role: "boss", TokenSHA256: sum}},
		"login.people[0].token_sha256": {{ID: "a", TokenSHA256: "secret"}},
		"login.people[1].token_sha256": {{ID: "a", TokenSHA256: sum}, {ID: "b", TokenSHA256: strings.ToUpper(sum)}},
	} {
		fields := iap.Fields(auth.CheckPeople(list))
		if len(fields) != 1 || fields[0].Field != field {
			t.Errorf("%s: got %v", field, fields)
		}
	}
	for _, id := range []string{event.AdminsOnly, iap.System.ID, "Local-Admin", "two words", "a\nb", "<b>", strings.Repeat("x", 300)} {
		if err := auth.CheckPeople([]auth.Person{{ID: id, TokenSHA256: sum}}); err == nil {
			t.Errorf("%.20q passes as an ID", id)
		}
	}
	if err := auth.CheckPeople([]auth.Person{jane()}); err != nil {
		t.Error(err)
	}
}

func TestCheckServe(t *testing.T) {
	if err := auth.CheckServe(true, nil); err != nil {
		t.Error(err)
	}
	if err := auth.CheckServe(false, []auth.Person{jane()}); err != nil {
		t.Error(err)
	}
	err := auth.CheckServe(false, nil)
	if err == nil || !strings.Contains(err.Error(), "token_sha256") || !strings.Contains(err.Error(), "iap token new") {
		t.Errorf("got %v", err)
	}
}

func TestDevHosts(t *testing.T) {
	h := auth.DevHosts(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	for host, want := range map[string]int{
		"localhost": 200, "localhost:8080": 200, "LOCALHOST:1": 200, "127.0.0.1": 200, "127.8.9.1:80": 200, "[::1]:8080": 200, "[::1]": 200,
		"brave-otter-lamp-todo.localhost:8080": 200, "[::ffff:127.0.0.1]:80": 200,
		"": 421, "evil.example": 421, "evil.example:8080": 421, "localhost.evil.example": 421, "notlocalhost": 421, "10.0.0.1": 421,
		"localhost:x": 421, ".localhost": 421, "a..localhost": 421, "a@localhost": 421, "a/../localhost": 421, "localhost.": 421,
		"127.0.0.1.evil.example": 421, "①②⑦.0.0.1": 421, "0177.0.0.1": 421, "[::1%25eth0]": 421, "0.0.0.0": 421, "evil_.localhost": 421,
	} {
		r := request()
		r.Host = host
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code != want {
			t.Errorf("Host %q: %d, want %d", host, w.Code, want)
		}
	}
}
