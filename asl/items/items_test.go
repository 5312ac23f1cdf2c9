package items_test

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/internal-app-portal/iap/asl"
	"github.com/internal-app-portal/iap/asl/items"
	"github.com/internal-app-portal/iap/asl/value"
)

// all reads all items: "KEY=VALUE" a line, and the error at the end.
func all(m asl.MapItems) (lines []string, err error) {
	for n := int64(0); ; n++ {
		item, err := m.Next()
		if err == io.EOF {
			return lines, nil
		}
		if err != nil {
			return lines, err
		}
		line := value.Text(item.Value)
		if item.Key != nil {
			line = *item.Key + "=" + line
		}
		if item.Index != n {
			line += fmt.Sprintf(" with the number %d", item.Index)
		}
		lines = append(lines, line)
	}
}

func TestJSON(t *testing.T) {
	for _, c := range []struct{ text, pointer, want string }{
		{`[1, "a,]b", {"x":[1,2]}, [], null,true ]`, "", `1|"a,]b"|{"x":[1,2]}|[]|null|true`},
		{"\ufeff [ ]", "", ``},
		{`{"a":1,"b\"c":{"d":2}}`, "", `a=1|b"c={"d":2}`},
		{`{"skip":["\"]",{"items":[9]}],"data":{"items":[1,2]},"more":3}`, "/data/items", `1|2`},
		{`{"a/b":[{"c~d":["x"]}]}`, "/a~1b/0/c~0d", `"x"`},
		{`[[1],[2,3]]`, "/1", `2|3`},
		{`["\\",1]`, "", `"\\"|1`},
	} {
		// One byte at a time: what is cut in pieces reads the same.
		got, err := all(items.JSON(iotest.OneByteReader(strings.NewReader(c.text)), c.pointer, "S3://b/k"))
		if strings.Join(got, "|") != c.want || err != nil {
			t.Errorf("%s: got %q, %v; want %s", c.text, got, err, c.want)
		}
	}
}

func TestBadJSON(t *testing.T) {
	long := `["` + strings.Repeat("x", 9<<20) + `"]`
	for text, want := range map[string]string{
		``: "ends at byte 0", `[1,2`: "ends at byte 4", `[1 2]`: "not valid JSON", `[1,]`: "not valid JSON", `7`: "must hold a JSON array or object",
		`{"a" 1}`: "not valid JSON", `[tru]`: "item 0 of the file S3://b/k is not valid JSON", `[1}`: "not valid JSON", `{1:2}`: "not valid JSON",
		`["`: "ends at byte", long: "has more than",
	} {
		_, err := all(items.JSON(strings.NewReader(text), "", "S3://b/k"))
		failed(t, text[:min(len(text), 20)], err, want)
	}
	_, err := all(items.JSON(strings.NewReader(`{"a":1}`), "/b", "S3://b/k"))
	failed(t, "/b", err, "nothing at /b")
	_, err = all(items.JSON(strings.NewReader(`{"a":1}`), "/a/b", "S3://b/k"))
	failed(t, "/a/b", err, "nothing at /a/b")
	_, err = all(items.JSON(iotest.ErrReader(errors.New("broken wire")), "", "S3://b/k"))
	failed(t, "reader", err, "broken wire")
}

func failed(t *testing.T, what string, err error, want string) {
	t.Helper()
	var e *asl.MapError
	if !errors.As(err, &e) || e.Name != "States.ItemReaderFailed" || !strings.Contains(e.Cause, want) {
		t.Errorf("%s: got %v, want %q", what, err, want)
	}
}

func TestLines(t *testing.T) {
	got, err := all(items.Lines(strings.NewReader("\ufeff{\"a\":1}\r\n\n  [2]\n\"x\""), "S3://b/k"))
	if strings.Join(got, "|") != `{"a":1}|[2]|"x"` || err != nil {
		t.Errorf("%q %v", got, err)
	}
	_, err = all(items.Lines(strings.NewReader("1\n\n{]\n"), "S3://b/k"))
	failed(t, "line 3", err, "line 3 of the file S3://b/k")
	_, err = all(items.Lines(strings.NewReader("1\n"+strings.Repeat("x", 9<<20)), "S3://b/k"))
	failed(t, "long line", err, "line 2")
}

