package server_test

import (
	"context"
	"path/filepath"
	"syscall"
	"testing"

	moby "github.com/moby/moby/client"

	"github.com/internal-app-portal/iap/client"
	"github.com/internal-app-portal/iap/instance"
)

// TestKilledAroundANetwork kills the portal with SIGKILL before and after each step
// in the life of its instances' networks. Whatever the point: the next portal
// finishes what was begun, and when it has stopped there is no network left.
func TestKilledAroundANetwork(t *testing.T) {
	needDocker(t)
	if testing.Short() {
		t.Skip("skipped: -short; it deploys three times for each point")
	}
	c := networkChild(t, 0)
	p := startChild(t, c)
	networkTrip(t.Context(), t, c, p)
	p.stop(t)
	points := c.points(t)
	t.Logf("%d points: %v", len(points), points)
	kinds := map[string]bool{}
	for n, name := range points { // each kind once
		if kinds[name] && !everyPoint {
			points[n] = ""
		}
		kinds[name] = true
	}
	if !kinds["instance.network.after"] || !kinds["instance.spare.remove.after"] {
		t.Error("points are missing")
	}
	eachPoint(t, points, 3, func(t *testing.T, n int) {
		c := networkChild(t, n)
		p := startChild(t, c)
		ctx, cancel := context.WithCancel(t.Context())
		tripped := make(chan struct{})
		go func() { defer close(tripped); networkTrip(ctx, t, c, p); _ = p.Process.Signal(syscall.SIGTERM) }()
		<-p.done // killed, as it should be; or stopped, when it did not reach the point
		cancel()
		<-tripped

		c.DieAt, c.Tell = 0, false
		p = startChild(t, c)
		finish(t, c)
		last := childClient(t, c).deploy("inspector", nil)
		portal := labelsOf(t, last.ID)[instance.LabelPortal]
		childClient(t, c).destroy(last.ID)
		p.stop(t)
		left, err := engine(t).NetworkList(t.Context(), moby.NetworkListOptions{
			Filters: make(moby.Filters).Add("label", instance.LabelPortal+"="+portal)})
		if err != nil || len(left.Items) != 0 {
			t.Errorf("networks that are left: %s, %v", toJSON(left.Items), err)
		}
	})
}

func networkChild(t *testing.T, dieAt int) child {
	dir := t.TempDir()
	return child{Data: filepath.Join(dir, "data"), Listen: freeAddress(t), DieAt: dieAt, Only: "instance.", Tell: true,
		Trace: filepath.Join(dir, "trace")}
}

// networkTrip gives the spare network to one instance, which gives it back; then
// again to one, while another makes its own. All come to an end, unless ctx ends or
// the portal is gone.
func networkTrip(ctx context.Context, t *testing.T, c child, proc *process) {
	p := childClient(t, c)
	proc.passes(t, "instance.spare.after")
	deploy := func(apps ...string) (all []client.Instance) {
		for _, app := range apps {
			if i, _, err := p.Deploy(ctx, client.DeployRequest{App: app}); err == nil {
				all = append(all, i)
			}
		}
		for _, i := range all {
			p.follow(ctx, i.ID, func(i client.Instance) bool { return i.Status == client.StatusRunning || i.Ended() })
		}
		return all
	}
	destroy := func(all []client.Instance) {
		for _, i := range all {
			if _, err := p.Destroy(ctx, i.ID); err == nil {
				p.follow(ctx, i.ID, client.Instance.Ended)
			}
		}
	}
	destroy(deploy("inspector"))
	proc.passes(t, "instance.spare.reused", "instance.spare.remove.after")
	all := deploy("inspector", "whiteboard")
	proc.passes(t, "instance.spare.after")
	destroy(all)
	proc.passes(t, "instance.spare.remove.after")
}
