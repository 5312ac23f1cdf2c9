package items

import (
	"bufio"
	"errors"
	"io"

	"github.com/internal-app-portal/iap/asl/value"
)

var (
	errSyntax = errors.New("this is not JSON")
	errLong   = errors.New("the item is too long")
)

// scanner finds where JSON values begin and end; that they are valid is left to
// the parser of values.
type scanner struct {
	r   *bufio.Reader
	at  int64
	buf []byte
}

// mark skips a byte order mark at the beginning.
func (s *scanner) mark() error {
	b, err := s.r.Peek(3)
	if err == nil && string(b) == "\ufeff" {
		_, err = s.r.Discard(3)
		return err
	}
	return nil
}

func (s *scanner) byte() (byte, error) {
	c, err := s.r.ReadByte()
	if err == io.EOF {
		return 0, io.ErrUnexpectedEOF
	}
	s.at++
	return c, err
}

// back takes the last byte back.
func (s *scanner) back() {
	_ = s.r.UnreadByte() // there always is one
	s.at--
}

// token gives the next byte that is not blank.
func (s *scanner) token() (byte, error) {
	for {
		c, err := s.byte()
		if err != nil || c != ' ' && c != '\t' && c != '\n' && c != '\r' {
			return c, err
		}
	}
}

// name reads the name of a member and its colon.
func (s *scanner) name() (string, error) {
	text, err := s.value(true)
	if err != nil {
		return "", err
	}
	v, err := value.Parse(text)
	name, ok := v.(string)
	if err != nil || !ok {
		return "", errSyntax
	}
	if c, err := s.token(); err != nil || c != ':' {
		return "", errors.Join(err, errSyntax)
	}
	return name, nil
}

// value reads a value; with keep it gives its text, which is good until the next
// call.
func (s *scanner) value(keep bool) ([]byte, error) {
	s.buf = s.buf[:0]
	depth, inText, escaped := 0, false, false
	c, err := s.token()
	for ; ; c, err = s.byte() {
		if err != nil {
			return nil, err
		}
		if !inText && depth == 0 && len(s.buf) > 0 && ends(c) {
			s.back()
			return s.buf, nil
		}
		if keep || len(s.buf) == 0 {
			s.buf = append(s.buf, c)
		}
		if len(s.buf) > maxItem {
			return nil, errLong
		}
		switch {
		case escaped:
			escaped = false
		case inText && c == '\\':
			escaped = true
		case c == '"':
			inText = !inText
		case inText:
		case c == '{' || c == '[':
			depth++
		case c == '}' || c == ']':
			if depth--; depth < 0 {
				return nil, errSyntax
			}
		}
	}
}

// ends tells what cannot be part of a value that has begun outside of brackets.
func ends(c byte) bool {
	switch c {
	case ',', ']', '}', ':', ' ', '\t', '\n', '\r':
		return true
	}
	return false
}
