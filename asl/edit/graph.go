package edit

import (
	"fmt"
	"strings"

	"github.com/internal-app-portal/iap/asl"
	"github.com/internal-app-portal/iap/asl/value"
)

// Graph is the states of a definition and the ways between them, as far as they
// can be told.
type Graph struct {
	States  []State  `json:"states"`
	Regions []Region `json:"regions"` // the machine's own first
	Edges   []Edge   `json:"edges"`
}

// State is a state of a Graph.
type State struct {
	Name   string `json:"name"`
	Type   string `json:"type"`           // "" when it is not told
	Note   string `json:"note,omitempty"` // what it does, in a few words
	Region int    `json:"region"`         // index in Graph.Regions
	Ends   bool   `json:"ends,omitempty"` // it ends its region
	// Line and Column are where its name is; Last is the line of its end. All
	// are from 1.
	Line   int `json:"line"`
	Column int `json:"column"`
	Last   int `json:"last"`
}

// Region is a set of states with an entry: the machine, a branch of a Parallel
// state, or the item processor of a Map state.
type Region struct {
	Owner int    `json:"owner"` // index of the state it belongs to; -1: the machine
	Index int    `json:"index"` // of the branch, from 0
	Start int    `json:"start"` // index of the state it begins with; -1: unknown
	Title string `json:"title,omitempty"`
}

// Edge is a way from a state to another, by their indexes in Graph.States.
type Edge struct {
	From  int          `json:"from"`
	To    int          `json:"to"`
	Kind  asl.EdgeKind `json:"kind"`
	Label string       `json:"label,omitempty"`
	// Index is that of the choice or catcher, from 0.
	Index int `json:"index"`
}

// Limits of what is drawn: more is nothing that anybody looks at.
const (
	maxStates = 2000
	maxEdges  = 8000
	maxDepth  = 100
)

// Read makes the graph of a text. The error is a *value.SyntaxError: the text is
// not JSON.
func Read(src []byte) (*Graph, error) {
	root, err := parse(src)
	if err != nil {
		return nil, err
	}
	r := reader{g: &Graph{States: []State{}, Regions: []Region{}, Edges: []Edge{}}, lines: lines{src: src}}
	r.region(root, -1, 0, "", 0)
	return r.g, nil
}

type reader struct {
	g     *Graph
	lines lines
}

// region reads the states of a machine, a branch or a processor.
func (r *reader) region(n *node, owner, index int, title string, depth int) {
	g := r.g
	number := len(g.Regions)
	g.Regions = append(g.Regions, Region{Owner: owner, Index: index, Start: -1, Title: title})
	states := n.field("States")
	if !states.isObject() || depth > maxDepth {
		return
	}
	at := map[string]int{}
	var own []*node
	for _, s := range states.kids {
		if len(g.States) >= maxStates {
			break
		}
		at[s.key] = len(g.States)
		own = append(own, s)
		g.States = append(g.States, r.state(s, number))
	}
	if start, ok := at[n.str("StartAt")]; ok {
		g.Regions[number].Start = start
	}
	for _, s := range own {
		r.edges(s, at)
	}
	for _, s := range own {
		r.nested(s, at[s.key], depth)
	}
}

func (r *reader) state(s *node, region int) State {
	st := State{Name: s.key, Type: s.str("Type"), Region: region, Note: note(s)}
	st.Line, st.Column = r.lines.place(s.keyAt)
	st.Last, _ = r.lines.place(max(s.end-1, s.keyAt))
	if end := s.field("End"); end != nil && end.v == true {
		st.Ends = true
	}
	if st.Type == string(asl.TypeSucceed) || st.Type == string(asl.TypeFail) {
		st.Ends = true
	}
	return st
}

// nested reads the regions within a state.
func (r *reader) nested(s *node, owner, depth int) {
	for i, b := range s.items("Branches") {
		r.region(b, owner, i, "", depth+1)
	}
	for _, key := range []string{"ItemProcessor", "Iterator"} {
		p := s.field(key)
		if !p.isObject() {
			continue
		}
		title := "for each item"
		if p.field("ProcessorConfig").str("Mode") == "DISTRIBUTED" {
			title = "for each item, distributed"
		}
		r.region(p, owner, 0, title, depth+1)
		return
	}
}

// edges reads the ways out of a state: Next, choices, Default, then catchers.
func (r *reader) edges(s *node, at map[string]int) {
	add := func(kind asl.EdgeKind, to, label string, index int) {
		i, ok := at[to]
		if ok && len(r.g.Edges) < maxEdges {
			r.g.Edges = append(r.g.Edges, Edge{From: at[s.key], To: i, Kind: kind, Label: label, Index: index})
		}
	}
	if s.str("Type") == string(asl.TypeChoice) {
		for i, c := range s.items("Choices") {
			add(asl.EdgeChoice, c.str("Next"), condition(c), i)
		}
		add(asl.EdgeDefault, s.str("Default"), "otherwise", 0)
	} else {
		add(asl.EdgeNext, s.str("Next"), "", 0)
	}
	for i, c := range s.items("Catch") {
		var names []string
		for _, e := range c.items("ErrorEquals") {
			if name, ok := e.v.(string); ok {
				names = append(names, strings.TrimPrefix(name, "States."))
			}
		}
		add(asl.EdgeCatch, c.str("Next"), cut(strings.Join(names, ", ")), i)
	}
}

// note says in a few words what a state does.
func note(s *node) string {
	switch asl.StateType(s.str("Type")) {
	case asl.TypeTask:
		return resource(s.str("Resource"))
	case asl.TypeWait:
		for _, key := range []string{"Seconds", "SecondsPath", "Timestamp", "TimestampPath"} {
			switch v := fieldValue(s, key).(type) {
			case value.Number:
				if f := v.Float64(); f == float64(int64(f)) && f >= 0 && f < 1e9 {
					return duration(int64(f))
				}
				return cut(string(v) + " s")
			case string:
				return cut(strings.Trim(v, "{}% "))
			}
		}
	case asl.TypeFail:
		return cut(s.str("Error"))
	}
	return ""
}

// duration writes seconds as people say them: "90 s", "2 h", "1 d 12 h".
func duration(seconds int64) string {
	for _, u := range []struct {
		size int64
		sign string
	}{{86400, "d"}, {3600, "h"}, {60, "min"}} {
		if seconds >= 2*u.size || seconds == u.size {
			text := fmt.Sprintf("%d %s", seconds/u.size, u.sign)
			if rest := seconds % u.size; rest > 0 {
				text += " " + duration(rest)
			}
			return text
		}
	}
	return fmt.Sprintf("%d s", seconds)
}

func fieldValue(n *node, key string) value.Value {
	if f := n.field(key); f != nil {
		return f.v
	}
	return nil
}

// resource shortens the ARN of a task's resource to what tells it from others.
func resource(arn string) string {
	p := strings.SplitN(arn, ":", 6)
	if len(p) < 6 {
		return cut(arn)
	}
	rest := strings.TrimPrefix(strings.TrimPrefix(p[5], "function:"), "activity:")
	if p[2] == "lambda" {
		rest, _, _ = strings.Cut(rest, ":")
	}
	return cut(rest)
}

// maxText is how many characters a label or a note has at most.
const maxText = 44

func cut(s string) string {
	r := []rune(strings.Join(strings.Fields(s), " "))
	if len(r) <= maxText {
		return string(r)
	}
	return string(r[:maxText-1]) + "…"
}
