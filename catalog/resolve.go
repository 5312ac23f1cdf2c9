package catalog

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// Resolve checks what a person gives for the parameters (texts from a form or
// a command line, or JSON values) and returns the value of every parameter,
// typed (string, float64 or bool), and the environment of the container with
// the values put in. What is not given, or is an empty text where that is no
// value (numbers, booleans, choices), takes its default, else "" or false or,
// for a number, nil. Errors join one Invalid error for each parameter that is
// wrong, with the field "parameters.NAME".
func (m Manifest) Resolve(input map[string]any) (params map[string]any, env map[string]string, err error) {
	p := newProblems("catalog.Resolve")
	params = map[string]any{}
	var known []string
	for i := range m.Parameters {
		a := &m.Parameters[i]
		known = append(known, a.Name)
		value, err := a.resolve(input[a.Name])
		if err != nil {
			p.add("parameters."+a.Name, "%v", err)
		}
		params[a.Name] = value
	}
	for _, name := range slices.Sorted(maps.Keys(input)) {
		if !slices.Contains(known, name) {
			p.add(join("parameters", name), "unknown parameter%s", suggestOrList(name, known))
		}
	}
	if err := p.err(); err != nil {
		return nil, nil, err
	}
	env = map[string]string{}
	for name, text := range m.Environment {
		env[name], err = expand(text, func(name string) (string, error) {
			value, ok := params[name]
			if !ok {
				return "", fmt.Errorf("there is no parameter %q", name)
			}
			return textOf(value), nil
		})
		if err != nil {
			p.add(join("environment", name), "%v", err)
		}
	}
	return params, env, p.err()
}

func suggestOrList(name string, known []string) string {
	if s := didYouMean(name, known); s != "" || len(known) == 0 || len(known) > 12 {
		return s
	}
	return "; want " + list(known)
}

// resolve returns the value of one parameter.
func (a *Parameter) resolve(given any) (any, error) {
	if given == "" && a.Type != TypeString {
		given = nil
	}
	if given != nil {
		return a.value(given, false)
	}
	if a.Default != nil {
		return a.value(a.Default, false)
	}
	if a.Required {
		return nil, errors.New("is required")
	}
	switch a.Type {
	case TypeNumber:
		return nil, nil
	case TypeBoolean:
		return false, nil
	}
	return "", nil
}

func (a *Parameter) number(given any) (any, error) {
	f, ok := toFloat(given)
	switch {
	case !ok:
		return nil, fmt.Errorf("%q is no number", shorten(textOf(given)))
	case a.Min != nil && f < *a.Min:
		return nil, fmt.Errorf("%v is too small; want at least %v", formatNumber(f), formatNumber(*a.Min))
	case a.Max != nil && f > *a.Max:
		return nil, fmt.Errorf("%v is too large; want at most %v", formatNumber(f), formatNumber(*a.Max))
	}
	return f, nil
}

func toFloat(given any) (float64, bool) {
	switch v := given.(type) {
	case float64:
		return number(formatNumber(v))
	case int:
		return number(strconv.Itoa(v))
	case int64:
		return number(strconv.FormatInt(v, 10))
	case json.Number:
		return number(v.String())
	case string:
		return number(v)
	}
	return 0, false
}

func (a *Parameter) boolean(given any) (any, error) {
	switch v := given.(type) {
	case bool:
		return v, nil
	case string:
		switch strings.ToLower(strings.TrimSpace(v)) {
		case "true", "yes", "on", "1":
			return true, nil
		case "false", "no", "off", "0":
			return false, nil
		}
	}
	return nil, fmt.Errorf("%q is neither true nor false", shorten(textOf(given)))
}

// formatNumber writes a number without an exponent, as an app expects it.
func formatNumber(f float64) string { return strconv.FormatFloat(f, 'f', -1, 64) }

// textOf writes a value as the environment has it.
func textOf(value any) string {
	switch v := value.(type) {
	case nil:
		return ""
	case string:
		return v
	case float64:
		return formatNumber(v)
	}
	return fmt.Sprint(value)
}

// expand replaces ${name} by its value and $$ by $. Another $ stands for
// itself.
func expand(text string, value func(name string) (string, error)) (string, error) {
	var out strings.Builder
	for {
		before, after, found := strings.Cut(text, "$")
		out.WriteString(before)
		if !found {
			return out.String(), nil
		}
		switch {
		case strings.HasPrefix(after, "$"):
			out.WriteByte('$')
			text = after[1:]
		case strings.HasPrefix(after, "{"):
			name, rest, closed := strings.Cut(after[1:], "}")
			if !closed {
				return "", errors.New("has ${ without }; want ${parameter}, or $$ for a $")
			}
			v, err := value(name)
			if err != nil {
				return "", err
			}
			out.WriteString(v)
			text = rest
		default:
			out.WriteByte('$')
			text = after
		}
	}
}

// Secrets returns the texts of the secret parameters' values among params, for
// what must never show them.
func (m Manifest) Secrets(params map[string]any) []string {
	var out []string
	for _, a := range m.Parameters {
		if text, ok := params[a.Name].(string); ok && a.Secret && text != "" {
			out = append(out, text)
		}
	}
	return out
}
