package jsonata

// node is a node of the syntax tree, as the parser leaves it.
type node struct {
	token
	// kids are the operands, items, arguments or statements, in order. Of a
	// lambda the last one is the body, of a call the last one the function.
	kids []*node
	// keepArray: an empty predicate [] followed.
	keepArray bool
}

// maxNesting bounds how deeply an expression may be nested.
const maxNesting = 500

// parser is a top-down operator precedence parser (Pratt 1973).
type parser struct {
	lex   lexer
	tok   token
	depth int
	err   *SyntaxError
}

// parse reads a whole expression.
func parse(src string) (*node, *SyntaxError) {
	if len(src) > maxExprSize {
		return nil, syntaxError(0, "S0500", "The expression has more than %d bytes", maxExprSize)
	}
	p := &parser{lex: lexer{src: src}}
	p.advance(false)
	n := p.expression(0)
	if p.err == nil && p.tok.kind != kEnd {
		p.fail(p.tok, "S0201", "Syntax error: %s", quote(p.tok.text))
	}
	if p.err == nil {
		p.check(n)
	}
	return n, p.err
}

// fail keeps the first error; from then on the parser sees the end.
func (p *parser) fail(t token, code, format string, args ...any) {
	if p.err == nil {
		p.err = syntaxError(t.at, code, format, args...)
	}
	p.tok = token{kind: kEnd, at: len(p.lex.src)}
}

func (p *parser) advance(infix bool) {
	if p.err != nil {
		return
	}
	t, err := p.lex.next(infix)
	if err != nil {
		p.err = err
		t = token{kind: kEnd, at: len(p.lex.src)}
	} else if t.kind == kOperator {
		if _, known := bindingPowers[t.text]; !known {
			p.fail(t, "S0204", "Unknown operator: %s", quote(t.text))
			return
		}
	}
	p.tok = t
}

func (p *parser) is(op string) bool { return p.tok.kind == kOperator && p.tok.text == op }

// expect takes an operator that must come next.
func (p *parser) expect(op string, infix bool) {
	switch {
	case p.err != nil:
	case p.is(op):
		p.advance(infix)
	case p.tok.kind == kEnd:
		p.fail(p.tok, "S0203", "Expected %s before end of expression", quote(op))
	default:
		p.fail(p.tok, "S0202", "Expected %s, got %s", quote(op), quote(p.tok.text))
	}
}

func (p *parser) expression(rbp int) *node {
	if p.depth++; p.depth > maxNesting {
		p.fail(p.tok, "S0500", "The expression is nested more than %d levels deep", maxNesting)
	}
	t := p.tok
	p.advance(true)
	left := p.prefix(t)
	for p.err == nil && p.tok.kind == kOperator && rbp < bindingPowers[p.tok.text] {
		t := p.tok
		p.advance(false)
		left = p.infix(t, left)
	}
	p.depth--
	return left
}

// prefix reads what begins with a token that no operand stands before.
func (p *parser) prefix(t token) *node {
	n := &node{token: t}
	// The end may stand for an operand until it is known what is missing.
	if t.kind != kOperator {
		return n
	}
	switch t.text {
	case "and", "or", "in":
		n.kind = kName
	case "-":
		n.kind, n.kids = kUnary, []*node{p.expression(70)}
	case "*":
		n.kind = kWildcard
	case "**":
		n.kind = kDescendant
	case "%":
		n.kind = kParent
	case "(":
		n.kind = kBlock
		for p.err == nil && !p.is(")") {
			n.kids = append(n.kids, p.expression(0))
			if !p.is(";") {
				break
			}
			p.advance(false)
		}
		p.expect(")", true)
	case "[":
		n.kind, n.kids = kArray, p.items()
	case "{":
		n.kind, n.kids = kObject, p.pairs()
	case "|":
		n.kind, n.kids = kTransform, p.transform()
	default:
		p.fail(t, "S0211", "The symbol %s cannot be used as a unary operator", quote(t.text))
	}
	return n
}

func (p *parser) items() []*node {
	var list []*node
	for p.err == nil && (len(list) > 0 || !p.is("]")) {
		item := p.expression(0)
		if p.is("..") {
			r := &node{token: p.tok}
			r.kind = kBinary
			p.advance(false)
			r.kids = []*node{item, p.expression(0)}
			item = r
		}
		list = append(list, item)
		if !p.is(",") {
			break
		}
		p.advance(false)
	}
	p.expect("]", true)
	return list
}

// pairs reads the keys and values of an object, one after the other.
func (p *parser) pairs() []*node {
	var list []*node
	for p.err == nil && (len(list) > 0 || !p.is("}")) {
		key := p.expression(0)
		p.expect(":", false)
		list = append(list, key, p.expression(0))
		if !p.is(",") {
			break
		}
		p.advance(false)
	}
	p.expect("}", true)
	return list
}

func (p *parser) transform() []*node {
	kids := []*node{p.expression(0)}
	p.expect("|", false)
	kids = append(kids, p.expression(0))
	if p.is(",") {
		p.advance(false)
		kids = append(kids, p.expression(0))
	}
	p.expect("|", false)
	return kids
}
