package server_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/internal-app-portal/iap/client"
)

// toldEvents is how many events are delivered through each crash.
const toldEvents = 6

// hook is a webhook that refuses all until it is mended.
type hook struct {
	*httptest.Server
	mu   sync.Mutex
	well bool
	took map[string]int      // how often it took each id
	ids  map[string]struct{} // all that came
	got  []client.Event      // those it took first, in order
}

func newHook(t *testing.T) *hook {
	h := &hook{took: map[string]int{}, ids: map[string]struct{}{}}
	h.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, err := io.ReadAll(r.Body)
		h.mu.Lock()
		defer h.mu.Unlock()
		var e client.Event
		if err != nil || json.Unmarshal(b, &e) != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		id := r.Header.Get("webhook-id")
		h.ids[id] = struct{}{}
		if !h.well {
			w.WriteHeader(http.StatusInternalServerError)
			return
		}
		if h.took[id]++; h.took[id] == 1 {
			h.got = append(h.got, e)
		}
	}))
	t.Cleanup(h.Close)
	return h
}

func (h *hook) mend() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.well = true
}

// TestKilledWhileDelivering kills the portal with SIGKILL before and after steps of
// matching, delivering, giving up and redriving. Whatever the point: the next portal
// goes on, each event is taken, what comes twice bears the same id, and the events
// of a subject come in their order.
func TestKilledWhileDelivering(t *testing.T) {
	if testing.Short() {
		t.Skip("skipped: -short; it starts two portals for each point")
	}
	points := recordEvents(t)
	t.Logf("%d points: %s", len(points), strings.Join(points, " "))
	if names := slices.Compact(slices.Sorted(slices.Values(points))); len(names) != 8 {
		t.Errorf("points of only these kinds were passed: %v", names)
	}
	eachPoint(t, spread(t, points, 10), 3, func(t *testing.T, n int) {
		dir := t.TempDir()
		c := child{Data: filepath.Join(dir, "data"), Listen: freeAddress(t), DieAt: n, Only: "delivery.", Trace: filepath.Join(dir, "trace")}
		h := newHook(t)
		p := startChild(t, c)
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- tellAndRedrive(ctx, childClient(t, c), h) }()
		select {
		case <-p.done: // killed, as it should be
			cancel()
			<-done
		case <-done: // the same, seen by who asks; or a point that this run did not reach
			cancel()
		}
		p.kill()
		c.DieAt = 0
		p = startChild(t, c)
		again := childClient(t, c)
		if err := tellAndRedrive(t.Context(), again, h); err != nil {
			t.Fatal(err)
		}
		allTaken(t, again, h)
		p.stop(t)
	})
}

// recordEvents returns the points that are passed when nobody dies.
func recordEvents(t *testing.T) []string {
	dir := t.TempDir()
	c := child{Data: filepath.Join(dir, "data"), Listen: freeAddress(t), Only: "delivery.", Trace: filepath.Join(dir, "trace")}
	p, h := startChild(t, c), newHook(t)
	if err := tellAndRedrive(t.Context(), childClient(t, c), h); err != nil {
		t.Fatal(err)
	}
	allTaken(t, childClient(t, c), h)
	p.stop(t)
	return c.points(t)
}

// tellAndRedrive sends events to a webhook that refuses them until they are
// dead letters, mends it, and redrives. It may be called again.
func tellAndRedrive(ctx context.Context, p *portal, h *hook) error {
	_, err := p.AddTarget(ctx, client.AddTarget{Name: "hook", Kind: "webhook", Attempts: 2, Backoff: "1ms", Ordered: true,
		Settings: client.TargetSettings{URL: h.URL, Private: true}})
	var there *client.Error
	if err != nil && !(errors.As(err, &there) && there.Status == http.StatusConflict) {
		return err
	}
	if _, _, err := p.PutRule(ctx, "hook", client.PutRule{When: "event.type == 'crash.told'", Targets: []string{"hook"}}); err != nil {
		return err
	}
	var events []string
	for n := range toldEvents {
		events = append(events, fmt.Sprintf(`{"specversion":"1.0","id":"%d","source":"/crash","type":"crash.told","subject":"s%d","data":{}}`, n, n%2))
	}
	if _, err := p.SendEvents(ctx, []byte("["+strings.Join(events, ",")+"]")); err != nil {
		return err
	}
	if err := p.deliveriesAre(ctx, "delivered", "dead"); err != nil {
		return err
	}
	h.mend()
	if _, err := p.Redrive(ctx, client.RedriveRequest{All: true}); err != nil {
		return err
	}
	return p.deliveriesAre(ctx, "delivered")
}

// deliveriesAre waits until all events' deliveries have one of some statuses.
func (p *portal) deliveriesAre(ctx context.Context, statuses ...string) error {
	for tick := time.Tick(5 * time.Millisecond); ; <-tick { // no event tells of a delivery
		ds, err := p.Deliveries(ctx, client.DeliveryFilter{Target: "hook", Limit: 100})
		if err != nil {
			return err
		}
		there := len(ds.Items) == toldEvents
		for _, d := range ds.Items {
			there = there && slices.Contains(statuses, d.Status)
		}
		if there {
			return nil
		}
	}
}

// allTaken checks what the webhook took and what the portal says of it.
func allTaken(t *testing.T, p *portal, h *hook) {
	t.Helper()
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.ids) != toldEvents || len(h.took) != toldEvents {
		t.Errorf("events came with %d ids and were taken with %d: %v", len(h.ids), len(h.took), slices.Collect(maps.Keys(h.ids)))
	}
	last := map[string]string{}
	for _, e := range h.got {
		if e.ID < last[e.Subject] {
			t.Errorf("event %s of %s came after %s", e.ID, e.Subject, last[e.Subject])
		}
		last[e.Subject] = e.ID
	}
	log, err := p.EventLog(t.Context(), client.EventFilter{Type: "crash.*"})
	if err != nil || len(log.Items) != toldEvents {
		t.Errorf("%d events are in the log, %v", len(log.Items), err)
	}
	dead, err := p.EventLog(t.Context(), client.EventFilter{Type: "iap.delivery.dead"})
	told := map[string]bool{}
	for _, e := range dead.Items {
		if told[e.Subject] {
			t.Errorf("it was told twice that %s is dead", e.Subject)
		}
		told[e.Subject] = true
	}
	if err != nil {
		t.Error(err)
	}
}
