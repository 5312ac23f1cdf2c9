package instance_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	iap "github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/instance"
	"github.com/internal-app-portal/iap/job"
)

// keeper keeps a network ready as a portal does, until the end of the test or stop.
type keeper struct {
	*instance.NetworkKeeper
	points chan string // the failpoints that it passes
}

func (l *life) keepNetwork() *keeper {
	l.t.Helper()
	k := &keeper{points: make(chan string, 100), NetworkKeeper: &instance.NetworkKeeper{Service: l.Service}}
	l.Failpoint = func(name string) { k.points <- name }
	if err := k.Start(l.t.Context()); err != nil {
		l.t.Fatal(err)
	}
	l.t.Cleanup(k.stop)
	return k
}

// another is a second process of the portal.
func (l *life) another() *life {
	return &life{Service: instance.NewService(l.Service.Config), t: l.t, db: l.db, engine: l.engine, jobs: l.jobs, docker: l.docker, health: l.health}
}

func (k *keeper) stop() { _ = k.Stop(context.Background()) }

// passes waits for a failpoint.
func (l *life) passes(k *keeper, point string) {
	l.t.Helper()
	for {
		select {
		case p := <-k.points:
			if p == point {
				return
			}
		case <-time.After(time.Minute):
			l.t.Fatalf("%s was not reached", point)
		}
	}
}

// networks are the names of all networks that there are.
func (l *life) networks() []string {
	var names []string
	for _, r := range l.resources("") {
		names = append(names, r.Name)
	}
	return names
}

// finish destroys an instance.
func (l *life) finish(i instance.Instance) instance.Instance {
	l.t.Helper()
	if _, err := l.Destroy(l.t.Context(), jane, i.ID); err != nil {
		l.t.Fatal(err)
	}
	l.done(l.begin(job.Destroy), job.Succeeded, "")
	return l.until(i.ID, is(instance.Destroyed))
}

// TestANetworkGoesFromInstanceToInstance: it is made ahead, serves one after the
// other, and is gone when the portal has stopped.
func TestANetworkGoesFromInstanceToInstance(t *testing.T) {
	l := newLife(t)
	k := l.keepNetwork()
	l.passes(k, "instance.spare.after")
	all := l.networks()
	if len(all) != 1 {
		t.Fatalf("there are %v", all)
	}
	for range 3 {
		i := l.deploy("todo")
		j := l.begin(job.Apply)
		if spec, err := l.Prepare(t.Context(), j); err != nil || spec.Variables["network"] != all[0] || i.Network != all[0] {
			t.Errorf("the bundle is told %v, %v; want %s", spec.Variables["network"], err, all[0])
		}
		l.done(j, job.Succeeded, upstream)
		l.until(i.ID, is(instance.Running))
		if i = l.finish(i); i.Network != "" || len(i.Receipt.Left)+len(i.Receipt.Removed) != 0 {
			t.Errorf("it ended as %+v", i)
		}
		l.passes(k, "instance.spare.reused")
		if got := l.networks(); !slices.Equal(got, all) {
			t.Errorf("there are %v, want %v", got, all)
		}
	}
	k.stop()
	if left := l.networks(); len(left) != 0 {
		t.Errorf("left: %v", left)
	}
	if i := l.deploy("todo"); i.Network != "" {
		t.Errorf("it was given %q", i.Network)
	}
}

// TestTwoInstancesHaveTwoNetworks: the second gets one of its own name, which goes
// with it; of two that come back one is kept.
func TestTwoInstancesHaveTwoNetworks(t *testing.T) {
	l := newLife(t)
	k := l.keepNetwork()
	l.passes(k, "instance.spare.after")
	spare := l.networks()[0]
	for n, app := range []string{"todo", "chat", "own"} {
		i := l.deploy(app)
		if want := []string{spare, "", ""}[n]; i.Network != want {
			t.Errorf("%s was given %q, want %q", app, i.Network, want)
		}
		l.done(l.begin(job.Apply), job.Succeeded, upstream)
		i = l.until(i.ID, is(instance.Running))
		if app == "chat" {
			if !slices.Contains(l.networks(), "iap-"+i.ID) {
				t.Errorf("there are %v, want that of %s", l.networks(), i.ID)
			}
			l.passes(k, "instance.spare.after") // a new spare one
			l.finish(i)
			if slices.Contains(l.networks(), "iap-"+i.ID) {
				t.Errorf("left: %v", l.networks())
			}
		}
	}
	first, err := l.db.LiveInstance(t.Context(), jane.ID, "todo")
	if err != nil {
		t.Fatal(err)
	}
	l.finish(first)
	l.passes(k, "instance.spare.remove.after")
	if left := l.networks(); len(left) != 1 || left[0] == spare {
		t.Errorf("left: %v", left)
	}
}

