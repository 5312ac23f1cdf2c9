package server_test

import (
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"testing"
	"time"

	iap "github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/auth"
	"github.com/internal-app-portal/iap/client"
	"github.com/internal-app-portal/iap/server"
	"github.com/internal-app-portal/iap/store/pgtest"
)

// company is a portal with people who sign in, and their tokens.
func company(t *testing.T) (p *portal, tokens map[string]string) {
	t.Helper()
	cfg := testConfig(t)
	cfg.Dev, cfg.AppsDomain = false, "apps.localhost"
	tokens = map[string]string{}
	for id, role := range map[string]iap.Role{"jane": iap.Member, "joe": iap.Member, "ann": iap.Admin, "pat": iap.Publisher} {
		token, sum := auth.NewToken()
		tokens[id] = token
		cfg.People = append(cfg.People, auth.Person{ID: id + "@example.com", Name: id, Role: role, TokenSHA256: sum})
	}
	p = &portal{Server: startServer(t, cfg), t: t}
	p.Client = p.as(tokens["ann"])
	t.Cleanup(p.destroyAll)
	return p, tokens
}

// as is a client with somebody's token.
func (p *portal) as(token string) *client.Client {
	p.t.Helper()
	c, err := client.New(p.URL(), token)
	if err != nil {
		p.t.Fatal(err)
	}
	return c
}

func wantStatus(t *testing.T, what string, err error, status int) {
	t.Helper()
	refused, ok := err.(*client.Error)
	if !ok || refused.Status != status {
		t.Errorf("%s gave %v, want %d", what, err, status)
	}
}

func TestServeWithoutLoginIsRefused(t *testing.T) {
	cfg := testConfig(t)
	cfg.Dev = false
	_, err := server.New(t.Context(), cfg)
	if err == nil || !strings.Contains(err.Error(), "login") {
		t.Errorf("got %v", err)
	}
}

func TestDevListensOnLoopbackAlone(t *testing.T) {
	cfg := testConfig(t)
	cfg.Listen = "0.0.0.0:0"
	if _, err := server.New(t.Context(), cfg); !iap.IsKind(err, iap.Invalid) {
		t.Errorf("got %v", err)
	}
}

func TestASecondPortalOnTheSameFolderIsRefused(t *testing.T) {
	cfg := testConfig(t)
	startPortal(t, cfg)
	if _, err := server.New(t.Context(), cfg); err == nil || !strings.Contains(err.Error(), "process") {
		t.Errorf("got %v", err)
	}
}

func TestPeople(t *testing.T) {
	p, tokens := company(t)
	jane, joe, nobody := p.as(tokens["jane"]), p.as(tokens["joe"]), p.as("")
	manifest := []byte(inspectorApp("inspector"))

	_, err := nobody.Apps(t.Context())
	wantStatus(t, "the catalogue for nobody", err, http.StatusUnauthorized)
	_, _, err = jane.AddApp(t.Context(), client.Upload{Manifest: manifest})
	wantStatus(t, "an app added by a member", err, http.StatusForbidden)
	if _, _, err := p.as(tokens["pat"]).AddApp(t.Context(), client.Upload{Manifest: manifest}); err != nil {
		t.Fatal(err)
	}

	for who, want := range map[string]int{"": http.StatusUnauthorized, "jane": http.StatusForbidden, "ann": http.StatusOK} {
		if got := metrics(t, p, tokens[who]); got != want {
			t.Errorf("the metrics for %q gave %d, want %d", who, got, want)
		}
	}

	needDocker(t)
	i, _, err := jane.Deploy(t.Context(), deployOf("inspector"))
	if err != nil {
		t.Fatal(err)
	}
	_, err = joe.Instance(t.Context(), i.ID)
	wantStatus(t, "another's instance", err, http.StatusNotFound)
	_, err = joe.Destroy(t.Context(), i.HostName)
	wantStatus(t, "destroying another's instance", err, http.StatusNotFound)
	_, err = joe.Events(t.Context(), i.ID)
	wantStatus(t, "the events of another's instance", err, http.StatusNotFound)
	i = p.waitFor(t.Context(), i.ID, is(client.StatusRunning))

	t.Run("the app opens for its owner alone", func(t *testing.T) {
		if status := visit(t, p, tokens["jane"], i.URL+"/json?a=1"); status != http.StatusOK {
			t.Errorf("its owner gets %d", status)
		}
		if status := visit(t, p, tokens["ann"], i.URL); status != http.StatusOK {
			t.Errorf("an admin gets %d", status)
		}
		if status := visit(t, p, tokens["joe"], i.URL); status != http.StatusNotFound {
			t.Errorf("somebody else gets %d", status)
		}
		if status := visit(t, p, "", i.URL); status != http.StatusOK { // the login page
			t.Errorf("nobody gets %d", status)
		}
	})
}

// metrics asks for the metrics with a token and returns the status.
func metrics(t *testing.T, p *portal, token string) int {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, p.URL()+"/metrics", nil)
	if err != nil {
		t.Fatal(err)
	}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	resp, err := (&http.Client{Transport: loopbackTransport()}).Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	if resp.StatusCode == http.StatusOK && !strings.Contains(string(body), "iap_events_total") {
		t.Errorf("no count of events in %.200s", body)
	}
	return resp.StatusCode
}

// visit opens an address as a browser in which somebody signed in, and returns
// the status at the end of all redirects.
func visit(t *testing.T, p *portal, token, address string) int {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	c := &http.Client{Jar: jar, Transport: loopbackTransport()}
	if token != "" {
		resp, err := c.PostForm(p.URL()+"/login", url.Values{"token": {token}})
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Accept", "text/html")
	resp, err := c.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if token == "" && !strings.HasPrefix(resp.Request.URL.Path, "/login") {
		t.Errorf("nobody ends at %s", resp.Request.URL)
	}
	return resp.StatusCode
}

func TestOnPostgreSQL(t *testing.T) {
	needDocker(t)
	cfg := testConfig(t)
	cfg.Database = pgtest.URL(t)
	p := startPortal(t, cfg)
	i := p.deploy("inspector", nil)
	if status, _ := get(t, i.URL); status != http.StatusOK {
		t.Errorf("%s answers %d", i.URL, status)
	}
	if i = p.destroy(i.ID); i.Status != client.StatusDestroyed || len(resources(t, i.ID)) != 0 {
		t.Errorf("got %s", toJSON(i))
	}
}

// TestItsTimeIsUpWhileThePortalWasDown: the end is a row, not a goroutine.
func TestItsTimeIsUpWhileThePortalWasDown(t *testing.T) {
	needDocker(t)
	cfg := testConfig(t)
	cfg.Listen = freeAddress(t)
	s, c := boot(t, cfg)
	i := (&portal{Server: s, Client: c, t: t}).deploy("inspector", nil)
	if err := s.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}

	cfg.Now = func() time.Time { return time.Now().Add(9 * time.Hour) }
	p := startPortal(t, cfg)
	i = p.waitFor(t.Context(), i.ID, client.Instance.Ended)
	if i.Status != client.StatusDestroyed || i.EndedBy != "portal" || len(resources(t, i.ID)) != 0 {
		t.Errorf("got %s", toJSON(i))
	}
}
