package web_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"testing"

	iap "github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/event"
	"github.com/internal-app-portal/iap/web"
	"github.com/internal-app-portal/iap/workflow"
)

// startFlows is start with state machines.
func startFlows(t *testing.T) *portal {
	p := start(t)
	maps.Copy(p.ids, exampleFlows(p.flows))
	p.caughtUp(t)
	return p
}

// ask posts JSON and reads the answer into v.
func (p *portal) ask(path string, v, into any) {
	p.t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		p.t.Fatal(err)
	}
	res, err := http.Post(p.srv.URL+path, "application/json", bytes.NewReader(b))
	if err != nil {
		p.t.Fatal(err)
	}
	defer res.Body.Close()
	body, _ := io.ReadAll(res.Body)
	if err := json.Unmarshal(body, into); err != nil || res.StatusCode != 200 {
		p.t.Fatalf("POST %s: %s: %s", path, res.Status, body)
	}
}

// get reads a page that must be there.
func (p *portal) get(path string) string {
	p.t.Helper()
	res, body := p.do("GET", path, "", nil)
	if res.StatusCode != 200 {
		p.t.Fatalf("GET %s: %s: %s", path, res.Status, body)
	}
	return body
}

type mark struct {
	Status                                        string
	Count, Active, Failed, Caught, Retries, Total int
	Ended                                         int
	Note                                          string
}

func (p *portal) marks(path string) map[string]mark {
	p.t.Helper()
	var live struct{ States map[string]mark }
	if err := json.Unmarshal([]byte(p.get(path)), &live); err != nil {
		p.t.Fatal(err)
	}
	return live.States
}

func TestStatesAreMarkedByTheHistory(t *testing.T) {
	p := startFlows(t)
	tests := map[string]map[string]mark{
		"order-done": {"Reserve": {Status: "done", Count: 1}, "Wait for money": {Status: "pending"}, "Pick": {Status: "done", Count: 6},
			"Pack each": {Status: "done", Count: 1, Total: 6, Ended: 6}, "Prepare": {Status: "done", Count: 1}, "Send": {Status: "done", Count: 1}},
		"order-failed": {"Prepare": {Status: "done", Count: 1}, "Send": {Status: "failed", Count: 1, Failed: 1, Note: "Shop.Closed"}, "Sorry": {Status: "pending"}},
		"order-caught": {"Pick": {Status: "caught", Count: 6, Caught: 6, Note: "Shop.Closed"}, "Order more": {Status: "done", Count: 6}, "Put in": {Status: "pending"}},
	}
	for name, want := range tests {
		got := p.marks("/executions/" + p.ids[name] + "/live")
		for state, m := range want {
			if got[state] != m {
				t.Errorf("%s, %s: got %+v, want %+v", name, state, got[state], m)
			}
		}
	}
	running := p.marks("/executions/" + p.ids["order-running"] + "/live")
	if running["Prepare"].Status != "active" || running["Pick"].Active == 0 || running["Send"].Status != "pending" {
		t.Errorf("running: %+v", running)
	}
}

func TestRetriesAreCounted(t *testing.T) {
	p := startFlows(t)
	p.flows.broken = true
	id, err := p.flows.Start(t.Context(), iap.Actor{ID: me}, "order", "retried", json.RawMessage(`{"fail": "Reserve"}`))
	if err != nil {
		t.Fatal(err)
	}
	got := p.marks("/executions/" + id + "/live")["Reserve"]
	if got.Status != "failed" || got.Retries != 2 {
		t.Errorf("%+v, want 2 retries and a failure", got)
	}
	contains(t, p.get("/executions/"+id+"/state?state=Reserve"), "Tries</dt><dd>3", "It opens at nine.", "reserve")
}

