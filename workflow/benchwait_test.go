package workflow_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/internal-app-portal/iap/event"
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
	slices.Sort(took)
	at := func(q float64) float64 { return took[int(q*float64(len(took)-1))].Seconds() * 1000 }
	b.ReportMetric(at(0.5), "p50-ms")
	b.ReportMetric(at(0.99), "p99-ms")
}

// waitingOnes is how many executions wait in BenchmarkWaiting.
const waitingOnes = 100_000

// waits waits for a token, for at most a year.
const waits = `{"StartAt":"Hold","States":{
 "Hold":{"Type":"Task","Resource":"arn:iap:states:::test:hold.waitForTaskToken","TimeoutSeconds":31536000,"End":true}}}`

// BenchmarkWaiting measures what many executions that wait for a token and a
// time cost a process: its memory when it has started, and how long it takes to
// start.
func BenchmarkWaiting(b *testing.B) {
	path := "sqlite:" + filepath.Join(b.TempDir(), "iap.db")
	fillWaiting(b, path)
	for b.Loop() {
		begun := time.Now()
		db := openURL(b, path)
		log := event.NewLog(db)
		if err := log.Start(b.Context()); err != nil {
			b.Fatal(err)
		}
		e := workflow.New(workflow.Config{Store: db, Tx: db, Log: log, Owner: "later", Now: time.Now,
			Handlers: map[string]workflow.Handler{"test:hold": {Commit: noop}}})
		if err := e.Start(b.Context()); err != nil {
			b.Fatal(err)
		}
		if _, err := db.Executions(b.Context(), workflow.Running, "", 50); err != nil {
			b.Fatal(err)
		}
		started := time.Since(begun)
		b.ReportMetric(float64(started.Microseconds())/1000, "start-ms")
		b.ReportMetric(resident(b), "MB")
		_ = e.Stop(context.Background())
		_ = log.Stop(context.Background())
	}
}

// resident is what the whole process has of the machine's memory, in MB.
func resident(b *testing.B) float64 {
	debug.FreeOSMemory()
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		b.Skip(err)
	}
	for line := range strings.Lines(string(status)) {
		var kB float64
		if n, _ := fmt.Sscanf(line, "VmRSS: %f kB", &kB); n == 1 {
			return kB / 1000
		}
	}
	b.Fatal("the system does not say how much memory is used")
	return 0
}

// fillWaiting starts the executions, many in a transaction.
func fillWaiting(b *testing.B, path string) {
	db := openURL(b, path)
	e := newBench(b, db, map[string]workflow.Handler{"test:hold": {Commit: noop}})
	id, err := e.PutStateMachine(b.Context(), "waits", []byte(waits), time.Now())
	if err != nil {
		b.Fatal(err)
	}
	const atOnce = 1000
	for n := 0; n < waitingOnes; n += atOnce {
		err := db.Update(b.Context(), func(ctx context.Context) error {
			for i := range atOnce {
				r := workflow.StartRequest{StateMachine: id, Name: fmt.Sprint(n + i), Input: json.RawMessage(`{"app":"todo"}`)}
				if _, err := e.StartExecution(ctx, r); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			b.Fatal(err)
		}
	}
}
