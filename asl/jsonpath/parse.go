package jsonpath

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// maxNesting bounds paths in filters in paths, and brackets in filters.
const maxNesting = 100

// Compile reads a path that starts with $, $$ or $name. The error is a
// *SyntaxError.
func Compile(text string) (*Path, error) {
	c := compiler{src: text}
	p, err := c.root()
	if err != nil {
		return nil, err
	}
	if c.i < len(c.src) {
		return nil, c.fail("unexpected %q", c.rune())
	}
	return p, nil
}

// MustCompile is Compile for constants: it panics on an error.
func MustCompile(text string) *Path {
	p, err := Compile(text)
	if err != nil {
		panic(err)
	}
	return p
}

type compiler struct {
	src   string
	i     int
	depth int
}

func (c *compiler) root() (*Path, error) {
	if c.src == "" || c.src[0] != '$' {
		return nil, c.fail("a path must start with $")
	}
	p := &Path{text: c.src}
	c.i = 1
	switch {
	case c.is('$'):
		p.root = RootContext
		c.i++
	case c.i < len(c.src) && !c.is('.') && !c.is('['):
		if p.variable = c.word(); p.variable == "" {
			return nil, c.fail("unexpected %q after $", c.rune())
		}
		p.root = RootVariable
	}
	return p, c.tokens(p, false)
}

// word reads a name of letters, digits and underscores.
func (c *compiler) word() string {
	from := c.i
	for c.i < len(c.src) && (isWord(c.src[c.i]) || c.src[c.i] >= utf8.RuneSelf) {
		c.i++
	}
	return c.src[from:c.i]
}

func isWord(b byte) bool {
	return b == '_' || b >= '0' && b <= '9' || b >= 'a' && b <= 'z' || b >= 'A' && b <= 'Z'
}

func (c *compiler) is(b byte) bool { return c.i < len(c.src) && c.src[c.i] == b }

func (c *compiler) rune() rune {
	r, _ := utf8.DecodeRuneInString(c.src[c.i:])
	return r
}

// tokens reads steps until the end, or within a filter until one cannot go on.
func (c *compiler) tokens(p *Path, inFilter bool) error {
	p.function = -1
	for c.i < len(c.src) {
		var t token
		var err error
		switch c.src[c.i] {
		case '.':
			t, err = c.dot(inFilter)
		case '[':
			t, err = c.bracket()
		default:
			if inFilter {
				p.definite = definitely(p.tokens)
				return nil
			}
			return c.fail("unexpected %q; a step begins with . or [", c.rune())
		}
		if err != nil {
			return err
		}
		if _, ok := t.(function); ok && p.function < 0 {
			p.function = len(p.tokens)
		} else if p.function >= 0 && !ok {
			return c.fail("nothing but functions may follow a function")
		}
		p.tokens = append(p.tokens, t)
	}
	if n := len(p.tokens); n > 0 {
		if _, ok := p.tokens[n-1].(scan); ok {
			return c.fail("a path must not end with ..")
		}
	}
	p.definite = definitely(p.tokens)
	return nil
}

// dot reads ".name", ".*", ".function()" or the ".." before another step.
func (c *compiler) dot(inFilter bool) (token, error) {
	c.i++
	if c.is('.') {
		if c.i++; c.is('.') || c.i == len(c.src) {
			return nil, c.fail("a step must follow ..")
		}
		if !c.is('[') {
			c.i-- // the second dot begins the next step
		}
		return scan{}, nil
	}
	if c.is('*') {
		c.i++
		return wildcard{}, nil
	}
	from := c.i
	for c.i < len(c.src) && !stops(c.src[c.i], inFilter) {
		c.i++
	}
	name := c.src[from:c.i]
	if name == "" {
		return nil, c.fail("a name must follow the dot")
	}
	if c.is('(') {
		return c.call(name)
	}
	if c.is(' ') && !inFilter {
		return nil, c.fail("a name with blanks must stand in brackets: ['my name']")
	}
	return names{name}, nil
}

