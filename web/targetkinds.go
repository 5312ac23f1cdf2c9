package web

import (
	"slices"
	"strings"

	"github.com/internal-app-portal/iap/event/delivery"
)

// targetKind is a kind of target as pages show it.
type targetKind struct {
	Kind   delivery.Kind
	Title  string
	About  string // what is done with an event
	Secret bool   // deliveries are signed
	Fields []targetField
}

// targetField is a field of a form that leads to the setting of its name.
type targetField struct {
	Name     string // as errors name it
	Label    string
	Note     string
	Example  string
	Code     bool     // it is an expression
	Choices  []string // it is one of these
	Required bool
}

// targetKinds are the kinds in the order in which they are offered, as the table of
// kinds has them.
func targetKinds() (out []targetKind) {
	for _, k := range delivery.Kinds() {
		t := targetKind{Kind: k.Kind, Title: k.Title, About: k.Help, Secret: k.Signed}
		for _, f := range k.Fields {
			one := targetField{Name: f.Name, Label: f.Title, Note: f.Note, Example: f.Example, Code: f.Type == delivery.CEL, Required: k.Needs(f)}
			if f.Type == delivery.Choice {
				one.Choices = append([]string{""}, f.Choices...)
			}
			t.Fields = append(t.Fields, one)
		}
		out = append(out, t)
	}
	return out
}

// kindOf returns how a kind is shown; one that pages know nothing of has its
// name alone.
func kindOf(k delivery.Kind) targetKind {
	for _, t := range targetKinds() {
		if t.Kind == k {
			return t
		}
	}
	return targetKind{Kind: k, Title: capital(string(k))}
}

// kinds returns the kinds that the portal can deliver to.
func (s *Server) kinds() (out []targetKind) {
	have := s.cfg.Deliveries.Kinds()
	for _, t := range targetKinds() {
		if slices.Contains(have, t.Kind) {
			out = append(out, t)
		}
	}
	return out
}

// read returns a setting as a form shows it.
func (f targetField) read(s delivery.Settings) string {
	switch p := s.Field(f.Name).(type) {
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
	switch p := s.Field(f.Name).(type) {
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
	switch new(delivery.Settings).Field(f.Name).(type) {
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
