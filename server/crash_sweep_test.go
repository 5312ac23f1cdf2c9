package server_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/internal-app-portal/iap/client"
)

// TestKilledWhileSweeping kills the portal with SIGKILL at commits and calls
// from the start of a sweep to its report; those of a job are
// TestKilledAtEveryPoint's. Whatever the point: the next
// portal goes on with the same sweep, its report is whole and told once, what
// is kept runs, and of the others nothing is left.
func TestKilledWhileSweeping(t *testing.T) {
	needDocker(t)
	if testing.Short() {
		t.Skip("skipped: -short; it sweeps once for each point")
	}
	points := recordSweep(t)
	t.Logf("%d points", len(points))
	eachPoint(t, spread(t, points, 8, "store.", "workflow."), 3, func(t *testing.T, n int) {
		c := sweptChild(t, n)
		p := startChild(t, c)
		ids := deployTwo(t, c)
		arm(t, c)
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- runSweep(ctx, childClient(t, c)) }()
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
		if err := runSweep(t.Context(), childClient(t, c)); err != nil {
			t.Fatal(err)
		}
		sweptWhole(t, childClient(t, c), ids)
		p.stop(t)
	})
}

func sweptChild(t *testing.T, dieAt int) child {
	dir := t.TempDir()
	return child{Data: filepath.Join(dir, "data"), Listen: freeAddress(t), DieAt: dieAt, Armed: filepath.Join(dir, "armed"),
		Trace: filepath.Join(dir, "trace")}
}

// arm has failpoints count from now on.
func arm(t *testing.T, c child) {
	t.Helper()
	if err := os.WriteFile(c.Armed, nil, 0o600); err != nil {
		t.Fatal(err)
	}
}

// recordSweep returns the points that are passed when nobody dies.
func recordSweep(t *testing.T) []string {
	c := sweptChild(t, 0)
	p := startChild(t, c)
	ids := deployTwo(t, c)
	arm(t, c)
	if err := runSweep(t.Context(), childClient(t, c)); err != nil {
		t.Fatal(err)
	}
	points := c.points(t)
	sweptWhole(t, childClient(t, c), ids)
	p.stop(t)
	return points
}

// swept are two instances, of which the sweep destroys one.
type swept struct{ gone, kept string }

func deployTwo(t *testing.T, c child) (ids swept) {
	p := childClient(t, c)
	ids.gone, ids.kept = p.deploy("inspector", nil).ID, p.deploy("whiteboard", nil).ID
	if _, err := p.Keep(t.Context(), ids.kept, client.Keep{Until: time.Now().Add(2 * time.Hour).Format(time.RFC3339), Reason: "demo"}); err != nil {
		t.Fatal(err)
	}
	return ids
}

// runSweep runs the nightly sweep, if it was not yet, and waits for its end.
func runSweep(ctx context.Context, p *portal) error {
	firings, err := p.Firings(ctx, "nightly", 10)
	if err != nil {
		return err
	}
	if len(firings) == 0 {
		f, err := p.RunSchedule(ctx, "nightly")
		if err != nil {
			return err
		}
		firings = []client.Firing{f}
	}
	_, err = p.ended(ctx, firings[0].Execution)
	return err
}

// sweptWhole checks the report and what is there.
func sweptWhole(t *testing.T, p *portal, ids swept) {
	t.Helper()
	firings, err := p.Firings(t.Context(), "nightly", 10)
	if err != nil || len(firings) != 1 {
		t.Fatalf("the sweep was started %d times, %v", len(firings), err)
	}
	x, err := p.Execution(t.Context(), firings[0].Execution)
	if err != nil || x.Status != "SUCCEEDED" {
		t.Errorf("the sweep is %s: %s %s, %v", x.Status, x.Error, x.Cause, err)
	}
	r, err := p.Sweep(t.Context(), x.ID)
	if err != nil || r.Destroyed != 1 || r.Kept != 1 || r.Failed != 0 || len(r.Results) != 2 || r.FinishedAt.IsZero() {
		t.Errorf("the report: %s, %v", toJSON(r), err)
	}
	told, err := p.EventLog(t.Context(), client.EventFilter{Type: "iap.sweep.finished"})
	if err != nil || len(told.Items) != 1 {
		t.Errorf("%d events tell of the end, %v", len(told.Items), err)
	}
	gone, err := p.Instance(t.Context(), ids.gone)
	if left := resources(t, ids.gone); err != nil || gone.Status != client.StatusDestroyed || len(left) > 0 {
		t.Errorf("it is %s, left: %v, %v", gone.Status, left, err)
	}
	kept, err := p.Instance(t.Context(), ids.kept)
	if err != nil || kept.Status != client.StatusRunning || containers(t, ids.kept) != 1 {
		t.Errorf("what is kept is %s, %v", kept.Status, err)
	}
	if kept = p.destroy(ids.kept); kept.Status != client.StatusDestroyed {
		t.Errorf("then it is %s", kept.Status)
	}
}

// TestDockerGoneDuringTheSweep: it waits, goes on, and says so.
func TestDockerGoneDuringTheSweep(t *testing.T) {
	needDocker(t)
	if !strings.HasPrefix(enginePath(), "unix://") {
		t.Skip("skipped: the engine is not at a Unix socket")
	}
	docker := newSwitchboard(t)
	cfg := testConfig(t)
	cfg.DockerHost = "unix://" + docker.path
	p := startPortal(t, cfg)
	a, b := p.deploy("inspector", nil), p.deploy("whiteboard", nil)
	docker.cut()
	f, err := p.RunSchedule(t.Context(), "nightly")
	if err != nil {
		t.Fatal(err)
	}
	waits := func(i client.Instance) bool { return i.Waiting == "Docker" }
	p.waitFor(t.Context(), a.ID, waits)
	p.waitFor(t.Context(), b.ID, waits)
	docker.connect(t)
	for _, id := range []string{a.ID, b.ID} {
		if i := p.waitFor(t.Context(), id, client.Instance.Ended); i.Status != client.StatusDestroyed || len(resources(t, id)) > 0 {
			t.Errorf("%s is %s, left: %v", i.HostName, i.Status, resources(t, id))
		}
	}
	p.succeeded(f.Execution)
	r, err := p.Sweep(t.Context(), f.Execution)
	if err != nil || r.Destroyed != 2 || r.Failed != 0 || r.WaitedFor != "Docker" || r.WaitedSeconds <= 0 {
		t.Errorf("the report: %s, %v", toJSON(r), err)
	}
}
