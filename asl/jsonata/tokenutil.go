package jsonata

import (
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/internal-app-portal/iap/asl/value"
)

// unicode reads the digits after \u, and the second half of a surrogate pair;
// it gives how many bytes they take. Half a pair alone becomes U+FFFD.
func (l *lexer) unicode(i int) (int, rune) {
	r, ok := l.hex4(i)
	if !ok {
		return 0, 0
	}
	if !utf16.IsSurrogate(r) {
		return 4, r
	}
	if strings.HasPrefix(l.src[i+4:], `\u`) {
		if low, ok := l.hex4(i + 6); ok {
			if pair := utf16.DecodeRune(r, low); pair != utf8.RuneError {
				return 10, pair
			}
		}
	}
	return 4, utf8.RuneError
}

func (l *lexer) hex4(i int) (rune, bool) {
	if i+4 > len(l.src) || strings.ContainsAny(l.src[i:i+4], "+-_") {
		return 0, false
	}
	n, err := strconv.ParseUint(l.src[i:i+4], 16, 32)
	return rune(n), err == nil
}

func quote(s string) string { return string(value.AppendString(nil, s)) }
