package workflow_test

import (
	"context"
	"encoding/json"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	iap "github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/store"
	"github.com/internal-app-portal/iap/store/pgtest"
	"github.com/internal-app-portal/iap/workflow"
)

// crashItems is how many items each distributed Map has that is disturbed.
const crashItems = 250

// mapItem is the input of the children of distributed Maps that are disturbed.
type mapItem struct {
	Parent string
	N      int
}

// startMaps starts a distributed Map with children of each type.
func startMaps(ctx context.Context, e *workflow.Engine, batch string) error {
	for _, mode := range modes {
		definition := distributed(mode, `"MaxConcurrency":30,"ToleratedFailureCount":0,"ItemSelector":{"Parent.$":"$$.Execution.Name","N.$":"$$.Map.Item.Value"},`,
			`{"Zero":{"Type":"Pass","Next":"One"},"One":{"Type":"Task","Resource":"arn:iap:states:::test:item","End":true}}`)
		definition = strings.Replace(definition, `"StartAt":"One"`, `"StartAt":"Zero"`, 1)
		id, err := e.PutStateMachine(ctx, "maps", []byte(definition), time.Now())
		if err != nil || batch == "" {
			return err
		}
		_, err = e.StartExecution(ctx, workflow.StartRequest{StateMachine: id, Input: json.RawMessage(numbers(crashItems)), Name: batch + "-" + mode})
		if err != nil && !iap.IsKind(err, iap.Conflict) {
			return err
		}
	}
	return nil
}

// TestMapRunKilled kills processes at random while they do map runs, and then
// finds that each item was worked at and counted once, in its place.
func TestMapRunKilled(t *testing.T) {
	t.Run("sqlite", func(t *testing.T) {
		killMaps(t, "sqlite:"+filepath.Join(t.TempDir(), "iap.db"), 1)
	})
	t.Run("postgres", func(t *testing.T) { killMaps(t, pgtest.URL(t), 2) })
}

func killMaps(t *testing.T, url string, atOnce int) {
	effects := filepath.Join(t.TempDir(), "effects")
	n := kills()
	killWorkers(t, url, effects, n, atOnce, crashMaps+"=1")
	db := openURL(t, url)
	e, log := newWorker(t, db, effects)
	sub := log.Subscribe(0)
	if err := startMaps(t.Context(), e, "undisturbed"); err != nil {
		t.Fatal(err)
	}
	awaitAll(t, db, sub)
	all, err := db.Executions(t.Context(), "", "", 100_000)
	if err != nil || len(all) < 4 {
		t.Fatalf("%d executions, %v", len(all), err)
	}
	worked := effectKeys(t, effects)
	repeated := 0
	for _, x := range all {
		repeated += checkMapRun(t, e, db, x, worked[x.Name])
	}
	t.Logf("%d kills, %d map runs, %d items worked at again", n, len(all), repeated)
}

// checkMapRun checks an execution whose only state is a distributed Map, and
// returns how many items were worked at more than once.
func checkMapRun(t *testing.T, e *workflow.Engine, db *store.DB, x workflow.Execution, worked []string) (repeated int) {
	t.Helper()
	if x.Status != workflow.Succeeded || string(x.Output) != numbers(crashItems) {
		t.Errorf("%s: %s %s: %s", x.Name, x.Status, x.Cause, x.Output)
	}
	slices.Sort(worked)
	if distinct := len(slices.Compact(slices.Clone(worked))); distinct != crashItems {
		t.Errorf("%s: %d items were worked at", x.Name, distinct)
	}
	wholeEvents(t, db, x)
	runs, err := e.MapRuns(t.Context(), x.ID, "", 10)
	if err != nil || len(runs) != 1 {
		t.Fatalf("%s: %d map runs, %v", x.Name, len(runs), err)
	}
	r := runs[0]
	for what, c := range map[string]struct{ succeeded, total int64 }{"items": {r.Items.Succeeded, r.Items.Total()}, "children": {r.Children.Succeeded, r.Children.Total()}} {
		if c.succeeded != crashItems || c.total != crashItems || r.Total != crashItems {
			t.Errorf("%s: %s are counted as %+v of %d", x.Name, what, c, r.Total)
		}
	}
	if !r.Express {
		checkChildren(t, e, db, r)
	}
	return len(worked) - crashItems
}

func checkChildren(t *testing.T, e *workflow.Engine, db *store.DB, r workflow.MapRun) {
	t.Helper()
	const want = "ExecutionStarted PassStateEntered PassStateExited TaskStateEntered TaskScheduled TaskStarted TaskSucceeded TaskStateExited ExecutionSucceeded"
	children, err := db.MapChildren(t.Context(), r.ID, -1, 2*crashItems)
	if err != nil || len(children) != crashItems {
		t.Fatalf("%d children, %v", len(children), err)
	}
	for _, c := range children {
		x, err := db.Execution(t.Context(), c.Execution)
		if err != nil {
			t.Fatal(err)
		}
		if got := wholeEvents(t, db, x); got != want || x.Status != workflow.Succeeded || c.Status != workflow.Succeeded {
			t.Errorf("child %d: %s, %s: %s", c.Number, c.Status, x.Status, got)
		}
	}
}

// wholeEvents checks that the numbers of a history have no gap, and gives the
// types.
func wholeEvents(t *testing.T, db *store.DB, x workflow.Execution) string {
	t.Helper()
	events, err := db.History(t.Context(), x.ID, 0, 10_000)
	if err != nil {
		t.Fatal(err)
	}
	var types []string
	for i, h := range events {
		types = append(types, h.Type)
		if h.Number != int64(i+1) || h.Previous >= h.Number {
			t.Errorf("%s: event %d is number %d after %d", x.Name, i+1, h.Number, h.Previous)
		}
	}
	return strings.Join(types, " ")
}
