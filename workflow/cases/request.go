package cases

import (
	"errors"
	"fmt"
	"strings"
	"time"

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
	request := c.Request.Clone()
	if text, ok := field(request, "definition").(string); ok {
		request.Set("definition", fillPlaceholders(text))
	}
	code, message := refuse(c.Op, request)
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
	typ, _ := field(request, "type").(string)
	problems := asl.Validate([]byte(text), asl.MachineType(typ))
	if asl.Valid(problems) {
		return "", ""
	}
	return "InvalidDefinition", asl.DefinitionError([]byte(text), problems)
}

// runValidate compares the answer to a ValidateStateMachineDefinition request.
func (c *Case) runValidate() *Difference {
	text, _ := field(c.Request, "definition").(string)
	typ, _ := field(c.Request, "type").(string)
	severity, _ := field(c.Request, "severity").(string)
	most := 0
	if n, ok := field(c.Request, "maxResults").(value.Number); ok {
		i, _ := n.Int64()
		most = int(i)
	}
	got := asl.Diagnose([]byte(text), asl.MachineType(typ), asl.Severity(severity), most)
	w := comparer{c.Wildcards}
	return w.compare("", c.Expect, got.Value())
}

// runTestState compares the answer to a TestState request.
func (c *Case) runTestState(o Options) *Difference {
	if o.Refuse != nil {
		if code, message := o.Refuse("test_state", c.Request); code != "" {
			return c.refusedTest(code, message)
		}
	}
	env := o.Env
	env.Now = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	got, err := asl.TestState(c.Request, env, nil)
	var refused *asl.TestError
	if errors.As(err, &refused) {
		return c.refusedTest(refused.Code, refused.Message)
	}
	if c.ExpectError {
		return differ("/Error", field(c.Expect, "Error"), got)
	}
	w := comparer{c.Wildcards}
	want := without(c.Expect, "ResponseMetadata")
	if status := field(want, "status"); status != field(got, "status") {
		return differ("/status", status, got)
	}
	return w.compare("", want, got)
}

func (c *Case) refusedTest(code, message string) *Difference {
	if !c.ExpectError {
		return differ("/status", field(c.Expect, "status"), code+": "+message)
	}
	return c.compareError("test_state", code, message)
}
