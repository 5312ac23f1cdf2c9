package docker

import (
	"regexp"
	"strconv"
	"strings"
	"unicode"
)

// maxLine is how many characters of a line are shown.
const maxLine = 500

func itoa(n int) string { return strconv.Itoa(n) }

// tail keeps the last keepLog bytes written to it.
type tail struct {
	data []byte
	cut  bool
}

func (t *tail) Write(b []byte) (int, error) {
	t.data = append(t.data, b...)
	if over := len(t.data) - keepLog; over > 0 {
		t.data = append(t.data[:0], t.data[over:]...)
		t.cut = true
	}
	return len(b), nil
}

// lines returns at most n last lines, harmless to show.
func (t *tail) lines(n int) []string {
	text := string(t.data)
	if t.cut { // the first line may lack its beginning
		text = "…" + text
	}
	var out []string
	for line := range strings.Lines(text) {
		if line = harmless(line); line != "" {
			out = append(out, line)
		}
	}
	return out[max(len(out)-n, 0):]
}

// escape is a terminal's control sequence: CSI, then OSC, DCS and the like up
// to their end, then those of one letter.
var escape = regexp.MustCompile("\x1b\\[[0-?]*[ -/]*[@-~]|\x1b[\\]PX^_][^\x07\x1b]*(?:\x07|\x1b\\\\)?|\x1b[ -/]*[0-~]?")

// harmless returns one line of output without what could do something to the
// terminal or page that shows it: no control sequences, no control or format
// characters, valid UTF-8, maxLine characters. Of a line that overwrites itself
// (\r) the last form stays.
func harmless(line string) string {
	line = strings.ToValidUTF8(strings.TrimRight(line, "\r\n"), "\uFFFD")
	line = escape.ReplaceAllString(line, "")
	if i := strings.LastIndexByte(line, '\r'); i >= 0 {
		line = line[i+1:]
	}
	line = strings.Map(func(r rune) rune {
		switch {
		case r == '\t':
			return ' '
		case unicode.IsGraphic(r):
			return r
		}
		return -1
	}, line)
	line = strings.TrimRight(line, " ")
	if runes := []rune(line); len(runes) > maxLine {
		line = string(runes[:maxLine]) + "…"
	}
	return line
}
