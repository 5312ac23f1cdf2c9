package delivery_test

import (
	"net/http"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/internal-app-portal/iap/event"
	"github.com/internal-app-portal/iap/event/delivery"
	"github.com/internal-app-portal/iap/event/send"
	"github.com/internal-app-portal/iap/store/pgtest"
)

// clock is one that tests set.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func newClock() *clock { return &clock{at: time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC)} }

func (c *clock) now() time.Time      { c.mu.Lock(); defer c.mu.Unlock(); return c.at }
func (c *clock) set(at time.Time)    { c.mu.Lock(); c.at = at; c.mu.Unlock() }
func (c *clock) add(d time.Duration) { c.set(c.now().Add(d)) }

// clocked has a replica go by a clock.
func (c *clock) of(cfg *delivery.Config) {
	cfg.Now = c.now
	cfg.Senders = map[delivery.Kind]delivery.Sender{delivery.Webhook: &send.Webhook{Clients: send.NewClients(), Now: c.now}}
}

// onBothAt is onBoth by a clock.
func onBothAt(t *testing.T, test func(t *testing.T, c *clock, r *replica)) {
	t.Run("sqlite", func(t *testing.T) {
		c := newClock()
		test(t, c, openWith(t, filepath.Join(t.TempDir(), "iap.db"), c.of))
	})
	t.Run("postgres", func(t *testing.T) {
		c := newClock()
		test(t, c, openWith(t, pgtest.URL(t), c.of))
	})
}

// tried waits until n attempts at the only delivery are written down.
func (r *replica) tried(t *testing.T, n int) (delivery.Delivery, []delivery.Attempt) {
	t.Helper()
	for {
		ds, err := r.Deliveries(t.Context(), ann, delivery.Filter{Limit: 1})
		must(t, err)
		if len(ds) > 0 && (ds[0].Attempt >= n || ds[0].Status != delivery.Waiting) {
			d, tries, err := r.Delivery(t.Context(), ann, ds[0].ID())
			must(t, err)
			return d, tries
		}
		pauseFor(t)
	}
}

// attempts returns how many attempts at the deliveries to a target are written
// down.
func (r *replica) attempts(t *testing.T, target string) (n int) {
	t.Helper()
	ds, err := r.Deliveries(t.Context(), ann, delivery.Filter{Target: target, Limit: 1000})
	must(t, err)
	for _, d := range ds {
		n += d.Attempt
	}
	return n
}

// TestThreeDays: a target that stays down is tried with growing pauses that
// differ, for three days, and then is told of once.
func TestThreeDays(t *testing.T) {
	onBothAt(t, func(t *testing.T, c *clock, r *replica) {
		at := receive(t)
		at.answer(503)
		r.target(t, at.URL, told, func(x *delivery.Target) { x.Backoff = delivery.DefaultBackoff })
		begun := c.now()
		r.tell(t, "a")
		var parts []float64 // of the whole pause
		pause := delivery.DefaultBackoff
		n := 1
		for ; ; n++ {
			d, tries := r.tried(t, n)
			if len(tries) != n || !tries[n-1].At.Equal(c.now()) {
				t.Fatalf("attempt %d: there are %d, the last at %s", n, len(tries), tries[len(tries)-1].At)
			}
			if d.Status == delivery.Dead {
				break
			}
			part := float64(d.NextAt.Sub(c.now())) / float64(pause)
			if last := begun.Add(delivery.GiveUpAfter); !d.NextAt.Equal(last) && (part < 0.75 || part > 1.25 || d.NextAt.After(last)) {
				t.Errorf("attempt %d is followed after %s, not about %s", n, d.NextAt.Sub(c.now()), pause)
			}
			parts = append(parts, part)
			pause = min(2*pause, 12*time.Hour)
			c.set(d.NextAt.Add(-time.Millisecond))
			r.Wake()
			c.set(d.NextAt)
			r.Wake()
		}
		if got := c.now().Sub(begun); got != delivery.GiveUpAfter || n < 15 {
			t.Errorf("given up after %s and %d attempts", got, n)
		}
		same := 0
		for _, p := range parts {
			if p > 0.99 && p < 1.01 {
				same++
			}
		}
		if same > len(parts)/2 {
			t.Errorf("the pauses do not differ: %v", parts)
		}
		events, err := r.db.EventsBefore(t.Context(), event.Filter{Type: event.DeliveryDead, Limit: 10})
		must(t, err)
		if len(events) != 1 || at.ids[delivery.MessageID(r.told(t))] != n || len(at.ids) != 1 {
			t.Errorf("%d events tell of it; the attempts had the ids %v", len(events), at.ids)
		}
	})
}