func TestAMarkGrowsWithTheHistory(t *testing.T) {
	p := startFlows(t)
	id := p.ids["order-done"]
	n := len(p.flows.executions[id].events)
	for shown := range n + 1 {
		p.flows.executions[id].shown = shown
		p.marks("/executions/" + id + "/live") // reads what came since
	}
	if got := p.marks("/executions/" + id + "/live")["Pack each"]; got.Ended != 6 {
		t.Errorf("read piece by piece: %+v", got)
	}
}

func TestAStateShowsWhatWentInAndCameOut(t *testing.T) {
	p := startFlows(t)
	base := "/executions/" + p.ids["order-caught"] + "/state?state="
	contains(t, p.get(base+"Pick&visit=2"), "iteration 1 of Pack each", "branch 1 of Prepare", "Failed, caught", "Shop.Closed", "Input", "Output", "Visits")
	contains(t, p.get(base+"Put+in"), "The execution has not been here.")
	if res, _ := p.do("GET", base+"Nowhere", "", nil); res.StatusCode != 404 {
		t.Errorf("a state that is none: %s", res.Status)
	}
}

func TestALongHistoryIsShownInPages(t *testing.T) {
	p := startFlows(t)
	id := p.flows.long(t, 4000)
	n := len(p.flows.executions[id].events)
	if n < 20000 {
		t.Fatalf("%d events are not long", n)
	}
	first := p.get("/executions/" + id + "/history")
	if rows := strings.Count(first, "data-event="); rows != 100 {
		t.Errorf("%d rows", rows)
	}
	contains(t, first, "Later", "Last")
	contains(t, p.get("/executions/"+id+"/history?after=24900"), ">Execution failed<", "Earlier")
	found := p.get("/executions/" + id + "/history?q=iteration+2700")
	if strings.Contains(found, "data-event") { // "iteration 2700" stands in no event: its note is not its text
		t.Logf("found by its note")
	}
	found = p.get("/executions/" + id + "/history?q=" + url.QueryEscape(`"index":2700`))
	if rows := strings.Count(found, "data-event="); rows < 1 || rows > 3 {
		t.Errorf("%d rows for one iteration", rows)
	}
	contains(t, p.get("/executions/"+id+"/history?q=nothing+like+it"), "No event has “nothing like it” in it")
	contains(t, p.get("/executions/"+id+"/events/2"), "stateEnteredEventDetails")
	if res, _ := p.do("GET", "/executions/"+id+"/events/99999999", "", nil); res.StatusCode != 404 {
		t.Errorf("an event that is none: %s", res.Status)
	}
}

type checked struct {
	Text     *string
	Select   string
	Refused  string
	Problems []struct {
		Line, Column int
		Message      string
	}
	Graph *struct{ States []struct{ Name string } }
}

func TestTheEditorIsToldWhatIsWrong(t *testing.T) {
	p := startFlows(t)
	var c checked
	p.ask("/editor/check", map[string]any{"definition": strings.Replace(orderMachine, `"Default": "Wait for money"`, `"Default": "Wait for mony"`, 1)}, &c)
	if len(c.Problems) == 0 || c.Problems[0].Line != 17 || len(c.Graph.States) != 11 {
		t.Errorf("%+v", c)
	}
	c = checked{}
	p.ask("/editor/check", map[string]any{"definition": `{"StartAt": `}, &c)
	if len(c.Problems) == 0 || c.Graph != nil {
		t.Errorf("half a text: %+v", c)
	}
	c = checked{}
	p.ask("/editor/check", map[string]any{"definition": orderMachine, "change": map[string]any{"do": "add", "type": "Wait", "from": "Send"}}, &c)
	if c.Text == nil || !strings.Contains(*c.Text, `"Wait": {`) || c.Select != "Wait" || len(c.Problems) != 0 {
		t.Errorf("%+v", c)
	}
	c = checked{}
	p.ask("/editor/check", map[string]any{"definition": orderMachine, "change": map[string]any{"do": "join", "from": "Sorry", "to": "Send"}}, &c)
	if c.Refused == "" || c.Text != nil {
		t.Errorf("%+v", c)
	}
}

