package local

import (
	"unicode/utf8"
)

// sanitiser makes what programs print harmless to show: it takes out terminal
// sequences (ECMA-48: CSI, OSC and the other strings), control characters but
// newline and tab, and the characters that reorder text; invalid UTF-8 becomes
// U+FFFD. What it takes may be cut anywhere between two calls.
type sanitiser struct {
	next    func([]byte)
	state   sanitiserState
	partial []byte // of a character of several bytes
	out     []byte
}

type sanitiserState int

const (
	inText   sanitiserState = iota
	inEscape                // after ESC
	inCSI                   // after ESC [
	inString                // after ESC ] and its like, until BEL, ESC or a newline
)

// Write never fails.
func (s *sanitiser) Write(p []byte) (int, error) {
	n := len(p)
	if len(s.partial) > 0 {
		p = append(s.partial, p...)
		s.partial = nil
	}
	for len(p) > 0 {
		if !utf8.FullRune(p) {
			s.partial = append([]byte(nil), p...)
			break
		}
		r, size := utf8.DecodeRune(p)
		s.take(r)
		p = p[size:]
	}
	s.emit()
	return n, nil
}

// flush passes on what waits for more.
func (s *sanitiser) flush() {
	for range s.partial {
		s.take(utf8.RuneError)
	}
	s.partial, s.state = nil, inText
	s.emit()
}

func (s *sanitiser) emit() {
	if len(s.out) > 0 {
		s.next(s.out)
		s.out = s.out[:0]
	}
}

func (s *sanitiser) take(r rune) {
	if r == '\n' { // no sequence goes beyond a line, whatever it says
		s.state = inText
		s.out = append(s.out, '\n')
		return
	}
	if r == 0x1b {
		s.state = inEscape
		return
	}
	switch s.state {
	case inText:
		if r == 0x9b { // CSI as one character
			s.state = inCSI
		} else if shown(r) {
			s.out = utf8.AppendRune(s.out, r)
		}
	case inEscape:
		s.state = afterEscape(r)
	case inCSI:
		if r >= 0x40 && r <= 0x7e || r > 0x7f {
			s.state = inText
		}
	case inString:
		if r == 0x07 || r == 0x9c {
			s.state = inText
		}
	}
}

func afterEscape(r rune) sanitiserState {
	switch {
	case r == '[':
		return inCSI
	case r == ']' || r == 'P' || r == 'X' || r == '^' || r == '_':
		return inString
	case r >= 0x20 && r <= 0x2f: // more of the sequence follows
		return inEscape
	}
	return inText
}

// shown reports whether a character may stay.
func shown(r rune) bool {
	switch {
	case r == '\t':
		return true
	case r < 0x20 || r >= 0x7f && r < 0xa0: // C0, DEL, C1
		return false
	case r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069 || r == 0x200e || r == 0x200f:
		return false // these reorder the text around them
	case r == 0x2028 || r == 0x2029 || r == 0xfeff:
		return false
	}
	return true
}

// sanitise makes one text harmless.
func sanitise(text string) string {
	var out []byte
	s := &sanitiser{next: func(p []byte) { out = append(out, p...) }}
	_, _ = s.Write([]byte(text))
	s.flush()
	return string(out)
}
