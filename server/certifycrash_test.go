package server_test

import (
	"context"
	"encoding/json"
	"path/filepath"
	"testing"

	"github.com/internal-app-portal/iap/client"
)

// TestKilledWhileCertifying kills the portal with SIGKILL at commits and side
// effects of a certification, from the upload to its end. Whatever the point: the
// next portal takes it to its end, which is told once; it was one instance with
// one job of each kind, and nothing is left.
func TestKilledWhileCertifying(t *testing.T) {
	needDocker(t)
	if testing.Short() {
		t.Skip("skipped: -short; it certifies once for each point")
	}
	for _, tried := range []certifiedOnce{
		{inspectorApp("probe"), "passed", 12},
		{inspectorApp("probe", `environment: {FAIL_AT_START: "no licence"}`), "failed", 6},
	} {
		t.Run(tried.want, func(t *testing.T) {
			dir := t.TempDir()
			c := child{Data: filepath.Join(dir, "data"), Listen: freeAddress(t), Trace: filepath.Join(dir, "trace")}
			p := startChild(t, c)
			before := c.points(t) // of its start, which are other tests'
			tried.begin(t.Context(), childClient(t, c))
			tried.finish(t, c)
			points := c.points(t)
			p.stop(t)
			t.Logf("%d points", len(points)-len(before))
			for n := range before {
				points[n] = ""
			}
			copy(points[len(before):], spread(t, points[len(before):], tried.points, "store.", "workflow."))
			eachPoint(t, points, 4, tried.killAt)
		})
	}
}

// certifiedOnce is a version that is certified, with the state that it must end
// in and at how many points that is tried.
type certifiedOnce struct {
	manifest, want string
	points         int
}

// begin adds the version, unless it is there: asked again after the portal has
// died it adds what was not added yet.
func (x certifiedOnce) begin(ctx context.Context, p *portal) {
	if _, err := p.App(ctx, "probe"); err != nil {
		_, _, _ = p.AddApp(ctx, client.Upload{Manifest: []byte(x.manifest)})
	}
}

func (x certifiedOnce) killAt(t *testing.T, n int) {
	dir := t.TempDir()
	c := child{Data: filepath.Join(dir, "data"), Listen: freeAddress(t), DieAt: n, Trace: filepath.Join(dir, "trace")}
	p := startChild(t, c)
	x.begin(t.Context(), childClient(t, c))
	ended := make(chan struct{})
	ctx, cancel := context.WithCancel(t.Context())
	go func() { defer close(ended); followCertification(ctx, childClient(t, c)) }()
	select {
	case <-p.done: // killed, as it should be
	case <-ended: // a point that this run did not reach: timing differs
	}
	cancel()
	<-ended
	p.kill()

	c.DieAt = 0
	p = startChild(t, c)
	x.begin(t.Context(), childClient(t, c))
	x.finish(t, c)
	p.stop(t)
}

// followCertification waits until the certification and its instance have ended,
// or the portal is gone.
func followCertification(ctx context.Context, p *portal) {
	_ = p.until(ctx, func() (bool, error) {
		versions, err := p.Versions(ctx, "probe")
		if err != nil || !versions[0].Certification.Done() {
			return false, err
		}
		i, err := p.Instance(ctx, versions[0].Certification.Instance)
		return err == nil && i.Ended(), err
	})
}

// finish has the portal take the certification to its end, and looks at what is
// there.
func (x certifiedOnce) finish(t *testing.T, c child) {
	p := childClient(t, c)
	v := p.certified("probe", 1)
	if v.Certification.State != x.want {
		t.Errorf("it has ended as %s", toJSON(v.Certification))
	}
	versions, err := p.Versions(t.Context(), "probe")
	if err != nil || len(versions) != 1 {
		t.Errorf("versions: %s, %v", toJSON(versions), err)
	}
	events, err := p.EventLog(t.Context(), client.EventFilter{Type: "iap.app.certification", Subject: "probe"})
	told := 0
	for _, e := range events.Items {
		var is struct{ State string }
		if err := json.Unmarshal(e.Data, &is); err != nil {
			t.Error(err)
		}
		if is.State == x.want {
			told++
		} else if is.State != "waiting" && is.State != "running" {
			t.Errorf("it was told as %s", e.Data)
		}
	}
	if err != nil || told != 1 {
		t.Errorf("that it has %s was told %d times, %v: %s", x.want, told, err, toJSON(events.Items))
	}
	list, err := p.Instances(t.Context(), client.InstanceFilter{All: true})
	if err != nil || len(list.Items) != 1 {
		t.Fatalf("instances: %s, %v", toJSON(list), err)
	}
	i := p.waitFor(t.Context(), list.Items[0].ID, client.Instance.Ended)
	if i.ID != v.Certification.Instance || i.Status == client.StatusDestroyFailed {
		t.Errorf("its instance ended as %s: %s", toJSON(i), toJSON(v.Certification))
	}
	if left := resources(t, i.ID); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
	jobs, err := p.JobsOf(t.Context(), i.ID)
	kinds := map[string]int{}
	for _, j := range jobs {
		kinds[j.Kind]++
		if !j.Ended() {
			t.Errorf("it has not ended: %s", toJSON(j))
		}
	}
	if err != nil || kinds["apply"] != 1 || kinds["destroy"] != 1 {
		t.Errorf("its jobs: %s, %v", toJSON(jobs), err)
	}
	noLocks(t, c)
}
