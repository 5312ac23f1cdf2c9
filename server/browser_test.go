package server_test

import (
	"context"
	"fmt"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// newTab starts a headless browser and returns its tab.
func newTab(t *testing.T) context.Context {
	t.Helper()
	var path string
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if p, err := exec.LookPath(name); err == nil {
			path = p
			break
		}
	}
	if path == "" {
		t.Skip("skipped: there is no Chromium on the PATH (make setup)")
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.NoSandbox)
	ctx, cancel := context.WithTimeout(context.Background(), testTimeout)
	t.Cleanup(cancel)
	ctx, end := chromedp.NewExecAllocator(ctx, options...)
	t.Cleanup(end)
	ctx, end = chromedp.NewContext(ctx)
	t.Cleanup(end)
	return ctx
}

// sees resolves as soon as the page shows a text within selector.
func sees(selector, text string) string {
	return fmt.Sprintf(`new Promise((done, fail) => {
		const hit = () => [...document.querySelectorAll(%q)].some((e) => e.textContent.includes(%q));
		if (hit()) return done(true);
		const o = new MutationObserver(() => { if (hit()) { o.disconnect(); done(true); } });
		o.observe(document.body, {subtree: true, childList: true, characterData: true});
		setTimeout(() => fail(new Error(document.body.innerText.slice(0, 600))), %d);
	})`, selector, text, time.Minute.Milliseconds())
}

func run(t *testing.T, ctx context.Context, actions ...chromedp.Action[chromedp.Void]) {
	t.Helper()
	if err := chromedp.Do(ctx, actions...); err != nil {
		t.Fatal(err)
	}
}

func eval[T any](t *testing.T, ctx context.Context, js string) T {
	t.Helper()
	v, err := chromedp.Run(ctx, chromedp.Evaluate[T](js, chromedp.EvalAwaitPromise))
	if err != nil {
		t.Fatalf("%v", err)
	}
	return v
}

// TestInABrowser does what a person does: opens the catalogue, clicks Deploy,
// watches, uses the app, destroys it, and reads the receipt.
func TestInABrowser(t *testing.T) {
	needDocker(t)
	p := startPortal(t, testConfig(t))
	ctx := newTab(t)
	run(t, ctx, chromedp.Navigate(p.URL()), chromedp.WaitVisible(`#deploy-todo`))
	run(t, ctx, chromedp.Click(`#deploy-todo`), chromedp.WaitVisible(`#instance`))
	eval[bool](t, ctx, sees(".status", "Running"))

	list, err := p.Instances(t.Context(), listAll)
	if err != nil || len(list.Items) != 1 {
		t.Fatalf("got %s, %v", toJSON(list), err)
	}
	i := list.Items[0]
	useTodo(t, ctx, i.URL)
	if got := resources(t, i.ID); len(got) < 2 {
		t.Errorf("a container and a volume should be there: %v", got)
	}

	run(t, ctx, chromedp.Navigate(p.URL()+"/instances/"+i.ID), chromedp.WaitVisible(`#instance`))
	eval[bool](t, ctx, sees("#instance", "Running"))
	eval[bool](t, ctx, sees(".panel", "Apply complete"))
	run(t, ctx, chromedp.Click(`#destroy`))
	run(t, ctx, chromedp.WaitVisible(`#destroy-dialog[open] button[type=submit]`))
	run(t, ctx, chromedp.Click(`#destroy-dialog[open] button[type=submit]`), chromedp.WaitNotPresent(`#destroy-dialog[open]`), chromedp.WaitVisible(`#instance`))
	eval[bool](t, ctx, sees("#instance", "Destroyed"))
	eval[bool](t, ctx, sees("#instance", "0 left"))
	if got := resources(t, i.ID); len(got) != 0 {
		t.Errorf("left behind: %v", got)
	}

	run(t, ctx, chromedp.Navigate(i.URL))
	if text := eval[string](t, ctx, `document.body.innerText`); !strings.Contains(text, "Destroyed by its owner") {
		t.Errorf("the host of the destroyed instance shows %q", text)
	}
}

// useTodo adds an entry to the list, by its page.
func useTodo(t *testing.T, ctx context.Context, url string) {
	t.Helper()
	run(t, ctx, chromedp.Navigate(url), chromedp.WaitVisible(`#text`),
		chromedp.SendKeys(`#text`, "Ask about the project\n"))
	eval[bool](t, ctx, sees("li", "Ask about the project"))
}

// TestTheWaitingPageBecomesTheApp opens the host of an instance that is being
// deployed and does nothing more.
func TestTheWaitingPageBecomesTheApp(t *testing.T) {
	needDocker(t)
	p := startPortal(t, testConfig(t))
	p.addApp(inspectorApp("slow", `environment: {START_DELAY: 1s}`))
	i, _, err := p.Deploy(t.Context(), deployOf("slow"))
	if err != nil {
		t.Fatal(err)
	}
	ctx := newTab(t)
	run(t, ctx, chromedp.Navigate(p.appURL(i)))
	if text := eval[string](t, ctx, `document.body.innerText`); !strings.Contains(text, i.HostName[:strings.IndexByte(i.HostName, '-')]) {
		t.Errorf("the waiting page does not name the instance: %q", text)
	}
	run(t, ctx, chromedp.WaitVisible(`#h-headers`))
}
