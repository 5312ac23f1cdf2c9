package catalog

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"
)

// The types of parameters.
const (
	TypeString  = "string"
	TypeNumber  = "number"
	TypeBoolean = "boolean"
	TypeChoice  = "choice"
)

var parameterTypes = []string{TypeString, TypeNumber, TypeBoolean, TypeChoice}

// maxValue is the size of a parameter's text in bytes at most.
const maxValue = 4 << 10

var parameterForm = regexp.MustCompile(`^[a-z][a-z0-9_]{0,39}$`)

// contract are the variables that every bundle is given.
var contract = []string{"host_name", "resource_name", "instance_id", "image", "port", "environment", "labels", "limits", "read_only_root"}

// networkVariable is the one that a bundle is given beside them whose app wants its
// network from the portal.
const networkVariable = "network"

// given are the names of the variables that the app's bundle is given besides its
// parameters.
func (m *Manifest) given() []string {
	all := slices.Clone(contract)
	if m.Network == NetworkPortal {
		all = append(all, networkVariable)
	}
	return all
}

// variables are the names of all that the app's bundle is given.
func (m *Manifest) variables() []string {
	all := m.given()
	for _, a := range m.Parameters {
		all = append(all, a.Name)
	}
	return all
}

// forbidden are the names that Terraform keeps for itself.
var forbidden = []string{"source", "version", "providers", "count", "for_each", "lifecycle", "depends_on", "locals"}

// ContractVariables are the names of the variables that every bundle is given
// besides its app's parameters.
func ContractVariables() []string { return slices.Clone(contract) }

func (m *Manifest) checkParameters(p *problems) {
	if len(m.Parameters) > 50 {
		p.add("parameters", "has %d entries; want at most 50", len(m.Parameters))
		return
	}
	taken := append(m.given(), forbidden...)
	seen := map[string]bool{}
	for i := range m.Parameters {
		param, field := &m.Parameters[i], fmt.Sprintf("parameters[%d]", i)
		if p.has(field) {
			continue
		}
		param.checkName(p, field+".name", taken, seen)
		checkText(p, field+".label", param.Label, 60, false)
		checkText(p, field+".description", param.Description, 300, false)
		if param.checkType(p, field) {
			param.checkRules(p, field)
			param.checkDefault(p, field+".default")
		}
	}
}

func (a *Parameter) checkName(p *problems, field string, taken []string, seen map[string]bool) {
	const want = "want a lower-case letter, then letters, digits and _, at most 40"
	switch {
	case missing(p, field, a.Name == "", want):
	case !parameterForm.MatchString(a.Name):
		p.add(field, "%q is not possible; %s", shorten(a.Name), want)
	case slices.Contains(taken, a.Name):
		p.add(field, "%q is a name that bundles already use for something else", a.Name)
	case seen[a.Name]:
		p.add(field, "%q is there twice", a.Name)
	}
	seen[a.Name] = true
}

func (a *Parameter) checkType(p *problems, field string) bool {
	if p.has(field + ".type") {
		return false
	}
	if slices.Contains(parameterTypes, a.Type) {
		return true
	}
	p.add(field+".type", "%q is no type; want %s%s", shorten(a.Type), list(parameterTypes), didYouMean(a.Type, parameterTypes))
	return false
}

