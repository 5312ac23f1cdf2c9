package web_test

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	iap "github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/instance"
	"github.com/internal-app-portal/iap/proxy"
	"github.com/internal-app-portal/iap/web"
)

func hostPages(t *testing.T) (*memory, map[string]string, *web.HostPages) {
	t.Helper()
	m := newMemory(time.Now)
	s, err := newServer(m, iap.Actor{})
	if err != nil {
		t.Fatal(err)
	}
	ids := example(m)
	t.Cleanup(func() { m.log.Stop(context.Background()) })
	return m, ids, s.HostPages("http://portal.example.com/")
}

func TestHostPagesHaveTheIconOfTheApp(t *testing.T) {
	m, ids, pages := hostPages(t)
	write := func() string {
		var b bytes.Buffer
		if err := pages.Instance(t.Context(), &b, m.instances[ids["destroyed"]]); err != nil {
			t.Fatal(err)
		}
		return b.String()
	}
	contains(t, write(), `<span class="app-icon" aria-hidden="true">`)
	for n := range m.apps {
		m.apps[n].Version.IconSHA = "0123456789abcdef"
	}
	contains(t, write(), `<img src="data:image/svg&#43;xml;base64,PHN2Zy8&#43;"`) // nothing is asked for from the portal's host
}

func TestHostPagesTellWhatIsAndNoMore(t *testing.T) {
	m, ids, pages := hostPages(t)
	for name, wants := range map[string][]string{
		"deploying": {"gentle comet bridge", "Deploying", "Create", `data-wait`, `http-equiv="refresh"`, "/.iap/page.js"},
		"queued":    {"Queued", "3rd in the queue"},
		"destroyed": {"Destroyed by its owner", "local-admin", `href="http://portal.example.com/deploy/whiteboard"`, "Deploy again"},
		"failed":    {"Deploy failed", "did not become ready"},
	} {
		var b bytes.Buffer
		if err := pages.Instance(t.Context(), &b, m.instances[ids[name]]); err != nil {
			t.Fatal(err)
		}
		contains(t, b.String(), wants...)
		for _, secret := range []string{"hunter2", "127.0.0.1:32801", "permission denied", "src=\"http", "href=\"/static", "style="} {
			if strings.Contains(b.String(), secret) {
				t.Errorf("%s: the page has %q", name, secret)
			}
		}
	}
	var b bytes.Buffer
	pages.Unknown(t.Context(), &b, "no-such-name")
	contains(t, b.String(), "Nothing at this address", "no-such-name")
	b.Reset()
	pages.Unanswered(t.Context(), &b, m.instances[ids["running"]])
	contains(t, b.String(), "does not answer", "Try again", "It may be starting again", "data-retry")
	b.Reset()
	booked := m.instances[ids["running"]]
	booked.OpensAt, booked.PurposeID = time.Now().Add(time.Hour), "b1"
	pages.Early(t.Context(), &b, booked, true)
	contains(t, b.String(), "It opens", `http-equiv="refresh" content="3`, `href="/.iap/preview"`, "/bookings/b1")
	b.Reset()
	pages.Early(t.Context(), &b, booked, false)
	if strings.Contains(b.String(), "preview") || strings.Contains(b.String(), "/bookings/") {
		t.Errorf("who may not look at it is offered to: %s", b.String())
	}
	b.Reset()
	exited := m.instances[ids["running"]]
	exited.Upstream, exited.Reason = "", "The app’s container exited with code 3. The last lines it printed:\n<no>\ngiving up"
	pages.Unanswered(t.Context(), &b, exited)
	contains(t, b.String(), "does not answer", "exited with code 3. The last lines it printed:</pre>", "<pre class=\"printed\">&lt;no&gt;\ngiving up</pre>")
	if strings.Contains(b.String(), "starting again") || strings.Contains(b.String(), "data-retry") {
		t.Error("the page waits for an app that has exited")
	}
}

func TestHostPageAssets(t *testing.T) {
	_, _, pages := hostPages(t)
	for path, want := range map[string]int{"/.iap/page.css": 200, "/.iap/page.js": 200, "/.iap/inter.woff2": 200, "/.iap/app.js": 404, "/.iap/": 404, "/.iap/../page.css/x": 404} {
		w := httptest.NewRecorder()
		pages.Asset(w, &http.Request{Method: "GET", URL: mustURL(t, path)})
		if w.Code != want {
			t.Errorf("%s: %d", path, w.Code)
		}
	}
}

// hosts are the instances as the proxy reads them.
type hosts struct{ *memory }

func (h hosts) LiveInstances(context.Context) ([]instance.Instance, error) { return nil, nil }
func (h hosts) InstanceByHostName(_ context.Context, name string) (instance.Instance, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, i := range h.instances {
		if i.HostName == name {
			return i, nil
		}
	}
	return instance.Instance{}, iap.Errorf("store", iap.NotFound, "none")
}

func TestTheWaitingPageTurnsIntoTheApp(t *testing.T) {
	path, err := exec.LookPath("chromium")
	if err != nil {
		t.Skip("no chromium on the PATH: make setup installs it")
	}
	m, ids, pages := hostPages(t)
	app := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		io.WriteString(w, "<h1>I am the app</h1>")
	}))
	defer app.Close()
	p := proxy.New(proxy.Config{AppsDomain: "localhost", Log: m.log, Instances: hosts{m}, Pages: pages})
	if err := p.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	front := httptest.NewServer(p)
	defer front.Close()
	defer p.Stop(context.Background())
	allocator, end := chromedp.NewExecAllocator(context.Background(), append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.NoSandbox)...)
	defer end()
	ctx, end := chromedp.NewContext(allocator)
	defer end()
	i := m.instances[ids["deploying"]]
	_, port, _ := strings.Cut(strings.TrimPrefix(front.URL, "http://"), ":")
	open(t, ctx, "http://"+i.HostName+".localhost:"+port+"/")
	evaluate[float64](t, ctx, shows("h1", "gentle comet bridge"))
	i.Status = instance.Checking
	i = m.put(i)
	evaluate[float64](t, ctx, shows("#live .status", "Checking"))
	loaded := make(chan error, 1)
	i.Status, i.Upstream = instance.Running, app.URL
	go func() {
		_, err := chromedp.RunResponse(ctx, func(context.Context, *chromedp.Target) (v chromedp.Void, err error) {
			m.put(i)
			return v, nil
		})
		loaded <- err
	}()
	if err := <-loaded; err != nil {
		t.Fatal(err)
	}
	evaluate[float64](t, ctx, shows("h1", "I am the app"))
}
