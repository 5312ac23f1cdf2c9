package storetest

import (
	"context"
	"testing"

	iap "github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/job"
)

func newLock(instance, id string) job.StateLock {
	return job.StateLock{Instance: instance, ID: id, Job: "j", Info: []byte(`{"ID":"` + id + `"}`), CreatedAt: epoch}
}

func testStates(t *testing.T, open Open) {
	t.Run("versions", func(t *testing.T) { stateVersions(t, open) })
	t.Run("locks", func(t *testing.T) { stateLocks(t, open) })
}

func stateVersions(t *testing.T, open Open) {
	db, ctx := open(t), context.Background()
	_, err := db.State(ctx, "i")
	wantKind(t, err, iap.NotFound)
	v := job.StateVersion{Instance: "i", Serial: 7, Lineage: "l", Data: []byte("\x00\xff"), CreatedAt: epoch, Job: "j"}
	for range 5 {
		must(t, db.InsertState(ctx, v, 3))
	}
	got, err := db.State(ctx, "i")
	must(t, err)
	v.Number = 5
	same(t, "newest", got, v)

	deleted := job.StateVersion{Instance: "i", Serial: -1, CreatedAt: later(1), Job: "j"}
	must(t, db.InsertState(ctx, deleted, 1))
	got, err = db.State(ctx, "i")
	must(t, err)
	deleted.Number = 6
	same(t, "deleted", got, deleted)
	_, err = db.State(ctx, "k")
	wantKind(t, err, iap.NotFound)
}

func stateLocks(t *testing.T, open Open) {
	db, ctx := open(t), context.Background()
	a, b := newLock("i", "1"), newLock("k", "2")
	_, err := db.Lock(ctx, "i")
	wantKind(t, err, iap.NotFound)
	must(t, db.InsertLock(ctx, b))
	must(t, db.InsertLock(ctx, a))
	wantKind(t, db.InsertLock(ctx, newLock("i", "3")), iap.Conflict)
	got, err := db.Lock(ctx, "i")
	must(t, err)
	same(t, "lock", got, a)
	all, err := db.Locks(ctx)
	must(t, err)
	same(t, "locks", all, []job.StateLock{a, b})
	wantKind(t, db.DeleteLock(ctx, "i", "2"), iap.NotFound)
	must(t, db.DeleteLock(ctx, "i", "1"))
	wantKind(t, db.DeleteLock(ctx, "i", "1"), iap.NotFound)
	must(t, db.InsertLock(ctx, newLock("i", "3")))
}
