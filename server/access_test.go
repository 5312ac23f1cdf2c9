package server_test

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/internal-app-portal/iap/auth"
	"github.com/internal-app-portal/iap/client"
)

// visitor is a browser whose every step the test sees.
type visitor struct {
	t       *testing.T
	cookies map[string]string // by host name, as the header has them
}

// get asks for an address as a page and follows nothing.
func (v *visitor) get(address string) *http.Response {
	v.t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		v.t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(v.t.Context(), http.MethodGet, address, nil)
	if err != nil {
		v.t.Fatal(err)
	}
	req.Header.Set("Accept", "text/html")
	if c := v.cookies[u.Hostname()]; c != "" {
		req.Header.Set("Cookie", c)
	}
	resp, err := loopbackTransport().RoundTrip(req)
	if err != nil {
		v.t.Fatal(err)
	}
	defer resp.Body.Close()
	_, _ = io.Copy(io.Discard, resp.Body)
	return resp
}

// post sends a form to the portal and keeps the cookie that is set.
func (v *visitor) post(p *portal, path string, form url.Values) {
	v.t.Helper()
	req, err := http.NewRequestWithContext(v.t.Context(), http.MethodPost, p.URL()+path, strings.NewReader(form.Encode()))
	if err != nil {
		v.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Cookie", v.cookies["localhost"])
	resp, err := loopbackTransport().RoundTrip(req)
	if err != nil {
		v.t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusSeeOther {
		v.t.Fatalf("%s answers %s", path, resp.Status)
	}
	for _, c := range resp.Cookies() {
		if c.MaxAge >= 0 {
			v.cookies["localhost"] = c.Name + "=" + c.Value
		}
	}
}

// signIn returns a browser in which somebody signed in.
func signIn(t *testing.T, p *portal, token string) *visitor {
	t.Helper()
	v := &visitor{t: t, cookies: map[string]string{}}
	v.post(p, "/login", url.Values{"token": {token}})
	return v
}

// location is where an answer leads to.
func location(t *testing.T, resp *http.Response) *url.URL {
	t.Helper()
	u, err := resp.Location()
	if err != nil || resp.StatusCode != http.StatusSeeOther {
		t.Fatalf("%s answers %s, %v", resp.Request.URL, resp.Status, err)
	}
	return u
}

// TestAccessCookie: an instance's host opens by its own cookie alone, got by a
// ticket of the portal, and closes with the login.
func TestAccessCookie(t *testing.T) {
	needDocker(t)
	p, tokens := company(t)
	p.addApp(inspectorApp("inspector"))
	p.addApp(inspectorApp("other"))
	jane := p.as(tokens["jane"])
	var hosts [2]client.Instance
	for n, app := range []string{"inspector", "other"} {
		i, _, err := jane.Deploy(t.Context(), deployOf(app))
		if err != nil {
			t.Fatal(err)
		}
		hosts[n] = p.waitFor(t.Context(), i.ID, func(i client.Instance) bool { return i.Status == client.StatusRunning || i.Ended() })
		if i = hosts[n]; i.Ended() {
			t.Fatalf("%s is %s: %s", i.HostName, i.Status, i.Reason)
		}
	}
	app, neighbour := hosts[0].URL, hosts[1].URL
	v := signIn(t, p, tokens["jane"])
	toPortal := location(t, v.get(app+"/json"))
	if toPortal.Host != strings.TrimPrefix(p.URL(), "http://") {
		t.Fatalf("without the cookie it leads to %s", toPortal)
	}
	toApp := location(t, v.get(toPortal.String()))
	ticket := toApp.Query().Get("ticket")
	back := v.get(toApp.String())
	if to := location(t, back).String(); to != app+"/json" {
		t.Errorf("in the end it leads to %s", to)
	}
	cookies := back.Cookies()
	if len(cookies) != 1 || !cookies[0].HttpOnly || cookies[0].Domain != "" {
		t.Fatalf("the cookies are %v", cookies)
	}
	name, good := cookies[0].Name+"=", cookies[0].Value

	opens := func(address, cookie string) bool {
		u, err := url.Parse(address)
		if err != nil {
			t.Fatal(err)
		}
		return (&visitor{t: t, cookies: map[string]string{u.Hostname(): cookie}}).get(address).StatusCode == http.StatusOK
	}
	for what, c := range map[string]struct {
		address, cookie string
		want            bool
	}{
		"the cookie":                 {app, name + good, true},
		"beside a tossed one":        {app, name + "tossed; " + name + good, true},
		"before a tossed one":        {app, name + good + "; " + name + "tossed", true},
		"two that are tossed":        {app, name + "a; " + name + "b", false},
		"tampered":                   {app, name + "A" + good, false},
		"cut":                        {app, name + good[:len(good)-1], false},
		"8 KB":                       {app, name + strings.Repeat("A", 8192), false},
		"the ticket as a cookie":     {app, name + ticket, false},
		"the cookie for a neighbour": {neighbour, name + good, false},
	} {
		if got := opens(c.address, c.cookie); got != c.want {
			t.Errorf("%s: opens %v", what, got)
		}
	}
	t.Run("tickets", func(t *testing.T) { badTickets(t, v, app, neighbour, ticket, good) })

	open := listen(t, app+"/stream?lines=0", name+good)
	v.post(p, "/logout", nil)
	if _, err := io.Copy(io.Discard, open); errors.Is(err, context.DeadlineExceeded) {
		t.Error("a stream that was open lives on after the logout")
	}
	if opens(app, name+good) {
		t.Error("after the logout the host's cookie still opens it")
	}
	if status := v.get(toApp.String()).StatusCode; status == http.StatusOK {
		t.Errorf("after the logout the ticket gives %d", status)
	}
	if to := location(t, v.get(toPortal.String())); to.Path != "/login" {
		t.Errorf("with the cookie of before the logout the portal leads to %s", to)
	}
}

// listen opens an event stream with a cookie and returns it after its first line.
func listen(t *testing.T, address, cookie string) io.Reader {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute) // gives up one that does not end
	t.Cleanup(cancel)
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Accept", "text/event-stream")
	req.Header.Set("Cookie", cookie)
	resp, err := loopbackTransport().RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { resp.Body.Close() })
	stream := bufio.NewReader(resp.Body)
	if line, err := stream.ReadString('\n'); err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("%s: %s, %q, %v", address, resp.Status, line, err)
	}
	return stream
}

