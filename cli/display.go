package cli

import (
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/internal-app-portal/iap/client"
)

// display shows the steps of an instance on stderr: redrawn in place on a
// terminal, a plain line for each step that ended otherwise.
type display struct {
	r *run

	mu      sync.Mutex
	steps   []client.ProgressStep
	message string
	drawn   int             // lines on the terminal that will be drawn again
	said    map[string]bool // what was written where there is no terminal
	over    map[string]bool // steps that were over before, see stepKey
	stop    chan struct{}
	stopped sync.WaitGroup
}

// newDisplay returns a display that leaves out the steps that were over when
// seen was read.
func newDisplay(r *run, seen client.Progress) *display {
	d := &display{r: r, said: map[string]bool{}, over: map[string]bool{}, stop: make(chan struct{})}
	for _, s := range seen.Steps {
		if isOver(s) {
			d.over[stepKey(s)] = true
		}
	}
	if r.errTerm {
		d.stopped.Add(1)
		go d.tick()
	}
	return d
}

// tick draws the seconds of the present step while nothing else happens.
func (d *display) tick() {
	defer d.stopped.Done()
	t := time.NewTicker(100 * time.Millisecond)
	defer t.Stop()
	for {
		select {
		case <-d.stop:
			return
		case <-t.C:
			d.mu.Lock()
			d.draw()
			d.mu.Unlock()
		}
	}
}

// close leaves the last state on the terminal.
func (d *display) close() {
	close(d.stop)
	d.stopped.Wait()
}

func (d *display) update(p client.Progress) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.steps, d.message = nil, ""
	for _, s := range p.Steps {
		if !d.over[stepKey(s)] {
			d.steps = append(d.steps, s)
		}
	}
	d.show()
}

// say shows a message until the next update.
func (d *display) say(message string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.message = message
	d.show()
}

func (d *display) show() {
	if d.r.errTerm {
		d.draw()
		return
	}
	for _, l := range d.plain() {
		if !d.said[l.key] {
			d.said[l.key] = true
			d.r.note("%s", l.text)
		}
	}
}

// line is a line that is written once, whatever its text is later.
type line struct{ key, text string }

// plain returns the lines that tell where the instance is, one for each step
// that is over or has something to say.
func (d *display) plain() (lines []line) {
	for _, s := range d.steps {
		switch {
		case isOver(s):
			text := strings.TrimRight(fmt.Sprintf("%s %s %s", printable(s.Title), stepWord(s), d.took(s)), " ")
			lines = append(lines, line{s.Name + " " + stepWord(s), text})
		case s.State == "active" && s.Note != "":
			text := fmt.Sprintf("%s: %s", printable(s.Title), printable(s.Note))
			lines = append(lines, line{text, text})
		}
	}
	if d.message != "" {
		lines = append(lines, line{d.message, d.message})
	}
	return lines
}

func isOver(s client.ProgressStep) bool { return s.State != "pending" && s.State != "active" }

// stepKey tells a step from one of the same name in another attempt.
func stepKey(s client.ProgressStep) string {
	return fmt.Sprint(s.Name, " ", s.State, " ", s.StartedAt.UnixMilli(), " ", s.EndedAt.UnixMilli())
}

// stepWord is a step's state for a person: a step that was cancelled is done
// for the portal, which notes that it was stopped.
func stepWord(s client.ProgressStep) string {
	if s.State == "done" && s.Note == "stopped" {
		return "stopped"
	}
	return printable(s.State)
}

func (d *display) took(s client.ProgressStep) string {
	switch {
	case s.StartedAt.IsZero():
		return ""
	case s.EndedAt.IsZero():
		return secondsText(d.r.now().Sub(s.StartedAt))
	}
	return secondsText(s.EndedAt.Sub(s.StartedAt))
}

// draw writes all steps over those that were drawn before.
func (d *display) draw() {
	var b strings.Builder
	if d.drawn > 0 {
		fmt.Fprintf(&b, "\x1b[%dA", d.drawn)
	}
	d.drawn = 0
	add := func(s string) {
		b.WriteString("\r" + s + "\x1b[K\n")
		d.drawn++
	}
	for _, s := range d.steps {
		mark, style := "·", styleDim
		switch stepWord(s) {
		case "active":
			mark, style = "●", styleWorking
		case "done":
			mark, style = "✓", styleRunning
		case "failed":
			mark, style = "✗", styleFailed
		case "stopped":
			mark, style = "■", styleEnding
		}
		text := fmt.Sprintf("%s %-16s %8s", mark, cut(printable(s.Title), 16), d.took(s))
		add(paint(d.r.errColor, style, text) + "  " + cut(printable(s.Note), 40))
	}
	if d.message != "" {
		add(d.message)
	}
	b.WriteString("\x1b[J")
	fmt.Fprint(d.r.err, b.String())
}
