package value

import (
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

// str reads a string whose opening quotation mark is at p.i.
func (p *parser) str() (string, error) {
	at := p.i
	p.i++
	start := p.i
	for p.i < len(p.src) {
		switch c := p.src[p.i]; {
		case c == '"':
			s := string(p.src[start:p.i])
			p.i++
			return s, nil
		case c == '\\':
			return p.escaped(at, start)
		case c < 0x20:
			return "", p.fail(p.i, "a control character in a string; write it as \\u%04x", c)
		case c < utf8.RuneSelf:
			p.i++
		default:
			if err := p.multibyte(); err != nil {
				return "", err
			}
		}
	}
	return "", p.fail(at, "a string without an end")
}

func (p *parser) multibyte() error {
	r, n := utf8.DecodeRune(p.src[p.i:])
	if r == utf8.RuneError && n == 1 {
		return p.fail(p.i, "not valid UTF-8")
	}
	p.i += n
	return nil
}

// escaped goes on with a string that has escapes.
func (p *parser) escaped(at, start int) (string, error) {
	b := append([]byte(nil), p.src[start:p.i]...)
	for p.i < len(p.src) {
		switch c := p.src[p.i]; {
		case c == '"':
			p.i++
			return string(b), nil
		case c == '\\':
			r, err := p.escape()
			if err != nil {
				return "", err
			}
			b = utf8.AppendRune(b, r)
		case c < 0x20:
			return "", p.fail(p.i, "a control character in a string; write it as \\u%04x", c)
		case c < utf8.RuneSelf:
			b = append(b, c)
			p.i++
		default:
			from := p.i
			if err := p.multibyte(); err != nil {
				return "", err
			}
			b = append(b, p.src[from:p.i]...)
		}
	}
	return "", p.fail(at, "a string without an end")
}

// escape reads one escape; half a surrogate pair becomes U+FFFD.
func (p *parser) escape() (rune, error) {
	if p.i+1 >= len(p.src) {
		return 0, p.fail(p.i, "a string without an end")
	}
	c := p.src[p.i+1]
	if c == 'u' {
		return p.unicode()
	}
	p.i += 2
	switch c {
	case '"', '\\', '/':
		return rune(c), nil
	case 'b':
		return '\b', nil
	case 'f':
		return '\f', nil
	case 'n':
		return '\n', nil
	case 'r':
		return '\r', nil
	case 't':
		return '\t', nil
	}
	return 0, p.fail(p.i-2, "an escape that JSON does not have")
}

func (p *parser) unicode() (rune, error) {
	r, ok := p.hex4(p.i)
	if !ok {
		return 0, p.fail(p.i, `\u needs four hexadecimal digits`)
	}
	p.i += 6
	if !utf16.IsSurrogate(r) {
		return r, nil
	}
	if low, ok := p.hex4(p.i); ok {
		if pair := utf16.DecodeRune(r, low); pair != utf8.RuneError {
			p.i += 6
			return pair, nil
		}
	}
	return utf8.RuneError, nil
}

// hex4 reads the \uXXXX at an offset.
func (p *parser) hex4(at int) (rune, bool) {
	if at+6 > len(p.src) || p.src[at] != '\\' || p.src[at+1] != 'u' {
		return 0, false
	}
	n, err := strconv.ParseUint(string(p.src[at+2:at+6]), 16, 32)
	return rune(n), err == nil
}
