package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/internal-app-portal/iap/examples/internal/app"
)

// start serves a list that is kept in dir; with an empty dir it is kept in memory.
func start(t *testing.T, dir string) *httptest.Server {
	t.Helper()
	store := NewStore(List{}, nil)
	if dir != "" {
		journal, list, err := OpenJournal(dir)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = journal.Close() })
		store = NewStore(list, journal)
	}
	handler, err := newHandler(store, `Interview with <Jane>`, app.Logger(t.Output(), "todo"))
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return server
}

// call sends a request and returns the status and the body of the answer.
func call(t *testing.T, server *httptest.Server, method, path, body string) (int, string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, server.URL+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	answer, err := server.Client().Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	data, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer.StatusCode, string(data)
}

func must(t *testing.T, server *httptest.Server, method, path, body string) {
	t.Helper()
	if status, text := call(t, server, method, path, body); status/100 != 2 {
		t.Fatalf("%s %s %s: %d %s", method, path, body, status, text)
	}
}

// look writes a list down as "1 milk, 2 [x] bread".
func look(t *testing.T, server *httptest.Server) string {
	t.Helper()
	_, text := call(t, server, "GET", "/api/items", "")
	return describe(t, text)
}

func describe(t *testing.T, text string) string {
	t.Helper()
	var s snapshot
	if err := json.Unmarshal([]byte(text), &s); err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, i := range s.Items {
		mark := ""
		if i.Done {
			mark = "[x] "
		}
		out = append(out, fmt.Sprintf("%d %s%s", i.ID, mark, i.Text))
	}
	return strings.Join(out, ", ")
}

func TestListChanges(t *testing.T) {
	server := start(t, "")
	for _, text := range []string{"milk", "  bread \\n and butter ", "tea"} {
		must(t, server, "POST", "/api/items", `{"text":"`+text+`"}`)
	}
	steps := []struct{ method, path, body, want string }{
		{"PATCH", "/api/items/1", `{"done":true}`, "1 [x] milk, 2 bread and butter, 3 tea"},
		{"PATCH", "/api/items/3", `{"before":1}`, "3 tea, 1 [x] milk, 2 bread and butter"},
		{"PATCH", "/api/items/3", `{"before":0,"text":"green tea"}`, "1 [x] milk, 2 bread and butter, 3 green tea"},
		{"PATCH", "/api/items/2", `{"before":2}`, "1 [x] milk, 2 bread and butter, 3 green tea"},
		{"DELETE", "/api/items/2", "", "1 [x] milk, 3 green tea"},
		{"DELETE", "/api/done", "", "3 green tea"},
		{"POST", "/api/items", `{"text":"rice"}`, "3 green tea, 4 rice"},
	}
	for _, step := range steps {
		must(t, server, step.method, step.path, step.body)
		if got := look(t, server); got != step.want {
			t.Errorf("after %s %s %s: %s, want %s", step.method, step.path, step.body, got, step.want)
		}
	}
}

func TestBadRequestsChangeNothing(t *testing.T) {
	server := start(t, "")
	must(t, server, "POST", "/api/items", `{"text":"milk"}`)
	long := strings.Repeat("ä", maxText+1)
	cases := []struct {
		method, path, body string
		status             int
		says               string
	}{
		{"POST", "/api/items", `{"text":" \t "}`, 400, "text is empty"},
		{"POST", "/api/items", `{"text":"` + long + `"}`, 400, "501 characters"},
		{"POST", "/api/items", `{"txt":"x"}`, 400, "txt"},
		{"POST", "/api/items", `milk`, 400, "JSON"},
		{"POST", "/api/items", `{"text":"` + strings.Repeat("x", 20<<10) + `"}`, 400, "too large"},
		{"PATCH", "/api/items/7", `{"done":true}`, 404, "gone"},
		{"PATCH", "/api/items/x", `{"done":true}`, 404, "gone"},
		{"PATCH", "/api/items/1", `{"done":true,"before":9}`, 404, "gone"},
		{"PATCH", "/api/items/1", `{"text":""}`, 400, "empty"},
		{"DELETE", "/api/items/0", ``, 404, "gone"},
	}
	for _, c := range cases {
		status, text := call(t, server, c.method, c.path, c.body)
		if status != c.status || !strings.Contains(text, c.says) {
			t.Errorf("%s %s: %d %s, want %d and %q", c.method, c.path, status, text, c.status, c.says)
		}
	}
	if got := look(t, server); got != "1 milk" {
		t.Errorf("the list is now %s", got)
	}
}

func TestListIsBounded(t *testing.T) {
	server := start(t, "")
	for range maxItems {
		must(t, server, "POST", "/api/items", `{"text":"x"}`)
	}
	if status, text := call(t, server, "POST", "/api/items", `{"text":"x"}`); status != 409 {
		t.Errorf("one more: %d %s, want 409", status, text)
	}
}

func TestForeignPageIsRefused(t *testing.T) {
	server := start(t, "")
	request, _ := http.NewRequestWithContext(t.Context(), "POST", server.URL+"/api/items", strings.NewReader(`{"text":"x"}`))
	request.Header.Set("Origin", "http://evil.example")
	answer, err := server.Client().Do(request)
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
	if answer.StatusCode != 403 || look(t, server) != "" {
		t.Errorf("a foreign page got %d, and the list is %q", answer.StatusCode, look(t, server))
	}
}

func TestPageShowsTitleAndWarning(t *testing.T) {
	for dir, warns := range map[string]bool{"": true, t.TempDir(): false} {
		status, page := call(t, start(t, dir), "GET", "/", "")
		if status != 200 || !strings.Contains(page, "<h1>Interview with &lt;Jane&gt;</h1>") {
			t.Errorf("page: %d %s", status, page)
		}
		if strings.Contains(page, "in memory only") != warns {
			t.Errorf("warning about memory: %t, want %t", !warns, warns)
		}
	}
	if got := title("  a\n b "); got != "a b" {
		t.Errorf("title = %q", got)
	}
}

