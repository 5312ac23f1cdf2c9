package storetest

import (
	"context"
	"encoding/json"
	"testing"

	iap "github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/store"
	"github.com/internal-app-portal/iap/workflow"
)

func newActivityTask(id, activity string) workflow.ActivityTask {
	return workflow.ActivityTask{Execution: "x" + id, Frame: 1, Attempt: 2, ID: id, Activity: activity, Input: json.RawMessage(`{"n":1}`)}
}

func testActivities(t *testing.T, open Open) {
	t.Run("activities", func(t *testing.T) { activities(t, open(t)) })
	t.Run("tasks", func(t *testing.T) { activityTasks(t, open(t)) })
}

func activities(t *testing.T, db *store.DB) {
	ctx := context.Background()
	a := workflow.Activity{Name: "a", CreatedAt: epoch}
	must(t, db.InsertActivity(ctx, a))
	wantKind(t, db.InsertActivity(ctx, a), iap.Conflict)
	must(t, db.InsertActivity(ctx, workflow.Activity{Name: "b", CreatedAt: epoch}))
	got, err := db.Activity(ctx, "a")
	must(t, err)
	same(t, "activity", got, a)
	list, err := db.Activities(ctx, "a", 9)
	must(t, err)
	same(t, "behind a", ids(list, func(a workflow.Activity) string { return a.Name }), []string{"b"})
	must(t, db.PutActivityTask(ctx, newActivityTask("1", "a")))
	must(t, db.DeleteActivity(ctx, "a"))
	must(t, db.DeleteActivity(ctx, "a"))
	_, err = db.Activity(ctx, "a")
	wantKind(t, err, iap.NotFound)
	_, err = db.TakeActivityTask(ctx, "a")
	wantKind(t, err, iap.NotFound)
}

func activityTasks(t *testing.T, db *store.DB) {
	ctx := context.Background()
	for _, task := range []workflow.ActivityTask{newActivityTask("2", "a"), newActivityTask("1", "a"), newActivityTask("3", "a"), newActivityTask("0", "b")} {
		must(t, db.PutActivityTask(ctx, task))
		must(t, db.PutActivityTask(ctx, task)) // of a step that is made again
	}
	must(t, db.DeleteActivityTask(ctx, "x2", 1, 2))
	must(t, db.DeleteActivityTask(ctx, "x2", 1, 2))
	for _, id := range []string{"1", "3"} {
		has, err := db.HasActivityTask(ctx, "a")
		must(t, err)
		same(t, "has", has, true)
		got, err := db.TakeActivityTask(ctx, "a")
		must(t, err)
		same(t, "task", got, newActivityTask(id, "a"))
	}
	has, err := db.HasActivityTask(ctx, "a")
	must(t, err)
	same(t, "has", has, false)
	_, err = db.TakeActivityTask(ctx, "a")
	wantKind(t, err, iap.NotFound)
}
