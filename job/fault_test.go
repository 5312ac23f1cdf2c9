package job_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/job"
	"github.com/internal-app-portal/iap/lifetime"
	"github.com/internal-app-portal/iap/lifetime/lifetimetest"
)

func TestCancel(t *testing.T) {
	g := newRig(t, func(c *job.Config) { c.Parallel = 1 })
	first, second := g.enqueue(job.Apply), g.enqueue(job.Apply)
	g.next(g.runner.started, "started")
	if err := g.s.Cancel(t.Context(), "jane", second); err != nil {
		t.Fatal(err)
	}
	if j := g.untilStatus(second, job.Cancelled); j.CancelledBy != "jane" || j.Error != job.ErrCancelled {
		t.Errorf("the queued job ended as %+v", j)
	}
	for range 2 { // asking twice is harmless
		if err := g.s.Cancel(t.Context(), "jane", first); err != nil {
			t.Fatal(err)
		}
	}
	if id := g.next(g.runner.cancelled, "cancelled"); id != first {
		t.Errorf("the runner was told of %s", id)
	}
	g.runner.end(first, job.Result{Status: job.Cancelled, Error: job.ErrCancelled})
	if j := g.untilStatus(first, job.Cancelled); j.CancelledBy != "jane" {
		t.Errorf("the running job ended as %+v", j)
	}
	if err := g.s.Cancel(t.Context(), "jane", first); !iap.IsKind(err, iap.Conflict) {
		t.Errorf("cancelling an ended job: %v", err)
	}
	if err := g.s.Cancel(t.Context(), "jane", "nobody"); !iap.IsKind(err, iap.NotFound) {
		t.Errorf("cancelling an unknown job: %v", err)
	}
}

func TestCancelIsPassedOnAfterARestart(t *testing.T) {
	g := newRig(t, nil)
	id := g.enqueue(job.Apply)
	g.next(g.runner.started, "started")
	if err := g.s.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := g.s.Cancel(t.Context(), "jane", id); err != nil { // nobody is there to pass it on
		t.Fatal(err)
	}
	g.start()
	if got := g.next(g.runner.cancelled, "cancelled"); got != id {
		t.Errorf("the runner was told of %s", got)
	}
}

func TestWaitsForThePlatform(t *testing.T) {
	var down atomic.Bool
	down.Store(true)
	g := newRig(t, func(c *job.Config) {
		c.Parallel = 1
		c.Prepare = func(_ context.Context, j job.Job) (job.Spec, error) {
			if down.Load() && j.Kind == job.Apply {
				return job.Spec{}, job.WaitFor("Docker", errors.New("no answer"))
			}
			return job.Spec{}, nil
		}
	})
	id := g.enqueue(job.Apply)
	if j := g.until(id, "waiting", func(j job.Job) bool { return j.Waiting != "" }); j.Waiting != "Docker" || j.Status != job.Queued {
		t.Errorf("the job is %+v", j)
	}
	other := g.enqueue(job.Destroy) // is not held up by it
	if got := g.next(g.runner.started, "started"); got != other {
		t.Errorf("%s was started", got)
	}
	g.runner.end(other, job.Result{Status: job.Succeeded})
	g.untilStatus(other, job.Succeeded)
	down.Store(false)
	if j := g.untilStatus(id, job.Running); j.Waiting != "" {
		t.Errorf("the job is %+v", j)
	}
}

func TestJobThatCannotBePrepared(t *testing.T) {
	g := newRig(t, func(c *job.Config) {
		c.Prepare = func(_ context.Context, j job.Job) (job.Spec, error) {
			if j.Kind == job.Apply {
				return job.Spec{}, iap.FieldErrorf("prepare", "bundle", "it was deleted")
			}
			return job.Spec{}, errors.New("table job_x is locked")
		}
	})
	if j := g.untilStatus(g.enqueue(job.Apply), job.Failed); j.Reason != "bundle: it was deleted" || j.Error != job.ErrApplyFailed {
		t.Errorf("the job ended as %+v", j)
	}
	if j := g.untilStatus(g.enqueue(job.Destroy), job.Failed); j.Reason != "an internal error of the portal; its log has the details" {
		t.Errorf("something internal shows: %+v", j)
	}
}

func TestEndIsStoredWhenTheDatabaseIsBack(t *testing.T) {
	var tries atomic.Int32
	g := newRig(t, func(c *job.Config) {
		onEnd := c.OnEnd
		c.OnEnd = func(ctx context.Context, j job.Job) error {
			if n := tries.Add(1); n < 4 {
				return iap.E("store", []iap.Kind{iap.Full, iap.Unavailable, iap.Internal}[n-1], errors.New("no"))
			}
			return onEnd(ctx, j)
		}
	})
	id := g.enqueue(job.Apply)
	g.next(g.runner.started, "started")
	g.runner.end(id, applied(good))
	g.untilStatus(id, job.Succeeded)
	if n := tries.Load(); n != 4 {
		t.Errorf("it took %d tries", n)
	}
}