func TestSaveStartStopRedrive(t *testing.T) {
	p := startFlows(t)
	res, body := p.do("POST", "/editor", "", url.Values{"name": {"mine"}, "type": {workflow.Standard}, "definition": {"{\r\n}"}})
	if res.StatusCode != 422 || !strings.Contains(body, "definition") {
		t.Errorf("an empty definition: %s", res.Status)
	}
	text := strings.ReplaceAll(orderMachine, "\n", "\r\n") // as forms send it
	if res, _ = p.do("POST", "/editor", "", url.Values{"name": {"mine"}, "type": {workflow.Standard}, "definition": {text}}); res.Header.Get("Location") != "/machines/mine" {
		t.Fatalf("%s %s", res.Status, res.Header.Get("Location"))
	}
	if got := string(p.flows.machines["mine"].Text); got != orderMachine {
		t.Errorf("the text was changed on its way: %q", got[:60])
	}
	revision := p.flows.machines["mine"].Revision
	edit := url.Values{"revision": {revision}, "definition": {orderMachine}}
	if res, _ = p.do("POST", "/machines/mine/edit", "", edit); res.StatusCode != 303 {
		t.Errorf("save: %s", res.Status)
	}
	if res, body = p.do("POST", "/machines/mine/edit", "", edit); res.StatusCode != 422 || !strings.Contains(body, "in the meantime") || !strings.Contains(body, "Wait for money") {
		t.Errorf("an old revision: %s", res.Status)
	}
	if res, body = p.do("POST", "/machines/mine/start", "", url.Values{"input": {"{\n \"a\": x}"}}); res.StatusCode != 422 || !strings.Contains(body, "line 2, column 7") {
		t.Errorf("an input that is no JSON: %s", res.Status)
	}
	if res, _ = p.do("POST", "/machines/mine/start", "", url.Values{"input": {`{"paid": true, "items": []}`}}); !strings.HasPrefix(res.Header.Get("Location"), "/executions/") {
		t.Fatalf("start: %s", res.Status)
	}
	contains(t, p.get(res.Header.Get("Location")), "Succeeded", "mine")
	failed := "/executions/" + p.ids["order-failed"]
	contains(t, p.get(failed), `id="redrive"`, "Shop.Closed")
	if res, _ = p.do("POST", failed+"/redrive", "", url.Values{}); res.StatusCode != 303 {
		t.Errorf("redrive: %s", res.Status)
	}
	contains(t, p.get(failed), "Succeeded")
	running := "/executions/" + p.ids["order-running"]
	contains(t, p.get(running), `id="stop"`)
	if res, _ = p.do("POST", running+"/stop", "", url.Values{}); res.StatusCode != 303 {
		t.Errorf("stop: %s", res.Status)
	}
	contains(t, p.get(running), "Stopped in the portal by local-admin")
	if got := p.marks(running + "/live")["Pick"]; got.Status != "aborted" || got.Active != 0 {
		t.Errorf("after a stop: %+v", got)
	}
}

func TestExecutionsAreFiltered(t *testing.T) {
	p := startFlows(t)
	for query, want := range map[string]int{"": 4, "status=RUNNING": 1, "status=FAILED": 1, "name=order-c": 1, "machine=order": 4, "machine=no": 0, "from=2026-11-23T13:00": 4, "to=2026-11-23T13:00": 0} {
		body := p.get("/executions?" + query)
		got := 0
		for _, name := range []string{"order-done", "order-failed", "order-caught", "order-running"} {
			got += strings.Count(body, `">`+name+`</a>`)
		}
		if got != want {
			t.Errorf("%q shows %d executions, want %d", query, got, want)
		}
	}
	contains(t, p.get("/machines/order?status=FAILED"), "order-failed", "live", "version 2 (10%)", "With parcels")
}

