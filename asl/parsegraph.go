package asl

// graph reads StartAt and States of a machine, branch or item processor.
func (c *checker) graph(n *node) *Graph {
	if c.depth++; c.depth > maxGraphDepth {
		c.problem(n, CodeDeep, "Parallel and Map states are nested more than %d levels deep", maxGraphDepth)
		return nil
	}
	defer func() { c.depth-- }()
	c.enterScope()
	defer c.leaveScope()
	g := &Graph{Number: len(c.graphs), Comment: c.optionalString(n, "Comment"), byName: map[string]*StateDef{}}
	c.graphs = append(c.graphs, g)
	c.required(n, "StartAt", "States")
	states, ok := n.field("States")
	if !ok || !c.isObject(states) {
		return g
	}
	fields := states.fields()
	c.notEmpty(states)
	t := &targets{c: c, g: g, has: map[string]*node{}, whole: true}
	if start, ok := n.field("StartAt"); ok {
		if name, ok := c.text(start); ok {
			g.StartAt = name
			t.add(start, name)
		}
	}
	for _, f := range fields {
		c.name(f)
		t.names = append(t.names, f.key)
		t.has[f.key] = f
		f.state = true
		if s := c.state(f, t); s != nil {
			g.States = append(g.States, s)
			g.byName[s.Name] = s
		}
	}
	t.check(n)
	return g
}

// targets gathers the transitions of a graph, to check them when all states
// are known.
type targets struct {
	c *checker
	g *Graph
	// names and has are of all states, those that could not be read included.
	names []string
	has   map[string]*node
	nodes []*node
	to    []string
	// whole tells that the ways out of every state are known.
	whole bool
}

func (t *targets) add(n *node, name string) {
	t.nodes = append(t.nodes, n)
	t.to = append(t.to, name)
}

// next reads a field that names a state.
func (t *targets) next(n *node) (string, bool) {
	to, ok := t.c.text(n)
	if ok {
		t.add(n, to)
	} else {
		t.whole = false
	}
	return to, ok
}

func (t *targets) check(graph *node) {
	for i, n := range t.nodes {
		if t.has[t.to[i]] != nil || t.c.full(SeverityError) {
			continue
		}
		// AWS says 'Next' whatever the field; only StartAt has its own name.
		word := "Next"
		if n.key == "StartAt" {
			word = "StartAt"
		}
		t.c.problem(n, CodeNoTarget, "Missing '%s' target: %s", word, t.to[i]).near(nearest(t.to[i], t.names))
	}
	if !t.whole || len(t.names) == 0 || len(t.names) > len(t.g.States) {
		return
	}
	reached, ends := t.g.reach()
	if !ends {
		p := t.c.problem(graph, CodeNoEnd, "Workflow has no terminal state").
			hint("one state must have \"End\": true or be of type Succeed or Fail")
		p.Location = ""
		return
	}
	if t.has[t.g.StartAt] == nil {
		return
	}
	for _, s := range t.g.States {
		if !reached[s.Name] {
			t.c.problem(t.has[s.Name], CodeNoTarget, "State \"%s\" is not reachable.", s.Name)
		}
	}
}

// reach finds the states that can be reached, and whether any state ends the
// graph: AWS asks this of all states, reached or not.
func (g *Graph) reach() (reached map[string]bool, ends bool) {
	reached = map[string]bool{g.StartAt: true}
	for queue := []string{g.StartAt}; len(queue) > 0; queue = queue[1:] {
		s := g.byName[queue[0]]
		if s == nil {
			continue
		}
		for _, e := range s.Edges {
			if !reached[e.To] {
				reached[e.To] = true
				queue = append(queue, e.To)
			}
		}
	}
	for _, s := range g.States {
		ends = ends || s.End || s.Type == TypeSucceed || s.Type == TypeFail
	}
	return reached, ends
}