// TestANetworkWithAStrangerIsNotReused: what somebody put into it would be near to
// the next person's app.
func TestANetworkWithAStrangerIsNotReused(t *testing.T) {
	l := newLife(t)
	k := l.keepNetwork()
	l.passes(k, "instance.spare.after")
	i := l.deploy("todo")
	j := l.begin(job.Apply)
	l.docker.set(func(p *platform) { p.used = map[string]string{i.Network: ""} })
	l.done(j, job.Succeeded, upstream)
	l.finish(l.until(i.ID, is(instance.Running)))
	l.passes(k, "instance.spare.remove.after")
	if slices.Contains(l.networks(), i.Network) {
		t.Errorf("it is kept: %v", l.networks())
	}
}

// TestWhatAKilledPortalKeptIsFound: one network of those that nobody has is kept,
// the others go; that of an instance stays its own.
func TestWhatAKilledPortalKeptIsFound(t *testing.T) {
	l := newLife(t)
	k := l.keepNetwork()
	l.passes(k, "instance.spare.after")
	i := l.deploy("todo")
	labels := map[string]string{instance.LabelPortal: "portal", instance.LabelMadeBy: instance.MadeByPortal}
	for _, name := range []string{"iap-x", "iap-y"} {
		if err := l.docker.MakeNetwork(t.Context(), name, labels); err != nil {
			t.Fatal(err)
		}
	}
	// Another process finds the same; it is one that has nothing in its memory.
	again := l.another()
	k = again.keepNetwork()
	again.passes(k, "instance.spare.reused")
	again.passes(k, "instance.spare.remove.after")
	if got := again.networks(); len(got) != 2 || !slices.Contains(got, i.Network) {
		t.Errorf("there are %v; %s is that of an instance", got, i.Network)
	}
	next := again.deploy("chat")
	if next.Network != "iap-x" && next.Network != "iap-y" {
		t.Errorf("the next was given %q", next.Network)
	}
}

// TestASpareNetworkThatIsGone: somebody has tidied up; the instance gets it all the
// same.
func TestASpareNetworkThatIsGone(t *testing.T) {
	l := newLife(t)
	k := l.keepNetwork()
	l.passes(k, "instance.spare.after")
	l.docker.set(func(p *platform) { clear(p.left) })
	i := l.deploy("todo")
	l.begin(job.Apply)
	if got := l.networks(); !slices.Equal(got, []string{i.Network}) {
		t.Errorf("there are %v, want %s", got, i.Network)
	}
	if made := l.resources("")[0]; !instance.IsSpare(made) {
		t.Errorf("it is %+v", made)
	}
}

// TestTwoProcessesGiveANetworkOnce: the second, which found what the first one
// keeps, does without when that is an instance's.
func TestTwoProcessesGiveANetworkOnce(t *testing.T) {
	l := newLife(t)
	k := l.keepNetwork()
	l.passes(k, "instance.spare.after")
	other := l.another()
	other.passes(other.keepNetwork(), "instance.spare.reused")
	i := l.deploy("todo")
	if i.Network == "" {
		t.Fatal("it was given none")
	}
	if next := other.deploy("chat"); next.Network != "" {
		t.Errorf("two instances have %s", next.Network)
	}
}

