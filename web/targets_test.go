package web_test

import (
	"html"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	iap "github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/event"
	"github.com/internal-app-portal/iap/event/delivery"
)

var root = iap.Actor{ID: me, Role: iap.Admin}

// post sends a form and wants a status.
func (p *told) post(path string, form url.Values, status int) string {
	p.t.Helper()
	res, body := p.do("POST", path, "", form)
	if res.StatusCode != status {
		p.t.Fatalf("POST %s: %s, not %d", path, res.Status, status)
	}
	return body
}

func TestATargetIsAddedAndChanged(t *testing.T) {
	p := startTold(t)
	form := url.Values{"name": {"ops"}, "url": {p.receiver.URL}, "private": {"true"}, "attempts": {"2"}, "backoff": {"1ms"}, "timeout": {"3s"},
		"rate": {"50.5"}, "ordered": {"true"}}
	body := p.post("/new-target/webhook", form, http.StatusCreated)
	secret := regexp.MustCompile(`whsec_[^<"]+`).FindString(body)
	if secret == "" || strings.Contains(p.get("/targets/ops"), secret) {
		t.Errorf("the secret is to be shown once: %q", secret)
	}
	all, err := p.db.Targets(t.Context())
	if err != nil || len(all) != 1 {
		t.Fatal(all, err)
	}
	if x := all[0]; x.Attempts != 2 || x.Rate != 50.5 || !x.Ordered || !x.Settings.Private || x.Timeout.String() != "3s" || x.Backoff.String() != "1ms" {
		t.Errorf("stored: %+v", x)
	}
	contains(t, p.post("/new-target/webhook", form, 422), "There is a target", `value="ops"`)

	form.Del("ordered")
	form.Set("rate", "")
	form.Set("name", "other")
	p.post("/targets/ops", form, 303)
	all, _ = p.db.Targets(t.Context())
	if x := all[0]; x.Name != "ops" || x.Ordered || x.Rate != 0 || x.Secret != strings.ReplaceAll(secret, "&#43;", "+") {
		t.Errorf("after the change: %+v", x)
	}
	contains(t, p.get("/targets"), "ops", "Webhook", "Not used yet", p.receiver.URL)

	old := all[0].Secret
	body = p.post("/targets/ops/rotate", url.Values{}, 200)
	contains(t, body, "ops has a new secret", "signed by the old one as well")
	all, _ = p.db.Targets(t.Context())
	if both := strings.Fields(all[0].Secret); len(both) != 3 || both[0] == old || both[1] != old || !strings.Contains(html.UnescapeString(body), both[0]) {
		t.Errorf("after the rotation: %q, before %q", both, old)
	}
	contains(t, p.post("/targets/ops/rotate", url.Values{"known": {"true"}}, 200), "The old one is no longer used")
	if all, _ = p.db.Targets(t.Context()); len(strings.Fields(all[0].Secret)) != 1 {
		t.Errorf("the old one is still good: %q", all[0].Secret)
	}
}

func TestWhatIsWrongWithATargetIsSaidAtItsField(t *testing.T) {
	p := startTold(t)
	good := func() url.Values { return url.Values{"name": {"x"}, "url": {"https://a.example.com"}} }
	for field, value := range map[string]string{"name": "Not So", "url": "ftp://x", "attempts": "1.5", "backoff": "soon", "timeout": "10h", "rate": "-1",
		"secret": "guess", "allow": "10.0.0.0/99"} {
		form := good()
		form.Set(field, value)
		body := p.post("/new-target/webhook", form, 422)
		if !regexp.MustCompile(`(?s)name="` + field + `"[^>]*aria-invalid="true".{0,200}class="problem"`).MatchString(body) {
			t.Errorf("%s %q: nothing is said at the field", field, value)
		}
	}
	if res, _ := p.do("GET", "/new-target/pigeon", "", nil); res.StatusCode != 404 {
		t.Errorf("a kind that is none: %s", res.Status)
	}
	if body := p.get("/new-target/execution"); strings.Contains(body, "Task") || !strings.Contains(body, `name="machine"`) {
		t.Error("it offers kinds to which the portal cannot deliver, or lacks the fields of one to which it can")
	}
	if all, _ := p.db.Targets(t.Context()); len(all) != 0 {
		t.Errorf("stored: %+v", all)
	}
}

