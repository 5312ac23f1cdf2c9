package workflow_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/internal-app-portal/iap/bucket"
	"github.com/internal-app-portal/iap/store"
	"github.com/internal-app-portal/iap/workflow"
)

// benchItems is how many items a map run of the benchmark has: children that
// are executions of their own are fewer. IAP_BENCH_ITEMS sets another number.
func benchItems(mode string) int {
	n, err := strconv.Atoi(os.Getenv("IAP_BENCH_ITEMS"))
	switch {
	case err == nil:
		return n
	case testing.Short():
		return 5000
	case mode == "STANDARD":
		return 10_000
	}
	return 100_000
}

// BenchmarkMapRun goes through the items of a file of JSON Lines, a child for
// each, with results written to files. peak-MB is the most memory that the heap
// took, sampled.
func BenchmarkMapRun(b *testing.B) {
	echo := map[string]workflow.Handler{"test:one": {Run: func(_ context.Context, c workflow.Call) (json.RawMessage, error) { return c.Arguments, nil }}}
	for _, mode := range modes {
		items := benchItems(mode)
		for name, states := range map[string]string{"pass": passOne, "task": taskOne} {
			b.Run(strings.ToLower(mode)+"/"+name, func(b *testing.B) {
				for b.Loop() {
					b.StopTimer()
					folder, err := bucket.OpenFolder(b.TempDir())
					if err != nil {
						b.Fatal(err)
					}
					var text bytes.Buffer
					for i := range items {
						fmt.Fprintf(&text, "{\"id\":%d,\"name\":\"item %d\"}\n", i, i)
					}
					put(b, folder, "items.jsonl", text.String())
					m := newMapEngine(b, openFile(b), "one", folder, echo)
					definition := distributed(mode, `"ItemReader":{"Resource":"arn:aws:states:::s3:getObject","ReaderConfig":{"InputType":"JSONL"},
						"Parameters":{"Bucket":"data","Key":"items.jsonl"}},"ResultWriter":{"Resource":"arn:aws:states:::s3:putObject","Parameters":{"Bucket":"data","Prefix":"out"}},`, states)
					runtime.GC()
					done, peak := make(chan struct{}), make(chan uint64)
					go sample(done, peak)
					b.StartTimer()
					start := time.Now()
					m.begin(b, definition, "{}")
					x := m.wait(b)
					took := time.Since(start)
					close(done)
					if x.Status != workflow.Succeeded {
						b.Fatalf("%+v", x)
					}
					b.ReportMetric(float64(items)/took.Seconds(), "items/s")
					b.ReportMetric(float64(<-peak)/(1<<20), "peak-MB")
					m.stop()
				}
			})
		}
	}
}

// sample gives the largest heap that it saw.
func sample(done <-chan struct{}, peak chan<- uint64) {
	var most uint64
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		var s runtime.MemStats
		runtime.ReadMemStats(&s)
		most = max(most, s.HeapInuse)
		select {
		case <-done:
			peak <- most
			return
		case <-tick.C:
		}
	}
}

func openFile(b *testing.B) *store.DB {
	b.Helper()
	db, err := store.Open(b.Context(), filepath.Join(b.TempDir(), "test.db"), store.Options{})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = db.Close() })
	return db
}
