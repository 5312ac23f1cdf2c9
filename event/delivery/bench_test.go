package delivery_test

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/internal-app-portal/iap/event"
	"github.com/internal-app-portal/iap/event/delivery"
	"github.com/internal-app-portal/iap/store/pgtest"
)

// benchBoth runs a benchmark on both databases, with every commit synced.
func benchBoth(b *testing.B, run func(b *testing.B, r *replica)) {
	b.Run("sqlite", func(b *testing.B) { run(b, open(b, filepath.Join(b.TempDir(), "iap.db"))) })
	b.Run("postgres", func(b *testing.B) { run(b, open(b, pgtest.DurableURL(b))) })
}

// counter is a webhook that notes when each number of the data came first, and
// which came twice.
type counter struct {
	*httptest.Server
	mu      sync.Mutex
	at      map[int]time.Time
	doubled int
	some    chan struct{}
}

func count(b *testing.B) *counter {
	c := &counter{at: map[int]time.Time{}, some: make(chan struct{}, 1)}
	c.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		now := time.Now()
		var e struct{ Data struct{ N int } }
		if err := json.NewDecoder(r.Body).Decode(&e); err != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		c.mu.Lock()
		if _, some := c.at[e.Data.N]; some {
			c.doubled++
		} else {
			c.at[e.Data.N] = now
		}
		c.mu.Unlock()
		select {
		case c.some <- struct{}{}:
		default:
		}
	}))
	b.Cleanup(c.Close)
	return c
}

func (c *counter) have() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.at)
}

// wait waits until n different ones have come, and fails if any came twice.
func (c *counter) wait(b *testing.B, n int) {
	b.Helper()
	for c.have() < n {
		select {
		case <-c.some:
		case <-time.After(30 * time.Second):
			b.Fatalf("%d of %d came", c.have(), n)
		}
	}
	if c.doubled > 0 {
		b.Errorf("%d came twice", c.doubled)
	}
}

// numberedEvent is an event of the benchmarks.
func numberedEvent(typ string, n int) *event.Event {
	return &event.Event{Source: "/bench", Type: typ, Subject: "s" + strconv.Itoa(n%100), Time: time.Now(),
		Data: json.RawMessage(fmt.Sprintf(`{"n":%d,"what":"something that happened, told in a few words"}`, n))}
}

func (r *replica) append(b testing.TB, events ...*event.Event) {
	b.Helper()
	must(b, r.db.Update(b.Context(), func(ctx context.Context) error { return r.log.Append(ctx, events...) }))
}

// closedPort is the URL of a target that is down.
func closedPort(b *testing.B) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(b, err)
	defer l.Close()
	return "http://" + l.Addr().String()
}

// BenchmarkDelay: from just before the commit of an event until a webhook has
// it, unloaded and while 10,000 wait for a target that is down.
func BenchmarkDelay(b *testing.B) {
	for name, waiting := range map[string]int{"unloaded": 0, "waiting": 10_000} {
		b.Run(name, func(b *testing.B) {
			benchBoth(b, func(b *testing.B, r *replica) {
				if waiting > 0 {
					r.target(b, closedPort(b), "event.type == 'bench.filled'", func(x *delivery.Target) { x.Backoff = delivery.DefaultBackoff })
					r.fill(b, waiting)
				}
				to := count(b)
				r.target(b, to.URL, "event.type == 'bench.told'", nil)
				var begun []time.Time
				const warm = 50 // do not count
				for n := range warm + 500 {
					begun = append(begun, time.Now())
					r.append(b, numberedEvent("bench.told", n))
					if spare := 8*time.Millisecond - time.Since(begun[n]); spare > 0 {
						time.Sleep(spare)
					}
				}
				to.wait(b, len(begun))
				var took []float64
				for n := warm; n < len(begun); n++ {
					took = append(took, float64(to.at[n].Sub(begun[n]).Microseconds())/1000)
				}
				slices.Sort(took)
				b.ReportMetric(took[len(took)/2], "p50-ms")
				b.ReportMetric(took[int(math.Ceil(float64(len(took))*0.99))-1], "p99-ms")
				b.ReportMetric(took[len(took)-1], "max-ms")
			})
		})
	}
}

// fill appends events and waits until all of them wait for their target.
func (r *replica) fill(b *testing.B, n int) {
	b.Helper()
	const atOnce = 1000
	for from := 0; from < n; from += atOnce {
		var events []*event.Event
		for k := from; k < min(from+atOnce, n); k++ {
			events = append(events, numberedEvent("bench.filled", k))
		}
		r.append(b, events...)
	}
	for {
		h, err := r.db.Health(b.Context())
		must(b, err)
		if h["t0"].Waiting+h["t0"].Dead == n {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// BenchmarkDelivered: events committed one by one by 64 at once, matched against
// 100 rules, of which one chooses each, and delivered to ten webhooks.
func BenchmarkDelivered(b *testing.B) {
	const n, rules, targets = 10_000, 100, 10
	benchBoth(b, func(b *testing.B, r *replica) {
		to := count(b)
		for k := range targets {
			r.target(b, to.URL, "false", func(x *delivery.Target) { x.Name = "w" + strconv.Itoa(k) })
		}
		for k := range rules {
			_, _, err := r.PutRule(b.Context(), ann, delivery.Rule{Name: "r" + strconv.Itoa(k), Targets: []string{"w" + strconv.Itoa(k%targets)},
				When: fmt.Sprintf("event.type == 'bench.told' && subject == 's%d' && data.n >= 0", k)})
			must(b, err)
		}
		begun := time.Now()
		var all sync.WaitGroup
		next := make(chan int)
		for range 64 {
			all.Go(func() {
				for k := range next {
					r.append(b, numberedEvent("bench.told", k))
				}
			})
		}
		for k := range n {
			next <- k
		}
		close(next)
		all.Wait()
		b.ReportMetric(n/time.Since(begun).Seconds(), "committed/s")
		to.wait(b, n)
		b.ReportMetric(n/time.Since(begun).Seconds(), "events/s")
	})
}

// BenchmarkRedrive: 10,000 dead letters, from the order to redrive them until
// the last is taken.
func BenchmarkRedrive(b *testing.B) {
	const n = 10_000
	benchBoth(b, func(b *testing.B, r *replica) {
		to := count(b)
		take := to.Config.Handler
		var well sync.Map
		to.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
			if _, ok := well.Load("well"); !ok {
				w.WriteHeader(http.StatusInternalServerError)
				return
			}
			take.ServeHTTP(w, q)
		})
		r.target(b, to.URL, "event.type == 'bench.filled'", func(x *delivery.Target) { x.Attempts = 1 })
		r.fill(b, n)
		for h, err := r.db.Health(b.Context()); h["t0"].Dead < n; h, err = r.db.Health(b.Context()) {
			must(b, err)
			time.Sleep(10 * time.Millisecond)
		}
		well.Store("well", true)
		begun := time.Now()
		_, k, err := r.RedriveAll(b.Context(), ann, delivery.Filter{})
		must(b, err)
		to.wait(b, n)
		b.ReportMetric(time.Since(begun).Seconds(), "seconds")
		r.settle(b, delivery.Waiting)
		if h, err := r.db.Health(b.Context()); k != n || h["t0"].Dead > 0 || to.doubled > 0 {
			b.Errorf("%d were redriven, %d came twice, %d are dead, %v", k, to.doubled, h["t0"].Dead, err)
		}
	})
}
