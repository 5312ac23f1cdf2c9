package asl

import (
	"errors"
	"fmt"

	"github.com/internal-app-portal/iap/asl/value"
)

// MaxDefinitionBytes is the largest definition, as on AWS.
const MaxDefinitionBytes = 1 << 20

// maxGraphDepth is how deeply Parallel and Map states may be nested.
const maxGraphDepth = 100

// Parse reads a definition. It gives the machine and no problem, or all problems
// at once and no machine.
func Parse(src []byte) (*Machine, []Problem) {
	c := &checker{src: src, names: map[string]bool{}}
	if len(src) > MaxDefinitionBytes {
		return nil, []Problem{{Line: 1, Column: 1, Code: CodeSchema,
			Message: fmt.Sprintf("The definition has %d bytes; at most %d are allowed", len(src), MaxDefinitionBytes)}}
	}
	v, pos, err := value.ParsePositions(src)
	if err != nil {
		return nil, []Problem{jsonProblem(src, err)}
	}
	root := &node{v: v, pos: pos}
	if _, ok := v.(*value.Object); !ok {
		c.schema(root, "Definition must be a valid JSON object")
		return nil, c.problems
	}
	m := c.machine(root)
	if len(c.problems) > 0 {
		return nil, c.problems
	}
	return m, nil
}

func jsonProblem(src []byte, err error) Problem {
	p := Problem{Line: 1, Column: 1, Code: CodeJSON, Message: err.Error()}
	var syntax *value.SyntaxError
	if errors.As(err, &syntax) {
		p.Line, p.Column = lineColumn(src, syntax.Offset)
		p.Message = syntax.Msg
	}
	return p
}

var machineFields = []string{"Comment", "StartAt", "States", "Version", "TimeoutSeconds", "QueryLanguage"}

func (c *checker) machine(root *node) *Machine {
	c.unknown(root, machineFields)
	m := &Machine{Comment: c.optionalString(root, "Comment"), QueryLanguage: JSONPath}
	if lang := c.queryLanguage(root); lang != "" {
		m.QueryLanguage = lang
	}
	if n, ok := root.field("TimeoutSeconds"); ok {
		m.TimeoutSeconds = c.positive(n)
	}
	if n, ok := root.field("Version"); ok && n.v != "1.0" {
		c.schema(n, "The field 'Version' should have one of these values: [1.0]")
	}
	c.graph(root, m.QueryLanguage)
	m.Graphs = c.graphs
	return m
}

// queryLanguage reads the field; JSONata has its place here, but no evaluator.
func (c *checker) queryLanguage(n *node) QueryLanguage {
	f, ok := n.field("QueryLanguage")
	if !ok {
		return ""
	}
	switch f.v {
	case string(JSONPath):
		return JSONPath
	case string(JSONata):
		c.problem(f, CodeNotSupported, "The query language JSONata is not supported yet; use JSONPath")
		return JSONata
	}
	c.schema(f, "The field 'QueryLanguage' should have one of these values: [JSONPath, JSONata]")
	return ""
}

// graph reads StartAt and States of a machine, branch or item processor.
func (c *checker) graph(n *node, lang QueryLanguage) *Graph {
	if c.depth++; c.depth > maxGraphDepth {
		c.schema(n, "Parallel and Map states are nested more than %d levels deep", maxGraphDepth)
		return nil
	}
	defer func() { c.depth-- }()
	g := &Graph{Number: len(c.graphs), Comment: c.optionalString(n, "Comment"), byName: map[string]*StateDef{}}
	c.graphs = append(c.graphs, g)
	start, hasStart := c.required(n, "StartAt")
	states, ok := c.required(n, "States")
	if !ok || !c.isObject(states) {
		return g
	}
	fields := states.fields()
	if len(fields) == 0 {
		c.schema(states, "The field 'States' must have at least one state")
	}
	targets := &targets{c: c, g: g, has: map[string]bool{}}
	for _, f := range fields {
		c.name(f)
		targets.names = append(targets.names, f.key)
		targets.has[f.key] = true
		if s := c.state(f, lang, targets); s != nil {
			g.States = append(g.States, s)
			g.byName[s.Name] = s
		}
	}
	if hasStart {
		if name, ok := c.text(start); ok {
			g.StartAt = name
			targets.add(start, name)
		}
	}
	targets.check()
	return g
}

const maxStateName = 80

func (c *checker) name(n *node) {
	switch {
	case n.key == "":
		c.schema(n, "The name of a state must not be empty")
	case len([]rune(n.key)) > maxStateName:
		c.schema(n, "The name of a state must not be longer than %d characters; this one has %d", maxStateName, len([]rune(n.key)))
	}
	if c.names[n.key] {
		c.problem(n, CodeDuplicate, "Duplicate state name: %s", n.key)
	}
	c.names[n.key] = true
}

// targets gathers the transitions of a graph, to check them when all states
// are known.
type targets struct {
	c *checker
	g *Graph
	// names and has are of all states, those that could not be read included.
	names []string
	has   map[string]bool
	nodes []*node
	to    []string
}

func (t *targets) add(n *node, name string) {
	t.nodes = append(t.nodes, n)
	t.to = append(t.to, name)
}

func (t *targets) check() {
	for i, n := range t.nodes {
		if !t.has[t.to[i]] && len(t.c.problems) < maxProblems {
			t.c.suggest(n, CodeNoTarget, nearest(t.to[i], t.names), "Missing '%s' target: %s", n.key, t.to[i])
		}
	}
	if t.g.byName[t.g.StartAt] == nil || t.c.partial || len(t.names) > len(t.g.States) {
		return
	}
	reached, ends := t.g.reach()
	for _, s := range t.g.States {
		if !reached[s.Name] {
			t.c.problems = appendProblem(t.c.problems, Problem{Line: s.Line, Column: s.Column, Pointer: s.pointer,
				Code: CodeUnreachable, Message: fmt.Sprintf("State %q is not reachable.", s.Name)})
		}
	}
	if !ends {
		t.c.problems = appendProblem(t.c.problems, Problem{Line: t.g.States[0].Line, Column: t.g.States[0].Column,
			Pointer: t.g.States[0].pointer, Code: CodeNoEnd, Message: "No state that can be reached ends the execution: one must have \"End\": true or be of type Succeed or Fail"})
	}
}

func appendProblem(all []Problem, p Problem) []Problem {
	if len(all) >= maxProblems {
		return all
	}
	return append(all, p)
}

// reach finds the states that can be reached, and whether one of them ends.
func (g *Graph) reach() (reached map[string]bool, ends bool) {
	reached = map[string]bool{g.StartAt: true}
	for queue := []string{g.StartAt}; len(queue) > 0; queue = queue[1:] {
		s := g.byName[queue[0]]
		if s == nil {
			continue
		}
		ends = ends || s.End || s.Type == TypeSucceed || s.Type == TypeFail
		for _, e := range s.Edges {
			if !reached[e.To] {
				reached[e.To] = true
				queue = append(queue, e.To)
			}
		}
	}
	return reached, ends
}
