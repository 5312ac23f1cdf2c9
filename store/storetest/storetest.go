// Package storetest is the conformance suite that every database of package
// store passes.
package storetest

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	iap "github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/store"
)

// Open returns an empty database that is closed at the end of the test.
type Open func(t *testing.T) *store.DB

// Run runs the suite.
func Run(t *testing.T, open Open) {
	for name, test := range map[string]func(*testing.T, Open){
		"Transactions": testTransactions,
		"Concurrency":  testConcurrency,
		"Events":       testEvents,
		"Catalog":      testCatalog,
		"Instances":    testInstances,
		"Bookings":     testBookings,
		"Jobs":         testJobs,
		"States":       testStates,
		"Executions":   testExecutions,
		"Commits":      testCommits,
		"MapRuns":      testMapRuns,
		"Redrives":     testRedrives,
		"Machines":     testMachines,
		"Activities":   testActivities,
		"Tasks":        testTasks,
		"Settings":     testSettings,
		"Leaks":        testLeaks,
	} {
		t.Run(name, func(t *testing.T) { test(t, open) })
	}
}

// epoch is a time with milliseconds, as the databases keep it.
var epoch = time.UnixMilli(1_700_000_000_123).UTC()

// later returns a time some milliseconds after epoch.
func later(ms int) time.Time { return epoch.Add(time.Duration(ms) * time.Millisecond) }

// errRefused is what a test's transaction fails with.
var errRefused = errors.New("refused")

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func wantKind(t *testing.T, err error, kind iap.Kind) {
	t.Helper()
	if !iap.IsKind(err, kind) {
		t.Fatalf("got error %v, want one of kind %q", err, kind)
	}
}

func same[T any](t *testing.T, what string, got, want T) {
	t.Helper()
	if d := cmp.Diff(want, got); d != "" {
		t.Fatalf("%s (-want +got):\n%s", what, d)
	}
}

// ids returns a property of each.
func ids[T, V any](vs []T, id func(T) V) []V {
	out := make([]V, 0, len(vs))
	for _, v := range vs {
		out = append(out, id(v))
	}
	return out
}

func testSettings(t *testing.T, open Open) {
	db, ctx := open(t), context.Background()
	_, err := db.Setting(ctx, "portal")
	wantKind(t, err, iap.NotFound)
	must(t, db.PutSetting(ctx, "portal", []byte("a\x00\xff")))
	must(t, db.PutSetting(ctx, "empty", nil))
	must(t, db.PutSetting(ctx, "other", []byte("1")))
	must(t, db.PutSetting(ctx, "other", []byte("2")))
	for name, want := range map[string]string{"portal": "a\x00\xff", "empty": "", "other": "2"} {
		got, err := db.Setting(ctx, name)
		must(t, err)
		same(t, name, string(got), want)
	}
}
