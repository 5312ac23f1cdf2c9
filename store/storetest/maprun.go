package storetest

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	iap "github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/workflow"
)

func testMapRuns(t *testing.T, open Open) {
	t.Run("run", func(t *testing.T) {
		db := open(t)
		count, percentage := int64(3), 12.5
		first := workflow.MapRun{ID: "01A", Execution: "X", Machine: "batch", Label: "Items", Status: workflow.Running,
			ToleratedCount: &count, ToleratedPercentage: &percentage, Total: -1, StartedAt: epoch}
		second := workflow.MapRun{ID: "01B", Execution: "X", Machine: "batch", Label: "Items", Status: workflow.Running, StartedAt: epoch}
		for _, r := range []workflow.MapRun{first, second} {
			if err := db.InsertMapRun(t.Context(), r, []byte(`{"order":"`+r.ID+`"}`)); err != nil {
				t.Fatal(err)
			}
		}
		first.Items.Succeeded, first.StoppedAt, first.Status = 7, epoch, workflow.Succeeded
		if err := db.UpdateMapRun(t.Context(), first); err != nil {
			t.Fatal(err)
		}
		runs, err := db.MapRuns(t.Context(), "X", "", 10)
		if diff := cmp.Diff([]workflow.MapRun{second, first}, runs); diff != "" || err != nil {
			t.Errorf("%v %s", err, diff)
		}
		if runs, err = db.MapRuns(t.Context(), "X", "01B", 10); err != nil || len(runs) != 1 || runs[0].ID != "01A" {
			t.Errorf("%v %v", runs, err)
		}
		if order, err := db.MapOrder(t.Context(), "01A"); string(order) != `{"order":"01A"}` || err != nil {
			t.Errorf("%s %v", order, err)
		}
		if _, err := db.MapRun(t.Context(), "none"); !iap.IsKind(err, iap.NotFound) {
			t.Error(err)
		}
	})
	t.Run("children", func(t *testing.T) { testMapChildren(t, open(t)) })
}

// children that run as executions (even numbers) and those that have ended in
// memory (odd ones).
func mapChildren() []workflow.MapChild {
	var all []workflow.MapChild
	for n := range int64(1200) {
		c := workflow.MapChild{MapRun: "01A", Number: n, Items: 2, Status: workflow.Running, Execution: fmt.Sprintf("E%d", n), Input: []byte(`{"n":1}`)}
		if n%2 == 1 {
			c.Execution, c.Status, c.Counted, c.Output, c.StartedAt, c.EndedAt = "", workflow.Succeeded, true, []byte(`"done"`), epoch, epoch
		}
		all = append(all, c)
	}
	return all
}

func testMapChildren(t *testing.T, db workflow.MapRunStore) {
	ctx := t.Context()
	all := mapChildren()
	if err := db.InsertMapChildren(ctx, all); err != nil {
		t.Fatal(err)
	}
	page, err := db.MapChildren(ctx, "01A", 0, 2)
	want := []workflow.MapChild{all[1], all[2]}
	want[0].Counted = false // it is not read
	if diff := cmp.Diff(want, page); diff != "" || err != nil {
		t.Errorf("%v %s", err, diff)
	}
	if ids, err := db.RunningMapChildren(ctx, "01A", 1000); err != nil || len(ids) != 600 {
		t.Errorf("%d run, %v", len(ids), err)
	}
	if left, err := db.UnstartedMapChildren(ctx, "01A"); err != nil || len(left) != 600 || left[1].Execution != "E2" {
		t.Errorf("%d are not started, %v", len(left), err)
	}
	if numbers, err := db.MapChildNumbers(ctx, "01A", 1198); err != nil || len(numbers) != 2 || numbers[1].Number != 1199 ||
		numbers[1].Items != 2 || numbers[1].Status != workflow.Succeeded {
		t.Errorf("%v %v", numbers, err)
	}
	for id, s := range map[string]workflow.Status{"E0": workflow.Failed, "E2": workflow.Succeeded, "E4": workflow.Succeeded, "none": workflow.Failed} {
		if err := db.EndMapChild(ctx, id, s, s == workflow.Failed); err != nil {
			t.Fatal(err)
		}
	}
	if err := db.EndMapChild(ctx, "E0", workflow.Succeeded, false); err != nil {
		t.Fatal(err)
	}
	if more, err := db.UncountedMapChildren(ctx, "01A"); !more || err != nil {
		t.Error(more, err)
	}
	tallies, err := db.CountMapChildren(ctx, "01A")
	got := map[workflow.Status]workflow.MapTally{}
	for _, tally := range tallies {
		got[tally.Status] = tally
	}
	wantTallies := map[workflow.Status]workflow.MapTally{workflow.Failed: {Status: workflow.Failed, Children: 1, Items: 2, FinalChildren: 1, FinalItems: 2},
		workflow.Succeeded: {Status: workflow.Succeeded, Children: 2, Items: 4}}
	if diff := cmp.Diff(wantTallies, got); diff != "" || err != nil {
		t.Errorf("%v %s", err, diff)
	}
	if tallies, err = db.CountMapChildren(ctx, "01A"); len(tallies) > 0 || err != nil {
		t.Errorf("counted twice: %v %v", tallies, err)
	}
	testMapRedrive(t, db)
	if n, err := db.ClearMapChildren(ctx, "01A", 1000); n != 600 || err != nil {
		t.Errorf("%d were cleared, %v", n, err)
	}
}

// testMapRedrive redrives those of mapChildren that have not succeeded, of which
// one runs again and one has failed in memory.
func testMapRedrive(t *testing.T, db workflow.MapRunStore) {
	ctx := t.Context()
	failed := workflow.MapChild{MapRun: "01A", Number: 7, Items: 2, Status: workflow.Failed, Counted: true, Error: "E", Input: []byte("1")}
	if err := db.InsertMapChildren(ctx, []workflow.MapChild{failed}); err != nil {
		t.Fatal(err)
	}
	if err := db.MarkMapChildren(ctx, "01A"); err != nil {
		t.Fatal(err)
	}
	if more, err := db.UncountedMapChildren(ctx, "01A"); more || err != nil {
		t.Error(more, err)
	}
	taken, err := db.TakeRedrives(ctx, "01A", -1, 1)
	if err != nil || len(taken) != 1 || taken[0].Execution != "E0" || taken[0].Items != 2 || string(taken[0].Input) != `{"n":1}` {
		t.Errorf("%+v %v", taken, err)
	}
	left, err := db.MapChildNumbers(ctx, "01A", 0)
	if err != nil || left[0].Status != workflow.Running || left[7].Status != workflow.PendingRedrive {
		t.Errorf("%+v %v", left[:8], err)
	}
	failed.Status, failed.Error, failed.Output = workflow.Succeeded, "", []byte("2")
	if err := db.InsertMapChildren(ctx, []workflow.MapChild{failed}); err != nil {
		t.Fatal(err)
	}
	got, err := db.MapChildren(ctx, "01A", 6, 1)
	if err != nil || got[0].Status != workflow.Succeeded || string(got[0].Output) != "2" || got[0].Error != "" {
		t.Errorf("%+v %v", got, err)
	}
	if taken, err = db.TakeRedrives(ctx, "01A", 0, 10); err != nil || len(taken) > 0 {
		t.Errorf("%+v %v", taken, err)
	}
}
