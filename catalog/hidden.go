package catalog

import (
	"fmt"
	"unicode"
)

// hidden names the first character of a text that a reader cannot see and that
// makes it something else than it looks: controls but for tabs and ends of
// lines, marks of direction (U+202A to U+202E, U+2066 to U+2069 and others),
// spaces without width, tags. Joiners may stand where writing needs them,
// between two characters beyond ASCII, as in emoji and Persian. Empty when
// there is none.
func hidden(text string) string {
	runes := []rune(text)
	for i, r := range runes {
		switch {
		case r == '\n' || r == '\t' || r == '\r' && i+1 < len(runes) && runes[i+1] == '\n':
		case unicode.Is(unicode.Cc, r):
			return fmt.Sprintf("the control character U+%04X", r)
		case isJoiner(r) && i > 0 && i+1 < len(runes) && joins(runes[i-1]) && joins(runes[i+1]):
		case unicode.In(r, unicode.Cf, unicode.Zl, unicode.Zp):
			return fmt.Sprintf("the invisible character U+%04X", r)
		}
	}
	return ""
}

func isJoiner(r rune) bool { return r == '\u200c' || r == '\u200d' }

// joins reports whether a joiner can stand beside r.
func joins(r rune) bool {
	return r > unicode.MaxASCII && (unicode.In(r, unicode.L, unicode.M, unicode.S))
}
