package cli

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/internal-app-portal/iap/client"
)

func writeTable(width int, rows ...[]string) []string {
	t := &table{head: []string{"NAME", "STATUS", "ADDRESS"}}
	for _, row := range rows {
		t.add(row...)
	}
	var b bytes.Buffer
	t.write(&b, width, nil)
	return strings.Split(strings.TrimSuffix(b.String(), "\n"), "\n")
}

func TestTableFitsTheTerminal(t *testing.T) {
	row := []string{"brave-otter-lamp-todo", "deploy failed", "the image registry.example.com/todo:1 does not exist"}
	for _, width := range []int{120, 80, 60, 50, 45, 20} {
		lines := writeTable(width, row)
		if !strings.Contains(lines[1], row[0]) {
			t.Errorf("width %d: the name is cut: %q", width, lines[1])
		}
		for _, line := range lines {
			if cellWidth(line) > max(width, 45) { // 45: the name, and the other columns at their narrowest
				t.Errorf("width %d: %d columns: %q", width, cellWidth(line), line)
			}
		}
	}
	if got := writeTable(0, row)[1]; !strings.HasSuffix(got, "does not exist") {
		t.Errorf("cut where there is no terminal: %q", got)
	}
	if got := writeTable(60, row)[1]; !strings.HasSuffix(got, "…") {
		t.Errorf("no sign that it was cut: %q", got)
	}
}

func TestTableAligns(t *testing.T) {
	lines := writeTable(0, []string{"a", "running", "x"}, []string{"✅ wide", "queued", "y"}, []string{"e\u0301", "ok", "z"})
	at := strings.Index(lines[0], "STATUS")
	for i, word := range []string{"running", "queued", "ok"} {
		line := lines[i+1]
		if got := cellWidth(line[:strings.Index(line, word)]); got != at {
			t.Errorf("%q begins at %d, want %d", word, got, at)
		}
	}
	if got := writeTable(0); len(got) != 1 || got[0] != "" {
		t.Errorf("an empty table has lines: %q", got)
	}
}

func TestPrintableIsHarmless(t *testing.T) {
	for in, want := range map[string]string{
		"plain ✅":                     "plain ✅",
		"\x1b[31mred\x1b[0m":          "[31mred[0m",
		"\x1b]0;title\x07x":           "]0;titlex",
		"a\r\nb":                      "a  b",
		"nul\x00 del\x7f c1\u009b31m": "nul del c131m",
		"bad \xff utf8":               "bad \uFFFD utf8",
		"line\u2028separator":         "lineseparator",
	} {
		if got := printable(in); got != want {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
	}
}

func TestClock(t *testing.T) {
	now := time.Date(2026, 11, 23, 18, 30, 0, 0, time.Local)
	for in, want := range map[time.Time]string{
		now.Add(30 * time.Minute): "today 19:00",
		now.Add(6 * time.Hour):    "tomorrow 00:30",
		now.Add(-24 * time.Hour):  "yesterday 18:30",
		now.AddDate(0, 0, 4):      "Fri 27 Nov 18:30",
		now.AddDate(1, 0, 0):      "23 Nov 2027 18:30",
		{}:                        "",
	} {
		if got := clock(in, now); got != want {
			t.Errorf("%v: got %q, want %q", in, got, want)
		}
	}
}

func TestDisplayDrawsOverItself(t *testing.T) {
	var b bytes.Buffer
	now := time.Date(2026, 11, 23, 9, 0, 3, 0, time.UTC)
	d := &display{r: &run{err: &b, errTerm: true, now: func() time.Time { return now }}}
	step := func(title, state string, end time.Time) client.ProgressStep {
		return client.ProgressStep{Title: title, State: state, StartedAt: now.Add(-2 * time.Second), EndedAt: end}
	}
	d.update(client.Progress{Steps: []client.ProgressStep{step("Prepare", "active", time.Time{}), step("Create", "pending", time.Time{})}})
	first := b.String()
	if !strings.Contains(first, "● Prepare") || !strings.Contains(first, "2.0 s") || strings.Count(first, "\n") != 2 {
		t.Errorf("got %q", first)
	}
	b.Reset()
	d.update(client.Progress{Steps: []client.ProgressStep{step("Prepare", "done", now)}})
	if got := b.String(); !strings.HasPrefix(got, "\x1b[2A") || !strings.Contains(got, "✓ Prepare") || strings.Contains(got, "\x1b[3") {
		t.Errorf("got %q", got)
	}
}

func TestSuggest(t *testing.T) {
	words := []string{"listen", "data", "database", "parallel-jobs"}
	for in, want := range map[string]string{"lisen": "listen", "paralel_jobs": "parallel-jobs", "databse": "database", "zzzzzz": ""} {
		got := suggest(in, words)
		if (want == "") != (got == "") || !strings.Contains(got, want) {
			t.Errorf("%s: %q, want %q", in, got, want)
		}
	}
}
