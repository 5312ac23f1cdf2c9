package server_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/chromedp/chromedp"
)

// TestEventsInABrowser does what an admin does: adds a target and, by trying
// it, a rule; watches an event arrive; learns of a dead letter by the number in
// the navigation; and redrives it.
func TestEventsInABrowser(t *testing.T) {
	var answer atomic.Int64
	answer.Store(http.StatusOK)
	got := make(chan string, 10) // the subjects that the receiver took
	held := make(chan struct{})  // what is redriven is answered when it is closed
	var redriven atomic.Bool
	receiver := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var e struct{ Subject string }
		_ = json.NewDecoder(r.Body).Decode(&e)
		code := int(answer.Load())
		if redriven.Load() {
			<-held
		}
		w.WriteHeader(code)
		if code == http.StatusOK {
			got <- e.Subject
		}
	}))
	t.Cleanup(receiver.Close)
	p := startPortal(t, testConfig(t))
	send := func(subject string) {
		t.Helper()
		body := `{"specversion":"1.0","id":"` + subject + `","source":"https://ci.example.com","type":"ci.build.ended","subject":"` + subject + `","data":{"ok":false}}`
		if _, err := p.SendEvents(t.Context(), []byte(body)); err != nil {
			t.Fatal(err)
		}
	}
	send("before")
	ctx := newTab(t)

	run(t, ctx, chromedp.Navigate(p.URL()+"/targets"), chromedp.Click(`#new-target`), chromedp.WaitVisible(`#t-url`),
		chromedp.SendKeys(`#t-name`, "ops"), chromedp.SendKeys(`#t-url`, receiver.URL), chromedp.Click(`input[name=private]`),
		chromedp.SendKeys(`#t-attempts`, "1"), chromedp.Click(`.target-form button[type=submit]`), chromedp.WaitVisible(`#secret`))
	if text := eval[string](t, ctx, `document.querySelector('#secret').textContent`); !strings.HasPrefix(text, "whsec_") {
		t.Errorf("the secret is %q", text)
	}

	run(t, ctx, chromedp.Navigate(p.URL()+"/new-rule?target=ops"), chromedp.WaitVisible(`#r-when`), chromedp.SendKeys(`#r-when`, "data.ok = "))
	eval[bool](t, ctx, sees("#tried .reason", "line 1, column"))
	eval[bool](t, ctx, `(() => { const w = document.querySelector('#r-when'); w.value = ''; return true; })()`)
	run(t, ctx, chromedp.SendKeys(`#r-when`, "event.type == 'ci.build.ended' && !data.ok"))
	eval[bool](t, ctx, sees("#tried [role=status]", "It chooses 1 of the last"))
	eval[bool](t, ctx, sees("#tried tbody", "before"))
	run(t, ctx, chromedp.SendKeys(`#r-name`, "builds"), chromedp.Click(`#save-rule`), chromedp.WaitVisible(`#pause`))

	run(t, ctx, chromedp.Navigate(p.URL()+"/events?type=ci.*"))
	eval[bool](t, ctx, sees("#tail-state", "Live"))
	send("taken")
	eval[bool](t, ctx, sees("#event-rows tr:first-child", "taken"))
	if subject := <-got; subject != "taken" {
		t.Errorf("the receiver got %q", subject)
	}

	answer.Store(http.StatusServiceUnavailable)
	send("refused")
	eval[bool](t, ctx, sees("#event-rows tr:first-child", "refused"))
	eval[bool](t, ctx, sees(".dead-badge", "1 dead letter"))
	run(t, ctx, chromedp.Click(`.dead-badge a`), chromedp.WaitVisible(`#redrive-picked`))
	eval[bool](t, ctx, sees("#letters tbody", "it answered 503 Service Unavailable"))

	answer.Store(http.StatusOK)
	redriven.Store(true)
	run(t, ctx, chromedp.Click(`#letters input[name=id]`), chromedp.Click(`#redrive-picked`), chromedp.WaitVisible(`#redrive-board`))
	eval[bool](t, ctx, sees("#redrive-board", "It goes on"))
	before := eval[int](t, ctx, `performance.getEntriesByType('resource').length`)
	close(held)
	eval[bool](t, ctx, sees("#redrive-board", "1 delivered"))
	if after := eval[int](t, ctx, `performance.getEntriesByType('resource').length`); after != before {
		t.Errorf("the page asked the portal %d times how far the redrive is", after-before)
	}
	if subject := <-got; subject != "refused" {
		t.Errorf("after the redrive the receiver got %q", subject)
	}
	run(t, ctx, chromedp.Navigate(p.URL()+"/targets/ops"), chromedp.WaitVisible(`#test`))
	eval[bool](t, ctx, sees(".board-state", "Working"))
	if eval[bool](t, ctx, `document.querySelector('.badge') !== null`) {
		t.Error("the navigation still counts dead letters")
	}

	// Enter in the dialog does what the dialog says.
	answer.Store(http.StatusServiceUnavailable)
	run(t, ctx, chromedp.Navigate(p.URL()+"/events?type=ci.*"))
	send("dropped")
	eval[bool](t, ctx, sees(".dead-badge", "1 dead letter"))
	answer.Store(http.StatusOK)
	run(t, ctx, chromedp.Navigate(p.URL()+"/dead-letters"), chromedp.Click(`#letters input[name=id]`), chromedp.Click(`#delete-picked`),
		chromedp.WaitVisible(`#l-reason`), chromedp.SendKeys(`#l-reason`, "nobody needs it\r"), chromedp.WaitNotPresent(`#letters`))
	eval[bool](t, ctx, sees("#main", "There is none"))
}
