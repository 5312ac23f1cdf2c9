package delivery_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	iap "github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/event"
	"github.com/internal-app-portal/iap/event/delivery"
	"github.com/internal-app-portal/iap/event/send"
	"github.com/internal-app-portal/iap/store"
	"github.com/internal-app-portal/iap/store/pgtest"
)

var ann = iap.Actor{ID: "ann", Role: iap.Admin}

type plain struct{}

func (plain) Seal(s string) string          { return "sealed " + s }
func (plain) Open(s string) (string, error) { return s[len("sealed "):], nil }

// replica is one portal's part that delivers.
type replica struct {
	*delivery.Service
	db   *store.DB
	log  *event.Log
	once sync.Once
}

// onBoth runs a test on both databases; open returns another replica each time,
// where there can be several.
func onBoth(t *testing.T, test func(t *testing.T, open func() *replica)) {
	t.Run("sqlite", func(t *testing.T) {
		url := filepath.Join(t.TempDir(), "iap.db")
		test(t, func() *replica { return open(t, url) })
	})
	t.Run("postgres", func(t *testing.T) {
		url := pgtest.URL(t)
		test(t, func() *replica { return open(t, url) })
	})
}

func open(t testing.TB, url string) *replica { return openWith(t, url, func(*delivery.Config) {}) }

// openWith opens a replica whose configuration change may change.
func openWith(t testing.TB, url string, change func(*delivery.Config)) *replica {
	t.Helper()
	db, err := store.Open(t.Context(), url, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	r := &replica{db: db, log: event.NewLog(db)}
	cfg := delivery.Config{Store: db, Tx: db, Log: r.log, Events: db, Sealer: plain{}, Now: db.Now,
		Senders: map[delivery.Kind]delivery.Sender{delivery.Webhook: &send.Webhook{Clients: send.NewClients(), Now: time.Now}}}
	change(&cfg)
	r.Service = delivery.New(cfg)
	db.OnRemoteCommit(func() { r.log.Wake(); r.Wake() })
	if err := r.log.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := r.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.stop)
	return r
}

func (r *replica) stop() {
	r.once.Do(func() {
		_ = r.Service.Stop(context.Background())
		_ = r.log.Stop(context.Background())
		_ = r.db.Close()
	})
}

// receiver is a webhook that keeps what it got.
type receiver struct {
	*httptest.Server
	mu      sync.Mutex
	code    int
	refuses func(map[string]any) bool // an event that it answers with 500
	header  http.Header
	got     []map[string]any // the events it took
	ids     map[string]int   // how often each id came
	came    chan struct{}
}

func receive(t *testing.T) *receiver {
	r := &receiver{code: 200, ids: map[string]int{}, header: http.Header{}, came: make(chan struct{}, 100_000)}
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		b, _ := io.ReadAll(q.Body)
		var e map[string]any
		_ = json.Unmarshal(b, &e)
		r.mu.Lock()
		code := r.code
		if r.refuses != nil && r.refuses(e) {
			code = 500
		}
		r.ids[q.Header.Get("webhook-id")]++
		if code == 200 {
			r.got = append(r.got, e)
		}
		for k, v := range r.header {
			w.Header()[k] = v
		}
		r.mu.Unlock()
		w.WriteHeader(code)
		r.came <- struct{}{}
	}))
	t.Cleanup(r.Close)
	return r
}

func (r *receiver) answer(code int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.code = code
}

func (r *receiver) refuse(which func(map[string]any) bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.refuses = which
}

func (r *receiver) subjects() (out []string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, e := range r.got {
		out = append(out, fmt.Sprint(e["subject"]))
	}
	return out
}

