package web_test

import (
	"context"
	"net/url"
	"testing"
	"time"

	iap "github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/instance"
	"github.com/internal-app-portal/iap/leak"
)

const leakID = "01arz3ndektsv4rrffq69g5fav"

// leaks are three, one of each sort.
type leaks struct{ now func() time.Time }

func (s *leaks) List(_ context.Context, _ iap.Actor, f leak.Filter) ([]leak.Leak, error) {
	found := s.now().Add(-20 * time.Minute)
	one := func(kind, name string) leak.Leak {
		return leak.Leak{ID: leakID, Resource: instance.Resource{Platform: "docker", Kind: kind, ID: name, Name: name},
			Instance: leakID, HostName: name, App: "todo", Owner: "jane@example.com", Since: found, FoundAt: found}
	}
	made, resists, unknown, gone := one("network", "brave-otter-lamp-todo"), one("container", "calm-badger-stone-orders"),
		one("volume", "data-of-<b>"), one("volume", "old-fox-tree-todo")
	made.Made, made.RemoveAt, made.Tries, made.Problem = true, found.Add(time.Hour), 1, "it is in use"
	resists.Made, resists.Retried = true, true
	gone.Made, gone.GoneAt, gone.GoneBy = true, found, "portal"
	out := []leak.Leak{made, resists, unknown}
	if f.Gone {
		out = append(out, gone)
	}
	return out, nil
}

func (s *leaks) Get(ctx context.Context, a iap.Actor, id string) (leak.Leak, error) {
	all, err := s.List(ctx, a, leak.Filter{})
	if id != leakID {
		return leak.Leak{}, iap.Errorf("leak.Get", iap.NotFound, "there is no leak %q", id)
	}
	return all[2], err
}

func (s *leaks) Remove(ctx context.Context, a iap.Actor, id string) (leak.Leak, error) {
	return s.Get(ctx, a, id)
}

func TestLeakPages(t *testing.T) {
	p := start(t)
	_, body := p.do("GET", "/leaks", "", nil)
	contains(t, body, "brave-otter-lamp-todo", "it is in use", "Is destroyed again", "data-of-&lt;b&gt;", "Reported only", "Will be removed", "Look now", "Remove now")
	_, body = p.do("GET", "/leaks?show=all", "", nil)
	contains(t, body, "old-fox-tree-todo", "removed by the portal")
	_, body = p.do("GET", "/leaks/"+leakID+"/remove", "", nil)
	contains(t, body, "Remove data-of-&lt;b&gt;?", "does not know this instance", "Leave it")
	for path, want := range map[string]int{"/leaks/" + leakID + "/remove": 303, "/leaks/nothing/remove": 404, "/leaks/check": 303} {
		if res, _ := p.do("POST", path, "", url.Values{}); res.StatusCode != want {
			t.Errorf("POST %s: %s", path, res.Status)
		}
	}
	if res, _ := p.do("GET", "/leaks", "jane@example.com", nil); res.StatusCode != 403 {
		t.Errorf("a member sees leaks: %s", res.Status)
	}
}
