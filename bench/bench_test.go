package main

import (
	"context"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestStats(t *testing.T) {
	s := stats([]float64{4, 1, 3, 2, 5})
	if s.N != 5 || s.Min != 1 || s.Median != 3 || s.Max != 5 || s.P95 != 4.8 {
		t.Errorf("stats = %+v", s)
	}
	if s := stats(nil); s != (Stats{}) {
		t.Errorf("stats of nothing = %+v", s)
	}
	if got := round(1234.567); got != 1235 {
		t.Errorf("round = %v", got)
	}
}

func TestCompareChecksTheRatio(t *testing.T) {
	f := compare("x", "s", []float64{0.9, 0.9, 0.9}, "plain", []float64{1, 1, 1}, 0.85)
	if len(f.Checks) != 1 || f.Checks[0].Pass || f.Checks[0].Got != 0.9 {
		t.Errorf("0.9 of the reference within 0.85: %+v", f.Checks)
	}
	if f := compare("x", "s", []float64{0.8}, "plain", []float64{1}, 0.85); !f.Checks[0].Pass {
		t.Errorf("0.8 of the reference not within 0.85: %+v", f.Checks)
	}
}

func TestChooseNamesWhatItDoesNotKnow(t *testing.T) {
	got, err := choose("idle,live")
	if err != nil || len(got) != 2 || got[0].name != "live" {
		t.Errorf("choose = %v, %v", got, err)
	}
	if _, err := choose("speed"); err == nil || !strings.Contains(err.Error(), `"speed"`) {
		t.Errorf("choose(speed): %v", err)
	}
}

func TestReportKeepsOtherParts(t *testing.T) {
	file := filepath.Join(t.TempDir(), "figures.json")
	r := &Report{}
	r.put(Part{Name: "idle"})
	r.put(Part{Name: "deploy", Seconds: 1})
	r.put(Part{Name: "deploy", Seconds: 2})
	if err := r.write(file); err != nil {
		t.Fatal(err)
	}
	got, err := readReport(file)
	if err != nil || len(got.Parts) != 2 || got.Parts[0].Name != "deploy" || got.Parts[0].Seconds != 2 {
		t.Errorf("read %+v, %v", got, err)
	}
}

func TestRenderDocWritesBetweenTheMarkers(t *testing.T) {
	file := filepath.Join(t.TempDir(), "doc.md")
	if err := os.WriteFile(file, []byte("before\n"+tableBegin+"\nold\n"+tableEnd+"\nafter\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	r := &Report{Parts: []Part{{Name: "idle", Title: "Idle", Figures: []Figure{
		{Name: "RSS", Unit: "MB", Portal: stats([]float64{70}), Checks: []Check{atMost("RSS", 70, 60)}}}}}}
	for range 2 { // again, it changes nothing
		if err := renderDoc(file, r); err != nil {
			t.Fatal(err)
		}
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	got := string(text)
	for _, want := range []string{"before\n", "\nafter\n", "RSS ≤ 60.0: 70.0, FAIL", "0 of 1 bounds"} {
		if strings.Count(got, want) != 1 {
			t.Errorf("%q is not there once:\n%s", want, got)
		}
	}
	if strings.Contains(got, "old") {
		t.Errorf("the earlier table is still there:\n%s", got)
	}
	if err := os.WriteFile(file, []byte("no markers"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := renderDoc(file, r); err == nil {
		t.Error("a document without markers was written")
	}
}

func TestLoadReadsAnswersAndRefusesWrongOnes(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/gone":
			http.NotFound(w, r)
		case "/chunked":
			_, _ = w.Write([]byte("ab"))
			w.(http.Flusher).Flush()
			_, _ = w.Write([]byte("c"))
		default:
			_, _ = w.Write([]byte("abc"))
		}
	}))
	defer server.Close()
	addr := strings.TrimPrefix(server.URL, "http://")
	for path, want := range map[string]string{"/": "", "/chunked": "", "/gone": "404"} {
		l := load{addr: addr, host: addr, path: path, clients: 2, size: 3}
		r, err := l.run(context.Background(), 20*time.Millisecond)
		if want == "" && (err != nil || len(r.latencies) == 0 || r.rate <= 0) {
			t.Errorf("%s: %v, %d requests", path, err, len(r.latencies))
		}
		if want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s: %v, want an error with %s", path, err, want)
		}
	}
	l := load{addr: addr, host: addr, path: "/", clients: 1, size: 4}
	if _, err := l.run(context.Background(), 20*time.Millisecond); err == nil || !strings.Contains(err.Error(), "3 bytes instead of 4") {
		t.Errorf("a body of the wrong length: %v", err)
	}
}

func TestShownAtTakesALaterStatus(t *testing.T) {
	seen := []sighting{{App: "other", Status: "destroyed", At: 1}, {App: "todo", Status: "queued", At: 2}, {App: "todo", Status: "checking", At: 3}}
	for status, want := range map[string]int64{"queued": 2, "deploying": 3, "checking": 3} {
		if at, ok := shownAt(seen, "todo", status); !ok || at.UnixMilli() != want {
			t.Errorf("%s: shown at %v, %v, want %d", status, at, ok, want)
		}
	}
	if _, ok := shownAt(seen, "todo", "running"); ok {
		t.Error("running was never shown")
	}
}

func TestParseBenchmarks(t *testing.T) {
	got := parseBenchmarks([]byte("goos: linux\nBenchmarkLatency/sqlite/start-2   120\t 1.5 p50-ms\t 3 p99-ms\n" +
		"BenchmarkLatency/sqlite/start-2   120\t 2.5 p50-ms\nBenchmarkTransitions/sqlite/mixed/run/executions=64-2 9 12 ns/op 10500 transitions/s\nPASS\n"))
	if v := got["Latency/sqlite/start"]["p50-ms"]; len(v) != 2 || v[1] != 2.5 {
		t.Errorf("p50 = %v", v)
	}
	if v := got["Transitions/sqlite/mixed/run/executions=64"]["transitions/s"]; len(v) != 1 || v[0] != 10500 {
		t.Errorf("transitions = %v", v)
	}
}
