package sfn

import (
	"errors"

	"github.com/internal-app-portal/iap/asl"
	"github.com/internal-app-portal/iap/asl/value"
)

type validateDefinition struct {
	Definition string `json:"definition" check:"required,min=1,max=1048576,secret"`
	Type       string `json:"type" check:"enum=STANDARD|EXPRESS"`
	Severity   string `json:"severity" check:"enum=ERROR|WARNING"`
	Max        *int64 `json:"maxResults" check:"min=0,max=100"`
}

func (r *request) validateDefinition(in validateDefinition) (any, error) {
	most := 0
	if in.Max != nil {
		most = int(*in.Max)
	}
	return asl.Diagnose([]byte(in.Definition), asl.MachineType(orStandard(in.Type)), asl.Severity(in.Severity), most), nil
}

// testState tests a single state; asl checks the request itself.
func (r *request) testState(in *value.Object) (any, error) {
	out, err := asl.TestState(in, r.Env(), nil)
	var refused *asl.TestError
	if errors.As(err, &refused) {
		return nil, &exception{Code: refused.Code, Message: refused.Message}
	}
	if err != nil {
		return nil, err
	}
	return object{out}, nil
}

// object writes a value as JSON.
type object struct{ o *value.Object }

// MarshalJSON implements json.Marshaler.
func (o object) MarshalJSON() ([]byte, error) { return value.Append(nil, o.o), nil }

// Refusal returns the exception that CreateStateMachine or UpdateStateMachine
// (op: create_state_machine, update_state_machine) answers to a request by
// itself, whatever there is in the portal; no code when there is none.
func Refusal(op string, request *value.Object) (code, message string) {
	var err error
	switch op {
	case "create_state_machine":
		var in createStateMachine
		if err = decode(request, &in, asl.DefaultPayloadBytes); err == nil {
			err = in.check()
		}
	case "update_state_machine":
		var in updateStateMachine
		if err = decode(request, &in, asl.DefaultPayloadBytes); err == nil {
			err = in.check()
		}
	}
	var e *exception
	if !errors.As(err, &e) {
		return "", ""
	}
	return e.Code, e.Message
}
