package local

import (
	"encoding/json"
	"fmt"
	"sort"
	"strings"
	"sync"
)

// message is a line of what tofu and terraform print with -json: the
// machine-readable UI, version 1
// (developer.hashicorp.com/terraform/internals/machine-readable-ui).
type message struct {
	Type       string                 `json:"type"`
	Level      string                 `json:"@level"`
	Message    string                 `json:"@message"`
	Diagnostic *diagnostic            `json:"diagnostic"`
	Outputs    map[string]outputValue `json:"outputs"`
	Hook       *struct {
		Output string `json:"output"`
	} `json:"hook"`
}

type outputValue struct {
	Sensitive bool            `json:"sensitive"`
	Value     json.RawMessage `json:"value"`
	Action    string          `json:"action"` // in a plan, which has no values
}

type diagnostic struct {
	Severity string `json:"severity"` // "error" or "warning"
	Summary  string `json:"summary"`
	Detail   string `json:"detail"`
	Address  string `json:"address"`
	Range    *struct {
		Filename string `json:"filename"`
		Start    struct {
			Line int `json:"line"`
		} `json:"start"`
	} `json:"range"`
	Snippet *struct {
		Context string `json:"context"` // as in: resource "docker_container" "app"
	} `json:"snippet"`
}

// where returns the place of a diagnostic, as in "main.tf:12, in
// docker_container.app"; empty when it has none.
func (d *diagnostic) where() string {
	var parts []string
	if d.Range != nil && d.Range.Filename != "" {
		parts = append(parts, fmt.Sprintf("%s:%d", d.Range.Filename, d.Range.Start.Line))
	}
	if d.Address != "" {
		parts = append(parts, "in "+d.Address)
	} else if d.Snippet != nil && d.Snippet.Context != "" {
		parts = append(parts, "in "+d.Snippet.Context)
	}
	return strings.Join(parts, ", ")
}

func (d *diagnostic) text() string { return d.Summary + "\n" + d.Detail }

// undeclared is the warning for each variable of the contract that a bundle has
// no use for; it is no news to anybody.
const undeclared = "Value for undeclared variable"

// render returns the lines that people read of a message; empty: none.
func (m *message) render() string {
	switch m.Type {
	case "diagnostic":
		if m.Diagnostic == nil || m.Diagnostic.Summary == undeclared && m.Diagnostic.Severity == "warning" {
			return ""
		}
		return m.Diagnostic.render()
	case "outputs":
		return renderOutputs(m.Outputs)
	case "provision_progress":
		if m.Hook != nil && m.Hook.Output != "" && !strings.Contains(m.Message, m.Hook.Output) {
			return m.Message + " " + m.Hook.Output
		}
	}
	return m.Message
}

func (d *diagnostic) render() string {
	var b strings.Builder
	word := "Error"
	if d.Severity == "warning" {
		word = "Warning"
	}
	fmt.Fprintf(&b, "%s: %s", word, d.Summary)
	if at := d.where(); at != "" {
		fmt.Fprintf(&b, "\n  at %s", at)
	}
	for _, line := range strings.Split(strings.TrimSpace(d.Detail), "\n") {
		if line = strings.TrimRight(line, " \t\r"); line != "" {
			fmt.Fprintf(&b, "\n  %s", line)
		}
	}
	return b.String()
}

func renderOutputs(outputs map[string]outputValue) string {
	names := make([]string, 0, len(outputs))
	for name, v := range outputs {
		if v.Action == "" {
			names = append(names, name)
		}
	}
	sort.Strings(names)
	lines := make([]string, 0, len(names))
	for _, name := range names {
		value := string(outputs[name].Value)
		if outputs[name].Sensitive {
			value = "(sensitive)"
		}
		lines = append(lines, "Output "+name+" = "+value)
	}
	return strings.Join(lines, "\n")
}

// report is what is learned from all that a tool printed in one run.
type report struct {
	mu sync.Mutex

	first   *diagnostic // the first error
	errors  int
	text    []byte // of all errors, for recognising causes; at most 64 KiB
	tail    []string
	outputs map[string]json.RawMessage
	omitted map[string]string
	acted   bool // it began to change something
}

// maxOutput is the size in bytes above which an output is left out.
const maxOutput = 64 << 10

func (r *report) take(m *message) {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch m.Type {
	case "apply_start":
		r.acted = true
	case "diagnostic":
		if d := m.Diagnostic; d != nil && d.Severity == "error" {
			if r.errors++; r.first == nil {
				r.first = d
			}
			r.note(d.text())
		}
	case "outputs":
		r.takeOutputs(m.Outputs)
	}
}

func (r *report) note(text string) {
	if room := 64<<10 - len(r.text); room > 0 {
		r.text = append(append(r.text, text[:min(room, len(text))]...), '\n')
	}
}

func (r *report) takeOutputs(outputs map[string]outputValue) {
	values, omitted := map[string]json.RawMessage{}, map[string]string{}
	for name, v := range outputs {
		switch {
		case v.Action != "":
			return // of a plan
		case v.Sensitive:
			omitted[name] = "is sensitive"
		case len(v.Value) > maxOutput:
			omitted[name] = fmt.Sprintf("has %d bytes, above the limit of %d", len(v.Value), maxOutput)
		default:
			values[name] = v.Value
		}
	}
	r.outputs, r.omitted = values, omitted
}

// plain takes a line that is no message: a crash, or init, which prints text.
func (r *report) plain(line string) {
	const keep = 40
	r.mu.Lock()
	defer r.mu.Unlock()
	line = strings.TrimSpace(sanitise(line))
	if line == "" {
		return
	}
	r.note(line)
	if r.tail = append(r.tail, line); len(r.tail) > keep {
		r.tail = r.tail[1:]
	}
}
