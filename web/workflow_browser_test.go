package web_test

import (
	"context"
	"fmt"
	"maps"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	iap "github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/web"
)

func browseFlows(t *testing.T) (*portal, context.Context) {
	p, tab, _ := browse(t)
	maps.Copy(p.ids, exampleFlows(p.flows))
	p.caughtUp(t)
	return p, tab()
}

func act(t *testing.T, ctx context.Context, steps ...chromedp.Action[chromedp.Void]) {
	t.Helper()
	if err := chromedp.Do(ctx, steps...); err != nil {
		t.Fatal(err)
	}
}

// typed changes the editor's text as a person does, by replacing what is there.
func typed(old, text string) string {
	return fmt.Sprintf(`(() => { const f = document.querySelector('#definition'); f.focus(); const i = f.value.indexOf(%[1]q);
		f.setSelectionRange(i, i + %[1]q.length); document.execCommand('insertText', false, %[2]q); return i; })()`, old, text)
}

func node(name string) string {
	return fmt.Sprintf(`document.querySelector('.node[data-name=%q]')`, name)
}

// drawn resolves when the graph has a state and lets go of it when gone is set.
func drawn(name string, there bool) string {
	return fmt.Sprintf(`new Promise((done, fail) => { const at = Date.now(); const look = () => {
		if (Boolean(%s) === %t) return done(true);
		if (Date.now() - at > 15000) return fail(new Error(document.querySelector('.graph-view').textContent + ' ' + document.querySelector('#definition').value));
		requestAnimationFrame(look); }; look(); })`, node(name), there)
}

func TestFromTheEditorToAnExecution(t *testing.T) {
	p, ctx := browseFlows(t)
	open(t, ctx, p.srv.URL+"/editor")
	evaluate[bool](t, ctx, drawn("Greet", true))
	evaluate[float64](t, ctx, shows("#editor-state", "No problems"))
	for name, right := range map[string]bool{"a-b_c.d": true, "a b": false, "a|b": false, "a/b": false} {
		if got := evaluate[bool](t, ctx, fmt.Sprintf(`(() => { const f = document.querySelector('#machine-name'), was = f.value; f.value = %q; const ok = f.checkValidity(); f.value = was; return ok; })()`, name)); got != right {
			t.Errorf("the field takes the name %q: %t", name, got)
		}
	}
	evaluate[int](t, ctx, typed(`"Next": "Done"`, `"Next": "Dome"`))
	evaluate[float64](t, ctx, shows("#problems", "Dome"))
	evaluate[float64](t, ctx, shows("#problems", "Did you mean “Done”?"))
	if n := evaluate[string](t, ctx, `document.querySelector('.code-gutter .wrong').textContent`); n != "13" {
		t.Errorf("the mark is at line %s", n)
	}
	evaluate[int](t, ctx, typed(`"Next": "Dome"`, `"Next": "Done"`))
	evaluate[float64](t, ctx, shows("#editor-state", "No problems"))

	// A state is chosen, another added behind it, renamed, joined and removed.
	evaluate[bool](t, ctx, `(`+node("Wait a moment")+`.dispatchEvent(new MouseEvent('click', {bubbles: true})), true)`)
	if line := evaluate[string](t, ctx, `document.querySelector('.code-gutter .now').textContent`); line != "10" {
		t.Errorf("the cursor went to line %s", line)
	}
	act(t, ctx, chromedp.Click(`[data-add="Pass"]`))
	evaluate[bool](t, ctx, drawn("Pass", true))
	act(t, ctx, chromedp.Click(`[data-act="rename"]`), chromedp.WaitVisible(`#rename-dialog[open]`))
	evaluate[bool](t, ctx, `(document.querySelector('#rename-to').value = 'Think', document.querySelector('#rename-dialog [value=rename]').click(), true)`)
	evaluate[bool](t, ctx, drawn("Think", true))
	act(t, ctx, chromedp.Click(`[data-add="Fail"]`))
	evaluate[bool](t, ctx, drawn("Fail", true))
	act(t, ctx, chromedp.Click(`[data-act="remove"]`))
	evaluate[bool](t, ctx, drawn("Fail", false))
	evaluate[float64](t, ctx, shows("#editor-state", "No problems"))
	text := evaluate[string](t, ctx, `document.querySelector('#definition').value`)
	if !strings.Contains(text, `"Next": "Think"`) || !strings.Contains(text, `"Result": { "greeting": "Hello" },`) {
		t.Errorf("the text did not follow, or lost its form:\n%s", text)
	}
	// All of it can be undone.
	evaluate[bool](t, ctx, `(() => { const f = document.querySelector('#definition'); f.focus(); for (let i = 0; i < 30; i++) document.execCommand('undo'); return true; })()`)
	if text := evaluate[string](t, ctx, `document.querySelector('#definition').value`); strings.Contains(text, "Think") {
		t.Errorf("the changes were not undone:\n%s", text)
	}
	evaluate[bool](t, ctx, `(() => { const f = document.querySelector('#definition'); for (let i = 0; i < 30; i++) document.execCommand('redo'); return true; })()`)
	evaluate[bool](t, ctx, drawn("Think", true))

	act(t, ctx, chromedp.SendKeys(`#machine-name`, "greeting"))
	if _, err := chromedp.RunResponse(ctx, chromedp.Click("#save")); err != nil {
		t.Fatal(err)
	}
	evaluate[bool](t, ctx, drawn("Think", true))
	evaluate[bool](t, ctx, `(() => { const f = document.querySelector('#input'); f.value = '{"a": }'; f.dispatchEvent(new Event('input')); return true; })()`)
	evaluate[float64](t, ctx, shows("#input-problem", "line 1, column 7"))
	evaluate[bool](t, ctx, `(() => { const f = document.querySelector('#input'); f.value = '{"a": 1}'; f.dispatchEvent(new Event('input')); return true; })()`)
	if _, err := chromedp.RunResponse(ctx, chromedp.Click("#go")); err != nil {
		t.Fatal(err)
	}
	evaluate[float64](t, ctx, shows("#board .status", "Succeeded"))
	evaluate[bool](t, ctx, drawn("Think", true))
	if s := evaluate[string](t, ctx, node("Think")+`.dataset.status`); s != "done" {
		t.Errorf("Think is %s", s)
	}
}