// TestAProcessThatStopsLeavesTheNetworksOfOthers: what it kept may be an instance's
// by now.
func TestAProcessThatStopsLeavesTheNetworksOfOthers(t *testing.T) {
	l := newLife(t)
	k := l.keepNetwork()
	l.passes(k, "instance.spare.after")
	other := l.another()
	other.passes(other.keepNetwork(), "instance.spare.reused")
	i := other.deploy("todo")
	k.stop()
	if got := l.networks(); !slices.Equal(got, []string{i.Network}) {
		t.Errorf("there are %v; the instance has %q", got, i.Network)
	}
}

// TestANetworkThatWasMadeInVain: the answer of the platform was lost, the network is
// there.
func TestANetworkThatWasMadeInVain(t *testing.T) {
	l := newLife(t)
	l.docker.set(func(p *platform) { p.loses = errors.New("the answer is lost") })
	k := l.keepNetwork()
	l.passes(k, "instance.spare.after")
	l.docker.set(func(p *platform) { p.loses = nil })
	if got := l.networks(); len(got) != 1 {
		t.Fatalf("there are %v", got)
	}
	k.stop()
	if left := l.networks(); len(left) != 0 {
		t.Errorf("left: %v", left)
	}
}

// TestANetworkWithAStrangerIsNotUsed: what was put into it while nobody had it.
func TestANetworkWithAStrangerIsNotUsed(t *testing.T) {
	l := newLife(t)
	k := l.keepNetwork()
	l.passes(k, "instance.spare.after")
	l.docker.set(func(p *platform) { p.used = map[string]string{p.left[""][0].Name: ""} })
	i := l.deploy("todo")
	j := l.next(job.Apply)
	if err := l.BeforeState(t.Context(), j); !iap.IsKind(err, iap.Conflict) {
		t.Errorf("the tool goes on: %v", err)
	}
	l.done(j, job.Failed, "")
	l.done(l.begin(job.Destroy), job.Succeeded, "")
	if i = l.until(i.ID, is(instance.DeployFailed)); !strings.Contains(i.Reason, "somebody has put a container into the network") {
		t.Errorf("the reason is %q", i.Reason)
	}
	l.passes(k, "instance.spare.remove.after")
}

// TestANetworkThatComesBackFirst: a portal that has just started is given one before
// it has looked for what an earlier process kept.
func TestANetworkThatComesBackFirst(t *testing.T) {
	l := newLife(t)
	earlier := l.another()
	earlier.passes(earlier.keepNetwork(), "instance.spare.after")
	i := earlier.deploy("todo")
	l.done(l.begin(job.Apply), job.Succeeded, upstream)
	l.until(i.ID, is(instance.Running))
	labels := map[string]string{instance.LabelPortal: "portal", instance.LabelMadeBy: instance.MadeByPortal}
	if err := l.docker.MakeNetwork(t.Context(), "iap-x", labels); err != nil {
		t.Fatal(err)
	}
	k := l.keepNetwork()
	l.finish(i)
	l.passes(k, "instance.spare.remove.after")
	if next := l.deploy("chat"); !slices.Equal(l.networks(), []string{next.Network}) {
		t.Errorf("the next was given %q of %v", next.Network, l.networks())
	}
}

// TestANetworkWithItsOwnContainer: a portal that was killed comes back when the
// container is there; the tool asks for the state once more.
func TestANetworkWithItsOwnContainer(t *testing.T) {
	l := newLife(t)
	l.passes(l.keepNetwork(), "instance.spare.after")
	i := l.deploy("todo")
	j := l.begin(job.Apply)
	l.docker.set(func(p *platform) { p.used = map[string]string{i.Network: i.ID} })
	if err := l.another().BeforeState(t.Context(), j); err != nil {
		t.Error(err)
	}
}

// TestAStopWhileANetworkComesBack: it goes with the spare one, wherever its keeper was.
func TestAStopWhileANetworkComesBack(t *testing.T) {
	l := newLife(t)
	k := l.keepNetwork()
	l.passes(k, "instance.spare.after")
	i := l.deploy("todo")
	l.done(l.begin(job.Apply), job.Succeeded, upstream)
	l.until(i.ID, is(instance.Running))
	asked := make(chan struct{})
	l.docker.set(func(p *platform) { p.hangs = asked })
	l.finish(i)
	<-asked
	k.stop()
	if left := l.networks(); len(left) != 0 {
		t.Errorf("left: %v", left)
	}
}