func TestCSV(t *testing.T) {
	text := "\ufeffname;age\n\"Ada; Countess\";36\nAlan\n\nGrace;85;extra\n"
	got, err := all(items.CSV(strings.NewReader(text), nil, "SEMICOLON", "S3://b/k"))
	want := `{"name":"Ada; Countess","age":"36"}|{"name":"Alan","age":""}|{"name":"Grace","age":"85"}`
	if strings.Join(got, "|") != want || err != nil {
		t.Errorf("got %q %v, want %s", got, err, want)
	}
	got, err = all(items.CSV(strings.NewReader("1,2\n3,4\n"), []string{"a", "b"}, "", "S3://b/k"))
	if strings.Join(got, "|") != `{"a":"1","b":"2"}|{"a":"3","b":"4"}` || err != nil {
		t.Errorf("%q %v", got, err)
	}
	got, err = all(items.CSV(strings.NewReader(""), nil, "", "S3://b/k"))
	if len(got) != 0 || err != nil {
		t.Errorf("%q %v", got, err)
	}
}

// endless never ends and has no end of a row.
type endless struct{ read int }

func (e *endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = 'x'
	}
	e.read += len(p)
	return len(p), nil
}

func TestEndlessFiles(t *testing.T) {
	for name, open := range map[string]func(io.Reader) asl.MapItems{
		"CSV":   func(r io.Reader) asl.MapItems { return items.CSV(r, nil, "", "S3://b/k") },
		"Lines": func(r io.Reader) asl.MapItems { return items.Lines(r, "S3://b/k") },
		"JSON": func(r io.Reader) asl.MapItems {
			return items.JSON(io.MultiReader(strings.NewReader(`["`), r), "", "S3://b/k")
		},
	} {
		r := &endless{}
		_, err := all(open(r))
		failed(t, name, err, "more than")
		if r.read > 32<<20 {
			t.Errorf("%s read %d bytes", name, r.read)
		}
	}
}

func TestOfAndLimitAndJoined(t *testing.T) {
	object := value.MustText(`{"b":1,"a":2}`)
	got, err := all(items.Limit(items.Of(object.Value()), 1))
	if strings.Join(got, "|") != "b=1" || err != nil {
		t.Errorf("%q %v", got, err)
	}
	list := value.MustText(`[1,2]`)
	n := 0
	got, err = all(items.Joined(func() (asl.MapItems, error) {
		if n++; n == 3 {
			return nil, io.EOF
		}
		return items.Of(list.Value()), nil
	}))
	if strings.Join(got, "|") != "1|2|1|2" || err != nil {
		t.Errorf("%q %v", got, err)
	}
}

// FuzzJSON reads what anybody may have put into a file: it must end, and items
// of a valid array are those that a parser finds.
func FuzzJSON(f *testing.F) {
	for _, s := range []string{`[1,{"a":[]}]`, `{"a":1}`, `[`, `["\"",2]`, `[1,,2]`, `{"a":{"b":[1]}}`} {
		f.Add(s, "")
	}
	f.Add(`{"a":{"b":[1]}}`, "/a/b")
	f.Fuzz(func(t *testing.T, text, pointer string) {
		got, err := all(items.JSON(strings.NewReader(text), pointer, "S3://b/k"))
		v, parseErr := value.Parse([]byte(text))
		list, isList := v.(value.Array)
		if pointer != "" || parseErr != nil || !isList {
			return
		}
		if err != nil || len(got) != len(list) {
			t.Fatalf("%q: %d items and %v, want %d", text, len(got), err, len(list))
		}
		for i := range list {
			if got[i] != value.Text(list[i]) {
				t.Fatalf("item %d: %s, want %s", i, got[i], value.Text(list[i]))
			}
		}
	})
}