// told returns the first event of the tests.
func (r *replica) told(t *testing.T) event.Event {
	t.Helper()
	events, err := r.db.EventsBefore(t.Context(), event.Filter{Type: "test.told", Limit: 1})
	must(t, err)
	return events[0]
}

// TestRetryAfter: what the target asks for is what it gets, in seconds or as a
// date, but for what is less than the pause or more than a day.
func TestRetryAfter(t *testing.T) {
	day := 24 * time.Hour
	tests := []struct {
		name string
		code int
		text func(now time.Time) string
		most time.Duration
	}{
		{"seconds", 429, func(time.Time) string { return "120" }, 2 * time.Minute},
		{"a date", 503, func(now time.Time) string { return now.Add(time.Hour).Format(http.TimeFormat) }, time.Hour},
		{"with a fault", 500, func(time.Time) string { return "60" }, time.Minute},
		{"a month", 503, func(time.Time) string { return strconv.Itoa(30 * 24 * 3600) }, day},
		{"a number without end", 503, func(time.Time) string { return "99999999999999999999" }, day},
		{"a date long past", 503, func(now time.Time) string { return now.Add(-day).Format(http.TimeFormat) }, 0},
		{"less than nothing", 503, func(time.Time) string { return "-5" }, 0},
		{"nonsense", 503, func(time.Time) string { return "soon" }, 0},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			c := newClock()
			r, at := openWith(t, filepath.Join(t.TempDir(), "iap.db"), c.of), receive(t)
			at.answer(test.code)
			at.header.Set("Retry-After", test.text(c.now()))
			r.target(t, at.URL, told, func(x *delivery.Target) { x.Backoff = time.Second })
			r.tell(t, "a")
			d, _ := r.tried(t, 1)
			got := d.NextAt.Sub(c.now())
			if test.most > 0 && got != test.most || test.most == 0 && (got < 750*time.Millisecond || got > 1250*time.Millisecond) {
				t.Errorf("tried again after %s", got)
			}
		})
	}
}

// TestRetryAfterRests: a target that asks for rest is left alone with all that
// waits for it, and gets it when the rest is over.
func TestRetryAfterRests(t *testing.T) {
	const n = 200
	onBothAt(t, func(t *testing.T, c *clock, r *replica) {
		at, other := receive(t), receive(t)
		at.answer(429)
		at.header.Set("Retry-After", "600")
		r.target(t, at.URL, told, nil)
		r.target(t, other.URL, told, nil)
		r.tell(t, numbered(n)...)
		other.wait(t, n)
		for r.attempts(t, "t0") == 0 {
			pauseFor(t)
		}
		at.mu.Lock()
		if came := len(at.ids); came > 16 {
			t.Errorf("%d attempts came before it could ask for rest", came)
		}
		at.mu.Unlock()
		r.Wake()
		r.tell(t, "one more")
		other.wait(t, 1)
		at.answer(200)
		c.add(10 * time.Minute)
		r.Wake()
		r.settle(t, delivery.Waiting)
		inOrder(t, at, n+1)
		for id, times := range at.ids {
			if times > 2 {
				t.Errorf("%s came %d times", id, times)
			}
		}
	})
}

// TestClockGoesBack: what waits does not wait for the hour that a clock was
// ahead.
func TestClockGoesBack(t *testing.T) {
	onBothAt(t, func(t *testing.T, c *clock, r *replica) {
		at := receive(t)
		at.answer(500)
		r.target(t, at.URL, told, func(x *delivery.Target) { x.Backoff = time.Second })
		r.tell(t, "a")
		r.tried(t, 1)
		c.add(time.Hour)
		r.Wake()
		r.tried(t, 2)
		at.answer(200)
		c.add(-time.Hour)
		r.Wake()
		if d, _ := r.tried(t, 3); d.Status != delivery.Delivered {
			t.Errorf("it is %s", d.Status)
		}
	})
}
