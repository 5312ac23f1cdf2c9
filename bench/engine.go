package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
)

// engineFigure is one metric of the engine's Go benchmarks, and its bound.
type engineFigure struct {
	benchmark, metric, name, unit string
	least, most                   float64 // 0: for information
}

// addAll adds figures from what benchmarks have printed.
func (p *Part) addAll(figures []engineFigure, printed []byte) error {
	got := parseBenchmarks(printed)
	for _, want := range figures {
		f, err := want.figure(got)
		if err != nil {
			return err
		}
		p.Figures = append(p.Figures, f)
	}
	return nil
}

// engineFigures are what is shown, in order. Those of the references stand with
// them: they were taken in the same run.
var engineFigures = [...]engineFigure{
	{"Fsync", "commits/s", "The disk: appends of 200 bytes, each synced", "1/s", 0, 0},
	{"Transitions/sqlite/mixed/run/executions=1", "transitions/s", "Transitions, SQLite, 1 execution", "1/s", 0, 0},
	{"Transitions/sqlite/mixed/run/executions=8", "transitions/s", "Transitions, SQLite, 8 at once", "1/s", 0, 0},
	{"Transitions/sqlite/mixed/run/executions=64", "transitions/s", "Transitions, SQLite, 64 at once", "1/s", 10_000, 0},
	{"Transitions/sqlite/tasks/run/executions=64", "transitions/s", "Tasks alone, SQLite, 64 at once", "1/s", 0, 0},
	{"Transitions/postgres/mixed/run/executions=1", "transitions/s", "Transitions, PostgreSQL, 1 execution", "1/s", 0, 0},
	{"Transitions/postgres/mixed/run/executions=8", "transitions/s", "Transitions, PostgreSQL, 8 at once", "1/s", 0, 0},
	{"Transitions/postgres/mixed/run/executions=64", "transitions/s", "Transitions, PostgreSQL, 64 at once", "1/s", 5_000, 0},
	{"Transitions/postgres/tasks/run/executions=64", "transitions/s", "Tasks alone, PostgreSQL, 64 at once", "1/s", 0, 0},
	{"Latency/sqlite/start", "p50-ms", "Start → first handler, SQLite, p50", "ms", 0, 0},
	{"Latency/sqlite/start", "p99-ms", "Start → first handler, SQLite, p99", "ms", 0, 5},
	{"Latency/sqlite/next", "p50-ms", "Task done → next handler, SQLite, p50", "ms", 0, 0},
	{"Latency/sqlite/next", "p99-ms", "Task done → next handler, SQLite, p99", "ms", 0, 5},
	{"Latency/postgres/start", "p99-ms", "Start → first handler, PostgreSQL, p99", "ms", 0, 5},
	{"Latency/postgres/next", "p99-ms", "Task done → next handler, PostgreSQL, p99", "ms", 0, 5},
	{"Express/jsonpath", "executions/s", "Express executions, JSONPath", "1/s", 0, 0},
	{"Express/jsonata-fast", "executions/s", "Express executions, JSONata, fast path", "1/s", 0, 0},
	{"Express/jsonata-engine", "executions/s", "Express executions, JSONata, engine", "1/s", 0, 0},
	{"TakeOver/sqlite", "max-ms", "Killed at any instant: engine's start → its task called again, SQLite, the longest", "ms", 0, 10},
	{"TakeOver/postgres", "max-ms", "Killed at any instant: kill → its task called by another replica, PostgreSQL, the longest", "ms", 0, 1000},
	{"First", "ms", "The first JSONata expression of a process that needs the engine", "ms", 0, 0},
	{"MapRun/express/task", "items/s", "Distributed Map of 100,000 items, Express children, SQLite", "1/s", 0, 0},
	{"MapRun/express/task", "peak-MB", "Distributed Map of 100,000 items, Express children: peak of the heap", "MB", 0, 0},
	{"MapRun/standard/task", "items/s", "Distributed Map of 10,000 items, Standard children, SQLite", "1/s", 0, 0},
	{"MapRun/standard/task", "peak-MB", "Distributed Map of 10,000 items, Standard children: peak of the heap", "MB", 0, 0},
}

// temporalRuns is how often the reference runs; each takes half a minute.
const temporalRuns = 3

