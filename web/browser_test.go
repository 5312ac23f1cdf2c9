package web_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	iap "github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/instance"
)

// browse starts a headless browser before the example portal; streams counts
// the open streams.
func browse(t *testing.T) (p *portal, tab func() context.Context, streams *atomic.Int64) {
	t.Helper()
	path, err := exec.LookPath("chromium")
	if err != nil {
		t.Skip("no chromium on the PATH: make setup installs it")
	}
	m := newMemory(time.Now)
	s, err := newServer(m, iap.Actor{ID: me, Name: "Local admin", Role: iap.Admin})
	if err != nil {
		t.Fatal(err)
	}
	ids := example(m)
	m.caughtUp(t)
	streams = new(atomic.Int64)
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/stream" {
			streams.Add(1)
			defer streams.Add(-1)
		}
		s.ServeHTTP(w, r)
	}))
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.NoSandbox)
	allocator, end := chromedp.NewExecAllocator(context.Background(), options...)
	first, endFirst := chromedp.NewContext(allocator)
	if err := chromedp.Do(first, chromedp.Navigate("about:blank")); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		endFirst()
		end()
		s.Stop(context.Background())
		srv.Close()
		m.log.Stop(context.Background())
	})
	tab = func() context.Context {
		ctx, end := chromedp.NewContext(first)
		t.Cleanup(end)
		return ctx
	}
	return &portal{memory: m, t: t, srv: srv, ids: ids, s: s}, tab, streams
}

func open(t *testing.T, ctx context.Context, url string) {
	t.Helper()
	if err := chromedp.Do(ctx, chromedp.Navigate(url)); err != nil {
		t.Fatal(err)
	}
}

func evaluate[T any](t *testing.T, ctx context.Context, js string) T {
	t.Helper()
	v, err := chromedp.Run(ctx, chromedp.Evaluate[T](js, chromedp.EvalAwaitPromise))
	if err != nil {
		t.Fatalf("%s: %v", js, err)
	}
	return v
}

// shows resolves to the time at which the page's text matched, as soon as it
// does.
func shows(selector, text string) string {
	return fmt.Sprintf(`new Promise((done, fail) => {
		const hit = () => { const el = document.querySelector(%q); return el && el.textContent.includes(%q); };
		if (hit()) return done(Date.now());
		const o = new MutationObserver(() => { if (hit()) { o.disconnect(); done(Date.now()); } });
		o.observe(document.body, {subtree: true, childList: true, characterData: true, attributes: true});
		setTimeout(() => fail(new Error(document.body.innerText.slice(0, 400))), 15000);
	})`, selector, text)
}

// connected resolves when the page's stream is open.
const connected = `new Promise((done, fail) => {
	const look = () => {
		const l = window.iapLive;
		if (!l && document.readyState === 'complete') return fail('the page has no stream');
		if (!l) return window.addEventListener('load', look); // its script has yet to run
		if (l.readyState === 1) return done(true);
		l.addEventListener('live-state', (e) => { if (e.detail) done(true); });
	};
	look();
})`

func TestTenTabsShareAStream(t *testing.T) {
	p, tab, streams := browse(t)
	url := p.srv.URL + "/instances/" + p.ids["running"]
	var tabs []context.Context
	for range 10 {
		ctx := tab()
		open(t, ctx, url)
		evaluate[bool](t, ctx, connected)
		tabs = append(tabs, ctx)
	}
	if n := streams.Load(); n != 1 {
		t.Errorf("%d streams for ten tabs", n)
	}
	p.change("running", instance.Destroying)
	for _, ctx := range tabs {
		evaluate[float64](t, ctx, shows("#instance .status", "Destroying"))
	}
	ctx := tab() // an eleventh page still loads over HTTP/1.1
	open(t, ctx, p.srv.URL+"/")
	evaluate[float64](t, ctx, shows(".mine-row:nth-child(2) .status", "Destroying"))
}

