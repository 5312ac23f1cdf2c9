package delivery_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/internal-app-portal/iap/event"
	"github.com/internal-app-portal/iap/event/delivery"
	"github.com/internal-app-portal/iap/store/pgtest"
)

// TestOrderOfASubject: what comes after an event that fails waits for it, and
// nothing of another subject does.
func TestOrderOfASubject(t *testing.T) {
	onBothAt(t, func(t *testing.T, c *clock, r *replica) {
		at := receive(t)
		fails := func(e map[string]any) bool { return e["subject"] == "bad" }
		at.refuse(fails)
		r.target(t, at.URL, told, func(x *delivery.Target) { x.Ordered, x.Backoff = true, time.Second })
		var all []string
		for range 100 {
			all = append(all, "bad", "good")
		}
		r.tell(t, all...)
		for len(at.subjects()) < 100 {
			pauseFor(t)
		}
		at.mu.Lock()
		if len(at.ids) != 101 {
			t.Errorf("%d events were tried: those of the one subject and the first of the other are 101", len(at.ids))
		}
		at.mu.Unlock()
		at.refuse(nil)
		c.add(time.Minute)
		r.Wake()
		r.settle(t, delivery.Waiting)
		inOrder(t, at, 200)
	})
}

// TestOneSubjectDelaysNoOther: while an attempt at an event hangs, what waits
// behind it is stepped over, however much it is.
func TestOneSubjectDelaysNoOther(t *testing.T) {
	onBoth(t, func(t *testing.T, open func() *replica) {
		r, at := open(), receive(t)
		hang := make(chan struct{})
		var once sync.Once
		t.Cleanup(func() { once.Do(func() { close(hang) }) })
		var mu sync.Mutex
		var came []string
		s := serve(t, func(_ http.ResponseWriter, q *http.Request) {
			mu.Lock()
			came = append(came, q.Header.Get("webhook-id"))
			first := len(came) == 1
			mu.Unlock()
			if first {
				<-hang
			}
			at.came <- struct{}{}
		})
		r.target(t, s.URL, told, func(x *delivery.Target) { x.Ordered, x.Timeout = true, time.Minute })
		r.tell(t, slices.Concat(slices.Repeat([]string{"hangs"}, 500), []string{"other"})...)
		at.wait(t, 1) // the other's
		once.Do(func() { close(hang) })
		r.settle(t, delivery.Waiting)
		if len(came) != 501 {
			t.Errorf("%d came", len(came))
		}
	})
}

// TestRedriveWhileNewOnesCome: the dead letters of a subject come in their
// order and each once, whatever happens meanwhile.
func TestRedriveWhileNewOnesCome(t *testing.T) {
	const n = 1100 // more than one transaction of a redrive takes
	for _, ordered := range []bool{true, false} {
		t.Run(fmt.Sprintf("ordered=%v", ordered), func(t *testing.T) {
			onBoth(t, func(t *testing.T, open func() *replica) {
				r, at := open(), receive(t)
				at.answer(500)
				r.target(t, at.URL, told, func(x *delivery.Target) { x.Attempts, x.Ordered = 1, ordered })
				var old []string
				for k := range n {
					old = append(old, fmt.Sprintf("s%d", k%50))
				}
				r.tell(t, old...)
				at.wait(t, n)
				r.settle(t, delivery.Waiting)
				at.answer(200)
				var tell sync.WaitGroup
				tell.Go(func() {
					for k := range 100 {
						r.tell(t, fmt.Sprintf("s%d", k%50), fmt.Sprintf("new%d", k%5))
					}
				})
				id, k, err := r.RedriveAll(t.Context(), ann, delivery.Filter{})
				must(t, err)
				tell.Wait()
				for len(at.subjects()) < n+200 {
					pauseFor(t)
				}
				r.settle(t, delivery.Waiting)
				p, err := r.RedriveProgress(t.Context(), ann, id)
				must(t, err)
				if want := (delivery.Progress{Total: n, Delivered: n}); k != n || p != want {
					t.Errorf("%d were redriven: %+v", k, p)
				}
				if got := len(at.got); got != n+200 {
					t.Errorf("%d events came", got)
				}
				if ordered {
					inOrder(t, &receiver{got: slices.DeleteFunc(at.got, func(e map[string]any) bool { return number(e) > n+10 })}, n)
				}
			})
		})
	}
}

