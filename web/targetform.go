package web

import (
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	iap "github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/event/delivery"
)

// targetForm is what the form of a target holds, with what is wrong by field.
type targetForm struct {
	New      bool
	Kind     targetKind
	Kinds    []targetKind // to choose from
	Name     string
	Values   map[string]string
	Problems map[string]string
	Problem  string // of no field
}

// formField is a field as it is shown.
type formField struct {
	targetField
	Kind, Value, Problem string
}

// Fields are those of the kind.
func (f targetForm) Fields() (out []formField) {
	for _, one := range f.Kind.Fields {
		out = append(out, formField{one, one.Type(), f.Values[one.Name], f.Problems[one.Name]})
	}
	return out
}

// Common are the fields that all kinds have.
func (f targetForm) Common() []formField {
	field := func(name, label, note, example string) formField {
		return formField{targetField{Name: name, Label: label, Note: note, Example: example}, "text", f.Values[name], f.Problems[name]}
	}
	out := []formField{field("attempts", "Attempts", "How often a delivery is tried; empty: for three days", ""),
		field("backoff", "Backoff", "Before the second attempt; twice as long before each further one", "5s"),
		field("timeout", "Time limit", "Of one attempt", "15s"), field("rate", "Rate", "Deliveries a second at most; empty: no limit", "")}
	if f.Kind.Secret {
		note := "“whsec_” and 24 to 64 bytes in base 64; empty: it keeps the one it has"
		if f.New {
			note = "“whsec_” and 24 to 64 bytes in base 64; empty: a new one, which is shown once"
		}
		out = append(out, field("secret", "Secret of the signature", note, ""))
	}
	return append(out, formField{targetField{Name: "ordered", Label: "Events of one subject go one after the other"}, "check", f.Values["ordered"], ""})
}

// formOf fills in the form with a target as it is; without its secret, which is
// not told.
func formOf(t delivery.Target) targetForm {
	f := targetForm{Kind: kindOf(t.Kind), Name: t.Name, Values: map[string]string{"backoff": t.Backoff.String(), "timeout": t.Timeout.String()}}
	for _, one := range f.Kind.Fields {
		f.Values[one.Name] = one.read(t.Settings)
	}
	if t.Attempts > 0 {
		f.Values["attempts"] = strconv.Itoa(t.Attempts)
	}
	if t.Rate > 0 {
		f.Values["rate"] = strconv.FormatFloat(t.Rate, 'g', -1, 64)
	}
	if t.Ordered {
		f.Values["ordered"] = "true"
	}
	return f
}

// readTargetForm reads what was sent of a target of a kind; what cannot be read
// is a problem of the form.
func readTargetForm(w http.ResponseWriter, r *http.Request, kind targetKind) (targetForm, delivery.Target, error) {
	f := targetForm{Kind: kind, Values: map[string]string{}, Problems: map[string]string{}}
	if err := parseForm(w, r); err != nil {
		return f, delivery.Target{}, err
	}
	t := delivery.Target{Kind: kind.Kind, Name: strings.TrimSpace(r.PostForm.Get("name")), Secret: f.text(r.PostForm, "secret")}
	f.Name = t.Name
	for _, one := range kind.Fields {
		one.write(&t.Settings, f.text(r.PostForm, one.Name))
	}
	t.Attempts = int(f.number(r.PostForm, "attempts", "it is no whole number of attempts", true))
	t.Rate = f.number(r.PostForm, "rate", "it is no number", false)
	t.Backoff, t.Timeout = f.duration(r.PostForm, "backoff"), f.duration(r.PostForm, "timeout")
	t.Ordered = f.text(r.PostForm, "ordered") != ""
	return f, t, nil
}

func (f *targetForm) text(sent url.Values, name string) string {
	f.Values[name] = strings.TrimSpace(sent.Get(name))
	return f.Values[name]
}

// number reads a number; 0 where there is none.
func (f *targetForm) number(sent url.Values, name, problem string, whole bool) float64 {
	text := f.text(sent, name)
	if text == "" {
		return 0
	}
	n, err := strconv.ParseFloat(text, 64)
	if err != nil || n <= 0 || whole && (n != float64(int(n)) || n > 1e9) {
		f.Problems[name] = capital(problem) + " above 0"
	}
	return n
}

// duration reads a length of time; 0, the default, where there is none.
func (f *targetForm) duration(sent url.Values, name string) time.Duration {
	text := f.text(sent, name)
	if text == "" {
		return 0
	}
	d, err := time.ParseDuration(text)
	if err != nil || d <= 0 {
		f.Problems[name] = "Write a length of time, such as 500ms, 5s or 10m"
	}
	return d
}

// wrong puts what is wrong beside the fields; it reports whether that is all of
// err.
func (f *targetForm) wrong(err error) bool {
	fields := iap.Fields(err)
	known := map[string]bool{"name": true}
	for _, one := range append(f.Fields(), f.Common()...) {
		known[one.Name] = true
	}
	for _, e := range fields {
		if known[e.Field] {
			f.Problems[e.Field] = capital(e.Message())
		} else {
			f.Problem = e.Field + ": " + e.Message()
		}
	}
	var e *iap.Error
	if len(fields) == 0 && errors.As(err, &e) && (e.Kind == iap.Conflict || e.Kind == iap.Limit) {
		f.Problem = capital(e.Message())
		return true
	}
	return len(fields) > 0
}
