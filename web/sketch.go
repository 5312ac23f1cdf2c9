package web

import (
	"context"
	"fmt"
	"html/template"
	"math"
	"strings"
	"sync"

	iap "github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/asl"
	"github.com/internal-app-portal/iap/asl/edit"
	"github.com/internal-app-portal/iap/workflow"
)

// Measures of a graph in little, in pixels.
const (
	sketchBox    = 9  // width of a state
	sketchHigh   = 6  // its height
	sketchAcross = 15 // from one column to the next
	sketchDown   = 11 // from one row to the next
)

// sketches keeps drawings by definition, which never change.
type sketches struct {
	mu  sync.Mutex
	all map[string]template.HTML
}

// keptSketches is how many are kept: each has two kilobytes at most.
const keptSketches = 500

// sketch draws the graph of a state machine in little, for a line of a table.
// Beside a graph that cannot be drawn there is none.
func (s *Server) sketch(ctx context.Context, actor iap.Actor, m workflow.Machine) (template.HTML, error) {
	c := &s.sketches
	c.mu.Lock()
	drawn, ok := c.all[m.Definition]
	c.mu.Unlock()
	if ok && m.Definition != "" {
		return drawn, nil
	}
	whole, err := s.cfg.Workflows.Machine(ctx, actor, m.Name)
	if iap.IsKind(err, iap.NotFound) { // deleted since the list was read
		return "", nil
	}
	if err != nil {
		return "", err
	}
	g, err := edit.Read(whole.Text)
	if err != nil {
		return "", nil
	}
	drawn = drawSketch(g)
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.all) >= keptSketches || c.all == nil {
		c.all = map[string]template.HTML{}
	}
	c.all[whole.Definition] = drawn
	return drawn, nil
}

// drawSketch writes a sketch as SVG, with one path for all states of a type.
func drawSketch(g *edit.Graph) template.HTML {
	k := g.Sketch()
	if len(k.Columns) == 0 {
		return ""
	}
	rows := 1
	for _, c := range k.Columns {
		rows = max(rows, len(c))
	}
	p := sketchPen{k: k, middle: float64(rows*sketchDown) / 2}
	width, height := len(k.Columns)*sketchAcross, rows*sketchDown
	if k.Cut {
		width += sketchAcross
	}
	var b strings.Builder
	word := "states"
	if k.States == 1 {
		word = "state"
	}
	fmt.Fprintf(&b, `<svg class="sketch" role="img" aria-label="%d %s" width="%d" height="%d" viewBox="-2 0 %d %d">`, k.States, word, width, height, width, height)
	ways, catches := p.lines()
	for _, path := range []struct{ class, d string }{{"way-next", ways}, {"way-catch", catches}} {
		if path.d != "" {
			fmt.Fprintf(&b, `<path class="%s" d="%s"/>`, path.class, path.d)
		}
	}
	p.boxes(&b, g)
	if k.Cut {
		fmt.Fprintf(&b, `<path class="more" d="M%d %gh%d"/>`, len(k.Columns)*sketchAcross-2, p.middle, sketchAcross-2)
	}
	b.WriteString("</svg>")
	return template.HTML(b.String())
}

type sketchPen struct {
	k      edit.Sketch
	middle float64
}

// at is the middle of the left side of a state.
func (p sketchPen) at(column, row int) (x, y float64) {
	n := len(p.k.Columns[column])
	return float64(column * sketchAcross), p.middle + (float64(row)-float64(n-1)/2)*sketchDown
}

// lines writes the ways: straight to the next column, else around what lies
// between, and back above all.
func (p sketchPen) lines() (ways, catches string) {
	var next, catch strings.Builder
	for _, l := range p.k.Lines {
		b := &next
		if l.Catch {
			b = &catch
		}
		x, y := p.at(l.FromColumn, l.FromRow)
		toX, toY := p.at(l.ToColumn, l.ToRow)
		switch over := l.ToColumn - l.FromColumn; {
		case over == 1:
			fmt.Fprintf(b, "M%g %gL%g %g", x+sketchBox, y, toX, toY)
		default:
			bend := math.Copysign(sketchDown*0.8, float64(over))
			half := float64(sketchBox) / 2
			fmt.Fprintf(b, "M%g %gC%g %g %g %g %g %g", x+half, y, x+half, y+bend, toX+half, toY+bend, toX+half, toY)
		}
	}
	return next.String(), catch.String()
}

// boxes writes the states.
func (p sketchPen) boxes(b *strings.Builder, g *edit.Graph) {
	for _, kind := range []asl.StateType{asl.TypePass, asl.TypeTask, asl.TypeChoice, asl.TypeWait, asl.TypeParallel, asl.TypeMap, asl.TypeSucceed, asl.TypeFail, ""} {
		var d strings.Builder
		for c, states := range p.k.Columns {
			for r, s := range states {
				if stateKind(g.States[s].Type) == kind {
					x, y := p.at(c, r)
					fmt.Fprintf(&d, "M%g %gh%dv%dh-%dz", x, y-sketchHigh/2, sketchBox, sketchHigh, sketchBox)
				}
			}
		}
		if d.Len() > 0 {
			fmt.Fprintf(b, `<path class="type-%s" d="%s"/>`, strings.ToLower(string(kind)), d.String())
		}
	}
}

// stateKind is the type of a state, or "" when it has none that there is.
func stateKind(name string) asl.StateType {
	switch t := asl.StateType(name); t {
	case asl.TypePass, asl.TypeTask, asl.TypeChoice, asl.TypeWait, asl.TypeParallel, asl.TypeMap, asl.TypeSucceed, asl.TypeFail:
		return t
	}
	return ""
}