// TestExecutionsChangeInTheirLists: a list that shows the execution of an event
// shows its new state, one that does not says that there is a newer one.
func TestExecutionsChangeInTheirLists(t *testing.T) {
	p := startFlows(t)
	id := p.ids["order-running"]
	contains(t, p.get("/executions"), `id="executionrow-`+id+`" sse-swap="executionrow-`+id+`"`)
	contains(t, p.get("/machines/order"), `id="executionrow-`+id+`" sse-swap="executionrowof-`+id+`"`)
	l := p.listen("?want=executionrow&want=executionrowof&want=executions-new", "", "")
	if res, _ := p.do("POST", "/executions/"+id+"/stop", "", url.Values{}); res.StatusCode != 303 {
		t.Fatalf("stop: %s", res.Status)
	}
	p.tell(&event.Event{Source: "/executions", Type: event.ExecutionChanged, Subject: id, Owner: event.AdminsOnly, Group: id,
		Data: fmt.Appendf(nil, `{"id":%q,"status":"ABORTED"}`, id)})
	row := l.until("executionrow-" + id).data
	contains(t, row, "order-running", "Stopped", `href="/machines/order"`)
	if of := l.until("executionrowof-" + id).data; !strings.Contains(of, "Stopped") || strings.Contains(of, "/machines/") {
		t.Errorf("on its machine's page: %s", of)
	}
	if hint := l.until("executions-new").data; hint != "executionrow-"+id {
		t.Errorf("the hint is about %q", hint)
	}
}

func TestStateMachinesAreForAdmins(t *testing.T) {
	p := startFlows(t)
	for _, path := range []string{"/machines", "/machines/order", "/editor", "/executions", "/tasks", "/machines/order/edit"} {
		if res, _ := p.do("GET", path, "jane@example.com", nil); res.StatusCode != 403 {
			t.Errorf("GET %s by a member: %s", path, res.Status)
		}
		p.get(path)
	}
	if _, body := p.do("GET", "/", "jane@example.com", nil); strings.Contains(body, "/machines") {
		t.Error("a member is led to state machines")
	}
	if res, _ := p.do("POST", "/editor/check", "jane@example.com", nil); res.StatusCode != 403 {
		t.Errorf("a member's check: %s", res.Status)
	}
}

func TestNamesInDefinitionsAreTextAlone(t *testing.T) {
	p := startFlows(t)
	bad := `</script><script>alert(1)</script>"'`
	name, _ := json.Marshal(bad)
	p.flows.machines["bad"] = web.Machine{Machine: workflow.Machine{Name: "bad"}, Text: []byte(`{"StartAt":` + string(name) + `,"States":{` + string(name) + `:{"Type":"Pass","End":true}}}`)}
	if body := p.get("/machines/bad"); strings.Contains(body, "<script>alert") {
		t.Error("a name became markup")
	}
	id, err := p.flows.Start(t.Context(), iap.Actor{ID: me}, "bad", "bad", json.RawMessage(`{"x": "</pre><script>alert(2)</script>"}`))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"", "/live", "/history", "/state?state=" + url.QueryEscape(bad), "/events/1"} {
		if body := p.get("/executions/" + id + path); strings.Contains(body, "<script>alert") {
			t.Errorf("%s: an input became markup", path)
		}
	}
}

func TestAnInstanceShowsItsLifecycle(t *testing.T) {
	p := start(t)
	base := "/instances/" + p.ids["running"]
	contains(t, p.get(base+"?tab=lifecycle"), `id="graph"`, "Check health", "Hold")
	got := p.marks(base + "/lifecycle/live")
	if got["Publish"].Status != "done" || got["Hold"].Count != 1 || got["Hold"].Active != 1 || got["Destroy"].Status != "pending" {
		t.Errorf("%+v", got)
	}
	contains(t, p.get(base+"/lifecycle/state?state=Apply"), "Arguments", "Output")
	if res, _ := p.do("GET", base+"/lifecycle/state?state=Apply", "jane@example.com", nil); res.StatusCode != 404 {
		t.Errorf("another's lifecycle: %s", res.Status)
	}
}
