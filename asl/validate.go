package asl

import (
	"bytes"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// MachineType is how executions of a state machine run.
type MachineType string

// The types of state machines, as AWS spells them.
const (
	Standard MachineType = "STANDARD"
	Express  MachineType = "EXPRESS"
)

// Validate finds everything that is wrong with the definition of a state
// machine of a type, and all that AWS warns of. A definition without a problem
// of severity ERROR can be used.
func Validate(src []byte, typ MachineType) []Problem {
	if len(bytes.TrimSpace(src)) == 0 {
		return []Problem{{Line: 1, Column: 1, Code: CodeSchema, Severity: SeverityError, Message: notAnObject}}
	}
	_, problems := parse(src, typ == Express)
	return problems
}

// Valid tells whether problems leave a definition fit for use.
func Valid(problems []Problem) bool { return !hasError(problems) }

// DefinitionError is the message of AWS's exception InvalidDefinition for a
// definition with problems; "" when none of them is an error.
func DefinitionError(src []byte, problems []Problem) string {
	problems = onlyErrors(problems)
	if len(problems) == 0 {
		return ""
	}
	// A wrong Label is refused in another form, before anything else is looked at.
	if i := slices.IndexFunc(problems, func(p Problem) bool { return p.Code == CodeLabel }); i >= 0 {
		return fmt.Sprintf("Error=ValueError Args=[%s] in definition '%s'.", quotedText(problems[i].Message), src)
	}
	all := make([]string, len(problems))
	for i, p := range problems {
		at := p.Location
		if at == "" {
			at = "null"
		}
		all[i] = fmt.Sprintf("%s: %s at %s", p.Code, p.Wire(), at)
	}
	return fmt.Sprintf("Invalid State Machine Definition: '%s'", strings.Join(all, ", "))
}

// quoted writes a character in quotation marks as Python does, in whose form
// the messages on Labels are.
func quoted(r rune) string { return quotedText(string(r)) }

func quotedText(s string) string {
	mark := '\''
	if strings.Contains(s, "'") && !strings.Contains(s, `"`) {
		mark = '"'
	}
	var b strings.Builder
	b.WriteRune(mark)
	for _, r := range s {
		switch {
		case r == mark || r == '\\':
			b.WriteRune('\\')
			b.WriteRune(r)
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\r':
			b.WriteString(`\r`)
		case r == '\t':
			b.WriteString(`\t`)
		case r < ' ' || r >= 0x7f && r <= 0xa0:
			fmt.Fprintf(&b, `\x%02x`, r)
		case r > 0xff && !strconv.IsPrint(r):
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			b.WriteRune(r)
		}
	}
	b.WriteRune(mark)
	return b.String()
}
