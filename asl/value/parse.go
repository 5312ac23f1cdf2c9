package value

import (
	"fmt"
	"math"
	"strconv"
	"unicode/utf8"
)

// MaxDepth is how deeply arrays and objects may be nested.
const MaxDepth = 1000

// SyntaxError tells what is wrong with a JSON text and where.
type SyntaxError struct {
	Offset int // in bytes, from 0
	Msg    string
	// Want is what was expected there.
	Want Want
}

// Want is what a text should have had where it is wrong.
type Want int

// What may be expected; WantNothing when something else is wrong.
const (
	WantNothing Want = iota
	WantValue
	WantKey
	WantColon
	WantObjectEntry // a comma or the object's end
	WantArrayEntry  // a comma or the array's end
	WantEnd         // the end of the document
)

func (e *SyntaxError) Error() string {
	return fmt.Sprintf("invalid JSON at byte %d: %s", e.Offset, e.Msg)
}

// Position is where a value begins in its text, in bytes, with the positions
// of its elements or member values, in order.
type Position struct {
	Offset int
	Kids   []Position
}

// Parse reads one JSON document and nothing after it. It refuses repeated
// keys, invalid UTF-8, numbers beyond a float's range and nesting beyond
// MaxDepth; the error is a *SyntaxError.
func Parse(src []byte) (Value, error) {
	p := parser{src: src}
	return p.document(nil)
}

// ParsePositions is Parse that tells where each value begins.
func ParsePositions(src []byte) (Value, *Position, error) {
	p := parser{src: src}
	pos := new(Position)
	v, err := p.document(pos)
	return v, pos, err
}

type parser struct {
	src   []byte
	i     int
	depth int
}

func (p *parser) fail(at int, format string, args ...any) error {
	return &SyntaxError{Offset: at, Msg: fmt.Sprintf(format, args...)}
}

// want notes what was expected in an error of fail.
func (p *parser) want(what Want, err error) error {
	if syntax, ok := err.(*SyntaxError); ok {
		syntax.Want = what
	}
	return err
}

func (p *parser) document(pos *Position) (Value, error) {
	v, err := p.value(pos)
	if err != nil {
		return nil, err
	}
	if p.blank(); p.i < len(p.src) {
		return nil, p.want(WantEnd, p.fail(p.i, "there is more after the end of the document"))
	}
	return v, nil
}

func (p *parser) blank() {
	for p.i < len(p.src) {
		switch p.src[p.i] {
		case ' ', '\t', '\n', '\r':
			p.i++
		default:
			return
		}
	}
}

func (p *parser) value(pos *Position) (Value, error) {
	p.blank()
	if p.i >= len(p.src) {
		return nil, p.want(WantValue, p.fail(p.i, "the text ends where a value is expected"))
	}
	if pos != nil {
		pos.Offset = p.i
	}
	switch c := p.src[p.i]; {
	case c == '{' || c == '[':
		return p.nested(pos, c)
	case c == '"':
		return p.str()
	case c == '-' || c >= '0' && c <= '9':
		return p.number()
	case p.word("true"):
		return true, nil
	case p.word("false"):
		return false, nil
	case p.word("null"):
		return nil, nil
	}
	return nil, p.want(WantValue, p.unexpected("a value"))
}

func (p *parser) unexpected(want string) error {
	if p.i >= len(p.src) {
		return p.fail(p.i, "the text ends where %s is expected", want)
	}
	r, _ := utf8.DecodeRune(p.src[p.i:])
	return p.fail(p.i, "%q where %s is expected", r, want)
}

func (p *parser) nested(pos *Position, open byte) (v Value, err error) {
	if p.depth++; p.depth > MaxDepth {
		return nil, p.fail(p.i, "nested more than %d levels deep", MaxDepth)
	}
	if open == '{' {
		v, err = p.object(pos)
	} else {
		v, err = p.array(pos)
	}
	p.depth--
	return v, err
}

func (p *parser) word(w string) bool {
	if len(p.src)-p.i >= len(w) && string(p.src[p.i:p.i+len(w)]) == w {
		p.i += len(w)
		return true
	}
	return false
}

