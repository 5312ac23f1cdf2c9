package asl

import "github.com/internal-app-portal/iap/asl/value"

// MaxDiagnostics is how many diagnostics an answer has when nobody asked for
// fewer, and at most, as on AWS.
const MaxDiagnostics = 100

// Diagnosis is the answer to ValidateStateMachineDefinition, under AWS's names:
// https://docs.aws.amazon.com/step-functions/latest/apireference/API_ValidateStateMachineDefinition.html
type Diagnosis struct {
	// Result is OK, or FAIL when there is an error.
	Result      string       `json:"result"`
	Diagnostics []Diagnostic `json:"diagnostics"`
	// Truncated tells that there were more.
	Truncated bool `json:"truncated"`
}

// Diagnostic is one problem, as AWS tells it.
type Diagnostic struct {
	Severity Severity `json:"severity"`
	Code     string   `json:"code"`
	Message  string   `json:"message"`
	Location string   `json:"location,omitempty"`
}

// Diagnose does what ValidateStateMachineDefinition does. Severity is the least
// that is told: SeverityError, which AWS has when none is given (""), or
// SeverityWarning. A maximum of 0 is MaxDiagnostics.
func Diagnose(definition []byte, typ MachineType, severity Severity, maxResults int) Diagnosis {
	if maxResults <= 0 || maxResults > MaxDiagnostics {
		maxResults = MaxDiagnostics
	}
	d := Diagnosis{Result: "OK", Diagnostics: []Diagnostic{}}
	for _, p := range Validate(definition, typ) {
		if p.Severity == SeverityError {
			d.Result = "FAIL"
		} else if severity != SeverityWarning {
			continue
		}
		if len(d.Diagnostics) == maxResults {
			d.Truncated = true
			continue
		}
		d.Diagnostics = append(d.Diagnostics, Diagnostic{p.Severity, p.Code, p.Wire(), p.Location})
	}
	return d
}

// Value is the answer as a value, for whoever writes JSON with package value.
func (d Diagnosis) Value() *value.Object {
	list := make(value.Array, len(d.Diagnostics))
	for i, x := range d.Diagnostics {
		o := value.NewObject(value.Member{Key: "severity", Value: string(x.Severity)},
			value.Member{Key: "code", Value: x.Code}, value.Member{Key: "message", Value: x.Message})
		if x.Location != "" {
			o.Set("location", x.Location)
		}
		list[i] = o
	}
	return value.NewObject(value.Member{Key: "result", Value: d.Result},
		value.Member{Key: "diagnostics", Value: list}, value.Member{Key: "truncated", Value: d.Truncated})
}
