package intrinsic

import (
	"fmt"
	"sort"
	"strings"

	"github.com/internal-app-portal/iap/asl/jsonpath"
	"github.com/internal-app-portal/iap/asl/value"
)

const (
	// maxNesting is how deeply calls may stand in each other, as on AWS.
	maxNesting = 10
	prefix     = "States."
)

// IsCall tells whether a text looks like a call, so that Compile is the one to
// say what is wrong with it.
func IsCall(text string) bool { return strings.HasPrefix(text, prefix) }

// Compile reads a call. The error is a *SyntaxError.
func Compile(text string) (*Call, error) {
	p := parser{src: text}
	c, err := p.call(1)
	if err != nil {
		return nil, err
	}
	if p.blank(); p.i < len(p.src) {
		return nil, p.fail("there is more after the end of the call")
	}
	return c, nil
}

type parser struct {
	src string
	i   int
}

func (p *parser) fail(format string, args ...any) error {
	return &SyntaxError{Offset: p.i, Msg: fmt.Sprintf(format, args...)}
}

func (p *parser) blank() {
	for p.i < len(p.src) && strings.IndexByte(" \t\n\r", p.src[p.i]) >= 0 {
		p.i++
	}
}

func (p *parser) is(b byte) bool { return p.i < len(p.src) && p.src[p.i] == b }

func (p *parser) call(depth int) (*Call, error) {
	if depth > maxNesting {
		return nil, p.fail("calls are nested more than %d levels deep", maxNesting)
	}
	from := p.i
	end := strings.IndexAny(p.src[p.i:], "( ,)")
	if end < 0 || !strings.HasPrefix(p.src[p.i:], prefix) {
		return nil, p.fail("a call such as States.Format('{}', $.name) is expected")
	}
	name := p.src[p.i+len(prefix) : p.i+max(end, len(prefix))]
	spec, ok := functions[name]
	if !ok {
		return nil, &SyntaxError{Offset: p.i, Msg: fmt.Sprintf("there is no intrinsic function %s%s", prefix, name), Near: near(name)}
	}
	p.i += end
	if p.blank(); !p.is('(') {
		return nil, p.fail("an opening bracket must follow %s%s", prefix, name)
	}
	p.i++
	args, err := p.args(depth)
	if err != nil {
		return nil, err
	}
	if len(args) < spec.min || len(args) > spec.max {
		return nil, p.fail("%s%s takes %s, not %d", prefix, name, spec.count(), len(args))
	}
	for i, a := range args {
		want := spec.wants(i)
		if a.path == nil && a.call == nil && want != "" && value.Kind(a.lit) != want {
			return nil, p.fail("argument %d of %s%s must be of type %s, but it is of type %s", i+1, prefix, name, want, value.Kind(a.lit))
		}
	}
	return &Call{name: name, text: p.src[from:p.i], args: args}, nil
}

// args reads the arguments and the closing bracket.
func (p *parser) args(depth int) ([]arg, error) {
	var args []arg
	if p.blank(); p.is(')') {
		p.i++
		return nil, nil
	}
	for {
		p.blank()
		a, err := p.arg(depth)
		if err != nil {
			return nil, err
		}
		args = append(args, a)
		p.blank()
		switch {
		case p.is(')'):
			p.i++
			return args, nil
		case !p.is(','):
			return nil, p.fail("a comma or a closing bracket is expected")
		}
		p.i++
	}
}

func (p *parser) arg(depth int) (arg, error) {
	if p.i >= len(p.src) {
		return arg{}, p.fail("an argument is missing")
	}
	switch {
	case p.is('\''):
		return p.quoted()
	case p.is('$'):
		return p.path()
	case strings.HasPrefix(p.src[p.i:], prefix):
		c, err := p.call(depth + 1)
		return arg{call: c}, err
	}
	from := p.i
	for p.i < len(p.src) && strings.IndexByte(" ,)\t\n\r", p.src[p.i]) < 0 {
		p.i++
	}
	v, err := value.Parse([]byte(p.src[from:p.i]))
	if err != nil {
		text := p.src[from:p.i]
		p.i = from
		return arg{}, p.fail("%q is not an argument: write a path, a call, a number, true, false, null or 'text'", text)
	}
	return arg{lit: v}, nil
}

// quoted reads 'text', in which a backslash takes ', {, } and itself.
func (p *parser) quoted() (arg, error) {
	p.i++
	from := p.i
	for p.i < len(p.src) {
		switch p.src[p.i] {
		case '\'':
			raw := p.src[from:p.i]
			p.i++
			return arg{lit: unescape(raw), raw: raw}, nil
		case '\\':
			if p.i++; p.i < len(p.src) && strings.IndexByte(escapable, p.src[p.i]) < 0 {
				return arg{}, p.fail("a backslash must stand before ', {, } or another backslash")
			}
		}
		p.i++
	}
	p.i = min(p.i, len(p.src))
	return arg{}, p.fail("a quotation mark is not closed")
}

// escapable are the characters before which a backslash may stand.
const escapable = `'{}\`

func unescape(raw string) string {
	if !strings.Contains(raw, `\`) {
		return raw
	}
	var b strings.Builder
	for i := 0; i < len(raw); i++ {
		if raw[i] == '\\' && i+1 < len(raw) && strings.IndexByte(escapable, raw[i+1]) >= 0 {
			i++
		}
		b.WriteByte(raw[i])
	}
	return b.String()
}

// path reads a path up to the comma or bracket that ends the argument.
func (p *parser) path() (arg, error) {
	from, depth := p.i, 0
	for p.i < len(p.src) {
		switch c := p.src[p.i]; c {
		case '(', '[', '{':
			depth++
		case ')', ']', '}', ',':
			if depth == 0 {
				return p.compile(from)
			}
			if c != ',' {
				depth--
			}
		case '\'', '"':
			p.skipQuoted(c)
		}
		p.i++
	}
	p.i = min(p.i, len(p.src))
	return p.compile(from)
}

// skipQuoted goes to the closing mark of a quotation inside a path.
func (p *parser) skipQuoted(mark byte) {
	for p.i++; p.i < len(p.src) && p.src[p.i] != mark; p.i++ {
		if p.src[p.i] == '\\' {
			p.i++
		}
	}
}

func (p *parser) compile(from int) (arg, error) {
	path, err := jsonpath.Compile(strings.TrimSpace(p.src[from:p.i]))
	if err != nil {
		return arg{}, p.fail("%v", err)
	}
	return arg{path: path}, nil
}

// near finds the function whose name differs least, if it differs little.
func near(name string) string {
	names := make([]string, 0, len(functions))
	for n := range functions {
		names = append(names, n)
	}
	sort.Strings(names)
	best, at := "", 4
	for _, n := range names {
		if d := value.Distance(strings.ToLower(n), strings.ToLower(name)); d < at {
			best, at = prefix+n, d
		}
	}
	return best
}
