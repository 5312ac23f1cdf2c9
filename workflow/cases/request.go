package cases

import (
	"fmt"
	"strings"

	"github.com/internal-app-portal/iap/asl"
	"github.com/internal-app-portal/iap/asl/value"
)

// runLint compares the verdict on a definition.
func (c *Case) runLint() *Difference {
	_, problems := asl.Parse([]byte(c.Definition))
	valid := len(problems) == 0
	if valid == c.Valid {
		return nil
	}
	got := value.Value(valid)
	if !valid {
		got = problemText(problems)
	}
	return differ("/valid", c.Valid, got)
}

// runRefusal compares the exception that a request gets.
func (c *Case) runRefusal(o Options) *Difference {
	refuse := o.Refuse
	if refuse == nil {
		refuse = refuseDefinition
	}
	code, message := refuse(c.Op, c.Request)
	return c.compareError(c.Op, code, message)
}

// compareError compares an exception, expected as AWS's SDKs give it: as an
// object, or as its text.
func (c *Case) compareError(op, code, message string) *Difference {
	w := comparer{c.Wildcards}
	if want, ok := c.Expect.(string); ok {
		got := fmt.Sprintf("An error occurred (%s) when calling the %s operation: %s", code, camel(op), message)
		if code == "" {
			got = message
		}
		return w.compare("", want, got)
	}
	want, _ := field(c.Expect, "Error").(*value.Object)
	return w.compare("/Error", want, value.NewObject(value.Member{Key: "Code", Value: code}, value.Member{Key: "Message", Value: message}))
}

// camel writes create_state_machine as CreateStateMachine.
func camel(op string) string {
	var b strings.Builder
	for word := range strings.SplitSeq(op, "_") {
		if word != "" {
			b.WriteString(strings.ToUpper(word[:1]) + word[1:])
		}
	}
	return b.String()
}

// refuseDefinition looks at the definition of a request alone.
func refuseDefinition(_ string, request *value.Object) (code, message string) {
	text, ok := field(request, "definition").(string)
	if !ok {
		return "", ""
	}
	_, problems := asl.Parse([]byte(text))
	if len(problems) == 0 {
		return "", ""
	}
	var all []string
	for _, p := range problems {
		s := p.Code + ": " + p.Message
		if p.Pointer != "" {
			s += " at " + p.Pointer
		}
		all = append(all, s)
	}
	return "InvalidDefinition", "Invalid State Machine Definition: '" + strings.Join(all, ", ") + "'"
}

// runValidate compares the answer to a ValidateStateMachineDefinition request.
func (c *Case) runValidate() *Difference {
	text, _ := field(c.Request, "definition").(string)
	_, problems := asl.Parse([]byte(text))
	result, diagnostics := "OK", value.Array{}
	for _, p := range problems {
		result = "FAIL"
		d := value.NewObject(value.Member{Key: "severity", Value: "ERROR"}, value.Member{Key: "code", Value: p.Code},
			value.Member{Key: "message", Value: p.Message})
		if p.Pointer != "" {
			d.Set("location", p.Pointer)
		}
		diagnostics = append(diagnostics, d)
	}
	w := comparer{c.Wildcards}
	return w.compare("", c.Expect, value.NewObject(value.Member{Key: "result", Value: result},
		value.Member{Key: "diagnostics", Value: diagnostics}, value.Member{Key: "truncated", Value: false}))
}

// runTestState compares the answer to a TestState request.
func (c *Case) runTestState(Options) *Difference {
	return differ("", c.Expect, nil)
}