// checkRules judges the rules by which values are judged.
func (a *Parameter) checkRules(p *problems, field string) {
	only := func(name, kind string, given bool) {
		if given && a.Type != kind && !p.has(field+"."+name) {
			p.add(field+"."+name, "belongs to a parameter of type %s; this one is %s", kind, a.Type)
		}
	}
	only("choices", TypeChoice, len(a.Choices) > 0)
	only("pattern", TypeString, a.Pattern != "")
	only("secret", TypeString, a.Secret)
	only("min", TypeNumber, a.Min != nil)
	only("max", TypeNumber, a.Max != nil)
	if a.Type == TypeChoice && len(a.Choices) == 0 {
		missing(p, field+".choices", true, "want a list of at least one text")
	}
	for i, c := range a.Choices {
		at := fmt.Sprintf("%s.choices[%d]", field, i)
		checkText(p, at, c, 200, true)
		if slices.Contains(a.Choices[:i], c) {
			p.add(at, "%q is there twice", shorten(c))
		}
	}
	if a.Min != nil && a.Max != nil && *a.Min > *a.Max {
		p.add(field+".min", "%v is more than max, which is %v", *a.Min, *a.Max)
	}
	if len(a.Pattern) > 1000 {
		p.add(field+".pattern", "has %d characters; want at most 1000", len(a.Pattern))
	} else if _, err := regexp.Compile(a.Pattern); err != nil {
		p.add(field+".pattern", "%q is no regular expression (RE2): %v", shorten(a.Pattern), err)
	}
}

// checkDefault judges the default by the parameter's own rules.
func (a *Parameter) checkDefault(p *problems, field string) {
	if a.Default == nil || p.has(field) {
		return
	}
	if a.Secret {
		p.add(field, "a secret must have no default, because everybody could read it here")
		return
	}
	value, err := a.value(a.Default, true)
	if err != nil {
		p.add(field, "%v", err)
		return
	}
	a.Default = value
}

// value turns what was given into the parameter's type and judges it. Strict
// takes no text for a number or truth value.
func (a *Parameter) value(given any, strict bool) (any, error) {
	text, isText := given.(string)
	if isText && strict && (a.Type == TypeNumber || a.Type == TypeBoolean) {
		return nil, fmt.Errorf("want %s, not the text %q", kindWords[a.Type], shorten(text))
	}
	switch a.Type {
	case TypeNumber:
		return a.number(given)
	case TypeBoolean:
		return a.boolean(given)
	case TypeChoice:
		if f, ok := toFloat(given); ok && !isText {
			text = formatNumber(f)
		} else if b, ok := given.(bool); ok {
			text = fmt.Sprint(b)
		}
		if !slices.Contains(a.Choices, text) {
			return nil, fmt.Errorf("%q is no choice; want %s%s", shorten(textOf(given)), list(quoted(a.Choices)), didYouMean(text, a.Choices))
		}
		return text, nil
	}
	return a.text(given)
}

var kindWords = map[string]string{TypeNumber: "a number", TypeBoolean: "true or false", TypeString: "a text"}

func (a *Parameter) text(given any) (any, error) {
	text, ok := given.(string)
	switch {
	case !ok:
		return nil, fmt.Errorf("want a text, not %s; put it in quotes", shorten(textOf(given)))
	case len(text) > maxValue:
		return nil, fmt.Errorf("has %d bytes; want at most %d", len(text), maxValue)
	case !utf8.ValidString(text) || strings.ContainsRune(text, 0):
		return nil, fmt.Errorf("has characters that are not possible in a text")
	case hidden(text) != "":
		return nil, fmt.Errorf("has %s, which cannot be seen or changes how the text reads; leave it out", hidden(text))
	case a.Required && text == "":
		return nil, fmt.Errorf("is required")
	case a.Pattern != "":
		if re, err := regexp.Compile(a.Pattern); err == nil && !re.MatchString(text) {
			return nil, fmt.Errorf("%sdoes not match %s", a.shown(text), a.Pattern)
		}
	}
	return text, nil
}

// shown is a value as an error may quote it: not at all when it is secret.
func (a *Parameter) shown(text string) string {
	if a.Secret {
		return ""
	}
	return fmt.Sprintf("%q ", shorten(text))
}

func quoted(words []string) []string {
	out := make([]string, 0, len(words))
	for _, w := range words[:min(len(words), 12)] {
		out = append(out, fmt.Sprintf("%q", shorten(w)))
	}
	if len(words) > 12 {
		out = append(out, fmt.Sprintf("%d more", len(words)-12))
	}
	return out
}
