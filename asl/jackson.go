package asl

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/internal-app-portal/iap/asl/value"
)

// jacksonMessage says what is wrong with a text that is not JSON in the words of
// the parser that AWS uses, and where, as that parser does.
func jacksonMessage(src []byte, e *value.SyntaxError) (message, location string) {
	offset := min(e.Offset, len(src))
	if e.Want == value.WantNothing {
		location = jacksonPlace(src, offset)
		return e.Msg + "\n at " + location, location
	}
	if offset == len(src) {
		location = jacksonPlace(src, offset)
		return jacksonEnd(src, e.Want) + "\n at " + location, location
	}
	r, size := utf8.DecodeRune(src[offset:])
	if word := identifier(src[offset:]); word != "" && (e.Want == value.WantValue || e.Want == value.WantEnd) {
		location = jacksonPlace(src, offset+len(word))
		return fmt.Sprintf("Unrecognized token '%s': was expecting (JSON String, Number, Array, Object or token 'null', 'true' or 'false')\n at %s",
			word, location), location
	}
	location = jacksonPlace(src, offset+size)
	return fmt.Sprintf("Unexpected character ('%c' (code %d)): %s\n at %s", r, r, jacksonWant[e.Want], location), location
}

var jacksonWant = map[value.Want]string{
	value.WantValue:       "expected a valid value (JSON String, Number, Array, Object or token 'null', 'true' or 'false')",
	value.WantKey:         "was expecting double-quote to start field name",
	value.WantColon:       "was expecting a colon to separate field name and value",
	value.WantObjectEntry: "was expecting comma to separate Object entries",
	value.WantArrayEntry:  "was expecting comma to separate Array entries",
	value.WantEnd:         "expected the end of the text",
}

// jacksonEnd tells that a text ends too early.
func jacksonEnd(src []byte, want value.Want) string {
	if want == value.WantColon {
		return "Unexpected end-of-input within/between Object entries"
	}
	open := openBracket(src)
	if open < 0 {
		return "No content to map due to end-of-input"
	}
	kind := "Object"
	if src[open] == '[' {
		kind = "Array"
	}
	return fmt.Sprintf("Unexpected end-of-input: expected close marker for %s (start marker at %s)", kind, jacksonPlace(src, open))
}

// openBracket finds the innermost bracket that is not closed at the text's end,
// or gives -1.
func openBracket(src []byte) int {
	var open []int
	quoted := false
	for i := 0; i < len(src); i++ {
		switch c := src[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '{' || c == '[':
			open = append(open, i)
		case (c == '}' || c == ']') && len(open) > 0:
			open = open[:len(open)-1]
		}
	}
	if len(open) == 0 {
		return -1
	}
	return open[len(open)-1]
}

// jacksonSource is how much of a text the parser quotes.
const jacksonSource = 500

// jacksonPlace writes a place as "[Source: (String)"text"; line: 1, column: 4]".
func jacksonPlace(src []byte, offset int) string {
	line, column := lineColumn(src, offset)
	text, rest := strings.ToValidUTF8(string(src), "\uFFFD"), ""
	if runes := []rune(text[:min(len(text), 4*(jacksonSource+1))]); len(runes) > jacksonSource {
		// The cut may go through a character, so the head is of whole ones only.
		head := string(runes[:jacksonSource])
		rest = fmt.Sprintf("[truncated %d chars]", utf8.RuneCountInString(text[len(head):]))
		text = head
	}
	return fmt.Sprintf("[Source: (String)\"%s\"%s; line: %d, column: %d]", text, rest, line, column)
}

// identifier is the word that a text begins with, or "".
func identifier(src []byte) string {
	text := string(src[:min(len(src), 256)])
	for i, r := range text {
		if r != '_' && r != '$' && !unicode.IsLetter(r) && (i == 0 || !unicode.IsDigit(r)) {
			return text[:i]
		}
	}
	return text
}
