package job_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/event"
	"github.com/internal-app-portal/iap/job"
	"github.com/internal-app-portal/iap/store"
)

// fakeRunner is a Runner whose jobs end when the test says so. It outlives
// Services, as processes do.
type fakeRunner struct {
	mu        sync.Mutex
	jobs      map[string]*fakeJob
	starts    map[string]int
	cancelled chan string
	started   chan string
}

type fakeJob struct {
	spec  job.Spec
	ended chan struct{}
	steps chan []job.Step
	res   job.Result
}

func newFakeRunner() *fakeRunner {
	return &fakeRunner{jobs: map[string]*fakeJob{}, starts: map[string]int{},
		cancelled: make(chan string, 100), started: make(chan string, 100)}
}

func (r *fakeRunner) Start(_ context.Context, spec job.Spec) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.jobs[spec.ID] == nil {
		r.jobs[spec.ID] = &fakeJob{spec: spec, ended: make(chan struct{}), steps: make(chan []job.Step)}
		r.starts[spec.ID]++
		r.started <- spec.ID
	}
	return nil
}

func (r *fakeRunner) job(id string) *fakeJob {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.jobs[id]
}

func (r *fakeRunner) Wait(ctx context.Context, id string, progress func([]job.Step)) (job.Result, error) {
	j := r.job(id)
	if j == nil {
		return job.Result{}, iap.Errorf("fake", iap.NotFound, "no job %s", id)
	}
	for {
		select {
		case <-ctx.Done():
			return job.Result{}, context.Cause(ctx)
		case s := <-j.steps:
			progress(s)
		case <-j.ended:
			return j.res, nil
		}
	}
}

func (r *fakeRunner) Cancel(_ context.Context, id string) error {
	r.cancelled <- id
	return nil
}

func (r *fakeRunner) Log(_ context.Context, id string, offset int64, _ bool) (io.ReadCloser, error) {
	if r.job(id) == nil {
		return nil, iap.Errorf("fake", iap.NotFound, "no log")
	}
	return io.NopCloser(bytes.NewReader([]byte("the log of " + id)[offset:])), nil
}

func (r *fakeRunner) Remove(context.Context, string) error { return nil }

// end ends a job with a result.
func (r *fakeRunner) end(id string, res job.Result) {
	j := r.job(id)
	j.res = res
	close(j.ended)
}

// rig is a Service on a real database.
type rig struct {
	t      *testing.T
	db     *store.DB
	log    *event.Log
	runner *fakeRunner
	cfg    job.Config
	s      *job.Service

	mu    sync.Mutex
	ended map[string]int // how often OnEnd was committed for a job
}

func newRig(t *testing.T, change func(*job.Config)) *rig {
	t.Helper()
	db, err := store.Open(t.Context(), "sqlite:"+filepath.Join(t.TempDir(), "iap.db"), store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	g := &rig{t: t, db: db, log: event.NewLog(db), runner: newFakeRunner(), ended: map[string]int{}}
	if err := g.log.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = g.log.Stop(context.Background()) })
	g.cfg = job.Config{Store: db, Tx: db, Runner: g.runner, Events: g.log, Parallel: 2,
		Prepare: func(context.Context, job.Job) (job.Spec, error) { return job.Spec{Bundle: "b"}, nil },
		OnEnd: func(ctx context.Context, j job.Job) error {
			iap.AfterCommit(ctx, func() { g.mu.Lock(); g.ended[j.ID]++; g.mu.Unlock() })
			return nil
		}}
	if change != nil {
		change(&g.cfg)
	}
	g.start()
	return g
}

// start starts a new Service, as a new process would.
func (g *rig) start() {
	g.t.Helper()
	g.s = job.New(g.cfg)
	if err := g.s.Start(g.t.Context()); err != nil {
		g.t.Fatal(err)
	}
	s := g.s
	g.t.Cleanup(func() { _ = s.Stop(context.Background()) })
}

func (g *rig) enqueue(kind job.Kind) string {
	g.t.Helper()
	j, err := g.s.Enqueue(g.t.Context(), job.Job{Instance: "i", App: "todo", Owner: "jane", Kind: kind})
	if err != nil {
		g.t.Fatal(err)
	}
	return j.ID
}