// kid gives the place for the position of the next element.
func kid(pos *Position) *Position {
	if pos == nil {
		return nil
	}
	pos.Kids = append(pos.Kids, Position{})
	return &pos.Kids[len(pos.Kids)-1]
}

func (p *parser) array(pos *Position) (Value, error) {
	p.i++
	a := Array{}
	if p.blank(); p.i < len(p.src) && p.src[p.i] == ']' {
		p.i++
		return a, nil
	}
	for {
		v, err := p.value(kid(pos))
		if err != nil {
			return nil, err
		}
		a = append(a, v)
		if done, err := p.next(']'); done || err != nil {
			return a, err
		}
	}
}

// next reads a comma (false) or the closing bracket (true).
func (p *parser) next(end byte) (bool, error) {
	p.blank()
	if p.i < len(p.src) {
		switch p.src[p.i] {
		case ',':
			p.i++
			return false, nil
		case end:
			p.i++
			return true, nil
		}
	}
	what := WantObjectEntry
	if end == ']' {
		what = WantArrayEntry
	}
	return false, p.want(what, p.unexpected(fmt.Sprintf("',' or '%c'", end)))
}

func (p *parser) object(pos *Position) (Value, error) {
	p.i++
	o := &Object{}
	if p.blank(); p.i < len(p.src) && p.src[p.i] == '}' {
		p.i++
		return o, nil
	}
	o.members = make([]Member, 0, 4)
	for {
		p.blank()
		at := p.i
		if p.i >= len(p.src) || p.src[p.i] != '"' {
			return nil, p.want(WantKey, p.unexpected("a key in quotation marks"))
		}
		key, err := p.str()
		if err != nil {
			return nil, err
		}
		if o.find(key) >= 0 {
			return nil, p.fail(at, "the key %s is there twice", strconv.Quote(clip(key)))
		}
		if p.blank(); p.i >= len(p.src) || p.src[p.i] != ':' {
			return nil, p.want(WantColon, p.unexpected("':'"))
		}
		p.i++
		v, err := p.value(kid(pos))
		if err != nil {
			return nil, err
		}
		o.add(key, v)
		if done, err := p.next('}'); done || err != nil {
			return o, err
		}
	}
}

func (p *parser) number() (Value, error) {
	at := p.i
	for p.i < len(p.src) {
		switch c := p.src[p.i]; {
		case c >= '0' && c <= '9', c == '-', c == '+', c == '.', c == 'e', c == 'E':
			p.i++
			continue
		}
		break
	}
	text := string(p.src[at:p.i])
	if !validNumber(text) {
		return nil, p.fail(at, "%s is not a number as JSON writes them", clip(text))
	}
	n := Number(text)
	if n.IsInt() && len(n) < 300 {
		return n, nil
	}
	if f, _ := strconv.ParseFloat(text, 64); math.IsInf(f, 0) {
		return nil, p.fail(at, "the number %s is too large", clip(text))
	}
	return n, nil
}

// validNumber checks -?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]{1,6})?
func validNumber(s string) bool {
	i := 0
	if i < len(s) && s[i] == '-' {
		i++
	}
	whole := digits(s[i:])
	if whole == 0 || whole > 1 && s[i] == '0' {
		return false
	}
	if i += whole; i < len(s) && s[i] == '.' {
		n := digits(s[i+1:])
		if n == 0 {
			return false
		}
		i += 1 + n
	}
	if i < len(s) && (s[i] == 'e' || s[i] == 'E') {
		if i++; i < len(s) && (s[i] == '+' || s[i] == '-') {
			i++
		}
		n := digits(s[i:])
		if n == 0 || n > 6 {
			return false
		}
		i += n
	}
	return i == len(s)
}

func digits(s string) int {
	n := 0
	for n < len(s) && s[n] >= '0' && s[n] <= '9' {
		n++
	}
	return n
}

func clip(s string) string {
	if len(s) > 40 {
		return s[:40] + "…"
	}
	return s
}
