package delivery_test

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/internal-app-portal/iap/event/delivery"
)

// serve starts a server that answers when it has read what it was sent: only
// then does it see that the other side has gone.
func serve(t *testing.T, h http.HandlerFunc) *httptest.Server {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		h(w, r)
	}))
	t.Cleanup(s.Close)
	return s
}

// flush sends what was written.
func flush(w http.ResponseWriter) { _ = http.NewResponseController(w).Flush() }

// hangUp ends a connection in the middle of what it says.
func hangUp(w http.ResponseWriter) {
	if c, _, err := http.NewResponseController(w).Hijack(); err == nil {
		_ = c.Close()
	}
}

// drip answers a byte at a time, for as long as somebody listens.
func drip(status int) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(status)
		for r.Context().Err() == nil {
			_, _ = w.Write([]byte("."))
			flush(w)
			select {
			case <-r.Context().Done():
			case <-time.After(time.Millisecond):
			}
		}
	}
}

// TestBadAnswers: each answer that is none leaves a dead letter that says why,
// or counts as taken, and none of them delays the target that is well.
func TestBadAnswers(t *testing.T) {
	const huge = 3 << 30
	var elsewhere, sent atomic.Int64
	other := serve(t, func(http.ResponseWriter, *http.Request) { elsewhere.Add(1) })
	block := bytes.Repeat([]byte("x"), 64<<10)
	endless := func(status int) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", fmt.Sprint(huge))
			w.WriteHeader(status)
			for range huge / len(block) {
				n, err := w.Write(block)
				sent.Add(int64(n))
				if err != nil {
					return
				}
			}
		}
	}
	redirect := func(status int) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, other.URL, status) }
	}
	tests := map[string]struct {
		answer http.HandlerFunc
		code   int
		reason string // empty: delivered
		kept   int    // bytes of the answer; -1: any number
	}{
		"nothing":           {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(204) }, 204, "", 0},
		"moved":             {redirect(301), 301, "redirects are not followed", -1},
		"temporarily":       {redirect(307), 307, "redirects are not followed", -1},
		"permanently":       {redirect(308), 308, "redirects are not followed", -1},
		"huge":              {endless(200), 200, "", delivery.MaxAnswer},
		"huge fault":        {endless(500), 500, "it answered 500", delivery.MaxAnswer},
		"slowly forever":    {drip(200), 200, "did not answer within 250ms", -1},
		"slow fault":        {drip(502), 502, "it answered 502", -1},
		"never":             {func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }, 0, "did not answer within 250ms", 0},
		"hangs up at once":  {func(w http.ResponseWriter, _ *http.Request) { hangUp(w) }, 0, "could not be reached: EOF", 0},
		"hangs up midway":   {cut(200), 200, "broke off", 4},
		"fault cut midway":  {cut(503), 503, "it answered 503", 4},
		"is no text":        {func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("a\xff\x00b")) }, 200, "", -1},
		"headers too large": {func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("X", string(block)) }, 0, "could not be reached", 0},
	}
	onBoth(t, func(t *testing.T, open func() *replica) {
		r, well := open(), receive(t)
		at := map[string]string{} // targets by test
		sent.Store(0)
		for name, test := range tests {
			x := r.target(t, serve(t, test.answer).URL, told, func(x *delivery.Target) {
				x.Name, x.Attempts, x.Timeout = strings.ReplaceAll(name, " ", "-"), 1, 250*time.Millisecond
			})
			at[name] = x.Name
		}
		r.target(t, well.URL, told, nil)
		r.tell(t, "a")
		well.wait(t, 1)
		r.settle(t, delivery.Waiting)
		for name, test := range tests {
			ds, err := r.Deliveries(t.Context(), ann, delivery.Filter{Target: at[name], Limit: 10})
			must(t, err)
			_, tries, err := r.Delivery(t.Context(), ann, ds[0].ID())
			must(t, err)
			if len(ds) != 1 || len(tries) != 1 {
				t.Fatalf("%s: %d deliveries, %d attempts", name, len(ds), len(tries))
			}
			want := delivery.Delivered
			if test.reason != "" {
				want = delivery.Dead
			}
			a := tries[0]
			if ds[0].Status != want || a.Code != test.code || a.Error != ds[0].Reason || !strings.Contains(a.Error, test.reason) {
				t.Errorf("%s: it is %s after %d: %q", name, ds[0].Status, a.Code, a.Error)
			}
			if test.kept >= 0 && len(a.Answer) != test.kept {
				t.Errorf("%s: %d bytes of the answer were kept, not %d", name, len(a.Answer), test.kept)
			}
		}
		if n := elsewhere.Load(); n > 0 {
			t.Errorf("%d redirects were followed", n)
		}
		if n := sent.Load(); n > 2*64<<20 { // what fits into the kernel's buffers
			t.Errorf("%d MB of the answers were read", n>>20)
		}
	})
}

// cut says how long its answer is, and ends before.
func cut(status int) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "100")
		w.WriteHeader(status)
		_, _ = w.Write([]byte("only"))
		flush(w)
		hangUp(w)
	}
}
