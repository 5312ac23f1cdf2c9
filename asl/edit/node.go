package edit

import (
	"unicode/utf8"

	"github.com/internal-app-portal/iap/asl/value"
)

// node is a value of a JSON text and the place that it has there.
type node struct {
	key     string // of a member of an object
	keyAt   int    // where the key begins, in bytes
	at, end int    // the value, in bytes
	v       value.Value
	kids    []*node // members or elements, in order
}

// parse reads a JSON text with the places of all its parts. The error is a
// *value.SyntaxError.
func parse(src []byte) (*node, error) {
	v, err := value.Parse(src)
	if err != nil {
		return nil, err
	}
	s := scanner{src: src}
	return s.value(v), nil
}

// scanner finds the places of values in a text that is known to be JSON.
type scanner struct {
	src []byte
	i   int
}

func (s *scanner) blank() {
	for s.i < len(s.src) && (s.src[s.i] == ' ' || s.src[s.i] == '\t' || s.src[s.i] == '\n' || s.src[s.i] == '\r') {
		s.i++
	}
}

func (s *scanner) value(v value.Value) *node {
	s.blank()
	n := &node{at: s.i, v: v}
	switch v := v.(type) {
	case *value.Object:
		s.i++
		for _, m := range v.Members() {
			s.skip(',')
			at := s.i
			s.text()
			s.skip(':')
			kid := s.value(m.Value)
			kid.key, kid.keyAt = m.Key, at
			n.kids = append(n.kids, kid)
		}
		s.close('}')
	case value.Array:
		s.i++
		for _, x := range v {
			s.skip(',')
			n.kids = append(n.kids, s.value(x))
		}
		s.close(']')
	case string:
		s.text()
	default:
		for s.i < len(s.src) && !isEnd(s.src[s.i]) {
			s.i++
		}
	}
	n.end = s.i
	return n
}

// skip passes over blanks, and over c where it comes next.
func (s *scanner) skip(c byte) {
	s.blank()
	if s.src[s.i] == c {
		s.i++
		s.blank()
	}
}

func (s *scanner) close(c byte) {
	s.blank()
	if s.i < len(s.src) && s.src[s.i] == c {
		s.i++
	}
}

// text passes over a string.
func (s *scanner) text() {
	for s.i++; s.i < len(s.src) && s.src[s.i] != '"'; s.i++ {
		if s.src[s.i] == '\\' {
			s.i++
		}
	}
	s.i++
}

func isEnd(c byte) bool {
	switch c {
	case ',', '}', ']', ' ', '\t', '\n', '\r':
		return true
	}
	return false
}

// field finds a member of an object; nil when there is none.
func (n *node) field(key string) *node {
	if n == nil {
		return nil
	}
	for _, k := range n.kids {
		if k.key == key && k.keyAt > 0 {
			return k
		}
	}
	return nil
}

// str is the text of a string member; "" when it is none.
func (n *node) str(key string) string {
	if f := n.field(key); f != nil {
		s, _ := f.v.(string)
		return s
	}
	return ""
}

func (n *node) isObject() bool {
	if n == nil {
		return false
	}
	_, ok := n.v.(*value.Object)
	return ok
}

// items are the elements of an array member; nil when it is none.
func (n *node) items(key string) []*node {
	f := n.field(key)
	if f == nil {
		return nil
	}
	if _, ok := f.v.(value.Array); !ok {
		return nil
	}
	return f.kids
}

// lines counts lines and columns through a text, forward.
type lines struct {
	src               []byte
	at, line, lineAt_ int
}

// place returns the line and the column, in characters, of an offset that is
// not before the one asked for last; both are from 1.
func (l *lines) place(offset int) (line, column int) {
	if l.line == 0 || offset < l.at {
		l.at, l.line, l.lineAt_ = 0, 1, 0
	}
	for ; l.at < offset && l.at < len(l.src); l.at++ {
		if l.src[l.at] == '\n' {
			l.line, l.lineAt_ = l.line+1, l.at+1
		}
	}
	return l.line, 1 + utf8.RuneCount(l.src[l.lineAt_:l.at])
}