func TestFromCommitToPage(t *testing.T) {
	p, tab, _ := browse(t)
	ctx := tab()
	open(t, ctx, p.srv.URL+"/instances/"+p.ids["running"])
	evaluate[bool](t, ctx, connected)
	var took []float64
	for n := range 40 {
		status, word := instance.Destroying, "Destroying"
		if n%2 == 1 {
			status, word = instance.Running, "Running"
		}
		at := make(chan float64, 1)
		go func() {
			v, err := chromedp.Run(ctx, chromedp.Evaluate[float64](shows("#instance .status", word), chromedp.EvalAwaitPromise))
			if err != nil {
				t.Error(err)
			}
			at <- v
		}()
		if evaluate[float64](t, ctx, "Date.now()") == 0 { // a round trip: the observer is in place
			t.Fatal("no clock")
		}
		began := float64(time.Now().UnixMicro()) / 1000
		p.change("running", status)
		took = append(took, <-at-began)
	}
	slices.Sort(took)
	t.Logf("commit to page: p50 %.1f ms, worst %.1f ms", took[len(took)/2], took[len(took)-1])
	if took[len(took)/2] > 100 {
		t.Errorf("half of the changes took more than %.0f ms to be seen", took[len(took)/2])
	}
}

// What one event brings is shown in one piece: between two, the browser would
// paint the page, and the second would wait for that.
func TestAnEventIsShownInOnePiece(t *testing.T) {
	p, tab, _ := browse(t)
	ctx := tab()
	open(t, ctx, p.srv.URL+"/")
	evaluate[bool](t, ctx, connected)
	card := "#card-" + p.instances[p.ids["running"]].App
	evaluate[bool](t, ctx, fmt.Sprintf(`(window.piece = new Promise((done) => {
		const o = new MutationObserver((changes) => {
			const in_ = (place) => changes.some((c) => c.target.closest && c.target.closest(place));
			if (!in_('#mine') && !in_(%[1]q)) return;
			o.disconnect();
			done(in_('#mine') && in_(%[1]q));
		});
		o.observe(document.body, {subtree: true, childList: true});
	}), true)`, card))
	p.change("running", instance.Destroying)
	if !evaluate[bool](t, ctx, "window.piece") {
		t.Errorf("the list and %s changed one after the other", card)
	}
}

// A fresh status stands out for a moment and moves only at the end of that: an
// animation keeps the browser drawing while the next changes come.
func TestAFreshStatusStandsOut(t *testing.T) {
	p, tab, _ := browse(t)
	ctx := tab()
	open(t, ctx, p.srv.URL+"/")
	evaluate[bool](t, ctx, connected)
	evaluate[bool](t, ctx, `(window.fresh = new Promise((done) => {
		let marked = false;
		new MutationObserver(() => {
			const now = document.querySelectorAll('#cards .fresh').length;
			if (document.getAnimations().some((a) => a.effect.target.matches('.fresh:not(.over)'))) done('it moves');
			if (marked && !now) done('over');
			marked = marked || now > 0;
		}).observe(document.body, {subtree: true, childList: true, attributes: true});
	}), true)`)
	p.change("running", instance.Destroying)
	if got := evaluate[string](t, ctx, "window.fresh"); got != "over" {
		t.Errorf("a fresh status: %s", got)
	}
}