// until waits for the job to be as the test wants it.
func (g *rig) until(id, what string, is func(job.Job) bool) job.Job {
	g.t.Helper()
	ctx, cancel := context.WithTimeout(g.t.Context(), 2*time.Minute)
	defer cancel()
	sub := g.log.Subscribe(g.log.Last())
	for {
		j, err := g.db.Job(ctx, id)
		if err != nil {
			g.t.Fatal(err)
		}
		if is(j) {
			return j
		}
		if _, err := sub.Next(ctx); err != nil {
			g.t.Fatalf("job %s is never %s: %+v", id, what, j)
		}
	}
}

func (g *rig) untilStatus(id string, status job.Status) job.Job {
	g.t.Helper()
	return g.until(id, string(status), func(j job.Job) bool { return j.Status == status })
}

func (g *rig) next(c chan string, what string) string {
	g.t.Helper()
	select {
	case id := <-c:
		return id
	case <-time.After(2 * time.Minute):
		g.t.Fatalf("nothing was %s", what)
		return ""
	}
}

func applied(upstream string) job.Result {
	raw, _ := json.Marshal(upstream)
	return job.Result{Status: job.Succeeded, Outputs: map[string]json.RawMessage{"upstream": raw}}
}

const good = "http://127.0.0.1:8080"