func TestATargetIsTestedPausedAndRemoved(t *testing.T) {
	p := startTold(t)
	p.addTarget("ops", 1)
	contains(t, p.post("/targets/ops/test", nil, 200), "Delivered", "200", "I say &lt;200&gt;")
	p.code.Store(410)
	contains(t, p.post("/targets/ops/test", nil, 200), "It failed", "410")
	p.addRule("all", "event.type == 't'", "ops")
	p.tell(event.Event{Source: "/t", Type: "t", Subject: "s1"})
	p.until(delivery.Dead)
	contains(t, p.get("/targets/ops"), "Disabled", "it answered 410 Gone", "Rules lead here", `id="resume"`)
	contains(t, p.get("/targets"), "Disabled")
	p.post("/targets/ops/resume", nil, 303)
	contains(t, p.get("/targets/ops"), "Failing", `id="pause"`)
	p.post("/targets/ops/pause", nil, 303)
	contains(t, p.get("/targets/ops"), "Paused", me+" has paused it")
	p.post("/targets/ops/remove", nil, 409)
	p.post("/rules/all/remove", nil, 303)
	p.post("/targets/ops/remove", nil, 303)
	if res, _ := p.do("GET", "/targets/ops", "", nil); res.StatusCode != 404 {
		t.Errorf("a target that was removed: %s", res.Status)
	}
	if res, _ := p.do("POST", "/targets/ops/test", "jane@example.com", url.Values{}); res.StatusCode != 403 {
		t.Errorf("a member tests a target: %s", res.Status)
	}
}

func TestARuleIsTriedBeforeItIsSaved(t *testing.T) {
	p := startTold(t)
	p.addTarget("ops", 1)
	for _, e := range []event.Event{{Type: "ci.ended", Subject: "b1"}, {Type: "ci.ended", Subject: "b2"}, {Type: "other", Subject: "b3"}} {
		e.Source = "/ci"
		p.tell(e)
	}
	try := func(when string) string { return p.post("/try-rule", url.Values{"when": {when}}, 200) }
	contains(t, try("event.type == 'ci.ended'"), "<strong>2</strong> of the last 4 events", "b1", "b2")
	contains(t, try("true &&\n event.typ ==== 'x'"), "line 2, column 14", " event.typ ==== &#39;x&#39;\n             ^")
	contains(t, try("data.run > 3"), "chooses none", "neither true nor false")
	contains(t, try(""), "it is empty")
	contains(t, try("size(source)"), "not true or false")

	form := url.Values{"name": {"ends"}, "when": {"subject == 'b2'"}, "target": {"ops"}, "try": {"1"}}
	contains(t, p.post("/new-rule", form, 200), "<strong>1</strong> of the last 4", `value="ends"`, `value="ops" checked`)
	if rules, _ := p.db.Rules(t.Context()); len(rules) != 0 {
		t.Errorf("to try a rule has stored it: %+v", rules)
	}
	form.Del("try")
	p.post("/new-rule", form, 303)
	contains(t, p.post("/new-rule", form, 422), "There is a rule of this name already")
	contains(t, p.get("/rules"), "ends", "subject == &#39;b2&#39;", `href="/targets/ops"`, "Active")

	form.Set("when", "subject ==")
	contains(t, p.post("/rules/ends", form, 422), `aria-invalid="true"`, "line 1, column")
	form.Set("when", "subject == 'b3'")
	form.Del("target")
	contains(t, p.post("/rules/ends", form, 422), "Choose where the events go")
	form.Set("target", "ops")
	p.post("/rules/ends", form, 303)
	rule, err := p.service.Rule(t.Context(), root, "ends")
	if err != nil || rule.When != "subject == 'b3'" {
		t.Errorf("after the change: %+v, %v", rule, err)
	}
	p.post("/rules/ends/pause", nil, 303)
	contains(t, p.get("/rules/ends"), "Paused", "chooses nothing", `id="resume"`)
	p.post("/rules/ends/resume", nil, 303)
	p.post("/rules/ends/remove", nil, 303)
	if res, _ := p.do("GET", "/rules/ends", "", nil); res.StatusCode != 404 {
		t.Errorf("a rule that was removed: %s", res.Status)
	}
	contains(t, p.get("/new-rule?when=event.type+%3D%3D+%27other%27&target=ops"), "<strong>1</strong> of the last", `value="ops" checked`)
}
