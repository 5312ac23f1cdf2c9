package web

import (
	"slices"
	"strings"

	"github.com/internal-app-portal/iap/event/delivery"
)

// targetKind is a kind of target as pages show it. A new kind is an entry of
// targetKinds.
type targetKind struct {
	Kind   delivery.Kind
	Title  string
	About  string // what is done with an event
	Secret bool   // deliveries are signed
	Fields []targetField
}

// targetField is a field of a form that leads to a setting. at returns where
// the setting is: a *string, a *[]string of one entry a line, or a *bool.
type targetField struct {
	Name     string // as errors name it
	Label    string
	Note     string
	Example  string
	Code     bool     // it is an expression
	Choices  []string // it is one of these
	Required bool
	at       func(*delivery.Settings) any
}

// reach are the fields of targets that are reached by HTTP.
var reach = []targetField{
	{Name: "private", Label: "It may be inside: at a private or loopback address", at: func(s *delivery.Settings) any { return &s.Private }},
	{Name: "allow", Label: "Networks inside where it may be", Note: "One in a line; none but these, unless all may be reached", Example: "10.20.0.0/16",
		at: func(s *delivery.Settings) any { return &s.Allow }},
}

// targetKinds are the kinds in the order in which they are offered.
var targetKinds = []targetKind{
	{Kind: delivery.Webhook, Title: "Webhook", About: "POSTs the event to a URL, signed as Standard Webhooks.", Secret: true,
		Fields: append([]targetField{{Name: "url", Label: "URL", Example: "https://ops.example.com/iap", Required: true,
			at: func(s *delivery.Settings) any { return &s.URL }}}, reach...)},
	{Kind: delivery.Execution, Title: "Execution", About: "Starts an execution of a state machine, named after the event.", Fields: []targetField{
		{Name: "machine", Label: "State machine", Note: "Its name", Required: true, at: func(s *delivery.Settings) any { return &s.Machine }},
		{Name: "input", Label: "Input", Note: "CEL for its input; empty: the event", Example: "{'app': data.app, 'event': event.id}", Code: true,
			at: func(s *delivery.Settings) any { return &s.Input }}}},
	{Kind: delivery.Task, Title: "Task", About: "Gives a task that waits its result: so a build that runs elsewhere reports its end.", Fields: []targetField{
		{Name: "token", Label: "Token", Note: "CEL for the task token", Example: "data.token", Code: true, Required: true,
			at: func(s *delivery.Settings) any { return &s.Token }},
		{Name: "output", Label: "Result", Note: "CEL for the task’s result; empty: the event’s data", Example: "{'run': data.run}", Code: true,
			at: func(s *delivery.Settings) any { return &s.Output }},
		{Name: "error", Label: "Error", Note: "CEL for the name of the task’s error; empty, or an empty text: it succeeds", Example: "data.ok ? '' : 'Build.Failed'", Code: true,
			at: func(s *delivery.Settings) any { return &s.Error }},
		{Name: "cause", Label: "Cause", Note: "CEL for the cause of that error", Code: true, at: func(s *delivery.Settings) any { return &s.Cause }}}},
}

// kindOf returns how a kind is shown; one that pages know nothing of has its
// name alone.
func kindOf(k delivery.Kind) targetKind {
	for _, t := range targetKinds {
		if t.Kind == k {
			return t
		}
	}
	return targetKind{Kind: k, Title: capital(string(k))}
}

// kinds returns the kinds that the portal can deliver to.
func (s *Server) kinds() (out []targetKind) {
	have := s.cfg.Deliveries.Kinds()
	for _, t := range targetKinds {
		if slices.Contains(have, t.Kind) {
			out = append(out, t)
		}
	}
	return out
}

// read returns a setting as a form shows it.
func (f targetField) read(s delivery.Settings) string {
	switch p := f.at(&s).(type) {
	case *string:
		return *p
	case *[]string:
		return strings.Join(*p, "\n")
	case *bool:
		if *p {
			return "true"
		}
	}
	return ""
}

// write sets a setting to what a form holds.
func (f targetField) write(s *delivery.Settings, value string) {
	value = strings.TrimSpace(value)
	switch p := f.at(s).(type) {
	case *string:
		*p = value
	case *[]string:
		*p = strings.Fields(strings.ReplaceAll(value, ",", " "))
	case *bool:
		*p = value != ""
	}
}

// Type is how the form shows the field: check, lines, choice, code or text.
func (f targetField) Type() string {
	switch f.at(&delivery.Settings{}).(type) {
	case *bool:
		return "check"
	case *[]string:
		return "lines"
	}
	switch {
	case len(f.Choices) > 0:
		return "choice"
	case f.Code:
		return "code"
	}
	return "text"
}

// where says in a few words where the events of a target go.
func where(t delivery.Target) string {
	for _, f := range kindOf(t.Kind).Fields {
		if text := f.read(t.Settings); text != "" {
			return strings.ReplaceAll(text, "\n", ", ")
		}
	}
	return ""
}