func TestAnExecutionIsWatchedAndRedriven(t *testing.T) {
	p, ctx := browseFlows(t)
	id := p.ids["order-failed"]
	if err := p.flows.rewind(id, 12); err != nil {
		t.Fatal(err)
	}
	p.caughtUp(t)
	open(t, ctx, p.srv.URL+"/executions/"+id)
	evaluate[bool](t, ctx, connected)
	evaluate[bool](t, ctx, drawn("Send", true))
	if s := evaluate[string](t, ctx, node("Send")+`.dataset.status`); s != "pending" {
		t.Errorf("Send is %s before it was entered", s)
	}
	if err := p.flows.rewind(id, len(p.flows.executions[id].events)); err != nil {
		t.Fatal(err)
	}
	evaluate[float64](t, ctx, shows(`.node[data-name="Send"][data-status="failed"]`, "Send"))
	evaluate[float64](t, ctx, shows("#board", "Shop.Closed"))
	evaluate[bool](t, ctx, `(`+node("Send")+`.focus(), `+node("Send")+`.dispatchEvent(new KeyboardEvent('keydown', {key: 'Enter', bubbles: true})), true)`)
	evaluate[float64](t, ctx, shows("#state-panel", "It opens at nine."))
	evaluate[float64](t, ctx, shows("#state-panel", "Input"))
	act(t, ctx, chromedp.Click("#redrive"), chromedp.WaitVisible(`#redrive-dialog[open]`))
	if _, err := chromedp.RunResponse(ctx, chromedp.Click("#redrive-dialog button[type=submit]")); err != nil {
		t.Fatal(err)
	}
	evaluate[float64](t, ctx, shows("#board .status", "Succeeded"))
	// The history is searched without loading the page anew.
	evaluate[bool](t, ctx, `(() => { const f = document.querySelector('#hq'); f.value = 'Shop.Closed'; f.dispatchEvent(new Event('input')); return true; })()`)
	evaluate[float64](t, ctx, shows("#history-body tbody tr:first-child", "Task failed"))
	act(t, ctx, chromedp.Click("#history-body tbody tr:first-child [data-event]"))
	evaluate[float64](t, ctx, shows(".event-json pre", "taskFailedEventDetails"))
}