// TestRedriveAfterTheClockWentBack takes the letters that died later than now.
func TestRedriveAfterTheClockWentBack(t *testing.T) {
	onBothAt(t, func(t *testing.T, c *clock, r *replica) {
		at := receive(t)
		at.answer(500)
		r.target(t, at.URL, told, func(x *delivery.Target) { x.Attempts = 1 })
		r.tell(t, numbered(20)...)
		r.settle(t, delivery.Waiting)
		at.wait(t, 20)
		r.settle(t, delivery.Waiting)
		at.answer(200)
		c.add(-time.Hour)
		if _, n, err := r.RedriveAll(t.Context(), ann, delivery.Filter{}); n != 20 || err != nil {
			t.Errorf("%d were redriven, %v", n, err)
		}
		r.settle(t, delivery.Waiting)
		inOrder(t, at, 20)
	})
}

// TestRate: a target gets no more a second than it wants, and no other is
// delayed by that.
func TestRate(t *testing.T) {
	const n, rate = 30, 100
	onBoth(t, func(t *testing.T, open func() *replica) {
		r, at, other := open(), receive(t), receive(t)
		var mu sync.Mutex
		var times []time.Time
		s := serve(t, func(_ http.ResponseWriter, q *http.Request) {
			mu.Lock()
			times = append(times, time.Now())
			mu.Unlock()
			at.came <- struct{}{}
		})
		r.target(t, s.URL, told, func(x *delivery.Target) { x.Rate = rate })
		r.target(t, other.URL, told, nil)
		begun := time.Now()
		r.tell(t, numbered(n)...)
		other.wait(t, n)
		at.wait(t, n)
		r.settle(t, delivery.Waiting)
		if took := times[n-1].Sub(begun); took < (n-1)*time.Second/rate*9/10 {
			t.Errorf("%d came in %s", n, took)
		}
	})
}

// heldStore tells when a lane has been asked for.
type heldStore struct {
	delivery.Store
	asked chan bool
}

func (s heldStore) HoldLane(ctx context.Context, target, owner string, now, until time.Time) (bool, error) {
	ok, err := s.Store.HoldLane(ctx, target, owner, now, until)
	select {
	case s.asked <- ok:
	default:
	}
	return ok, err
}

// TestSlowTargetKeepsItsLane: while a replica waits for a slow target it keeps
// the lane, so that no other makes the same attempts.
func TestSlowTargetKeepsItsLane(t *testing.T) {
	url, c := pgtest.URL(t), newClock()
	asked := make(chan bool, 100)
	a := openWith(t, url, func(cfg *delivery.Config) { c.of(cfg); cfg.Store = heldStore{cfg.Store, asked} })
	hang := make(chan struct{})
	var once sync.Once
	t.Cleanup(func() { once.Do(func() { close(hang) }) })
	at := receive(t)
	s := serve(t, func(_ http.ResponseWriter, q *http.Request) {
		at.mu.Lock()
		at.ids[q.Header.Get("webhook-id")]++
		at.mu.Unlock()
		at.came <- struct{}{}
		<-hang
	})
	a.target(t, s.URL, told, func(x *delivery.Target) { x.Timeout = time.Minute })
	a.tell(t, numbered(40)...)
	at.wait(t, 16)
	for range 3 { // three times as long as a lease
		for len(asked) > 0 {
			<-asked
		}
		c.add(9 * time.Second)
		a.Wake()
		select {
		case ok := <-asked:
			if !ok {
				t.Fatal("the lane was lost")
			}
		case <-time.After(2 * time.Minute):
			t.Fatal("the lane was not kept")
		}
	}
	others := make(chan bool, 100)
	b := openWith(t, url, func(cfg *delivery.Config) { c.of(cfg); cfg.Store = heldStore{cfg.Store, others} })
	if <-others {
		t.Error("another replica took the lane")
	}
	once.Do(func() { close(hang) })
	b.settle(t, delivery.Waiting)
	for id, times := range at.ids {
		if times != 1 {
			t.Errorf("%s came %d times", id, times)
		}
	}
}

