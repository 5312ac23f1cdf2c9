package jsonpath

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/internal-app-portal/iap/asl/value"
)

func (c *compiler) fail(format string, args ...any) error {
	return &SyntaxError{Path: c.src, Offset: c.i, Msg: fmt.Sprintf(format, args...)}
}

// filter reads ?(condition).
func (c *compiler) filter() (token, error) {
	from := c.i
	c.i++
	if c.blank(); !c.is('(') {
		return nil, c.fail("a filter must be written as [?(…)]")
	}
	c.i++
	cond, err := c.anyOf()
	if err != nil {
		return nil, err
	}
	if c.blank(); !c.is(')') {
		return nil, c.fail("a filter's bracket is not closed")
	}
	c.i++
	return filter{cond: cond, src: c.src[from:c.i]}, nil
}

func (c *compiler) anyOf() (condition, error) {
	if c.depth++; c.depth > maxNesting {
		return nil, c.fail("nested more than %d levels deep", maxNesting)
	}
	defer func() { c.depth-- }()
	var all or
	for {
		x, err := c.allOf()
		if err != nil {
			return nil, err
		}
		all = append(all, x)
		if c.blank(); !c.take("||") {
			return single(all), nil
		}
	}
}

func single(all or) condition {
	if len(all) == 1 {
		return all[0]
	}
	return all
}

func (c *compiler) allOf() (condition, error) {
	var all and
	for {
		x, err := c.term()
		if err != nil {
			return nil, err
		}
		all = append(all, x)
		if c.blank(); !c.take("&&") {
			if len(all) == 1 {
				return all[0], nil
			}
			return all, nil
		}
	}
}

func (c *compiler) take(s string) bool {
	if strings.HasPrefix(c.src[c.i:], s) {
		c.i += len(s)
		return true
	}
	return false
}

func (c *compiler) term() (condition, error) {
	c.blank()
	negated := false
	for c.is('!') {
		negated = !negated
		c.i++
		c.blank()
	}
	var x condition
	var err error
	if c.is('(') {
		c.i++
		if x, err = c.anyOf(); err == nil {
			if c.blank(); !c.is(')') {
				return nil, c.fail("a bracket is not closed")
			}
			c.i++
		}
	} else {
		x, err = c.relation()
	}
	if err != nil {
		return nil, err
	}
	if negated {
		return not{x}, nil
	}
	return x, nil
}

// signs come longest first, so that == is not read as =.
var signs = []string{"===", "!==", "==", "!=", "<=", ">=", "=~", "<", ">"}

var words = []string{"in", "nin", "subsetof", "anyof", "noneof", "size", "empty", "contains", "all", "type"}

func (c *compiler) relation() (condition, error) {
	left, err := c.operand()
	if err != nil {
		return nil, err
	}
	c.blank()
	op := ""
	for _, s := range signs {
		if c.take(s) {
			op = s
			break
		}
	}
	if op == "" {
		from := c.i
		if op = strings.ToLower(c.word()); op == "" {
			return exists{left}, nil
		}
		if !slices.Contains(words, op) {
			c.i = from
			return nil, c.fail("%q is not an operator", op)
		}
	}
	right, err := c.operand()
	if err != nil {
		return nil, err
	}
	return compare{op: op, left: left, right: right}, nil
}

func (c *compiler) operand() (operand, error) {
	c.blank()
	if c.i >= len(c.src) {
		return operand{}, c.fail("a value is missing")
	}
	switch b := c.src[c.i]; b {
	case '@', '$':
		c.i++
		p := &Path{text: c.src}
		err := c.tokens(p, true)
		return operand{path: p, current: b == '@'}, err
	case '\'', '"':
		s, err := c.quoted()
		return operand{lit: s}, err
	case '/':
		return c.regexp()
	}
	return c.literal()
}

func (c *compiler) regexp() (operand, error) {
	from := c.i
	for c.i++; c.i < len(c.src) && c.src[c.i] != '/'; c.i++ {
		if c.src[c.i] == '\\' {
			c.i++
		}
	}
	if c.i >= len(c.src) {
		return operand{}, c.fail("a regular expression is not closed")
	}
	body := strings.ReplaceAll(c.src[from+1:c.i], `\/`, "/")
	c.i++
	flags := ""
	for c.i < len(c.src) && strings.IndexByte("idmsuxU", c.src[c.i]) >= 0 {
		if f := c.src[c.i]; f == 'i' || f == 'm' || f == 's' {
			flags += string(f)
		}
		c.i++
	}
	if flags != "" {
		flags = "(?" + flags + ")"
	}
	re, err := regexp.Compile(flags + `\A(?:` + body + `)\z`)
	if err != nil {
		return operand{}, c.fail("%v", err)
	}
	return operand{re: re}, nil
}

// literal reads a number, a word or a JSON array or object.
func (c *compiler) literal() (operand, error) {
	from := c.i
	if c.src[c.i] == '[' || c.src[c.i] == '{' {
		if err := c.balance(); err != nil {
			return operand{}, err
		}
	} else {
		for c.i < len(c.src) && strings.IndexByte(" \t\n\r)],&|=!<>(", c.src[c.i]) < 0 {
			c.i++
		}
	}
	text := c.src[from:c.i]
	v, err := value.Parse([]byte(text))
	if err != nil {
		// Jayway takes single quotation marks in lists as well.
		if isName(text) {
			return operand{lit: text}, nil
		}
		if v, err = value.Parse([]byte(strings.ReplaceAll(text, "'", `"`))); err != nil {
			c.i = from
			return operand{}, c.fail("%q is not a value", text)
		}
	}
	return operand{lit: v}, nil
}

// isName tells whether a text is a word, which stands for itself.
func isName(s string) bool {
	for i := 0; i < len(s); i++ {
		if !isWord(s[i]) {
			return false
		}
	}
	return s != "" && (s[0] < '0' || s[0] > '9')
}

// balance goes to the end of a JSON array or object.
func (c *compiler) balance() error {
	depth := 0
	for c.i < len(c.src) {
		switch c.src[c.i] {
		case '[', '{':
			depth++
		case ']', '}':
			depth--
		case '\'', '"':
			if _, err := c.quoted(); err != nil {
				return err
			}
			continue
		}
		c.i++
		if depth == 0 {
			return nil
		}
	}
	return c.fail("a bracket is not closed")
}

// functions are those that may end a path.
var functions = []string{"length", "size", "min", "max", "avg", "stddev", "sum", "keys", "concat", "append", "first", "last", "index"}

// call reads the arguments of a function whose name has been read.
func (c *compiler) call(name string) (token, error) {
	if !slices.Contains(functions, name) {
		return nil, c.fail("there is no function %q", name)
	}
	if c.depth++; c.depth > maxNesting {
		return nil, c.fail("nested more than %d levels deep", maxNesting)
	}
	defer func() { c.depth-- }()
	f := function{name: name}
	c.i++
	if c.blank(); c.is(')') {
		c.i++
		return f, nil
	}
	for {
		o, err := c.operand()
		if err != nil {
			return nil, err
		}
		f.args = append(f.args, o)
		c.blank()
		if c.is(')') {
			c.i++
			return f, nil
		}
		if !c.is(',') {
			return nil, c.fail("a function's bracket is not closed")
		}
		c.i++
	}
}
