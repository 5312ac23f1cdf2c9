package web_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	iap "github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/instance"
)

const me = "local-admin"

type portal struct {
	*memory
	t   *testing.T
	srv *httptest.Server
	ids map[string]string
	s   interface{ Stop(context.Context) error }
}

// start serves the pages over the example's services, at a fixed time.
func start(t *testing.T) *portal {
	t.Helper()
	now := time.Date(2026, 11, 23, 14, 0, 0, 0, time.UTC)
	m := newMemory(func() time.Time { return now })
	s, err := newServer(m, iap.Actor{ID: me, Name: "Local admin", Role: iap.Admin})
	if err != nil {
		t.Fatal(err)
	}
	ids := example(m)
	if err := s.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	m.caughtUp(t)
	srv := httptest.NewServer(s)
	t.Cleanup(func() {
		s.Stop(context.Background())
		srv.Close()
		m.log.Stop(context.Background())
	})
	return &portal{memory: m, t: t, srv: srv, ids: ids, s: s}
}

// caughtUp waits until the log has told of all events.
func (m *memory) caughtUp(t *testing.T) {
	t.Helper()
	newest, _ := m.LastEventNumber(t.Context())
	sub := m.log.Subscribe(0)
	for sub.Position() < newest {
		if _, err := sub.Next(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
}

// do sends a request as a person ("" is the local admin) without following
// redirects.
func (p *portal) do(method, path, as string, form url.Values) (*http.Response, string) {
	p.t.Helper()
	req, err := http.NewRequestWithContext(p.t.Context(), method, p.srv.URL+path, strings.NewReader(form.Encode()))
	if err != nil {
		p.t.Fatal(err)
	}
	if form != nil {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	req.Header.Set("X-Test-Actor", as)
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	res, err := client.Do(req)
	if err != nil {
		p.t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		p.t.Fatal(err)
	}
	return res, string(body)
}

func contains(t *testing.T, body string, wants ...string) {
	t.Helper()
	for _, want := range wants {
		if !strings.Contains(body, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
}

func TestEveryPageHoldsToItsPolicy(t *testing.T) {
	p := start(t)
	run := "/instances/" + p.ids["running"]
	pages := []string{"/", "/?q=board", run, run + "?tab=lifecycle", "/machines", "/executions", "/schedules", "/schedules/nightly", "/sweeps/" + sweepID, run + "/keep", "/tasks", "/editor", "/machines/" + instance.LifecycleName, run + "?tab=events", run + "?tab=details", run + "/destroy",
		"/instances/" + p.ids["failed"], "/instances/" + p.ids["left"], "/admin/instances", "/admin/instances?status=live", "/admin/instances/destroy", "/admin/jobs",
		"/jobs/" + p.ids["job-failed"], "/apps/todo", "/deploy/todo"}
	inline := regexp.MustCompile(`(?i)<script(?:[^>]*)>[^<]|<style|\sstyle=|\son[a-z]+=|javascript:`)
	for _, path := range pages {
		res, body := p.do("GET", path, "", nil)
		if res.StatusCode != 200 {
			t.Errorf("GET %s: %s", path, res.Status)
		}
		if found := inline.FindString(body); found != "" {
			t.Errorf("GET %s: %q needs what the policy forbids", path, found)
		}
		if policy := res.Header.Get("Content-Security-Policy"); !strings.Contains(policy, "default-src 'none'") || strings.Contains(policy, "unsafe") {
			t.Errorf("GET %s: policy %q", path, policy)
		}
		if len(body) > 60<<10 {
			t.Errorf("GET %s: %d bytes", path, len(body))
		}
		contains(t, body, `<main id="main"`, `data-last-event="`, "<title>")
	}
}

func TestFilesAreNamedByTheirContent(t *testing.T) {
	p := start(t)
	_, body := p.do("GET", "/", "", nil)
	total := 0
	for _, m := range regexp.MustCompile(`(?:src|href|data-worker)="(/static/[^"]+)"`).FindAllStringSubmatch(body, -1) {
		req, _ := http.NewRequest("GET", p.srv.URL+m[1], nil)
		req.Header.Set("Accept-Encoding", "gzip")
		res, err := http.DefaultTransport.RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		data, _ := io.ReadAll(res.Body)
		res.Body.Close()
		if res.StatusCode != 200 || !strings.Contains(res.Header.Get("Cache-Control"), "immutable") {
			t.Errorf("%s: %s, %q", m[1], res.Status, res.Header.Get("Cache-Control"))
		}
		if packed := res.Header.Get("Content-Encoding") == "gzip"; packed == strings.HasSuffix(m[1], ".woff2") {
			t.Errorf("%s: packed %v", m[1], packed)
		}
		if !strings.HasSuffix(m[1], ".woff2") {
			total += len(data)
		}
	}
	if total > 150<<10 || total == 0 {
		t.Errorf("a page needs %d bytes besides its fonts", total)
	}
	if res, _ := p.do("GET", "/static/app.000000000000.css", "", nil); res.StatusCode != 404 {
		t.Errorf("a file that is not: %s", res.Status)
	}
}

func TestInstancePageSaysHowItIs(t *testing.T) {
	p := start(t)
	_, body := p.do("GET", "/instances/"+p.ids["running"], "", nil)
	contains(t, body, "brave otter lamp", "Running", `Ends <time datetime="2026-11-23T19:00:00Z" data-form="ends">today 19:00 (Europe/London)</time>`,
		`href="http://brave-otter-lamp-todo.localhost:8080/"`, "Copy link", "Destroy", "1.1 s in all")
	_, body = p.do("GET", "/instances/"+p.ids["deploying"], "", nil)
	if strings.Contains(body, `href="http://gentle-comet-bridge`) {
		t.Error("the address is a link before the app is there")
	}
	_, body = p.do("GET", "/instances/"+p.ids["failed"], "", nil)
	contains(t, body, "Deploy failed", "permission denied", "Receipt: 0 left")
	_, body = p.do("GET", "/instances/"+p.ids["left"], "", nil)
	contains(t, body, "1 thing is left", "network calm-badger-stone-orders", "Destroy again")
}

func TestSecretsAreMasked(t *testing.T) {
	p := start(t)
	_, body := p.do("GET", "/instances/"+p.ids["running"]+"?tab=details", "", nil)
	contains(t, body, "Things to do", "••••••••")
	if strings.Contains(body, "hunter2") {
		t.Error("a secret parameter is shown")
	}
}

func TestErrorsHaveOneFace(t *testing.T) {
	p := start(t)
	for _, c := range []struct {
		path, as string
		status   int
		text     string
	}{
		{"/nope", "", 404, "No page at /nope"},
		{"/instances/" + p.ids["running"], "jane@example.com", 404, "There is nothing here"},
		{"/jobs/" + p.ids["job-running"], "jane@example.com", 404, "There is nothing here"},
		{"/jobs/" + p.ids["job-running"] + "/log", "jane@example.com", 404, "There is nothing here"},
		{"/admin/instances", "jane@example.com", 403, "This page is for admins"},
		{"/admin/instances?status=bad", "", 422, "Status: "},
		{"/apps/<script>", "", 404, "&lt;script&gt;"},
	} {
		res, body := p.do("GET", strings.ReplaceAll(c.path, "<script>", "%3Cscript%3E"), c.as, nil)
		if res.StatusCode != c.status {
			t.Errorf("%s as %q: %s", c.path, c.as, res.Status)
		}
		contains(t, body, c.text)
	}
}

func TestLogin(t *testing.T) {
	p := start(t)
	res, _ := p.do("GET", "/instances/x?tab=log", "nobody", nil)
	if got := res.Header.Get("Location"); res.StatusCode != 303 || got != "/login?next=%2Finstances%2Fx%3Ftab%3Dlog" {
		t.Errorf("%s to %q", res.Status, got)
	}
	if res, _ := p.do("POST", "/deploy/todo", "nobody", url.Values{}); res.StatusCode != 401 {
		t.Errorf("a form without a login: %s", res.Status)
	}
	res, body := p.do("POST", "/login", "nobody", url.Values{"token": {"wrong"}, "next": {"/apps/todo"}})
	if res.StatusCode != 401 {
		t.Errorf("a wrong token: %s", res.Status)
	}
	contains(t, body, "This token is not known", `aria-describedby="token-note"`, `value="/apps/todo"`)
	for next, want := range map[string]string{"/apps/todo": "/apps/todo", "//evil.example.com": "/", "https://evil.example.com": "/", `/\evil`: "/", "": "/", "/\t/evil": "/"} {
		res, _ := p.do("POST", "/login", "nobody", url.Values{"token": {"right"}, "next": {next}})
		if got := res.Header.Get("Location"); res.StatusCode != 303 || got != want {
			t.Errorf("next %q leads to %q", next, got)
		}
	}
}

func TestDeployForm(t *testing.T) {
	p := start(t)
	res, body := p.do("POST", "/deploy/todo", "jane@example.com", url.Values{"param.title": {"<b>"}, "param.admin_password": {"geheim"}, "params": {"1"}})
	if res.StatusCode != 422 {
		t.Fatalf("a wrong parameter: %s", res.Status)
	}
	contains(t, body, `is not allowed; use letters`, `id="p-todo-title-note"`, `aria-invalid="true"`, `value="&lt;b&gt;"`)
	if strings.Contains(body, "geheim") {
		t.Error("a secret is sent back")
	}
	res, _ = p.do("POST", "/deploy/whiteboard", "jane@example.com", url.Values{})
	to := res.Header.Get("Location")
	if res.StatusCode != 303 || !strings.HasPrefix(to, "/instances/") {
		t.Fatalf("%s to %q", res.Status, to)
	}
	if i := p.instances[strings.TrimPrefix(to, "/instances/")]; i.Owner != "jane@example.com" || i.Status != instance.Queued {
		t.Errorf("deployed %+v", i)
	}
	res, _ = p.do("POST", to+"/destroy", "jane@example.com", url.Values{})
	if res.StatusCode != 303 || res.Header.Get("Location") != to {
		t.Errorf("destroy: %s to %q", res.Status, res.Header.Get("Location"))
	}
	_, body = p.do("GET", to, "jane@example.com", nil)
	contains(t, body, "Destroyed by its owner", "Receipt: 0 left", "Deploy again")
	_, body = p.do("GET", "/admin/instances?status=destroyed", "", nil)
	contains(t, body, `<td class="why" title="Destroyed by its owner">`)
}

// TestDestroyMany: an admin sees what would be destroyed before it is; what its
// owner keeps is only with a tick of one's own.
func TestDestroyMany(t *testing.T) {
	p := start(t)
	const page = "/admin/instances/destroy"
	kept, other := p.ids["running"], p.ids["deploying"]
	if _, err := p.Keep(t.Context(), iap.Actor{ID: "paul@example.com", Role: iap.Admin}, kept, p.now().Add(time.Hour), "the demo"); err != nil {
		t.Fatal(err)
	}
	_, body := p.do("GET", "/admin/instances?status=live&app="+p.instances[other].App, "", nil)
	contains(t, body, page+"?app="+p.instances[other].App+"&amp;status=live")
	_, body = p.do("GET", page+"?status=live", "", nil)
	contains(t, body, `value="`+other+`" checked`, `value="`+kept+`"><span`, ": the demo", `name="status" value="live"`)
	if strings.Contains(body, p.ids["failed"]) {
		t.Error("what has ended is in the preview")
	}
	res, body := p.do("POST", page, "", url.Values{"status": {"live"}})
	if res.StatusCode != 422 {
		t.Errorf("without a tick: %s", res.Status)
	}
	contains(t, body, "Nothing is ticked")
	res, body = p.do("POST", page, "", url.Values{"id": {other, "gone"}})
	if res.StatusCode != 422 {
		t.Errorf("with one that is not there: %s", res.Status)
	}
	contains(t, body, "1 of 2 could not be destroyed")
	if p.instances[kept].Status != instance.Running || p.instances[other].Status == instance.Deploying {
		t.Errorf("kept: %s, ticked: %s", p.instances[kept].Status, p.instances[other].Status)
	}
	if res, _ = p.do("POST", page, "", url.Values{"id": {kept}}); res.StatusCode != 303 || p.instances[kept].Status == instance.Running {
		t.Errorf("ticked: %s, %s", res.Status, p.instances[kept].Status)
	}
	for _, method := range []string{"GET", "POST"} {
		if res, _ := p.do(method, page, "jane@example.com", url.Values{}); res.StatusCode != 403 {
			t.Errorf("%s as a member: %s", method, res.Status)
		}
	}
}

// TestJobsAreFiltered: by what stands in the address.
func TestJobsAreFiltered(t *testing.T) {
	p := start(t)
	failed := `href="/jobs/` + p.ids["job-failed"] + `"`
	_, body := p.do("GET", "/admin/jobs?status=failed", "", nil)
	contains(t, body, failed, `value="failed" selected`, "Clear")
	if strings.Count(body, `id="jobrow-`) == len(p.jobs) {
		t.Error("the status does not choose")
	}
	_, body = p.do("GET", "/admin/jobs?owner=nobody@example.com", "", nil)
	contains(t, body, "No job matches")
	for query, want := range map[string]string{"status=bad": "Status: &#34;bad&#34; is no status", "kind=bad": "Kind: "} {
		if res, body := p.do("GET", "/admin/jobs?"+query, "", nil); res.StatusCode != 422 || !strings.Contains(body, want) {
			t.Errorf("%s: %s without %s", query, res.Status, want)
		}
	}
}

func TestCatalogue(t *testing.T) {
	p := start(t)
	_, body := p.do("GET", "/?q=stroke+draw", "", nil)
	contains(t, body, "Whiteboard")
	if strings.Contains(body, "/apps/orders") {
		t.Error("the search shows what does not match")
	}
	_, body = p.do("GET", "/?tag=interview", "", nil)
	if strings.Contains(body, `"/apps/inspector"`) || !strings.Contains(body, `"/apps/orders"`) {
		t.Error("the tag does not choose")
	}
	p.apps = nil
	_, body = p.do("GET", "/", "", nil)
	contains(t, body, "iap app add iap.yaml", "slug: todo")
}

func TestIconsCannotBecomePages(t *testing.T) {
	p := start(t)
	res, _ := p.do("GET", "/apps/todo/icon", "", nil)
	if got := res.Header.Get("Content-Type"); got != "application/octet-stream" {
		t.Errorf("type %q", got)
	}
	if got := res.Header.Get("Content-Security-Policy"); !strings.Contains(got, "sandbox") {
		t.Errorf("policy %q", got)
	}
}

func TestRetireIsForPublishers(t *testing.T) {
	p := start(t)
	if res, _ := p.do("POST", "/apps/todo/retire", "jane@example.com", url.Values{}); res.StatusCode != 403 {
		t.Errorf("as a member: %s", res.Status)
	}
	if res, _ := p.do("POST", "/apps/todo/retire", "", url.Values{}); res.StatusCode != 303 {
		t.Errorf("as an admin: %s", res.Status)
	}
	_, body := p.do("GET", "/apps/todo", "", nil)
	contains(t, body, "Retired", "Put back")
}

func mustURL(t *testing.T, path string) *url.URL {
	t.Helper()
	u, err := url.Parse(path)
	if err != nil {
		t.Fatal(err)
	}
	return u
}
