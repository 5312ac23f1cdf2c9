package health

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"unicode"
)

// status is an answer's code with the words that belong to it; the server's
// own words are not trusted.
func status(resp *http.Response) string {
	if text := http.StatusText(resp.StatusCode); text != "" {
		return fmt.Sprintf("%d %s", resp.StatusCode, text)
	}
	return fmt.Sprint(resp.StatusCode)
}

// firstLine returns ": " and the first line of a body that has words in it, at
// most 200 characters without control characters; empty when there is none.
func firstLine(body io.Reader) string {
	data, _ := io.ReadAll(io.LimitReader(body, maxBody)) // a body that breaks off is shown as far as it came
	for line := range strings.Lines(strings.ToValidUTF8(string(data), "\uFFFD")) {
		line = strings.Map(func(r rune) rune {
			if unicode.IsPrint(r) {
				return r
			}
			return ' '
		}, line)
		if line = strings.Join(strings.Fields(line), " "); line == "" {
			continue
		}
		if runes := []rune(line); len(runes) > 200 {
			line = string(runes[:200]) + "…"
		}
		return ": " + line
	}
	return ""
}