// TestRedriveGoesOn: a redrive in the middle of which the portal dies is gone on
// with by the next, under the same ID.
func TestRedriveGoesOn(t *testing.T) {
	const n = 1100 // more than one transaction of a redrive takes
	url := filepath.Join(t.TempDir(), "iap.db")
	begun, stop := make(chan struct{}), make(chan struct{})
	r := openWith(t, url, func(cfg *delivery.Config) {
		var once sync.Once
		cfg.Failpoint = func(name string) {
			if name == "delivery.redrive.after" {
				once.Do(func() { close(begun); <-stop })
			}
		}
	})
	at := receive(t)
	at.answer(500)
	r.target(t, at.URL, told, func(x *delivery.Target) { x.Attempts = 1 })
	r.tell(t, numbered(n)...)
	at.wait(t, n)
	r.settle(t, delivery.Waiting)
	at.answer(200)
	ended := make(chan error, 1)
	go func() { _, _, err := r.RedriveAll(t.Context(), ann, delivery.Filter{}); ended <- err }()
	<-begun
	left, err := r.db.Redrives(t.Context())
	must(t, err)
	r.stop()
	close(stop)
	if err := <-ended; err == nil || len(left) != 1 {
		t.Fatalf("%d redrives are under way; this one ended with %v", len(left), err)
	}
	r = open(t, url)
	for len(at.subjects()) < n {
		pauseFor(t)
	}
	r.settle(t, delivery.Waiting)
	p, err := r.RedriveProgress(t.Context(), ann, left[0].ID)
	must(t, err)
	if want := (delivery.Progress{Total: n, Delivered: n}); p != want {
		t.Errorf("%+v", p)
	}
	r.untilRedrivesEnd(t)
}

// redrivesTold returns what was told of redrives, the oldest first.
func (r *replica) redrivesTold(t testing.TB) (out []delivery.RedriveTold) {
	t.Helper()
	events, err := r.db.EventsBefore(t.Context(), event.Filter{Type: event.RedriveChanged, Limit: 1000})
	must(t, err)
	for _, e := range slices.Backward(events) {
		var one delivery.RedriveTold
		must(t, json.Unmarshal(e.Data, &one))
		if one.Redrive != e.Subject || one.Done != one.Delivered+one.Dead+one.Dropped || one.Done+one.Waiting != one.Total {
			t.Errorf("event %d tells %+v", e.Number, one)
		}
		out = append(out, one)
	}
	return out
}

// untilRedrivesEnd waits until the end of each redrive was told.
func (r *replica) untilRedrivesEnd(t testing.TB) {
	t.Helper()
	for {
		left, err := r.db.Redrives(t.Context())
		must(t, err)
		if len(left) == 0 {
			return
		}
		pauseFor(t)
	}
}

// TestARedriveIsToldInSteps: few events for many letters, the end as the last and
// once, and by the next portal when the last one died before it told.
func TestARedriveIsToldInSteps(t *testing.T) {
	const n = 600
	onBoth(t, func(t *testing.T, open func() *replica) {
		r, at := open(), receive(t)
		at.answer(500)
		r.target(t, at.URL, told, func(x *delivery.Target) { x.Attempts = 1 })
		r.tell(t, numbered(n)...)
		at.wait(t, n)
		r.settle(t, delivery.Waiting)
		if _, k, err := r.RedriveAll(t.Context(), ann, delivery.Filter{Target: "other"}); k != 0 || err != nil {
			t.Fatalf("%d of another target, %v", k, err)
		}
		at.refuse(func(e map[string]any) bool { return e["subject"] == "s00007" })
		at.answer(200)
		id, _, err := r.RedriveAll(t.Context(), ann, delivery.Filter{EventType: "test.*"})
		must(t, err)
		r.untilRedrivesEnd(t)
		all := r.redrivesTold(t)
		if len(all) < 2 || len(all) > n/5 {
			t.Fatalf("it was told %d times", len(all))
		}
		first, last := all[0], all[len(all)-1]
		if first.Ended || first.By != ann.ID || first.Type != "test.*" || first.BegunAt.IsZero() {
			t.Errorf("first: %+v", first)
		}
		if !last.Ended || last.Redrive != id || last.Total != n || last.Delivered != n-1 || last.Dead != 1 {
			t.Errorf("last: %+v", last)
		}
		for _, one := range all[:len(all)-1] {
			if one.Ended {
				t.Errorf("the end was told before the last: %+v", one)
			}
		}

		// As it is when a portal dies between the end of the last delivery and the event.
		must(t, r.db.PutRedrive(t.Context(), delivery.Redrive{ID: id, BegunBy: ann.ID, Taken: true, Told: last.Total}))
		r.stop()
		r = open()
		r.untilRedrivesEnd(t)
		if again := r.redrivesTold(t); len(again) != len(all)+1 || !again[len(all)].Ended {
			t.Errorf("the next portal told %d more", len(again)-len(all))
		}
	})
}
