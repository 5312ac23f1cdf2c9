package instance_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/internal-app-portal/iap/event"
	"github.com/internal-app-portal/iap/instance"
	"github.com/internal-app-portal/iap/job"
)

const upstream = "http://127.0.0.1:32768"

func TestALife(t *testing.T) {
	l := newLife(t)
	i := l.deploy("todo")
	l.job(job.Apply, job.Succeeded, upstream)
	i = l.until(i.ID, is(instance.Running))
	if i.Upstream != upstream || i.ReadyAt.IsZero() {
		t.Errorf("got %+v", i)
	}
	if _, err := l.Destroy(t.Context(), jane, i.HostName); err != nil {
		t.Fatal(err)
	}
	l.job(job.Destroy, job.Succeeded, "")
	i = l.until(i.ID, is(instance.Destroyed))
	if i.Receipt == nil || len(i.Receipt.Left) != 0 || i.EndedBy != jane.ID || i.Upstream != "" {
		t.Errorf("got %+v", i)
	}
	p, err := l.Progress(t.Context(), i)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range p.Steps {
		if s.State != instance.StepDone {
			t.Errorf("step %s is %s", s.Name, s.State)
		}
	}
}

func TestItsTimeIsUp(t *testing.T) {
	l := newLife(t)
	i := l.deploy("todo")
	l.job(job.Apply, job.Succeeded, upstream)
	l.until(i.ID, is(instance.Running))
	l.later(9 * time.Hour)
	l.job(job.Destroy, job.Succeeded, "")
	if i = l.until(i.ID, is(instance.Destroyed)); i.EndedBy != "portal" {
		t.Errorf("ended by %q", i.EndedBy)
	}
}

func TestAnAddressLeadsToOneInstance(t *testing.T) {
	l := newLife(t)
	first, second := l.deploy("todo"), l.deploy("board")
	for range 2 {
		l.job(job.Apply, job.Succeeded, upstream)
	}
	l.until(first.ID, is(instance.Running))
	b := l.until(second.ID, is(instance.Running))
	a, err := l.db.Instance(t.Context(), first.ID)
	if err != nil {
		t.Fatal(err)
	}
	if (a.Upstream == "") == (b.Upstream == "") {
		t.Errorf("both are at %q and %q", a.Upstream, b.Upstream)
	}
}

func TestALifeThatBrokeOffIsEnded(t *testing.T) {
	l := newLife(t)
	i := l.deploy("todo")
	l.job(job.Apply, job.Succeeded, upstream)
	i = l.until(i.ID, is(instance.Running))
	if err := l.engine.StopExecution(t.Context(), i.Execution, "Test.Fault", "a fault"); err != nil {
		t.Fatal(err)
	}
	l.job(job.Destroy, job.Succeeded, "")
	if got := l.until(i.ID, is(instance.Destroyed)); got.Execution == i.Execution {
		t.Error("it has its old execution")
	}
	l.deploy("todo") // its owner is free to go on
}

func TestASecretIsNeverSeen(t *testing.T) {
	l := newLife(t)
	l.docker.set(func(p *platform) {
		p.box = instance.Container{Exists: true, ExitCode: 1, LastLines: []string{"password is hunter2-secret"}}
	})
	ill := errors.New("it said hunter2-secret")
	l.health.err.Store(&ill)
	i := l.deploy("todo")
	if strings.Contains(fmt.Sprint(i.Parameters), "hunter2") {
		t.Errorf("stored as %v", i.Parameters)
	}
	l.job(job.Apply, job.Succeeded, upstream)
	l.job(job.Destroy, job.Succeeded, "")
	i = l.until(i.ID, is(instance.DeployFailed))
	if strings.Contains(i.Reason, "hunter2") || !strings.Contains(i.Reason, "password is «redacted»") {
		t.Errorf("the reason is %q", i.Reason)
	}
	history, err := l.db.History(t.Context(), i.Execution, 0, 1000)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range history {
		if strings.Contains(string(e.Details), "hunter2") {
			t.Errorf("in the history: %s", e.Details)
		}
	}
}