func TestLogOfAQueuedJobWaitsForItsTurn(t *testing.T) {
	g := newRig(t, func(c *job.Config) { c.Parallel = 1 })
	first, second := g.enqueue(job.Apply), g.enqueue(job.Apply)
	g.next(g.runner.started, "started")
	rc, err := g.s.Log(t.Context(), second, 4, true)
	if err != nil {
		t.Fatal(err)
	}
	defer rc.Close()
	got := make(chan string, 1)
	go func() { b, _ := io.ReadAll(rc); got <- string(b) }()
	empty, err := g.s.Log(t.Context(), second, 0, false)
	if err != nil {
		t.Fatal(err)
	}
	if b, err := io.ReadAll(empty); err != nil || len(b) != 0 {
		t.Errorf("without following the log is %q, %v", b, err)
	}
	closed, err := g.s.Log(t.Context(), second, 0, true)
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { _, err := io.ReadAll(closed); ended <- err }()
	closed.Close()
	if err := <-ended; err == nil {
		t.Error("Close did not end a Read")
	}
	g.runner.end(first, applied(good))
	if text := <-got; text != "log of "+second {
		t.Errorf("the log is %q", text)
	}
	if _, err := g.s.Log(t.Context(), "nobody", 0, true); !iap.IsKind(err, iap.NotFound) {
		t.Errorf("the log of an unknown job: %v", err)
	}
	if _, err := g.s.Log(t.Context(), first, -1, false); !iap.IsKind(err, iap.Invalid) {
		t.Errorf("a negative offset: %v", err)
	}
}

// places are all at which a process may die.
var places = []string{"job.prepare", "job.running", "job.start", "job.step", "job.end", "job.cancel"}

// TestDeathAtEachPlace ends the goroutine at a place, as the death of the
// process would, and starts a new Service: the job ends once, and ran once.
func TestDeathAtEachPlace(t *testing.T) {
	for _, place := range places {
		for _, when := range []string{".before", ".after"} {
			t.Run(place+when, func(t *testing.T) {
				var once sync.Once
				dead := make(chan struct{})
				g := newRig(t, func(c *job.Config) {
					c.Failpoint = func(name string) {
						died := false
						if name == place+when {
							once.Do(func() { died = true; close(dead) })
						}
						if died {
							runtime.Goexit()
						}
					}
				})
				id := g.enqueue(job.Apply)
				// The runner's side goes on by itself, whoever looks.
				var other sync.WaitGroup
				other.Go(func() {
					<-g.runner.started
					j := g.runner.job(id)
					if place == "job.cancel" {
						_ = g.s.Cancel(context.Background(), "jane", id)
						<-dead
					}
					if place == "job.step" {
						j.steps <- []job.Step{{Name: "apply"}}
					}
					g.runner.end(id, applied(good))
				})
				<-dead
				if err := g.s.Stop(t.Context()); err != nil {
					t.Fatal(err)
				}
				g.start()
				g.until(id, "ended", func(j job.Job) bool { return j.Status.Ended() })
				other.Wait()
				if err := g.s.Stop(t.Context()); err != nil {
					t.Fatal(err)
				}
				g.mu.Lock()
				defer g.mu.Unlock()
				if g.ended[id] != 1 || g.runner.starts[id] != 1 {
					t.Errorf("it ended %d times and was started %d times", g.ended[id], g.runner.starts[id])
				}
			})
		}
	}
}

// TestStartAndStopManyTimes leaves no job behind and nothing running.
func TestStartAndStopManyTimes(t *testing.T) {
	g := newRig(t, nil)
	for i := range 20 {
		id := g.enqueue(job.Destroy)
		if i%2 == 0 {
			g.next(g.runner.started, "started")
		}
		if err := g.s.Stop(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := g.s.Stop(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := g.s.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := g.s.Start(t.Context()); !iap.IsKind(err, iap.Conflict) {
			t.Errorf("a second Start: %v", err)
		}
		if i%2 == 1 {
			g.next(g.runner.started, "started")
		}
		g.runner.end(id, job.Result{Status: job.Succeeded})
		g.untilStatus(id, job.Succeeded)
	}
	if n := fmt.Sprint(len(g.ended)); n != "20" {
		t.Errorf("%s jobs ended", n)
	}
}

func TestStress(t *testing.T) {
	g := newRig(t, nil)
	if err := g.s.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	lifetimetest.Stress(t, 20, func() lifetime.Service { return job.New(g.cfg) })
}
