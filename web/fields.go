package web

import (
	"fmt"
	"net/url"
	"strings"

	iap "github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/catalog"
)

// fieldView is a parameter in a form.
type fieldView struct {
	catalog.Parameter
	Label   string
	Value   string
	Checked bool
	Problem string
}

// viewFields makes the fields of a form from an app's parameters, with what was
// sent before, or the defaults.
func viewFields(params []catalog.Parameter, sent url.Values) []fieldView {
	var fields []fieldView
	for _, p := range params {
		f := fieldView{Parameter: p, Label: p.Label}
		if f.Label == "" {
			f.Label = capital(strings.ReplaceAll(strings.ReplaceAll(p.Name, "_", " "), "-", " "))
		}
		if p.Default != nil {
			f.Value = fmt.Sprint(p.Default)
		}
		if sent != nil {
			f.Value = sent.Get("param." + p.Name)
		}
		f.Checked = p.Type == "boolean" && (f.Value == "true" || f.Value == "on")
		if p.Secret {
			f.Value = "" // never sent back
		}
		fields = append(fields, f)
	}
	return fields
}

// parameters reads the fields param.NAME of a form. Text that was left empty is
// left out, so that the default holds; a box that is not ticked is false.
func parameters(params []catalog.Parameter, sent url.Values) map[string]any {
	got := map[string]any{}
	boxes := map[string]bool{}
	for _, p := range params {
		if p.Type == "boolean" {
			boxes[p.Name] = true
			if sent.Has("params") { // the form had a box
				got[p.Name] = sent.Get("param."+p.Name) != ""
			}
		}
	}
	for name, values := range sent {
		n, ok := strings.CutPrefix(name, "param.")
		if ok && !boxes[n] && len(values) > 0 && values[0] != "" {
			got[n] = values[0]
		}
	}
	return got
}

// explain says what is wrong with a field's value. A pattern tells most people
// nothing: what the publisher wrote about the parameter comes before it.
func (f fieldView) explain(problem string) string {
	problem = capital(problem)
	about := strings.TrimRight(f.Description, ". ")
	if about == "" || f.Pattern == "" || !strings.Contains(problem, f.Pattern) {
		return problem
	}
	return about + ". " + problem
}

// place puts the errors of a form at their fields; what belongs to none is
// returned.
func place(fields []fieldView, err error) string {
	var rest []string
	for _, e := range iap.Fields(err) {
		name := strings.TrimPrefix(e.Field, "parameters.")
		found := false
		for i := range fields {
			if fields[i].Name == name {
				fields[i].Problem, found = fields[i].explain(e.Message()), true
			}
		}
		if !found {
			rest = append(rest, e.Field+": "+e.Message())
		}
	}
	if len(iap.Fields(err)) == 0 {
		rest = append(rest, message(err))
	}
	return strings.Join(rest, "; ")
}
