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
	said    map[string]bool // lines that were written where there is no terminal
	stop    chan struct{}
	stopped sync.WaitGroup
}

func newDisplay(r *run) *display {
	d := &display{r: r, said: map[string]bool{}, stop: make(chan struct{})}
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
	d.steps, d.message = p.Steps, ""
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
	for _, line := range d.plain() {
		if !d.said[line] {
			d.said[line] = true
			d.r.note("%s", line)
		}
	}
}

// plain returns the lines that tell where the instance is, one for each step
// that ended or has something to say.
func (d *display) plain() (lines []string) {
	for _, s := range d.steps {
		switch {
		case s.State == "done" || s.State == "failed":
			lines = append(lines, strings.TrimRight(fmt.Sprintf("%s %s %s", printable(s.Title), s.State, d.took(s)), " "))
		case s.State == "active" && s.Note != "":
			lines = append(lines, fmt.Sprintf("%s: %s", printable(s.Title), printable(s.Note)))
		}
	}
	if d.message != "" {
		lines = append(lines, d.message)
	}
	return lines
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
	line := func(s string) {
		b.WriteString("\r" + s + "\x1b[K\n")
		d.drawn++
	}
	for _, s := range d.steps {
		mark, style := "·", styleDim
		switch s.State {
		case "active":
			mark, style = "●", styleWorking
		case "done":
			mark, style = "✓", styleRunning
		case "failed":
			mark, style = "✗", styleFailed
		}
		text := fmt.Sprintf("%s %-16s %8s", mark, cut(printable(s.Title), 16), d.took(s))
		line(paint(d.r.errColor, style, text) + "  " + cut(printable(s.Note), 40))
	}
	if d.message != "" {
		line(d.message)
	}
	b.WriteString("\x1b[J")
	fmt.Fprint(d.r.err, b.String())
}