func TestTheLogGrowsInThePage(t *testing.T) {
	p, tab, streams := browse(t)
	ctx := tab()
	open(t, ctx, p.srv.URL+"/instances/"+p.ids["deploying"])
	evaluate[bool](t, ctx, connected)
	log := p.logs[p.ids["job-deploying"]]
	log.write("2026-11-23T14:00:00.000Z docker_container.x: <b>Still</b> creating\nError: and one mo", false)
	evaluate[float64](t, ctx, shows("#L31 code", "docker_container.x: <b>Still</b> creating"))
	log.write("re\n", false)
	evaluate[float64](t, ctx, shows("#L32.failed code", "Error: and one more"))
	second := tab()
	open(t, second, p.srv.URL+"/instances/"+p.ids["deploying"])
	evaluate[float64](t, second, shows("#L32 code", "Error: and one more"))
	evaluate[bool](t, second, connected)
	log.write("last\n", true)
	for _, c := range []context.Context{ctx, second} {
		evaluate[float64](t, c, shows("#L33 code", "last"))
		if n := evaluate[int](t, c, `document.querySelectorAll('.lines > li').length`); n != 33 {
			t.Errorf("%d lines", n)
		}
	}
	if n := streams.Load(); n != 1 {
		t.Errorf("%d streams", n)
	}
}

func TestAPageThatComesBackHasMissedNothing(t *testing.T) {
	p, tab, _ := browse(t)
	ctx := tab()
	url := p.srv.URL + "/instances/" + p.ids["running"]
	open(t, ctx, url)
	evaluate[bool](t, ctx, connected)
	evaluate[bool](t, ctx, "(window.iapLive.close(), true)") // as when the page is put away
	p.change("running", instance.Destroying)
	p.caughtUp(t)
	evaluate[bool](t, ctx, "(window.iapLive.connect(), true)")
	evaluate[float64](t, ctx, shows("#instance .status", "Destroying"))
	p.srv.CloseClientConnections()
	p.change("running", instance.Destroyed)
	evaluate[float64](t, ctx, shows("#instance .status", "Destroyed"))
}

func TestTabsAreFetchedWhenTheyChange(t *testing.T) {
	p, tab, _ := browse(t)
	ctx := tab()
	open(t, ctx, p.srv.URL+"/instances/"+p.ids["running"]+"?tab=events")
	evaluate[bool](t, ctx, connected)
	p.change("running", instance.Destroying)
	evaluate[float64](t, ctx, shows(".plain tbody tr:first-child", "Instance: destroying"))
}

func TestDeployAndDestroyInTheBrowser(t *testing.T) {
	p, tab, _ := browse(t)
	ctx := tab()
	open(t, ctx, p.srv.URL+"/")
	if n := evaluate[int](t, ctx, `(() => { const q = document.querySelector('#q'); q.value = 'stroke'; q.dispatchEvent(new Event('input')); return [...document.querySelectorAll('.card')].filter((c) => !c.hidden).length; })()`); n != 1 {
		t.Errorf("the search shows %d cards", n)
	}
	if _, err := chromedp.RunResponse(ctx, chromedp.Click("#deploy-whiteboard")); err != nil {
		t.Fatal(err)
	}
	evaluate[float64](t, ctx, shows("h1", "quiet maple harbor"))
	id := evaluate[string](t, ctx, "location.pathname.split('/')[2]")
	evaluate[bool](t, ctx, connected)
	p.mu.Lock()
	i := p.instances[id]
	p.mu.Unlock()
	i.Status, i.ReadyAt, i.Upstream = instance.Running, time.Now(), "http://127.0.0.1:1"
	p.put(i)
	evaluate[float64](t, ctx, shows("#copy", "Copy link"))
	if err := chromedp.Do(ctx, chromedp.Click("#destroy")); err != nil {
		t.Fatal(err)
	}
	if !evaluate[bool](t, ctx, "document.querySelector('#destroy-dialog').open") {
		t.Fatal("nobody asks before a destroy")
	}
	if _, err := chromedp.RunResponse(ctx, chromedp.Click("#destroy-dialog button[type=submit]")); err != nil {
		t.Fatal(err)
	}
	evaluate[float64](t, ctx, shows(".receipt", "0 left"))
	if text := evaluate[string](t, ctx, "document.querySelector('#main').innerText"); !strings.Contains(text, "Deploy again") {
		t.Errorf("the page lacks Deploy again: %s", text)
	}
}
