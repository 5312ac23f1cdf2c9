package local

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"pgregory.net/rapid"
)

// pieces cuts a text at random places.
func pieces(t *rapid.T, text string) [][]byte {
	var out [][]byte
	for rest := []byte(text); len(rest) > 0; {
		n := rapid.IntRange(1, min(len(rest), 9)).Draw(t, "n")
		out = append(out, rest[:n])
		rest = rest[n:]
	}
	return out
}

// ways are the forms in which programs print a secret.
var ways = map[string]func(string) string{
	"plain":       func(s string) string { return s },
	"query":       url.QueryEscape,
	"path":        url.PathEscape,
	"json":        func(s string) string { b, _ := json.Marshal(s); return string(b) },
	"base64":      func(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) },
	"basic auth":  func(s string) string { return base64.StdEncoding.EncodeToString([]byte("user:" + s)) },
	"base64 url":  func(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s + "=tail")) },
	"each line":   func(s string) string { return "  " + strings.ReplaceAll(s, "\n", "\n  ") },
	"two of them": func(s string) string { return s + s },
}

// core returns what of a printed form a reader could use: its lines.
func core(form string) []string {
	var out []string
	for _, line := range strings.Split(form, "\n") {
		if line = strings.Trim(line, "\" \t"); len(line) >= 8 {
			out = append(out, line)
		}
	}
	return out
}

func TestSecretsAreNeverShownHoweverTheyAreCut(t *testing.T) {
	names := make([]string, 0, len(ways))
	for name := range ways {
		names = append(names, name)
	}
	rapid.Check(t, func(t *rapid.T) {
		secret := rapid.StringMatching(`[A-Z0-9&"\\${}<> ]{8,12}(\n[A-Z0-9+/%é]{8,12})?`).Draw(t, "secret")
		other := rapid.StringMatching(`[A-Z0-9]{6,30}`).Draw(t, "other")
		way := rapid.SampledFrom(names).Draw(t, "way")
		form := ways[way](secret)
		before, after := rapid.StringMatching(`[a-z ]{0,20}`).Draw(t, "before"), rapid.StringMatching(`[a-z ]{0,20}`).Draw(t, "after")
		var out bytes.Buffer
		r := newRedactor([]string{secret, other}, func(p []byte) { out.Write(p) })
		for _, p := range pieces(t, before+form+other+after) {
			_, _ = r.Write(p)
		}
		r.flush()
		shown := out.String()
		if strings.Contains(shown, other) {
			t.Fatalf("the other secret shows: %q", shown)
		}
		for _, part := range core(form) {
			if strings.Contains(shown, part) {
				t.Fatalf("as %s %q shows in %q", way, part, shown)
			}
		}
		if !strings.HasPrefix(shown, strings.TrimRight(before, " ")) || !strings.HasSuffix(shown, strings.TrimLeft(after, " ")) {
			t.Fatalf("what is no secret was changed: %q in %q", before+"…"+after, shown)
		}
	})
}

func TestWhatIsNoSecretStays(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.String().Draw(t, "text")
		var out bytes.Buffer
		r := newRedactor([]string{"zz\x00 never in a text \x00zz", "a", "abc", ""}, func(p []byte) { out.Write(p) })
		for _, p := range pieces(t, text) {
			_, _ = r.Write(p)
		}
		r.flush()
		if out.String() != text {
			t.Fatalf("%q became %q", text, out.String())
		}
	})
}

// hostile is drawn from what terminals and pages take badly.
func hostile(t *rapid.T) string {
	parts := []string{"\x1b[31m", "\x1b]0;title\x07", "\x1b]8;;http://evil\x1b\\", "\x1bP1;2q", "\x9b2J", "\r", "\n", "\x00",
		"\xff\xfe", "\xc3", "é", "\u202e", "\u2066", "\ufeff", "<script>", "data: x\n\n", "\x1b", "[2J", "text", "\t", "\u009b1m", "\x7f"}
	return strings.Join(rapid.SliceOfN(rapid.SampledFrom(parts), 0, 30).Draw(t, "parts"), "")
}

func TestLogIsHarmlessWhateverIsPrinted(t *testing.T) {
	dir := t.TempDir()
	rapid.Check(t, func(t *rapid.T) {
		path := filepath.Join(dir, "log")
		file, err := os.Create(path)
		if err != nil {
			t.Fatal(err)
		}
		l := newJobLog(file, 0, []string{"pass\x1b[0mword"}, time.Now)
		s := l.stream()
		for _, p := range pieces(t, hostile(t)+"pass\x1b[0mword"+hostile(t)) {
			_, _ = s.Write(p)
		}
		s.close()
		l.close()
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if !utf8.Valid(b) {
			t.Fatalf("not UTF-8: %q", b)
		}
		for line := range strings.Lines(string(b)) {
			if _, err := time.Parse(time.RFC3339, line[:24]); err != nil {
				t.Fatalf("no time in %q", line)
			}
			for _, r := range strings.TrimSuffix(line, "\n") {
				if r != '\t' && (unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r)) {
					t.Fatalf("%q has %U", line, r)
				}
			}
			if strings.Contains(line, "password") {
				t.Fatalf("the secret shows in %q", line)
			}
		}
	})
}

func TestSanitise(t *testing.T) {
	for in, want := range map[string]string{
		"\x1b[1;31mred\x1b[0m text":        "red text",
		"\x1b]0;title\x07after":            "after",
		"\x1b]8;;http://x\x1b\\link\x1b]8": "link",
		"\x1b]never ended\nnext":           "\nnext",
		"50%\r100%":                        "50%100%",
		"a\x00b\x08c\td":                   "abc\td",
		"bad \xff\xc3 bytes":               "bad \ufffd\ufffd bytes",
		"cut \xe2\x82":                     "cut \ufffd\ufffd",
		"\u202egnp.exe":                    "gnp.exe",
		"\x1b(Bplain":                      "plain",
	} {
		if got := sanitise(in); got != want {
			t.Errorf("%q became %q, not %q", in, got, want)
		}
	}
}

func TestLogIsLimited(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	file, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	l := newJobLog(file, 0, nil, time.Now)
	s := l.stream()
	long := bytes.Repeat([]byte("é"), 100<<10)
	for range 512 { // one line of 100 MB
		_, _ = s.Write(long)
	}
	_, _ = s.Write([]byte("\n"))
	for range 30 << 10 {
		_, _ = s.Write(append(bytes.Repeat([]byte("x"), 1000), '\n'))
	}
	s.close()
	l.sayLast("Error: the last word")
	l.close()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(string(b)), "\n")
	if len(b) > maxLog {
		t.Errorf("the log has %d bytes", len(b))
	}
	if first := lines[0]; len(first) > maxLine+100 || !strings.Contains(first, "bytes more)") || !utf8.ValidString(first) {
		t.Errorf("the long line has %d bytes and ends in %q", len(first), first[len(first)-40:])
	}
	if last := lines[len(lines)-1]; !strings.HasSuffix(last, "Error: the last word") {
		t.Errorf("the last line is %q", last)
	}
	if n := strings.Count(string(b), "the rest is left out"); n != 1 {
		t.Errorf("the note is there %d times", n)
	}
}
