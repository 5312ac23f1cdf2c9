package edit

import (
	"strings"

	"github.com/internal-app-portal/iap/asl/value"
)

// comparisons are the signs of the operators that have one; the rest is told by
// the operator's name.
var comparisons = []struct{ suffix, sign string }{
	{"LessThanEquals", "≤"}, {"GreaterThanEquals", "≥"}, {"LessThan", "<"}, {"GreaterThan", ">"}, {"Equals", "="}, {"Matches", "like"},
}

// condition writes a choice rule as people read it: "$.size > 3".
func condition(rule *node) string { return cut(words(rule, 0)) }

func words(rule *node, depth int) string {
	if depth > 4 || !rule.isObject() {
		return "…"
	}
	if c := rule.str("Condition"); c != "" {
		return strings.TrimSpace(strings.TrimSuffix(strings.TrimPrefix(strings.TrimSpace(c), "{%"), "%}"))
	}
	if not := rule.field("Not"); not != nil {
		return "not " + words(not, depth+1)
	}
	for key, with := range map[string]string{"And": " and ", "Or": " or "} {
		if parts := rule.items(key); parts != nil {
			var out []string
			for _, p := range parts[:min(len(parts), 4)] {
				out = append(out, words(p, depth+1))
			}
			return strings.Join(out, with)
		}
	}
	left := rule.str("Variable")
	for _, f := range rule.kids {
		switch f.key {
		case "Variable", "Next", "Comment", "Assign", "Output":
			continue
		}
		return left + " " + comparison(f.key, f.v)
	}
	return left
}

func comparison(operator string, operand value.Value) string {
	if what, ok := strings.CutPrefix(operator, "Is"); ok {
		verb := "is "
		if operand == false {
			verb = "is not "
		}
		return verb + strings.ToLower(what)
	}
	operator = strings.TrimSuffix(operator, "Path")
	right := value.Text(operand)
	for _, c := range comparisons {
		if strings.HasSuffix(operator, c.suffix) {
			return c.sign + " " + right
		}
	}
	return operator + " " + right
}
