package workflow_test

import (
	"io"
	"strings"
	"testing"

	"github.com/internal-app-portal/iap/bucket"
	"github.com/internal-app-portal/iap/workflow"
)

// putStream writes an object that is never in memory as a whole.
func putStream(t testing.TB, b bucket.Buckets, key string, r io.Reader) {
	t.Helper()
	w, err := b.Create(t.Context(), "data", key)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	if _, err := io.Copy(w, r); err != nil {
		t.Fatal(err)
	}
	if err := w.Commit(); err != nil {
		t.Fatal(err)
	}
}

type xs struct{}

func (xs) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = 'x'
	}
	return len(p), nil
}

// TestMapRunOfHostileFiles: what cannot be read fails the state with an error
// that says what and where, and not the portal.
func TestMapRunOfHostileFiles(t *testing.T) {
	b, err := bucket.OpenFolder(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = b.Close() })
	good := `{"n":1}` + "\n"
	putStream(t, b, "broken.jsonl", strings.NewReader(good+`{"n":`+"\n"+good))
	putStream(t, b, "utf8.jsonl", strings.NewReader(good+"{\"n\":\"\xff\xfe\"}\n"))
	putStream(t, b, "large.jsonl", io.MultiReader(strings.NewReader(good+`"`), io.LimitReader(xs{}, 300<<10), strings.NewReader(`"`)))
	putStream(t, b, "long.csv", io.MultiReader(strings.NewReader("a,b\n1,2\n"), io.LimitReader(xs{}, 100<<20)))
	putStream(t, b, "quote.csv", io.MultiReader(strings.NewReader("a,b\n1,\""), io.LimitReader(xs{}, 100<<20)))
	putStream(t, b, "deep.json", strings.NewReader(strings.Repeat("[", 1<<20)))
	putStream(t, b, "numbers.json", strings.NewReader("[1e400]"))
	for _, mode := range modes {
		for _, c := range []struct{ key, kind, name, cause string }{
			{"broken.jsonl", "JSONL", "States.ItemReaderFailed", "line 2"},
			{"utf8.jsonl", "JSONL", "States.ItemReaderFailed", "line 2"},
			{"large.jsonl", "JSONL", "States.DataLimitExceeded", ""},
			{"long.csv", "CSV", "States.ItemReaderFailed", "has more than"},
			{"quote.csv", "CSV", "States.ItemReaderFailed", "has more than"},
			{"deep.json", "JSON", "States.ItemReaderFailed", ""},
			{"numbers.json", "JSON", "States.ItemReaderFailed", "the number 1e400 is too large"},
		} {
			t.Run(mode+"/"+c.key, func(t *testing.T) {
				m := newMapEngine(t, newDB(t), "one", b, nil)
				head := ""
				if c.kind == "CSV" {
					head = `,"CSVHeaderLocation":"FIRST_ROW"`
				}
				m.begin(t, distributed(mode, `"ItemReader":{"Resource":"arn:aws:states:::s3:getObject","ReaderConfig":{"InputType":"`+c.kind+`"`+head+`},
					"Parameters":{"Bucket":"data","Key":"`+c.key+`"}},`, passOne), "{}")
				x := m.wait(t)
				if x.Error != c.name || !strings.Contains(x.Cause, c.cause) || len(x.Cause) > 2000 {
					t.Errorf("%s %s: %.300s", x.Status, x.Error, x.Cause)
				}
				if c.name == "" && x.Status != workflow.Succeeded {
					t.Errorf("%s", x.Status)
				}
			})
		}
	}
}
