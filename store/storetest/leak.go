package storetest

import (
	"context"
	"testing"

	iap "github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/instance"
	"github.com/internal-app-portal/iap/leak"
)

func testLeaks(t *testing.T, open Open) {
	db, ctx := open(t), context.Background()
	one := func(id, resource string) leak.Leak {
		return leak.Leak{ID: id, Resource: instance.Resource{Platform: "docker", Kind: "volume", ID: resource, Name: resource,
			Labels: map[string]string{"a": "b"}, CreatedAt: later(1)},
			Instance: "i", HostName: "h", App: "todo", Owner: "jane", Made: true, Since: later(2), FoundAt: later(3), SeenAt: later(4), RemoveAt: later(5)}
	}
	_, err := db.Leak(ctx, "1")
	wantKind(t, err, iap.NotFound)
	a, b := one("1", "v1"), one("2", "v2")
	must(t, db.PutLeak(ctx, a))
	must(t, db.PutLeak(ctx, b))
	got, err := db.Leak(ctx, "1")
	must(t, err)
	same(t, "a leak", got, a)
	if err := db.PutLeak(ctx, one("3", "v1")); err == nil {
		t.Error("one resource has leaked twice at the same time")
	}

	a.GoneAt, a.GoneBy, a.Tries, a.Problem = later(9), "portal", 2, "in use"
	must(t, db.PutLeak(ctx, a))
	c := one("3", "v1") // once more
	must(t, db.PutLeak(ctx, c))
	for want, f := range map[string]leak.Filter{"32": {Limit: 10}, "321": {Gone: true, Limit: 10}, "21": {Gone: true, Before: "3", Limit: 10},
		"3": {Gone: true, Limit: 1}} {
		all, err := db.Leaks(ctx, f)
		must(t, err)
		text := ""
		for _, l := range all {
			text += l.ID
		}
		same(t, "leaks", text, want)
	}
	must(t, db.Update(ctx, db.LockLeaks))
}