// wait waits for n requests.
func (r *receiver) wait(t *testing.T, n int) {
	t.Helper()
	for range n {
		select {
		case <-r.came:
		case <-t.Context().Done():
			t.Fatal("too few requests came")
		}
	}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// target adds a target, and a rule of the same name that leads there.
func (r *replica) target(t testing.TB, url, when string, change func(*delivery.Target)) delivery.Target {
	t.Helper()
	all, _, err := r.Targets(t.Context(), ann)
	must(t, err)
	x := delivery.Target{Name: "t" + strconv.Itoa(len(all)), Kind: delivery.Webhook, Backoff: time.Millisecond,
		Settings: delivery.Settings{URL: url, Private: true}}
	if change != nil {
		change(&x)
	}
	x, err = r.AddTarget(t.Context(), ann, x)
	must(t, err)
	_, _, err = r.PutRule(t.Context(), ann, delivery.Rule{Name: x.Name, When: when, Targets: []string{x.Name}})
	must(t, err)
	return x
}

func (r *replica) tell(t *testing.T, subjects ...string) {
	t.Helper()
	must(t, r.db.Update(t.Context(), func(ctx context.Context) error {
		for _, s := range subjects {
			if err := r.log.Append(ctx, &event.Event{Source: "/test", Type: "test.told", Subject: s, Time: time.Now(), Data: json.RawMessage(`{"n":1}`)}); err != nil {
				return err
			}
		}
		return nil
	}))
}

// settle waits until no delivery is in a status.
func (r *replica) settle(t testing.TB, status delivery.Status) {
	t.Helper()
	for {
		ds, err := r.Deliveries(t.Context(), ann, delivery.Filter{Status: status, Limit: 1})
		must(t, err)
		if len(ds) == 0 {
			return
		}
		pauseFor(t)
	}
}

// pauseFor lets others work for a moment.
func pauseFor(t testing.TB) {
	select {
	case <-time.After(5 * time.Millisecond):
	case <-t.Context().Done():
		t.Fatal("it took too long")
	}
}

const told = "event.type == 'test.told'"

func numbered(n int) (out []string) {
	for i := range n {
		out = append(out, fmt.Sprintf("s%05d", i))
	}
	return out
}

func TestDeliversSigned(t *testing.T) {
	onBoth(t, func(t *testing.T, open func() *replica) {
		r, at := open(), receive(t)
		bodies := make(chan error, 1)
		var secret string
		check := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, q *http.Request) {
			b, _ := io.ReadAll(q.Body)
			h := q.Header
			bodies <- delivery.Verify(secret, h.Get("webhook-id"), h.Get("webhook-timestamp"), h.Get("webhook-signature"), b, time.Now())
		}))
		t.Cleanup(check.Close)
		secret = r.target(t, check.URL, told, nil).Secret
		r.target(t, at.URL, told+" && data.n == 1 && subject == 'b'", nil)
		r.tell(t, "a", "b")
		for range 2 {
			must(t, <-bodies)
		}
		at.wait(t, 1)
		if got := at.subjects(); !slices.Equal(got, []string{"b"}) {
			t.Errorf("the rule chose %v", got)
		}
	})
}

// TestOneThatIsDownDelaysNoOther, and its dead letters are redriven, all of
// them, each once, in their order.
func TestOneThatIsDownDelaysNoOther(t *testing.T) {
	const n = 1200
	onBoth(t, func(t *testing.T, open func() *replica) {
		r, up, down := open(), receive(t), receive(t)
		down.answer(503)
		r.target(t, down.URL, told, func(x *delivery.Target) { x.Attempts, x.Ordered = 2, true })
		r.target(t, up.URL, told, nil)
		var all []string
		for _, s := range numbered(n) {
			all = append(all, s[:5]) // ten of each subject
		}
		r.tell(t, all...)
		up.wait(t, n)
		r.settle(t, delivery.Waiting)
		h, err := r.db.Health(t.Context())
		must(t, err)
		if h["t0"].Dead != n || h["t1"].Dead != 0 {
			t.Fatalf("dead letters: %+v", h)
		}
		if !h["t0"].Down() || h["t1"].Failing() {
			t.Errorf("which is down: %+v", h)
		}
		down.answer(200)
		id, k, err := r.RedriveAll(t.Context(), ann, delivery.Filter{})
		must(t, err)
		r.settle(t, delivery.Waiting)
		p, err := r.RedriveProgress(t.Context(), ann, id)
		must(t, err)
		if h, err = r.db.Health(t.Context()); err != nil || h["t0"].Failing() {
			t.Errorf("what works again: %+v, %v", h["t0"], err)
		}
		if want := (delivery.Progress{Total: n, Delivered: n}); k != n || p != want {
			t.Errorf("%d were redriven: %+v", k, p)
		}
		inOrder(t, down, n)
	})
}

