package web_test

import (
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/internal-app-portal/iap/event"
	"github.com/internal-app-portal/iap/event/delivery"
)

// dead has n events of each of two types die at the target ops, and returns the
// IDs of their deliveries, oldest first.
func (p *told) dead(n int) (ids []string) {
	p.t.Helper()
	p.code.Store(503)
	p.addTarget("ops", 1)
	p.addRule("all", "event.type.startsWith('t.')", "ops")
	for k := range 2 * n {
		number := p.tell(event.Event{Source: "/t", Type: fmt.Sprintf("t.%d", k%2), Subject: fmt.Sprint("s", k)})
		ids = append(ids, fmt.Sprintf("%d-ops", number))
	}
	p.count(delivery.Dead, len(ids))
	return ids
}

// count waits until so many deliveries have a status.
func (p *told) count(status delivery.Status, want int) {
	p.t.Helper()
	for tick := time.Tick(2 * time.Millisecond); ; <-tick {
		found, err := p.db.Deliveries(p.t.Context(), delivery.Filter{Status: status, Limit: want + 1})
		if err != nil {
			p.t.Fatal(err)
		}
		if len(found) == want {
			return
		}
	}
}

// letters returns the IDs that a list of dead letters shows.
func letters(body string) (out []string) {
	for _, m := range regexp.MustCompile(`name="id" value="([^"]+)"`).FindAllStringSubmatch(body, -1) {
		out = append(out, m[1])
	}
	return out
}

func TestDeadLettersAreListedAndFiltered(t *testing.T) {
	p := startTold(t)
	contains(t, p.get("/dead-letters"), "There is none")
	ids := p.dead(30)
	body := p.get("/dead-letters")
	contains(t, body, `class="badge"`, ">60<", "Redrive all 60", "it answered 503")
	first := letters(body)
	_, after, _ := strings.Cut(body, `href="/dead-letters?before=`)
	before, _, _ := strings.Cut(after, `"`)
	all := append(first, letters(p.get("/dead-letters?before="+before))...)
	if len(all) != 60 || all[0] != ids[59] || all[59] != ids[0] {
		t.Errorf("%d of 60 are listed: %v", len(all), all)
	}
	tomorrow := time.Now().Add(24 * time.Hour).UTC().Format("2006-01-02T15:04")
	for query, want := range map[string]int{"?type=t.1": 30, "?type=t.*&target=ops": 50, "?type=t": 0, "?target=other": 0, "?since=" + tomorrow: 0,
		"?since=2020-01-01": 50} {
		if got := letters(p.get("/dead-letters" + query)); len(got) != want {
			t.Errorf("%s shows %d, not %d", query, len(got), want)
		}
	}
	for _, query := range []string{"?since=x", "?before=x"} {
		if res, _ := p.do("GET", "/dead-letters"+query, "", nil); res.StatusCode != 422 {
			t.Errorf("%s: %s", query, res.Status)
		}
	}
	contains(t, p.get("/deliveries/"+ids[0]), "Dead letter", "attempt 1", "503", "I say &lt;503&gt;", `href="/events/`, `id="redrive"`)
}

// TestARedriveIsOfWhatWasAsked: of what was ticked, of a type, and of all.
func TestARedriveIsOfWhatWasAsked(t *testing.T) {
	p := startTold(t)
	ids := p.dead(3)
	redrive := func(form url.Values) string {
		t.Helper()
		res, _ := p.do("POST", "/dead-letters/redrive", "", form)
		to := res.Header.Get("Location")
		if res.StatusCode != 303 || !strings.HasPrefix(to, "/redrives/") {
			t.Fatalf("it answered %s, to %q", res.Status, to)
		}
		return to
	}
	contains(t, p.post("/dead-letters/redrive", url.Values{}, 422), "Nothing is ticked")
	p.post("/dead-letters/redrive", url.Values{"all": {"1"}, "since": {"soon"}}, 422)
	tomorrow := time.Now().Add(24 * time.Hour).UTC().Format("2006-01-02T15:04")
	if res, _ := p.do("POST", "/dead-letters/redrive", "", url.Values{"all": {"1"}, "since": {tomorrow}}); res.Header.Get("Location") != "/dead-letters" {
		t.Errorf("a redrive of what dies tomorrow leads to %q", res.Header.Get("Location"))
	}
	p.post("/dead-letters/redrive", url.Values{"id": {ids[0], "1-gone"}}, 404)

	again := redrive(url.Values{"id": {ids[0]}}) // it still answers 503
	p.count(delivery.Waiting, 0)
	contains(t, p.get(again), "Ended", "1 of 1", "1 dead again", ids[0])
	contains(t, p.get(again), `sse-swap="redrive-`+strings.TrimPrefix(again, "/redrives/")+`"`)
	contains(t, p.get("/deliveries/"+ids[0]), "Redriven", `href="`+again)

	p.code.Store(200)
	redrive(url.Values{"id": {ids[0], ids[1]}})
	p.count(delivery.Delivered, 2)
	redrive(url.Values{"all": {"1"}, "type": {"t.1"}})
	p.count(delivery.Delivered, 4)
	last := redrive(url.Values{"all": {"1"}, "since": {"2020-01-01"}})
	p.count(delivery.Delivered, 6)
	contains(t, p.get(last), "2 of 2", "2 delivered")
	got := map[string]bool{}
	for range 6 {
		got[<-p.got] = true
	}
	if len(got) != 6 {
		t.Errorf("it took %v", got)
	}
	if body := p.get("/dead-letters"); strings.Contains(body, `class="badge"`) {
		t.Error("the navigation counts dead letters that are none any more")
	}
	if res, _ := p.do("POST", "/dead-letters/redrive", "", url.Values{"all": {"1"}}); res.Header.Get("Location") != "/dead-letters" {
		t.Errorf("a redrive of nothing leads to %q", res.Header.Get("Location"))
	}
	if res, _ := p.do("GET", "/redrives/none", "", nil); res.StatusCode != 404 {
		t.Errorf("a redrive that is none: %s", res.Status)
	}
}