func TestALargeGraphIsDrawnSimply(t *testing.T) {
	p, ctx := browseFlows(t)
	text := `{"StartAt":"S0","States":{` + strings.Replace(chain(150), `"Type":"Pass","Next":"S1"`, `"Type":"Choice","Choices":[{"Variable":"$.x","IsNull":true,"Next":"S100"}],"Default":"S1"`, 1) + `}}`
	if _, err := p.flows.Save(context.Background(), iap.Actor{ID: me, Role: iap.Admin}, web.SaveMachine{Name: "large", Text: []byte(text), New: true}); err != nil {
		t.Fatal(err)
	}
	open(t, ctx, p.srv.URL+"/machines/large")
	evaluate[bool](t, ctx, drawn("S149", true))
	if n := evaluate[int](t, ctx, `document.querySelectorAll('.way-label').length`); n != 0 {
		t.Errorf("%d ways have a label", n)
	}
	open(t, ctx, p.srv.URL+"/machines/order")
	evaluate[bool](t, ctx, drawn("Send", true))
	if n := evaluate[int](t, ctx, `document.querySelectorAll('.way-label').length`); n == 0 {
		t.Error("no way has a label")
	}
}

// crossing gives the labels of ways that lie over the border of a state, or of
// what holds others.
const crossing = `(() => {
	const of = (el) => { const b = el.getBBox(), m = el.getCTM(); return { l: m.a * b.x + m.e, t: m.d * b.y + m.f, r: m.a * (b.x + b.width) + m.e, b: m.d * (b.y + b.height) + m.f }; };
	const boxes = [...document.querySelectorAll('.node-box, .holder, .region')].map(of);
	return [...document.querySelectorAll('.way-label')].filter((label) => {
		const a = of(label);
		return boxes.some((b) => a.l < b.r && b.l < a.r && a.t < b.b && b.t < a.b && !(b.l < a.l && a.r < b.r && b.t < a.t && a.b < b.b));
	}).map((label) => label.textContent).join('; ');
})()`

// TestLabelsLieBesideStates: also those of ways that pass by many states, and of
// texts that are wide in the page's font.
func TestLabelsLieBesideStates(t *testing.T) {
	p, ctx := browseFlows(t)
	choice := func(variable, next string) string {
		return `{"Variable":"$.` + variable + `","StringEquals":"` + strings.Repeat("MWQ", 6) + `","Next":"` + next + `"}`
	}
	text := `{"StartAt":"Which","States":{
		"Which":{"Type":"Choice","Choices":[` + choice("a", "First") + "," + choice("b", "Both") + "," + choice("c", "Last") + `],"Default":"First"},
		"First":{"Type":"Task","Resource":"arn:iap:states:::http:call","Next":"Both","Catch":[
			{"ErrorEquals":["States.TaskFailed","States.Timeout","States.HeartbeatTimeout"],"Next":"Last"},{"ErrorEquals":["States.ALL"],"Next":"Again"}]},
		"Both":{"Type":"Parallel","Branches":[{"StartAt":"Left","States":{"Left":{"Type":"Choice","Choices":[` + choice("d", "Left end") + `],"Default":"Left more"},
			"Left more":{"Type":"Pass","Next":"Left end"},"Left end":{"Type":"Pass","End":true}}},
			{"StartAt":"Right","States":{"Right":{"Type":"Pass","End":true}}}],"Catch":[{"ErrorEquals":["Warehouse.WithoutAnything"],"Next":"Again"}],"Next":"Again"},
		"Again":{"Type":"Choice","Choices":[` + choice("e", "Which") + "," + choice("f", "Both") + `],"Default":"Last"},
		"Last":{"Type":"Succeed"}}}`
	if _, err := p.flows.Save(context.Background(), iap.Actor{ID: me, Role: iap.Admin}, web.SaveMachine{Name: "labels", Text: []byte(text), New: true}); err != nil {
		t.Fatal(err)
	}
	for machine, state := range map[string]string{"labels": "Last", "order": "Send"} {
		open(t, ctx, p.srv.URL+"/machines/"+machine)
		evaluate[bool](t, ctx, drawn(state, true))
		if over := evaluate[string](t, ctx, crossing); over != "" {
			t.Errorf("%s: labels that lie over a border: %s", machine, over)
		}
	}
}

// TestAStateIsNamedAsItIsSeen: who speaks to the browser says what is there.
func TestAStateIsNamedAsItIsSeen(t *testing.T) {
	p, ctx := browseFlows(t)
	open(t, ctx, p.srv.URL+"/executions/"+p.ids["order-caught"])
	evaluate[bool](t, ctx, drawn("Pick", true))
	evaluate[float64](t, ctx, shows(`.node[data-name="Pick"] .node-count`, "×6"))
	seen := evaluate[string](t, ctx, `[...document.querySelectorAll('.node')].map((n) => [n.getAttribute('aria-label'),
		[...n.querySelectorAll('.node-name, .node-note, .node-count')].map((x) => x.textContent).join('').trim()]).filter((x) => !x[0].startsWith(x[1])).join('; ')`)
	if seen != "" {
		t.Errorf("states have other names: %s", seen)
	}
}
