package server_test

import (
	"context"
	"path/filepath"
	"testing"
	"time"

	"github.com/internal-app-portal/iap/client"
)

// TestKilledWhileBooked kills the portal with SIGKILL at commits and calls of a
// booking, from the request to its end; those of a job are TestKilledAtEveryPoint's.
// Whatever the point: the next portal takes it to its end, there was one instance for
// it, and nothing is left.
func TestKilledWhileBooked(t *testing.T) {
	needDocker(t)
	if testing.Short() {
		t.Skip("skipped: -short; it books once for each point")
	}
	dir := t.TempDir()
	c := child{Data: filepath.Join(dir, "data"), Listen: freeAddress(t), Trace: filepath.Join(dir, "trace")}
	p := startChild(t, c)
	before := c.points(t) // of its start, which are other tests'
	bookOnce(t.Context(), t, c)
	finishBooking(t, c)
	points := c.points(t)
	p.stop(t)
	t.Logf("%d points", len(points)-len(before))
	for n := range before {
		points[n] = ""
	}
	rest := spread(t, points[len(before):], 12, "store.", "workflow.")
	copy(points[len(before):], rest)
	eachPoint(t, points, 8, killBookingAt) // most of the time it waits for a window
}

// bookOnce books for some seconds that begin soon. Asked again after the portal
// has died it books what is not booked yet.
func bookOnce(ctx context.Context, t *testing.T, c child) {
	p := childClient(t, c)
	all, err := p.Bookings(ctx, client.BookingFilter{})
	if err != nil || len(all.Items) > 0 {
		return
	}
	now := time.Now().Truncate(time.Second)
	_, _ = p.Book(ctx, client.Book{App: "inspector", From: rfc(now.Add(4 * time.Second)), To: rfc(now.Add(9 * time.Second))})
}

func killBookingAt(t *testing.T, n int) {
	dir := t.TempDir()
	c := child{Data: filepath.Join(dir, "data"), Listen: freeAddress(t), DieAt: n, Trace: filepath.Join(dir, "trace")}
	p := startChild(t, c)
	bookOnce(t.Context(), t, c)
	ended := make(chan struct{})
	ctx, cancel := context.WithCancel(t.Context())
	go func() { defer close(ended); followBooking(ctx, t, c) }()
	select {
	case <-p.done: // killed, as it should be
	case <-ended: // a point that this run did not reach: timing differs
	}
	cancel()
	<-ended
	p.kill()

	c.DieAt = 0
	p = startChild(t, c)
	bookOnce(t.Context(), t, c)
	finishBooking(t, c)
	p.stop(t)
}

// followBooking waits until the booking and its instance have ended, or the
// portal is gone.
func followBooking(ctx context.Context, t *testing.T, c child) {
	p := childClient(t, c)
	_ = p.until(ctx, func() (bool, error) {
		all, err := p.Bookings(ctx, client.BookingFilter{})
		if err != nil || len(all.Items) == 0 || !all.Items[0].Over() {
			return err == nil && len(all.Items) == 0, err
		}
		if all.Items[0].Instance == "" {
			return true, nil
		}
		i, err := p.Instance(ctx, all.Items[0].Instance)
		return err == nil && i.Ended(), err
	})
}

// finishBooking has the portal take the booking to its end, and looks at what is
// there.
func finishBooking(t *testing.T, c child) {
	p := childClient(t, c)
	all, err := p.Bookings(t.Context(), client.BookingFilter{})
	if err != nil || len(all.Items) != 1 {
		t.Fatalf("bookings: %s, %v", toJSON(all), err)
	}
	b := p.waitBooking(all.Items[0].ID, client.Booking.Over)
	list, err := p.Instances(t.Context(), client.InstanceFilter{})
	if err != nil || len(list.Items) > 1 {
		t.Fatalf("instances: %s, %v", toJSON(list), err)
	}
	for _, i := range list.Items {
		i = p.waitFor(t.Context(), i.ID, client.Instance.Ended)
		if i.Booking != b.ID || b.Instance != i.ID || i.Status != client.StatusDestroyed {
			t.Errorf("its instance ended as %s: %s", toJSON(i), toJSON(b))
		}
		if left := resources(t, i.ID); len(left) != 0 {
			t.Errorf("left behind: %v", left)
		}
	}
	// A portal that was away for long may have missed the window.
	ran := len(list.Items) > 0 && !list.Items[0].ReadyAt.IsZero()
	if b.Status == "ended" && !ran || b.Status == "failed" && ran || b.Status == "cancelled" {
		t.Errorf("with %d instances it ended as %s", len(list.Items), toJSON(b))
	}
	noLocks(t, c)
}