// TestARedriveIsLive: how far it is comes by the stream, to its end, and not to a
// member.
func TestARedriveIsLive(t *testing.T) {
	p := startTold(t)
	ids := p.dead(1)
	p.code.Store(200)
	admin, member := p.listen("?want=redrive", "", ""), p.listen("?want=redrive&want=tail:", "jane@example.com", "")
	res, _ := p.do("POST", "/dead-letters/redrive", "", url.Values{"id": {ids[0]}})
	topic := "redrive-" + strings.TrimPrefix(res.Header.Get("Location"), "/redrives/")
	for !strings.Contains(admin.until(topic).data, "1 delivered") {
	}
	p.tell(event.Event{Source: "/t", Type: "end", Owner: "jane@example.com"})
	if m, ok := member.next(); !ok || m.name == topic || strings.Contains(m.data, "redrive") {
		t.Errorf("a member got %q", m.name)
	}
}

func TestDeadLettersAreDeletedWithAReason(t *testing.T) {
	p := startTold(t)
	ids := p.dead(1)
	contains(t, p.post("/dead-letters/delete", url.Values{"id": {ids[0]}}, 422), "The reason", `value="`+ids[0]+`" checked`)
	contains(t, p.post("/dead-letters/delete", url.Values{"reason": {"x"}}, 422), "Nothing is ticked")
	p.post("/dead-letters/delete", url.Values{"id": {ids[0]}, "reason": {"the <receiver> is gone"}}, http.StatusSeeOther)
	contains(t, p.get("/deliveries/"+ids[0]), "Dropped", "Deleted by "+me+": the &lt;receiver&gt; is gone")
	if got := letters(p.get("/dead-letters")); len(got) != 1 || got[0] != ids[1] {
		t.Errorf("left: %v", got)
	}
	p.post("/dead-letters/delete", url.Values{"id": {ids[0]}, "reason": {"again"}}, 409)
	for _, path := range []string{"/dead-letters", "/deliveries/" + ids[1], "/targets", "/rules", "/new-rule", "/new-target/webhook"} {
		if res, body := p.do("GET", path, "jane@example.com", nil); res.StatusCode != 403 || strings.Contains(body, `class="badge"`) {
			t.Errorf("a member gets %s of %s, or a count", res.Status, path)
		}
	}
}

// TestTheCountOfDeadLettersIsLive: it comes by the stream to admins, and to no
// one else.
func TestTheCountOfDeadLettersIsLive(t *testing.T) {
	p := startTold(t)
	admin, member := p.listen("?want=dead-letters", "", ""), p.listen("?want=dead-letters&want=tail:", "jane@example.com", "")
	p.dead(1)
	for !strings.Contains(admin.until("dead-letters").data, ">2<") {
	}
	p.tell(event.Event{Source: "/t", Type: "end", Owner: "jane@example.com"})
	if m, ok := member.next(); !ok || m.name == "dead-letters" || strings.Contains(m.data, "ops") {
		t.Errorf("a member got %q", m.name)
	}
}

func TestPagesOfEventsHoldToTheirPolicy(t *testing.T) {
	p := startTold(t)
	ids := p.dead(1)
	inline := regexp.MustCompile(`(?i)<script(?:[^>]*)>[^<]|<style|\sstyle=|\son[a-z]+=|javascript:`)
	for _, path := range []string{"/events", "/events?type=t.*&text=s", "/events/3", "/targets", "/targets/ops", "/new-target/webhook", "/new-target/execution",
		"/rules", "/rules/all", "/new-rule", "/dead-letters", "/deliveries/" + ids[1]} {
		body := p.get(path)
		if found := inline.FindString(body); found != "" {
			t.Errorf("GET %s: %q needs what the policy forbids", path, found)
		}
		contains(t, body, `<main id="main"`, `aria-current=`, `aria-label="Events"`)
	}
}