// badTickets sends tickets to hosts that they are not for, and return addresses
// that lead elsewhere.
func badTickets(t *testing.T, v *visitor, app, neighbour, ticket, cookie string) {
	for what, address := range map[string]string{
		"none":               app + "/.iap/access",
		"forged":             app + "/.iap/access?ticket=" + ticket + "A",
		"for another host":   neighbour + "/.iap/access?ticket=" + ticket,
		"a cookie as ticket": app + "/.iap/access?ticket=" + cookie,
		"8 KB":               app + "/.iap/access?ticket=" + strings.Repeat("A", 8192),
	} {
		if resp := v.get(address); resp.StatusCode != http.StatusForbidden || len(resp.Cookies()) != 0 {
			t.Errorf("a ticket, %s: %s, %v", what, resp.Status, resp.Cookies())
		}
	}
	for _, to := range []string{"//evil.example", `/\evil.example`, "https://evil.example", "/\t/evil.example", "javascript:alert(1)", "", "/\r\nX: y"} {
		resp := v.get(app + "/.iap/access?ticket=" + ticket + "&return=" + url.QueryEscape(to))
		if got := resp.Header.Get("Location"); got != "/" {
			t.Errorf("return to %q leads to %q", to, got)
		}
	}
}

// TestAccessIsNotForOthers: who may not open an instance learns nothing of it.
func TestAccessIsNotForOthers(t *testing.T) {
	p, tokens := company(t)
	joe := signIn(t, p, tokens["joe"])
	for _, host := range []string{"", "no-such-name-todo", "../../x", "a@evil", "evil.example/", strings.Repeat("a", 300), "<script>"} {
		resp := joe.get(p.URL() + "/access?host=" + url.QueryEscape(host))
		if resp.StatusCode != http.StatusNotFound {
			t.Errorf("%.20q: %s, leads to %q", host, resp.Status, resp.Header.Get("Location"))
		}
	}
	tampered := &visitor{t: t, cookies: map[string]string{"localhost": joe.cookies["localhost"] + "A"}}
	twice := &visitor{t: t, cookies: map[string]string{"localhost": joe.cookies["localhost"] + "; " + auth.PlainCookie + "=tossed"}}
	for what, v := range map[string]*visitor{"tampered": tampered, "two of a name": twice} {
		if to := location(t, v.get(p.URL()+"/")); to.Path != "/login" {
			t.Errorf("%s: leads to %s", what, to)
		}
	}
}