// inOrder checks that each event came once, those of a subject in their order.
func inOrder(t *testing.T, r *receiver, n int) {
	t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	last, seen := map[any]int{}, map[int]bool{}
	for _, e := range r.got {
		n := number(e)
		if seen[n] {
			t.Errorf("event %d came twice", n)
		}
		seen[n] = true
		if last[e["subject"]] > n {
			t.Errorf("event %d of %v came late", n, e["subject"])
		}
		last[e["subject"]] = n
	}
	if len(seen) != n {
		t.Errorf("%d events came, not %d", len(seen), n)
	}
}

// number is the number of an event in the log.
func number(e map[string]any) int {
	n, _ := strconv.Atoi(fmt.Sprint(e["iapnumber"]))
	return n
}

func TestTwoReplicasMatchOnce(t *testing.T) {
	const n = 600
	url := pgtest.URL(t)
	a, b, at := open(t, url), open(t, url), receive(t)
	a.target(t, at.URL, told, nil)
	for i, s := range numbered(n) {
		[]*replica{a, b}[i%2].tell(t, s)
	}
	at.wait(t, n)
	a.settle(t, delivery.Waiting)
	a.stop()
	b.tell(t, "after")
	at.wait(t, 1)
	for id, times := range at.ids {
		if times != 1 {
			t.Errorf("%s came %d times", id, times)
		}
	}
	if len(at.ids) != n+1 {
		t.Errorf("%d came", len(at.ids))
	}
}

func TestRestartLosesNothing(t *testing.T) {
	onBoth(t, func(t *testing.T, open func() *replica) {
		r, at := open(), receive(t)
		at.answer(500)
		r.target(t, at.URL, told, nil)
		r.tell(t, numbered(50)...)
		at.wait(t, 1)
		must(t, r.Service.Stop(context.Background()))
		r.tell(t, "while it was down")
		r.once.Do(func() { _ = r.log.Stop(context.Background()); _ = r.db.Close() })
		at.answer(200)
		r = open()
		r.settle(t, delivery.Waiting)
		inOrder(t, at, 51)
	})
}

// TestAStopWaitsForAnswers: what is under way when the portal stops comes once.
func TestAStopWaitsForAnswers(t *testing.T) {
	url := filepath.Join(t.TempDir(), "iap.db")
	came, stopping := make(chan struct{}, 10), make(chan struct{})
	at := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, q *http.Request) {
		came <- struct{}{}
		select {
		case <-stopping:
		case <-q.Context().Done():
		}
	}))
	t.Cleanup(at.Close)
	r := openWith(t, url, func(c *delivery.Config) {
		c.Failpoint = func(name string) {
			if name == "deliveries.stopping" {
				close(stopping)
			}
		}
	})
	r.target(t, at.URL, told, nil)
	r.tell(t, "one")
	<-came
	r.stop()
	r = open(t, url)
	r.settle(t, delivery.Waiting)
	if n := len(came); n != 0 {
		t.Errorf("it came %d times more", n)
	}
}

func TestGoneDisables(t *testing.T) {
	onBoth(t, func(t *testing.T, open func() *replica) {
		r, at := open(), receive(t)
		at.answer(410)
		r.target(t, at.URL, told, nil)
		r.tell(t, "a")
		at.wait(t, 1)
		for {
			x, _, err := r.Target(t.Context(), ann, "t0")
			must(t, err)
			if x.Disabled != "" {
				break
			}
			pauseFor(t)
		}
		at.answer(200)
		_, err := r.PauseTarget(t.Context(), ann, "t0", false)
		must(t, err)
		r.settle(t, delivery.Waiting)
		inOrder(t, at, 1)
	})
}

