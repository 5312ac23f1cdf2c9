package server_test

import (
	"context"
	"maps"
	"net/http"
	"testing"
	"time"

	moby "github.com/moby/moby/client"

	"github.com/internal-app-portal/iap/client"
	"github.com/internal-app-portal/iap/instance"
)

// TestLeaks: what carries the label of an ended instance is found, told, and
// removed when its grace is over where the portal made it; nothing else is
// touched.
func TestLeaks(t *testing.T) {
	needDocker(t)
	cfg := testConfig(t)
	cfg.LeakGrace = time.Nanosecond
	p := startPortal(t, cfg)
	live, ended := p.deploy("todo", nil), p.deploy("inspector", nil)
	labels := labelsOf(t, ended.ID)
	if _, err := p.Destroy(t.Context(), ended.ID); err != nil {
		t.Fatal(err)
	}
	p.waitFor(t.Context(), ended.ID, client.Instance.Ended)

	volume := func(name string, change func(map[string]string)) string {
		m := maps.Clone(labels)
		change(m)
		return makeVolume(t, ended.HostName+"-"+name, m)
	}
	made := volume("made", func(map[string]string) {})
	unknown := volume("unknown", func(m map[string]string) { m[instance.LabelInstance] = "01arz3ndektsv4rrffq69g5fav" })
	other := volume("other", func(m map[string]string) { m[instance.LabelPortal] = ended.ID })
	bare := volume("bare", func(m map[string]string) { clear(m) })
	alive := volume("alive", func(m map[string]string) {
		m[instance.LabelInstance], m[instance.LabelHostName] = live.ID, live.HostName
	})

	p.lookForLeaks() // finds them; the grace of one is over a moment later
	found := p.leaks(false)
	if l := found[made]; !l.Made || l.App != "inspector" || l.Owner != ended.Owner || l.RemoveAt.IsZero() || l.Advice == "" {
		t.Errorf("what the portal made: %+v", l)
	}
	if l := found[unknown]; l.ID == "" || l.Made || !l.RemoveAt.IsZero() || l.Advice == "" {
		t.Errorf("what the portal does not know: %+v", l)
	}
	for _, name := range []string{other, bare, alive} {
		if l, ok := found[name]; ok {
			t.Errorf("%s is no leak: %+v", name, l)
		}
	}

	p.lookForLeaks()
	if l := p.leaks(true)[made]; l.GoneBy != "portal" || l.ID != found[made].ID {
		t.Errorf("after its grace: %+v", l)
	}
	for name, want := range map[string]bool{made: false, unknown: true, other: true, bare: true, alive: true} {
		if got := hasVolume(t, name); got != want {
			t.Errorf("%s is there: %v", name, got)
		}
	}

	l, err := p.RemoveLeak(t.Context(), found[unknown].ID)
	if err != nil || l.GoneBy != "local-admin" || hasVolume(t, unknown) {
		t.Errorf("removed by hand: %+v, %v", l, err)
	}
	_, err = p.RemoveLeak(t.Context(), found[unknown].ID)
	wantStatus(t, "it is gone", err, http.StatusConflict)
	_, err = p.RemoveLeak(t.Context(), "nothing")
	wantStatus(t, "there is none", err, http.StatusNotFound)
	if n := len(p.leaks(false)); n != 0 {
		t.Errorf("%d leaks are left", n)
	}
	told := map[string]int{}
	events, err := p.EventLog(t.Context(), client.EventFilter{Type: "iap.leak.*", Limit: 100})
	for _, e := range events.Items {
		told[e.Type]++
	}
	if err != nil || told["iap.leak.found"] != 2 || told["iap.leak.gone"] != 2 {
		t.Errorf("told: %v, %v", told, err)
	}
}

// lookForLeaks runs the check and waits for its end.
func (p *portal) lookForLeaks() {
	p.t.Helper()
	f, err := p.RunSchedule(p.t.Context(), "leaks")
	if err != nil {
		p.t.Fatal(err)
	}
	p.succeeded(f.Execution)
}

// leaks are the leaks by the names of what leaked.
func (p *portal) leaks(gone bool) map[string]client.Leak {
	p.t.Helper()
	l, err := p.Leaks(p.t.Context(), gone, "", 100)
	if err != nil {
		p.t.Fatal(err)
	}
	out := map[string]client.Leak{}
	for _, x := range l.Items {
		out[x.Name] = x
	}
	return out
}

func engine(t *testing.T) *moby.Client {
	t.Helper()
	c, err := moby.New(moby.FromEnv)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// labelsOf are the labels of an instance's container.
func labelsOf(t *testing.T, id string) map[string]string {
	t.Helper()
	f := make(moby.Filters).Add("label", instance.LabelInstance+"="+id)
	l, err := engine(t).ContainerList(t.Context(), moby.ContainerListOptions{Filters: f})
	if err != nil || len(l.Items) != 1 {
		t.Fatalf("%d containers, %v", len(l.Items), err)
	}
	return l.Items[0].Labels
}

// makeVolume makes a volume that is removed after the test.
func makeVolume(t *testing.T, name string, labels map[string]string) string {
	t.Helper()
	c := engine(t)
	if _, err := c.VolumeCreate(t.Context(), moby.VolumeCreateOptions{Name: name, Labels: labels}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _, _ = c.VolumeRemove(context.Background(), name, moby.VolumeRemoveOptions{Force: true}) })
	return name
}

func hasVolume(t *testing.T, name string) bool {
	t.Helper()
	l, err := engine(t).VolumeList(t.Context(), moby.VolumeListOptions{Filters: make(moby.Filters).Add("name", name)})
	if err != nil {
		t.Fatal(err)
	}
	return len(l.Items) > 0
}