func TestQueueIsInOrderAndLimited(t *testing.T) {
	g := newRig(t, nil)
	var ids []string
	err := g.db.Update(t.Context(), func(ctx context.Context) error {
		for i := range 5 {
			j, err := g.s.Enqueue(ctx, job.Job{ID: fmt.Sprintf("job-%d", i), Instance: "i", Owner: "jane", Kind: job.Apply})
			if err != nil {
				return err
			}
			if j.Position != i+1 {
				t.Errorf("job %d is told position %d", i, j.Position)
			}
			ids = append(ids, j.ID)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	running := map[string]bool{g.next(g.runner.started, "started"): true, g.next(g.runner.started, "started"): true}
	if !running[ids[0]] || !running[ids[1]] {
		t.Errorf("running are %v", running)
	}
	for i, id := range ids[2:] {
		if n, err := g.s.QueuePosition(t.Context(), id); err != nil || n != i+1 {
			t.Errorf("job %s is at %d, %v", id, n, err)
		}
	}
	for i, id := range ids {
		g.runner.end(id, applied(good))
		if j := g.untilStatus(id, job.Succeeded); j.Upstream != good || j.EndedAt.IsZero() || j.StartedAt.IsZero() {
			t.Errorf("the job ended as %+v", j)
		}
		if i+2 < len(ids) {
			if next := g.next(g.runner.started, "started"); next != ids[i+2] {
				t.Errorf("after job %d started %s", i, next)
			}
		}
	}
	// Followers of the log saw the last one move up.
	events, err := g.db.EventsAfter(t.Context(), 0, 1000)
	if err != nil {
		t.Fatal(err)
	}
	var seen []int
	for _, e := range events {
		var s job.Snapshot
		if err := json.Unmarshal(e.Data, &s); err != nil || e.Type != event.JobChanged || e.Owner != "jane" || e.Group != "i" {
			t.Fatalf("event %+v: %v", e, err)
		}
		if s.ID == ids[4] && s.Status == job.Queued && (len(seen) == 0 || seen[len(seen)-1] != s.Position) {
			seen = append(seen, s.Position)
		}
	}
	if fmt.Sprint(seen) != "[5 4 3 2 1]" {
		t.Errorf("the last job was told at %v", seen)
	}
}

// A long queue is told of by its first places alone, whoever leaves it; the
// position is right for all who ask.
func TestEventsOfALongQueueAreFew(t *testing.T) {
	g := newRig(t, func(c *job.Config) { c.Parallel = 1 })
	const n = 60
	var ids []string
	for i := range n {
		j, err := g.s.Enqueue(t.Context(), job.Job{ID: fmt.Sprintf("job-%02d", i), Instance: "i", Owner: "jane", Kind: job.Apply})
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, j.ID)
	}
	for i := range n {
		if id := g.next(g.runner.started, "started"); id != ids[i] {
			t.Fatalf("job %d was not started in its turn", i)
		}
		if i == 5 {
			if err := g.s.Cancel(t.Context(), "jane", ids[n-1]); err != nil {
				t.Fatal(err)
			}
			if at, err := g.s.QueuePosition(t.Context(), ids[n-2]); err != nil || at != n-2-5 {
				t.Errorf("the last but one is at %d, %v", at, err)
			}
		}
		g.runner.end(ids[i], applied(good))
		g.untilStatus(ids[i], job.Succeeded)
		if i == n-2 {
			break
		}
	}
	events, err := g.db.EventsAfter(t.Context(), 0, 10_000)
	if err != nil {
		t.Fatal(err)
	}
	var seen []int
	for _, e := range events {
		var s job.Snapshot
		if err := json.Unmarshal(e.Data, &s); err != nil {
			t.Fatal(err)
		}
		if s.ID == ids[40] && s.Status == job.Queued {
			seen = append(seen, s.Position)
		}
	}
	if len(seen) == 0 || fmt.Sprint(seen[1:]) != "[10 9 8 7 6 5 4 3 2 1]" {
		t.Errorf("job 40 was told at %v", seen)
	}
	if most := n * (3 + 10); len(events) > most {
		t.Errorf("%d events of %d jobs, above %d", len(events), n, most)
	}
}

func TestNothingStartsThatWasNotCommitted(t *testing.T) {
	g := newRig(t, nil)
	boom := errors.New("boom")
	if err := g.db.Update(t.Context(), func(ctx context.Context) error {
		if _, err := g.s.Enqueue(ctx, job.Job{ID: "lost", Instance: "i", Kind: job.Apply}); err != nil {
			return err
		}
		return boom
	}); !errors.Is(err, boom) {
		t.Fatal(err)
	}
	id := g.enqueue(job.Destroy)
	if first := g.next(g.runner.started, "started"); first != id {
		t.Errorf("%s was started", first)
	}
	if _, err := g.s.Enqueue(t.Context(), job.Job{Kind: "explode"}); !iap.IsKind(err, iap.Invalid) {
		t.Errorf("an unknown kind: %v", err)
	}
}

func TestSteps(t *testing.T) {
	g := newRig(t, nil)
	id := g.enqueue(job.Apply)
	g.next(g.runner.started, "started")
	began := time.Now().UTC().Truncate(time.Millisecond)
	g.runner.job(id).steps <- []job.Step{{Name: "init", StartedAt: began}}
	g.until(id, "at its first step", func(j job.Job) bool { return len(j.Steps) == 1 && j.Steps[0].StartedAt.Equal(began) })
	g.runner.end(id, job.Result{Status: job.Failed, Error: job.ErrInitFailed, Reason: "no", Steps: []job.Step{{Name: "init", StartedAt: began, EndedAt: began, Error: "no"}}})
	j := g.untilStatus(id, job.Failed)
	if j.Error != job.ErrInitFailed || j.Reason != "no" || j.Steps[0].Error != "no" {
		t.Errorf("the job ended as %+v", j)
	}
	if jobs, err := g.s.Of(t.Context(), "i"); err != nil || len(jobs) != 1 {
		t.Errorf("the instance has %v, %v", jobs, err)
	}
	if jobs, err := g.s.List(t.Context(), job.Filter{}); err != nil || len(jobs) != 1 {
		t.Errorf("the list has %v, %v", jobs, err)
	}
}

func TestOutputsThatAreNoAddress(t *testing.T) {
	for name, c := range map[string]struct {
		res  job.Result
		says string
	}{
		"none":      {job.Result{Status: job.Succeeded}, `no output "upstream"`},
		"null":      {job.Result{Status: job.Succeeded, Outputs: map[string]json.RawMessage{"upstream": json.RawMessage("null")}}, `no output "upstream"`},
		"number":    {job.Result{Status: job.Succeeded, Outputs: map[string]json.RawMessage{"upstream": json.RawMessage("7")}}, "must be a string"},
		"file":      {applied("file:///etc/passwd"), "http address"},
		"words":     {applied("not an address"), "http address"},
		"long":      {applied("http://" + string(bytes.Repeat([]byte("a"), 5000))), "above the limit"},
		"sensitive": {job.Result{Status: job.Succeeded, Omitted: map[string]string{"upstream": "is sensitive"}}, "is sensitive"},
		"foreign":   {applied("http://169.254.169.254"), "not this instance's"},
	} {
		t.Run(name, func(t *testing.T) {
			g := newRig(t, func(c *job.Config) {
				c.CheckOutputs = func(_ context.Context, j job.Job) error {
					return iap.Errorf("check", iap.Invalid, "%s is not this instance's", j.Upstream)
				}
			})
			id := g.enqueue(job.Apply)
			g.next(g.runner.started, "started")
			g.runner.end(id, c.res)
			j := g.untilStatus(id, job.Failed)
			if j.Error != job.ErrOutputs || !bytes.Contains([]byte(j.Reason), []byte(c.says)) || j.Upstream != "" || len(j.Reason) > 500 {
				t.Errorf("the job ended as %+v", j)
			}
		})
	}
}
