package workflow_test

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/internal-app-portal/iap/store"
	"github.com/internal-app-portal/iap/workflow"
)

// BenchmarkFsync is the reference: what the disk commits when each of some
// appended bytes are synced.
func BenchmarkFsync(b *testing.B) {
	f, err := os.Create(filepath.Join(b.TempDir(), "file"))
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	line := make([]byte, 200)
	for b.Loop() {
		if _, err := f.Write(line); err != nil {
			b.Fatal(err)
		}
		if err := f.Sync(); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "commits/s")
}

// warmUp is how many executions run before latency is measured: the first open
// the connections to the database and prepare its statements.
const warmUp = 20

// BenchmarkLatency measures, with one execution at a time, how long it takes
// from StartExecution to the first handler and from a handler's end to the
// handler of the next state.
func BenchmarkLatency(b *testing.B) {
	for _, database := range []string{"sqlite", "postgres"} {
		for _, what := range []string{"start", "next"} {
			b.Run(database+"/"+what, func(b *testing.B) { benchmarkLatency(b, databases[database](b), what == "start") })
		}
	}
}

func benchmarkLatency(b *testing.B, db *store.DB, start bool) {
	calls := make(chan time.Time, 2)
	var ended time.Time // of the handler of A; B begins after it
	e := newBench(b, db, map[string]workflow.Handler{"test:noop": {Run: func(_ context.Context, c workflow.Call) (json.RawMessage, error) {
		calls <- time.Now()
		if c.State == "A" {
			ended = time.Now()
		}
		return json.RawMessage("{}"), nil
	}}})
	id, err := e.PutStateMachine(b.Context(), "bench", []byte(`{"StartAt":"A","States":{
		"A":{"Type":"Task","Resource":"arn:iap:states:::test:noop","Next":"B"},
		"B":{"Type":"Task","Resource":"arn:iap:states:::test:noop","End":true}}}`), time.Now())
	if err != nil {
		b.Fatal(err)
	}
	for range warmUp {
		if err := e.runOne(b.Context(), id); err != nil {
			b.Fatal(err)
		}
		<-calls
		<-calls
	}
	var took []time.Duration
	for b.Loop() {
		begun := time.Now()
		if err := e.runOne(b.Context(), id); err != nil {
			b.Fatal(err)
		}
		first, second := <-calls, <-calls
		if start {
			took = append(took, first.Sub(begun))
		} else {
			took = append(took, second.Sub(ended))
		}
	}
	reportTimes(b, took)
}

// reportTimes reports how long something took each time.
func reportTimes(b *testing.B, took []time.Duration) {
	slices.Sort(took)
	at := func(q float64) float64 { return took[int(q*float64(len(took)-1))].Seconds() * 1000 }
	b.ReportMetric(at(0.5), "p50-ms")
	b.ReportMetric(at(0.99), "p99-ms")
	b.ReportMetric(at(1), "max-ms")
}