// TestGoneFromBefore: a 410 that was asked for before the target was resumed does
// not disable it again.
func TestGoneFromBefore(t *testing.T) {
	onBoth(t, func(t *testing.T, open func() *replica) {
		r, asked, held := open(), make(chan struct{}), make(chan struct{})
		var times atomic.Int32
		at := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			if times.Add(1) == 1 {
				close(asked)
				<-held
				w.WriteHeader(http.StatusGone)
			}
		}))
		t.Cleanup(at.Close)
		r.target(t, at.URL, told, nil)
		r.tell(t, "a")
		<-asked
		for _, paused := range []bool{true, false} {
			_, err := r.PauseTarget(t.Context(), ann, "t0", paused)
			must(t, err)
		}
		close(held)
		r.settle(t, delivery.Waiting)
		if x, _, err := r.Target(t.Context(), ann, "t0"); err != nil || x.Disabled != "" || times.Load() != 2 {
			t.Errorf("disabled: %q, after %d requests, %v", x.Disabled, times.Load(), err)
		}
	})
}

func TestDeadLetterTellsOnce(t *testing.T) {
	onBoth(t, func(t *testing.T, open func() *replica) {
		r, at := open(), receive(t)
		at.answer(400)
		r.target(t, at.URL, "event.type in ['test.told', 'iap.delivery.dead']", func(x *delivery.Target) { x.Attempts = 1 })
		r.tell(t, "a")
		at.wait(t, 2)
		r.settle(t, delivery.Waiting)
		events, err := r.db.EventsBefore(t.Context(), event.Filter{Type: event.DeliveryDead, Limit: 10})
		must(t, err)
		if len(events) != 1 {
			t.Errorf("%d events tell of dead letters", len(events))
		}
		must(t, r.DeleteLetters(t.Context(), ann, []string{events[0].Subject}, "not needed"))
		d, tries, err := r.Delivery(t.Context(), ann, events[0].Subject)
		must(t, err)
		if d.Status != delivery.Dropped || d.Reason != "deleted by ann: not needed" || len(tries) != 1 || tries[0].Code != 400 {
			t.Errorf("%+v, %+v", d, tries)
		}
		if _, _, err := r.Redrive(t.Context(), ann, []string{d.ID()}); !iap.IsKind(err, iap.Conflict) {
			t.Errorf("redriven after it was deleted: %v", err)
		}
	})
}

func TestWrongInput(t *testing.T) {
	r := open(t, filepath.Join(t.TempDir(), "iap.db"))
	add := func(change func(*delivery.Target)) error {
		x := delivery.Target{Name: "ok", Kind: delivery.Webhook, Settings: delivery.Settings{URL: "https://example.com"}}
		change(&x)
		_, err := r.AddTarget(t.Context(), ann, x)
		return err
	}
	rule := func(when string) error {
		_, _, err := r.PutRule(t.Context(), ann, delivery.Rule{Name: "r", When: when, Targets: []string{"none"}})
		return err
	}
	for field, err := range map[string]error{
		"name":     add(func(x *delivery.Target) { x.Name = "No" }),
		"kind":     add(func(x *delivery.Target) { x.Kind = "pigeon" }),
		"url":      add(func(x *delivery.Target) { x.Settings.URL = "ftp://x" }),
		"secret":   add(func(x *delivery.Target) { x.Secret = "whsec_c2hvcnQ=" }),
		"attempts": add(func(x *delivery.Target) { x.Attempts = -1 }),
		"backoff":  add(func(x *delivery.Target) { x.Backoff = -time.Second }),
		"allow":    add(func(x *delivery.Target) { x.Settings.Allow = []string{"a/b"} }),
		"when":     rule("event.type =="),
		"targets":  rule("true"),
	} {
		if f := iap.Fields(err); len(f) != 1 || f[0].Field != field {
			t.Errorf("%s: %v", field, err)
		}
	}
	for _, when := range []string{"", "1", "nope", "event.type + 1", "'a'"} {
		if err := rule(when); len(iap.Fields(err)) != 1 || iap.Fields(err)[0].Field != "when" {
			t.Errorf("%q: %v", when, err)
		}
	}
	if _, err := r.Rules(t.Context(), iap.Actor{ID: "jane", Role: iap.Member}); !iap.IsKind(err, iap.Forbidden) {
		t.Errorf("a member sees rules: %v", err)
	}
}