// Two browsers watch; what one does reaches both, and each at first gets the list as it is.
func TestStreamTellsEverybody(t *testing.T) {
	server := start(t, "")
	must(t, server, "POST", "/api/items", `{"text":"milk"}`)
	var streams []*bufio.Scanner
	for range 2 {
		answer, err := server.Client().Get(server.URL + "/api/events")
		if err != nil {
			t.Fatal(err)
		}
		defer answer.Body.Close()
		streams = append(streams, bufio.NewScanner(answer.Body))
	}
	expect := func(want string) {
		t.Helper()
		for i, stream := range streams {
			if got := nextList(t, stream); got != want {
				t.Errorf("browser %d sees %q, want %q", i, got, want)
			}
		}
	}
	expect("1 milk")
	must(t, server, "PATCH", "/api/items/1", `{"done":true}`)
	expect("1 [x] milk")
}

func nextList(t *testing.T, stream *bufio.Scanner) string {
	t.Helper()
	for stream.Scan() {
		if data, ok := strings.CutPrefix(stream.Text(), "data: "); ok {
			return describe(t, data)
		}
	}
	t.Fatalf("the stream ended: %v", stream.Err())
	return ""
}

func TestListOutlivesTheProcess(t *testing.T) {
	dir := t.TempDir()
	server := start(t, dir)
	must(t, server, "POST", "/api/items", `{"text":"milk"}`)
	must(t, server, "POST", "/api/items", `{"text":"tea"}`)
	must(t, server, "PATCH", "/api/items/2", `{"done":true,"before":1}`)
	must(t, server, "DELETE", "/api/items/1", "")

	// A crash in the middle of a write leaves half a line.
	file, err := os.OpenFile(filepath.Join(dir, "todo.jsonl"), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	_, _ = file.WriteString(`{"op":"delete","i`)
	_ = file.Close()

	again := start(t, dir)
	must(t, again, "POST", "/api/items", `{"text":"rice"}`)
	if got := look(t, again); got != "2 [x] tea, 3 rice" {
		t.Errorf("after the restart: %s", got)
	}
	if got := look(t, start(t, dir)); got != "2 [x] tea, 3 rice" {
		t.Errorf("after the second restart: %s", got)
	}
}

func TestJournalStaysShort(t *testing.T) {
	dir := t.TempDir()
	journal, list, err := OpenJournal(dir)
	if err != nil {
		t.Fatal(err)
	}
	store := NewStore(list, journal)
	for range 3 {
		if _, err := store.Add("milk"); err != nil {
			t.Fatal(err)
		}
	}
	if err := store.Do(Change{Op: "delete", ID: 3}); err != nil {
		t.Fatal(err)
	}
	for i := range compactAfter + 10 {
		if err := store.Do(Change{Op: "done", ID: 1, Done: i%2 == 0}); err != nil {
			t.Fatal(err)
		}
	}
	if err := store.Do(Change{Op: "done", ID: 1, Done: true}); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(filepath.Join(dir, "todo.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	if lines := strings.Count(string(data), "\n"); lines > 100 {
		t.Errorf("the journal has %d lines", lines)
	}
	if got := look(t, start(t, dir)); got != "1 [x] milk, 2 milk" {
		t.Errorf("after the restart: %s", got)
	}
	again := start(t, dir)
	must(t, again, "POST", "/api/items", `{"text":"new"}`)
	if got := look(t, again); !strings.HasSuffix(got, "4 new") {
		t.Errorf("the deleted item's ID was used again: %s", got)
	}
}

func TestUnusableFolderMeansMemory(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	broken := t.TempDir()
	if err := os.WriteFile(filepath.Join(broken, "todo.jsonl"), []byte("no JSON\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, dir := range []string{file, filepath.Join(file, "missing"), broken} {
		var log strings.Builder
		store, _ := openStore(dir, app.Logger(&log, "todo"))
		if _, err := store.Add("milk"); err != nil || store.Persistent() {
			t.Errorf("%s: Add = %v, persistent %t", dir, err, store.Persistent())
		}
		if !strings.Contains(log.String(), "in memory only") || !strings.Contains(log.String(), dir) {
			t.Errorf("%s: the log says %q", dir, log.String())
		}
	}
	if data, _ := os.ReadFile(filepath.Join(broken, "todo.jsonl")); string(data) != "no JSON\n" {
		t.Errorf("the broken journal was changed: %q", data)
	}
}

func TestFailedWriteLeavesTheListAsItWas(t *testing.T) {
	dir := t.TempDir()
	server := start(t, dir)
	must(t, server, "POST", "/api/items", `{"text":"milk"}`)
	journal, list, err := OpenJournal(dir)
	if err != nil {
		t.Fatal(err)
	}
	_ = journal.Close() // every write fails from now on
	var log strings.Builder
	handler, err := newHandler(NewStore(list, journal), "x", app.Logger(&log, "todo"))
	if err != nil {
		t.Fatal(err)
	}
	failing := httptest.NewServer(handler)
	defer failing.Close()
	if status, text := call(t, failing, "POST", "/api/items", `{"text":"tea"}`); status != 507 || strings.Contains(text, dir) {
		t.Errorf("a write that failed: %d %s, want 507 without the path", status, text)
	}
	if !strings.Contains(log.String(), dir) {
		t.Errorf("the log does not say which file: %s", log.String())
	}
	if got := look(t, failing); got != "1 milk" {
		t.Errorf("the list is now %s", got)
	}
}
