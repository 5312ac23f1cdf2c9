package jsonata

// infix reads what goes on after an operand with an operator.
func (p *parser) infix(t token, left *node) *node {
	n := &node{token: t}
	n.kind = kBinary
	switch t.text {
	case "(":
		return p.call(n, left)
	case "[":
		if p.is("]") {
			p.advance(false)
			keepArrays(left)
			return left
		}
		n.kids = []*node{left, p.expression(0)}
		p.expect("]", true)
	case "{":
		n.kind = kGroup
		n.kids = append([]*node{left}, p.pairs()...)
	case "^":
		n.kind = kSort
		n.kids = append([]*node{left}, p.terms()...)
	case "?":
		n.kind = kCondition
		n.kids = []*node{left, p.expression(0)}
		if p.is(":") {
			p.advance(false)
			n.kids = append(n.kids, p.expression(0))
		}
	case "?:", "??":
		n.kids = []*node{left, p.expression(0)}
	case ":=":
		if left.kind != kVariable {
			p.fail(left.token, "S0212", "The left side of := must be a variable name (start with $)")
			return n
		}
		n.kids = []*node{left, p.expression(bindingPowers[":="] - 1)}
	case "@", "#":
		n.kids = []*node{left, p.expression(bindingPowers[t.text])}
		if p.err == nil && n.kids[1].kind != kVariable {
			p.fail(n.kids[1].token, "S0214", "The right side of %s must be a variable name (start with $)", quote(t.text))
		}
	default:
		n.kids = []*node{left, p.expression(bindingPowers[t.text])}
	}
	return n
}

// keepArrays marks the step that an empty predicate belongs to.
func keepArrays(n *node) {
	for n.kind == kBinary && n.text == "[" {
		n = n.kids[0]
	}
	n.keepArray = true
}

// call reads the arguments of a function, and the body of a definition.
func (p *parser) call(n, left *node) *node {
	n.kind = kFunction
	for p.err == nil && (len(n.kids) > 0 || !p.is(")")) {
		if p.is("?") {
			n.kind = kPartial
			n.kids = append(n.kids, &node{token: p.tok})
			p.advance(false)
		} else {
			n.kids = append(n.kids, p.expression(0))
		}
		if !p.is(",") {
			break
		}
		p.advance(false)
	}
	p.expect(")", true)
	if left.kind != kName || left.text != "function" && left.text != "λ" {
		n.kids = append(n.kids, left)
		return n
	}
	for i, arg := range n.kids {
		if arg.kind != kVariable {
			p.fail(arg.token, "S0208", "Parameter %d of function definition must be a variable name (start with $)", i+1)
		}
	}
	n.kind = kLambda
	if p.is("<") {
		p.signature()
	}
	p.expect("{", false)
	n.kids = append(n.kids, p.expression(0))
	p.expect("}", false)
	return n
}

// signature reads the types of a function definition: <s-n?:b>.
func (p *parser) signature() {
	for depth := 1; depth > 0 && p.err == nil && p.tok.kind != kEnd && !p.is("{"); {
		p.advance(false)
		switch {
		case p.is(">"):
			depth--
		case p.is("<"):
			depth++
		}
	}
	p.expect(">", false)
}

func (p *parser) terms() []*node {
	p.expect("(", false)
	var list []*node
	for p.err == nil {
		if p.is("<") || p.is(">") {
			p.advance(false)
		}
		list = append(list, p.expression(0))
		if !p.is(",") {
			break
		}
		p.advance(false)
	}
	p.expect(")", false)
	return list
}

// check finds what is wrong in a tree that is well formed.
func (p *parser) check(n *node) {
	switch {
	case n.kind == kBinary && n.text == ".":
		for _, side := range n.kids {
			if step := unfiltered(side); step.kind == kNumber || step.kind == kValue {
				p.fail(step.token, "S0213", "The literal value %s cannot be used as a step within a path expression", step.text)
			}
		}
	case n.kind == kBinary && n.text == "[":
		if left := n.kids[0]; left.kind == kGroup && !isPath(left.kids[0]) {
			p.fail(n.token, "S0209", "A predicate cannot follow a grouping expression in a step")
		}
	case n.kind == kGroup && unfiltered(n.kids[0]).kind == kGroup:
		p.fail(n.token, "S0210", "Each step can only have one grouping expression")
	case n.kind == kBinary && n.text == "@":
		switch left := n.kids[0]; {
		case left.kind == kBinary && left.text == "[":
			p.fail(n.token, "S0215", "A context variable binding must precede any predicates on a step")
		case left.kind == kSort:
			p.fail(n.token, "S0216", "A context variable binding must precede the 'order-by' clause on a step")
		}
	case n.kind == kEnd:
		p.fail(n.token, "S0207", "Unexpected end of expression")
	case n.kind == kOperator:
		p.fail(n.token, "S0201", "Syntax error: %s", quote(n.text))
	}
	for _, kid := range n.kids {
		if n.kind == kPartial && kid.kind == kOperator && kid.text == "?" {
			continue
		}
		p.check(kid)
	}
}

// unfiltered gives what the predicates of a node stand behind.
func unfiltered(n *node) *node {
	for n.kind == kBinary && n.text == "[" {
		n = n.kids[0]
	}
	return n
}

// isPath tells whether a node is a path once the tree is flattened.
func isPath(n *node) bool {
	switch n.kind {
	case kName, kSort:
		return true
	case kGroup:
		return isPath(n.kids[0])
	case kBinary:
		return n.text == "." || n.text == "#" || (n.text == "[" || n.text == "@") && isPath(n.kids[0])
	}
	return false
}
