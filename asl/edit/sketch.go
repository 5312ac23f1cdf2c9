package edit

import (
	"cmp"
	"slices"

	"github.com/internal-app-portal/iap/asl"
)

// Sketch is a graph in little: the states of the machine itself as boxes in
// columns, from its start on. What is within Parallel and Map states is left
// out, and so is what lies beyond the last column or row.
type Sketch struct {
	Columns [][]int // indexes in Graph.States, from above
	Lines   []Line
	States  int // all there are, those within others too
	Cut     bool
}

// Line joins two states of a Sketch, by column and row from 0.
type Line struct {
	FromColumn, FromRow, ToColumn, ToRow int
	Catch                                bool
}

// Limits of a Sketch: what fits into a line of a table.
const (
	sketchColumns = 14
	sketchRows    = 4
)

// Sketch makes the sketch of a graph.
func (g *Graph) Sketch() Sketch {
	l := &layers{g: g, ways: make([][]int, len(g.States)), back: make([]bool, len(g.Edges)), seen: make([]int, len(g.States)), rank: make([]int, len(g.States))}
	for i, e := range g.Edges {
		l.ways[e.From] = append(l.ways[e.From], i)
	}
	out := Sketch{States: len(g.States)}
	if len(g.Regions) == 0 || len(g.States) == 0 {
		return out
	}
	if start := g.Regions[0].Start; start >= 0 {
		l.visit(start)
	}
	for i, s := range g.States {
		if s.Region == 0 && l.seen[i] == unseen {
			l.visit(i)
		}
	}
	slices.Reverse(l.order)
	l.setRanks()
	column, row := l.place(&out)
	drawn := map[Line]bool{}
	for _, e := range g.Edges {
		line := Line{column[e.From], row[e.From], column[e.To], row[e.To], e.Kind == asl.EdgeCatch}
		if column[e.From] >= 0 && column[e.To] >= 0 && e.From != e.To && !drawn[line] {
			drawn[line] = true
			out.Lines = append(out.Lines, line)
		}
	}
	return out
}

// layers puts states into columns so that every way that does not lead back
// leads to the right.
type layers struct {
	g     *Graph
	ways  [][]int // of a state: indexes of the edges out of it
	back  []bool  // of an edge: it closes a loop
	seen  []int
	order []int // states, each before those that it leads to; backwards while it is made
	rank  []int
}

const (
	unseen = iota
	open
	closed
)

// visit goes through all states that a state leads to. The depth is bounded by
// maxStates.
func (l *layers) visit(state int) {
	l.seen[state] = open
	for _, w := range l.ways[state] {
		switch to := l.g.Edges[w].To; l.seen[to] {
		case unseen:
			l.visit(to)
		case open:
			l.back[w] = true
		}
	}
	l.seen[state] = closed
	l.order = append(l.order, state)
}

func (l *layers) setRanks() {
	for _, s := range l.order {
		for _, w := range l.ways[s] {
			if to := l.g.Edges[w].To; !l.back[w] {
				l.rank[to] = max(l.rank[to], l.rank[s]+1)
			}
		}
	}
}

// place fills the columns; what has no place gets the column -1. Within a
// column states lie as high as what leads to them.
func (l *layers) place(out *Sketch) (column, row []int) {
	column, row = make([]int, len(l.rank)), make([]int, len(l.rank))
	for i := range column {
		column[i] = -1
	}
	var all [][]int
	for _, s := range l.order {
		for len(all) <= l.rank[s] {
			all = append(all, nil)
		}
		all[l.rank[s]] = append(all[l.rank[s]], s)
	}
	height := make([]float64, len(l.rank))
	for c, states := range all {
		slices.SortStableFunc(states, func(a, b int) int { return cmp.Compare(height[a], height[b]) })
		if c >= sketchColumns || len(states) > sketchRows {
			out.Cut = true
		}
		if c >= sketchColumns {
			break
		}
		states = states[:min(len(states), sketchRows)]
		out.Columns = append(out.Columns, states)
		for r, s := range states {
			column[s], row[s] = c, r
			for i, w := range l.ways[s] {
				to := l.g.Edges[w].To
				if height[to] == 0 {
					height[to] = float64(r) + 1 + float64(i)/10
				}
			}
		}
	}
	return column, row
}