// measureEngine runs the engine's benchmarks and Temporal's server.
func measureEngine(ctx context.Context, b *bench, out *Part) error {
	count := strconv.Itoa(b.times(3, 1))
	text, err := b.goBenchmarks(ctx, count)
	if err != nil {
		return err
	}
	got := parseBenchmarks(text)
	temporal, note := b.temporal(ctx)
	for _, want := range engineFigures {
		f, err := want.figure(got)
		if err != nil {
			return err
		}
		if strings.HasPrefix(want.benchmark, "Transitions/") && len(temporal) > 0 {
			r := stats(temporal)
			f.Against, f.Reference = "Temporal's server with SQLite: activities", &r
			f.Checks = append(f.Checks, atLeast("median / median", ratio(f.Portal.Median, r.Median), 1))
		}
		f.Note = note
		note = ""
		out.Figures = append(out.Figures, f)
	}
	return b.measureWaiting(ctx, out)
}

// figure makes a figure of what the benchmark told.
func (want engineFigure) figure(got map[string]map[string][]float64) (Figure, error) {
	values := got[want.benchmark][want.metric]
	if len(values) == 0 {
		return Figure{}, fmt.Errorf("the benchmark %s did not tell its %s", want.benchmark, want.metric)
	}
	f := compare(want.name, want.unit, values, "", nil, 0)
	if want.least > 0 {
		f.Checks = append(f.Checks, atLeast("median", f.Portal.Median, want.least))
	}
	if want.most > 0 {
		f.Checks = append(f.Checks, atMost("median", f.Portal.Median, want.most))
	}
	return f, nil
}

// goBenchmarks returns what "go test" prints of the engine's benchmarks.
func (b *bench) goBenchmarks(ctx context.Context, count string) ([]byte, error) {
	return b.goTests(ctx, [][]string{
		{"-bench", "^Benchmark(Fsync|Latency|Express)$", "-count", count, "./workflow", "./workflow/memory"},
		{"-bench", "^BenchmarkTransitions$/^(sqlite|postgres)$/^(mixed|tasks)$/^run$", "-count", count, "./workflow"},
		{"-bench", "^BenchmarkTakeOver$", "-benchtime", strconv.Itoa(b.times(20, 3)) + "x", "-count", count, "./workflow"},
		{"-bench", "^BenchmarkFirst$", "-count", count, "./asl/jsonata"},
		{"-bench", "^BenchmarkMapRun$/^(express|standard)$/^task$", "-benchtime", "1x", "./workflow"},
	}...)
}

// goTests runs "go test" for benchmarks with each of some arguments and returns
// what all of them print.
func (b *bench) goTests(ctx context.Context, runs ...[]string) ([]byte, error) {
	var all []byte
	for _, args := range runs {
		cmd := exec.CommandContext(ctx, "go", append([]string{"test", "-run", "^$", "-timeout", "60m"}, args...)...)
		cmd.Dir, cmd.Stderr = b.root, os.Stderr
		out, err := cmd.Output()
		if err != nil {
			return nil, fmt.Errorf("go test %s: %w\n%s", strings.Join(args, " "), err, lastOf(out))
		}
		all = append(all, out...)
	}
	return all, nil
}

func lastOf(b []byte) []byte { return b[max(0, len(b)-2000):] }

// benchLine is a line such as "BenchmarkX/y-2  100  123 ns/op  5 MB".
var benchLine = regexp.MustCompile(`(?m)^Benchmark(\S+?)(?:-\d+)?\s+\d+\s+(.*)$`)

// parseBenchmarks reads the metrics by the names of benchmarks and metrics.
func parseBenchmarks(text []byte) map[string]map[string][]float64 {
	out := map[string]map[string][]float64{}
	for _, m := range benchLine.FindAllSubmatch(text, -1) {
		name, fields := string(m[1]), bytes.Fields(m[2])
		if out[name] == nil {
			out[name] = map[string][]float64{}
		}
		for i := 0; i+1 < len(fields); i += 2 {
			if v, err := strconv.ParseFloat(string(fields[i]), 64); err == nil {
				out[name][string(fields[i+1])] = append(out[name][string(fields[i+1])], v)
			}
		}
	}
	return out
}

// temporal measures the reference, where it was built.
func (b *bench) temporal(ctx context.Context) (perSecond []float64, note string) {
	program, err := exec.LookPath("temporal-bench")
	if err != nil {
		return nil, "without Temporal: scripts/setup.sh temporal builds it."
	}
	for range b.times(temporalRuns, 1) {
		out, err := exec.CommandContext(ctx, program).Output()
		var r struct {
			PerSecond float64 `json:"activities_per_second"`
		}
		if err == nil {
			err = json.Unmarshal(out, &r)
		}
		if err != nil {
			var exit *exec.ExitError
			if errors.As(err, &exit) {
				err = fmt.Errorf("%w: %s", err, lastOf(exit.Stderr))
			}
			return perSecond, "without Temporal: " + err.Error()
		}
		perSecond = append(perSecond, r.PerSecond)
	}
	return perSecond, ""
}
