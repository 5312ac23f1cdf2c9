package proxy_test

import (
	"io"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/internal-app-portal/iap/instance"
	"github.com/internal-app-portal/iap/proxy"
)

// TestAnInstanceThatOpensLater: before its time it answers nobody but with when
// it opens; who may preview it asks for that once.
func TestAnInstanceThatOpensLater(t *testing.T) {
	var ahead atomic.Int64
	var mayPreview atomic.Bool
	f := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, err := r.Cookie(proxy.PreviewCookie); err == nil {
			t.Error("the app gets the portal's cookie")
		}
		io.WriteString(w, "the app")
	}), func(c *proxy.Config) {
		c.Now = func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) }
		c.Cookies = append(c.Cookies, proxy.PreviewCookie)
		c.Authorize = func(*http.Request, instance.Instance) proxy.Decision {
			return proxy.Decision{Allow: true, Preview: mayPreview.Load()}
		}
	})
	f.store.mu.Lock()
	i := f.store.instances[name]
	f.store.mu.Unlock()
	i.OpensAt = time.Now().Add(time.Hour)
	f.put(i)
	f.settled()
	look := func(what string, status int, want, cookie string) {
		t.Helper()
		res, body := f.get(host, "/", "Accept", "text/html", "Cookie", cookie)
		if res.StatusCode != status || body != want {
			t.Errorf("%s: %s %q", what, res.Status, body)
		}
		if status == 503 && res.Header.Get("Retry-After") == "" {
			t.Errorf("%s: no Retry-After", what)
		}
	}
	early := func(preview string) string { return name + " opens later, preview " + preview }
	look("a guest", 503, early("false"), "")
	look("a guest with the cookie", 503, early("false"), proxy.PreviewCookie+"=1")
	if res, _ := f.get(host, "/.iap/preview"); res.StatusCode != 303 || len(res.Cookies()) != 0 {
		t.Errorf("a guest who asks to preview gets %s, %v", res.Status, res.Cookies())
	}
	mayPreview.Store(true)
	look("the owner", 503, early("true"), "")
	res, _ := f.get(host, "/.iap/preview")
	if cookies := res.Cookies(); res.StatusCode != 303 || len(cookies) != 1 || cookies[0].Name != proxy.PreviewCookie || !cookies[0].HttpOnly {
		t.Errorf("the owner who asks to preview gets %s, %v", res.Status, cookies)
	}
	look("the owner with the cookie", 200, "the app", proxy.PreviewCookie+"=1")
	mayPreview.Store(false)
	ahead.Store(int64(time.Hour))
	look("a guest when it opens", 200, "the app", "")
}
