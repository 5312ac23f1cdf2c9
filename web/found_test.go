package web_test

import (
	"encoding/json"
	"net/url"
	"strings"
	"testing"

	"github.com/internal-app-portal/iap/catalog"
	"github.com/internal-app-portal/iap/event"
)

func TestJobsAreToldApartByTheirInstance(t *testing.T) {
	p := start(t)
	_, body := p.do("GET", "/admin/jobs", "", nil)
	contains(t, body, `<a href="/instances/`+p.ids["running"]+`" translate="no">brave otter lamp</a>`, "mellow cedar kite")
}

func TestAppPageLeadsToOnesOwnInstance(t *testing.T) {
	p := start(t)
	_, body := p.do("GET", "/apps/todo", "", nil)
	contains(t, body, "brave otter lamp", `href="http://brave-otter-lamp-todo.localhost:8080/"`, `href="/instances/`+p.ids["running"]+`"`)
	if strings.Contains(body, `href="/deploy/todo"`) {
		t.Error("the page offers a second instance")
	}
	_, body = p.do("GET", "/apps/inspector", "", nil)
	contains(t, body, `href="/deploy/inspector"`)
}

func TestRetiredAppsComeLast(t *testing.T) {
	p := start(t)
	p.do("POST", "/apps/inspector/retire", "", url.Values{})
	_, body := p.do("GET", "/", "", nil)
	if strings.Index(body, `"/apps/inspector"`) < strings.Index(body, `"/apps/grafana"`) {
		t.Error("a retired app stands before one that can be deployed")
	}
	contains(t, body, "<span>Retired</span>", "Not timed yet")
	if strings.Contains(body, "Not deployed yet") {
		t.Error("the page says of an app that nobody tried it")
	}
}

func TestAnAppWithoutAFitVersionIsNotOffered(t *testing.T) {
	p := start(t)
	for n := range p.apps {
		if p.apps[n].Slug == "inspector" {
			p.apps[n].Version.Certification.State = catalog.CertFailed
		}
	}
	for _, path := range []string{"/", "/apps/inspector"} {
		_, body := p.do("GET", path, "", nil)
		contains(t, body, "Not certified")
		if strings.Contains(body, `action="/deploy/inspector"`) || strings.Contains(body, `href="/deploy/inspector"`) || strings.Contains(body, `href="/book/inspector"`) {
			t.Errorf("%s offers what cannot be deployed", path)
		}
	}
}

func TestEventsSayWhichStateWasEntered(t *testing.T) {
	p := start(t)
	for _, state := range []string{"Apply", "Apply", "Check health", ""} {
		d := map[string]any{"id": p.ids["running"], "status": "RUNNING"}
		if state != "" {
			d["states"] = []string{state}
		}
		data, err := json.Marshal(d)
		if err != nil {
			t.Fatal(err)
		}
		p.tell(&event.Event{Source: "/executions", Type: event.ExecutionChanged, Subject: p.ids["running"], Owner: event.AdminsOnly, Group: p.ids["running"], Data: data})
	}
	_, body := p.do("GET", "/instances/"+p.ids["running"]+"?tab=events", "", nil)
	contains(t, body, "Lifecycle: entered Check health")
	if n := strings.Count(body, "Lifecycle:"); n != 2 {
		t.Errorf("%d lines of the lifecycle for two states", n)
	}
}

func TestAPatternIsExplained(t *testing.T) {
	p := start(t)
	for i := range p.apps {
		if params := p.apps[i].Version.Manifest.Parameters; p.apps[i].Slug == "todo" {
			params[0].Pattern, params[0].Description = "use letters", "Letters and digits alone."
		}
	}
	_, body := p.do("POST", "/deploy/todo", "jane@example.com", url.Values{"param.title": {"<b>"}})
	contains(t, body, "Letters and digits alone. &#34;&lt;b&gt;&#34; has a character")
}

func TestOtherPagesShareTheFonts(t *testing.T) {
	p := start(t)
	for path, want := range map[string]int{"/static/inter.woff2": 200, "/static/theme.js": 200, "/static/app.js": 404} {
		if res, _ := p.do("GET", path, "", nil); res.StatusCode != want || want == 200 && strings.Contains(res.Header.Get("Cache-Control"), "immutable") {
			t.Errorf("%s: %s, %q", path, res.Status, res.Header.Get("Cache-Control"))
		}
	}
}