// stops tells whether a byte ends a name after a dot.
func stops(b byte, inFilter bool) bool {
	if inFilter && strings.IndexByte(")=<>!&|,\t\n\r]", b) >= 0 {
		return true
	}
	return b == '.' || b == '[' || b == '(' || b == ' '
}

func (c *compiler) blank() {
	for c.i < len(c.src) && strings.IndexByte(" \t\n\r", c.src[c.i]) >= 0 {
		c.i++
	}
}

func (c *compiler) bracket() (token, error) {
	c.i++
	c.blank()
	if c.i >= len(c.src) {
		return nil, c.fail("a bracket is not closed")
	}
	var t token
	var err error
	switch b := c.src[c.i]; {
	case b == '\'' || b == '"':
		t, err = c.names()
	case b == '*':
		c.i++
		t = wildcard{}
	case b == '?':
		t, err = c.filter()
	default:
		t, err = c.numbers()
	}
	if err != nil {
		return nil, err
	}
	if c.blank(); !c.is(']') {
		return nil, c.fail("a bracket is not closed")
	}
	c.i++
	return t, nil
}

func (c *compiler) names() (token, error) {
	var t names
	for {
		c.blank()
		if !c.is('\'') && !c.is('"') {
			return nil, c.fail("a name in quotation marks must stand here")
		}
		s, err := c.quoted()
		if err != nil {
			return nil, err
		}
		t = append(t, s)
		if c.blank(); !c.is(',') {
			return t, nil
		}
		c.i++
	}
}

// quoted reads 'text' or "text" in which a backslash takes the next character.
func (c *compiler) quoted() (string, error) {
	quote := c.src[c.i]
	c.i++
	var b strings.Builder
	for c.i < len(c.src) {
		switch ch := c.src[c.i]; {
		case ch == quote:
			c.i++
			return b.String(), nil
		case ch == '\\' && c.i+1 < len(c.src):
			c.i++
			b.WriteByte(unescape(c.src[c.i]))
		default:
			b.WriteByte(ch)
		}
		c.i++
	}
	return "", c.fail("a quotation mark is not closed")
}

func unescape(b byte) byte {
	switch b {
	case 'n':
		return '\n'
	case 't':
		return '\t'
	case 'r':
		return '\r'
	}
	return b
}

// numbers reads indexes or a slice.
func (c *compiler) numbers() (token, error) {
	end := strings.IndexByte(c.src[c.i:], ']')
	if end < 0 {
		return nil, c.fail("a bracket is not closed")
	}
	inner := strings.TrimSpace(c.src[c.i : c.i+end])
	if strings.Contains(inner, ":") {
		t, ok := parseSlice(inner)
		if !ok {
			return nil, c.fail("%q is not a slice such as 1:5", inner)
		}
		c.i += end
		return t, nil
	}
	if n, ok := fromEnd(inner); ok {
		c.i += end
		return indexes{n}, nil
	}
	var t indexes
	for _, s := range strings.Split(inner, ",") {
		n, err := strconv.Atoi(strings.TrimSpace(s))
		if err != nil {
			return nil, c.fail("%q is not an index, a slice, a name in quotation marks, * or a filter", inner)
		}
		t = append(t, n)
	}
	c.i += end
	return t, nil
}

// fromEnd reads (@.length-1), an old way to write -1.
func fromEnd(s string) (int, bool) {
	s, ok := strings.CutPrefix(s, "(@.length")
	s, ok2 := strings.CutSuffix(s, ")")
	n, err := strconv.Atoi(strings.ReplaceAll(s, " ", ""))
	return n, ok && ok2 && err == nil && n < 0
}

// parseSlice reads from:to:step, of which the step is ignored.
func parseSlice(s string) (slice, bool) {
	parts := strings.Split(s, ":")
	var t slice
	for i, p := range parts {
		if p = strings.TrimSpace(p); p == "" {
			continue
		}
		n, err := strconv.Atoi(p)
		if err != nil || i > 2 {
			return t, false
		}
		switch i {
		case 0:
			t.from = &n
		case 1:
			t.to = &n
		}
	}
	return t, true
}
