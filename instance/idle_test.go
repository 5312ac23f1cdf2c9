package instance_test

import (
	"context"
	"sync"
	"testing"
	"time"

	iap "github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/instance"
	"github.com/internal-app-portal/iap/job"
)

// uses is what a proxy has seen, as a test says.
type uses struct {
	mu   sync.Mutex
	last instance.Activity
}

func (u *uses) set(a instance.Activity) { u.mu.Lock(); u.last = a; u.mu.Unlock() }

func (l *life) watched() *uses {
	u := &uses{}
	l.Activity = func(string) instance.Activity { u.mu.Lock(); defer u.mu.Unlock(); return u.last }
	return u
}

func (l *life) look() {
	l.t.Helper()
	if _, err := l.LookAtEnds(l.t.Context()); err != nil {
		l.t.Fatal(err)
	}
}

func (l *life) end(i instance.Instance) instance.End {
	l.t.Helper()
	i, err := l.Get(l.t.Context(), jane, i.ID)
	if err != nil {
		l.t.Fatal(err)
	}
	end, err := l.EndOf(l.t.Context(), i)
	if err != nil {
		l.t.Fatal(err)
	}
	return end
}

// TestIdle: what nobody uses for its limit ends, after the warnings that fit; each
// use moves the end and takes the warning back.
func TestIdle(t *testing.T) {
	l := newLife(t)
	u := l.watched()
	i := l.running("idle") // 40 minutes, so both warnings fit
	if end := l.end(i); end.By != instance.EndByIdle || !end.At.Equal(i.ReadyAt.Add(40*time.Minute)) {
		t.Fatalf("never used: %+v", end)
	}
	l.later(20 * time.Minute)
	l.look()
	if got := l.endings(); len(got) != 1 || got[0].By != instance.EndByIdle || got[0].Minutes != 30 {
		t.Fatalf("warnings: %+v", got)
	}
	used := l.now()
	u.set(instance.Activity{At: used, Kind: instance.ByRequest})
	l.look()
	i, err := l.Get(t.Context(), jane, i.ID)
	if err != nil || !i.WarnedOf.IsZero() || !i.Active.At.Equal(used) || i.Active.Kind != instance.ByRequest {
		t.Fatalf("after use: %+v, %v", i, err)
	}
	if end := l.end(i); !end.At.Equal(used.Add(40 * time.Minute)) {
		t.Errorf("the use did not move the end: %+v", end)
	}
	l.later(36 * time.Minute)
	l.look()
	if got := l.endings(); len(got) != 2 || got[1].Minutes != 5 {
		t.Fatalf("warnings: %+v", got)
	}
	l.later(4*time.Minute + 20*time.Second)
	l.look()
	l.job(job.Destroy, job.Succeeded, "")
	if i = l.until(i.ID, is(instance.Destroyed)); i.EndReason != "it was idle for 40 minutes" || i.EndedBy != iap.System.ID {
		t.Errorf("it ended because %q, by %s", i.EndReason, i.EndedBy)
	}
}

// TestIdleWhileOpen: a WebSocket counts for as long as it is open.
func TestIdleWhileOpen(t *testing.T) {
	l := newLife(t)
	u := l.watched()
	i := l.running("idle")
	for range 5 {
		l.later(30 * time.Minute)
		u.set(instance.Activity{At: l.now(), Kind: instance.BySocket, Open: 1})
		l.look()
	}
	if end := l.end(i); end.At.Sub(l.now()) < 39*time.Minute {
		t.Errorf("it ends %s from now", end.At.Sub(l.now()))
	}
}

// TestIdleKept: keep until spares it, and then it has been idle long enough.
func TestIdleKept(t *testing.T) {
	l := newLife(t)
	l.watched()
	i := l.running("idle")
	until := l.now().Add(2 * time.Hour)
	if _, err := l.Keep(t.Context(), jane, i.ID, until, "demo"); err != nil {
		t.Fatal(err)
	}
	l.later(119 * time.Minute)
	l.look()
	if end := l.end(i); end.By != instance.EndByIdle || !end.At.Equal(until) {
		t.Fatalf("kept: %+v", end)
	}
	l.later(90 * time.Second)
	l.look()
	l.job(job.Destroy, job.Succeeded, "")
	l.until(i.ID, is(instance.Destroyed))
}

// TestIdleAfterRestart: the last use is stored, and an end that was due while the
// portal was down leaves time for a warning.
func TestIdleAfterRestart(t *testing.T) {
	l := newLife(t)
	u := l.watched()
	i := l.running("idle")
	l.later(time.Minute)
	used := l.now()
	u.set(instance.Activity{At: used, Kind: instance.BySocket})
	ender := &instance.Ender{Service: l.Service}
	if err := ender.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := ender.Stop(context.Background()); err != nil {
		t.Fatal(err)
	}
	u.set(instance.Activity{}) // another process
	if a := l.ActivityOf(i); !a.At.IsZero() {
		t.Fatal("the copy in hand should know nothing")
	}
	l.later(10 * time.Minute)
	if end := l.end(i); !end.At.Equal(used.Add(40 * time.Minute)) {
		t.Errorf("forgotten: %+v, want %s", end, used.Add(40*time.Minute))
	}
	l.later(5 * time.Hour)
	up := l.now()
	if err := ender.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = ender.Stop(context.Background()) })
	if end := l.end(i); end.By != instance.EndByIdle || end.At.Before(up.Add(6*time.Minute)) {
		t.Errorf("it ends %s after the start by %s", end.At.Sub(up), end.By)
	}
}