func TestWhatResistsIsALeakAndIsTriedAgain(t *testing.T) {
	l := newLife(t)
	i := l.deploy("todo")
	l.job(job.Apply, job.Succeeded, upstream)
	l.until(i.ID, is(instance.Running))
	l.docker.set(func(p *platform) {
		p.resists, p.left[i.ID] = true, []instance.Resource{{Kind: "network", ID: "n", Name: "net"}}
	})
	if _, err := l.Destroy(t.Context(), jane, i.ID); err != nil {
		t.Fatal(err)
	}
	l.job(job.Destroy, job.Failed, "")
	i = l.until(i.ID, is(instance.DestroyFailed))
	if len(i.Receipt.Left) != 1 {
		t.Errorf("the receipt is %+v", i.Receipt)
	}
	events, err := l.Events(t.Context(), jane, i.ID)
	if err != nil {
		t.Fatal(err)
	}
	leaks := 0
	for _, e := range events {
		if e.Type == event.LeakFound {
			leaks++
		}
	}
	if leaks != 1 {
		t.Errorf("%d leaks were told", leaks)
	}

	other := l.deploy("todo") // what is left does not keep its owner from going on
	<-l.jobs.queue
	l.docker.set(func(p *platform) { p.resists = false })
	if _, err := l.Destroy(t.Context(), jane, i.ID); err != nil {
		t.Fatal(err)
	}
	l.job(job.Destroy, job.Succeeded, "")
	l.until(i.ID, is(instance.Destroyed))
	if got, err := l.db.Instance(t.Context(), other.ID); err != nil || got.Status.Ended() {
		t.Errorf("the other one is %s, %v", got.Status, err)
	}
}

// TestGrowingPauses: what resists is tried again for a day with growing pauses,
// then once a day.
func TestGrowingPauses(t *testing.T) {
	l := newLife(t)
	i := l.running("todo")
	l.docker.set(func(p *platform) {
		p.resists, p.left[i.ID] = true, []instance.Resource{{Kind: "network", ID: "n", Name: "net"}}
	})
	if _, err := l.Destroy(t.Context(), jane, i.ID); err != nil {
		t.Fatal(err)
	}
	var pauses []time.Duration
	for tries := 1; len(pauses) == 0 || pauses[len(pauses)-1] < 24*time.Hour; tries++ {
		l.job(job.Destroy, job.Failed, "")
		l.until(i.ID, func(i instance.Instance) bool { return i.Receipt != nil && i.Receipt.Tries == tries })
		pauses = append(pauses, l.pause(i.Execution))
		l.later(pauses[tries-1])
	}
	want := []time.Duration{1 * time.Minute, 2 * time.Minute, 4 * time.Minute, 8 * time.Minute, 16 * time.Minute, 32 * time.Minute, 64 * time.Minute}
	for range 11 { // 22 hours: with the first two a day
		want = append(want, 2*time.Hour)
	}
	if d := cmp.Diff(append(want, 24*time.Hour), pauses); d != "" {
		t.Error(d)
	}
}

// pause waits until an execution waits to be told to go on, and returns for how
// long it does.
func (l *life) pause(execution string) time.Duration {
	l.t.Helper()
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); {
		h, err := l.db.HistoryBefore(l.t.Context(), execution, 0, 3)
		if err != nil {
			l.t.Fatal(err)
		}
		for _, e := range h {
			var d struct {
				Scheduled struct {
					Seconds int64 `json:"timeoutInSeconds"`
				} `json:"taskScheduledEventDetails"`
			}
			if err := json.Unmarshal(e.Details, &d); err != nil {
				l.t.Fatal(err)
			}
			if h[0].Type == "TaskSubmitted" && d.Scheduled.Seconds > 0 {
				return time.Duration(d.Scheduled.Seconds) * time.Second
			}
		}
	}
	l.t.Fatal("the execution does not wait")
	return 0
}

func TestItWaitsForThePlatformToVerify(t *testing.T) {
	l := newLife(t)
	i := l.deploy("todo")
	l.job(job.Apply, job.Succeeded, upstream)
	l.until(i.ID, is(instance.Running))
	l.docker.set(func(p *platform) { p.down = true })
	if _, err := l.Destroy(t.Context(), jane, i.ID); err != nil {
		t.Fatal(err)
	}
	l.job(job.Destroy, job.Succeeded, "")
	l.until(i.ID, func(i instance.Instance) bool { return i.Waiting == "Docker" })
	l.docker.set(func(p *platform) { p.down = false })
	l.later(time.Hour)
	if i = l.until(i.ID, is(instance.Destroyed)); i.Waiting != "" {
		t.Errorf("it waits for %q", i.Waiting)
	}
}
