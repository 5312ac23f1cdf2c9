package instance_test

import (
	"context"
	"strings"
	"testing"

	iap "github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/instance"
	"github.com/internal-app-portal/iap/job"
)

// begin starts the next job, up to where its tool gets the state.
func (l *life) begin(kind job.Kind) job.Job {
	l.t.Helper()
	j := l.next(kind)
	if err := l.db.Update(l.t.Context(), func(ctx context.Context) error { return l.JobStarted(ctx, j) }); err != nil {
		l.t.Fatal(err)
	}
	if err := l.BeforeState(l.t.Context(), j); err != nil {
		l.t.Fatal(err)
	}
	return j
}

func (l *life) resources(id string) []instance.Resource {
	l.t.Helper()
	all, err := l.docker.Resources(l.t.Context(), "portal", id)
	if err != nil {
		l.t.Fatal(err)
	}
	return all
}

// TestANetworkIsMadeForTheBuiltInBundle: it is there before the tool does
// anything, and goes without counting as something that was left behind.
func TestANetworkIsMadeForTheBuiltInBundle(t *testing.T) {
	l := newLife(t)
	i := l.deploy("todo")
	j := l.begin(job.Apply)
	made := l.resources(i.ID)
	if len(made) != 1 || made[0].Kind != "network" || made[0].Name != "iap-"+i.ID || made[0].Labels[instance.LabelOwner] != jane.ID {
		t.Fatalf("made: %+v", made)
	}
	spec, err := l.Prepare(t.Context(), j)
	if err != nil || spec.Variables["network"] != "iap-"+i.ID {
		t.Errorf("the bundle is told %v, %v", spec.Variables["network"], err)
	}
	if err := l.BeforeState(t.Context(), j); err != nil || len(l.resources(i.ID)) != 1 {
		t.Errorf("asked for again: %v, %v", l.resources(i.ID), err)
	}
	l.done(j, job.Succeeded, upstream)
	l.until(i.ID, is(instance.Running))
	if _, err := l.Destroy(t.Context(), jane, i.ID); err != nil {
		t.Fatal(err)
	}
	l.done(l.begin(job.Destroy), job.Succeeded, "")
	i = l.until(i.ID, is(instance.Destroyed))
	if len(i.Receipt.Left)+len(i.Receipt.Removed)+len(l.resources(i.ID)) != 0 {
		t.Errorf("the receipt is %+v", i.Receipt)
	}
}

func TestABundleOfItsOwnMakesItsNetwork(t *testing.T) {
	l := newLife(t)
	i := l.deploy("own")
	j := l.begin(job.Apply)
	if made := l.resources(i.ID); len(made) != 0 {
		t.Errorf("made: %+v", made)
	}
	if spec, err := l.Prepare(t.Context(), j); err != nil || spec.Variables["network"] != nil {
		t.Errorf("the bundle is told %v, %v", spec.Variables["network"], err)
	}
}

// TestABundleThatWantsThePortalsNetwork gets it as the built-in one does.
func TestABundleThatWantsThePortalsNetwork(t *testing.T) {
	l := newLife(t)
	i := l.deploy("own-portal")
	j := l.begin(job.Apply)
	if made := l.resources(i.ID); len(made) != 1 || made[0].Name != "iap-"+i.ID {
		t.Errorf("made: %+v", made)
	}
	if spec, err := l.Prepare(t.Context(), j); err != nil || spec.Variables["network"] != "iap-"+i.ID || spec.BuiltIn {
		t.Errorf("the bundle is told %v, %v", spec.Variables["network"], err)
	}
}

// TestANetworkWaitsForThePlatform: the tool is told to ask again, and the
// instance says what it waits for.
func TestANetworkWaitsForThePlatform(t *testing.T) {
	l := newLife(t)
	l.docker.set(func(p *platform) { p.refuses = iap.Errorf("x", iap.Unavailable, "nobody answers") })
	i := l.deploy("todo")
	j := l.next(job.Apply)
	for range 2 {
		if err := l.BeforeState(t.Context(), j); !iap.IsKind(err, iap.Unavailable) {
			t.Fatalf("without the platform: %v", err)
		}
		l.until(i.ID, func(i instance.Instance) bool { return i.Waiting == "Docker" })
	}
	l.docker.set(func(p *platform) { p.refuses = nil })
	if err := l.BeforeState(t.Context(), j); err != nil || len(l.resources(i.ID)) != 1 {
		t.Errorf("with it: %v, %v", l.resources(i.ID), err)
	}
	l.until(i.ID, func(i instance.Instance) bool { return i.Waiting == "" })
}

// TestANetworkThatCannotBeMade: the tool does nothing, and people read why.
func TestANetworkThatCannotBeMade(t *testing.T) {
	l := newLife(t)
	l.docker.set(func(p *platform) { p.refuses = iap.Errorf("x", iap.Conflict, "all subnets are taken") })
	i := l.deploy("todo")
	j := l.next(job.Apply)
	if err := l.BeforeState(t.Context(), j); !iap.IsKind(err, iap.Conflict) {
		t.Errorf("the tool goes on: %v", err)
	}
	l.done(j, job.Failed, "")
	l.done(l.begin(job.Destroy), job.Succeeded, "")
	i = l.until(i.ID, is(instance.DeployFailed))
	if want := "Docker has no network for the instance: all subnets are taken"; !strings.HasPrefix(i.Reason, want) {
		t.Errorf("the reason is %q, want %q", i.Reason, want)
	}
}
