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

// testState is what the API's model says of a TestState request. What the
// members say of each other, and of the state, asl checks.
type testState struct {
	Definition string             `json:"definition" check:"required,min=1,max=1048576,secret"`
	Role       string             `json:"roleArn" check:"min=1,max=256"`
	Input      string             `json:"input" check:"payload,secret"`
	Level      string             `json:"inspectionLevel" check:"enum=INFO|DEBUG|TRACE"`
	Reveal     bool               `json:"revealSecrets"`
	Variables  string             `json:"variables" check:"payload,secret"`
	StateName  string             `json:"stateName" check:"max=80,secret"`
	Context    string             `json:"context" check:"payload,secret"`
	Mock       *testMock          `json:"mock"`
	Config     *testConfiguration `json:"stateConfiguration"`
}

type testMock struct {
	Result string     `json:"result" check:"payload,secret"`
	Error  *testError `json:"errorOutput"`
	Mode   string     `json:"fieldValidationMode" check:"enum=STRICT|PRESENT|NONE"`
}

type testError struct {
	Error string `json:"error" check:"max=256,secret"`
	Cause string `json:"cause" check:"max=32768,secret"`
}

type testConfiguration struct {
	Retries    *int64 `json:"retrierRetryCount" check:"min=0"`
	CausedBy   string `json:"errorCausedByState" check:"min=1,max=80,secret"`
	Failures   *int64 `json:"mapIterationFailureCount" check:"min=0"`
	ReaderData string `json:"mapItemReaderData" check:"payload,secret"`
}

// testState tests a single state.
func (r *request) testState(in *value.Object) (any, error) {
	if err := decode(in, &testState{}, r.PayloadBytes); err != nil {
		return nil, err
	}
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

// Refusal returns the exception that CreateStateMachine, UpdateStateMachine or
// TestState (op: create_state_machine, update_state_machine, test_state) answers
// to a request by itself, whatever there is in the portal; no code when there is
// none. Of TestState it is what the model of the API says.
func Refusal(op string, request *value.Object) (code, message string) {
	var err error
	switch op {
	case "create_state_machine":
		err = refusal(request, createStateMachine.check)
	case "update_state_machine":
		err = refusal(request, updateStateMachine.alone)
	case "test_state":
		err = decode(request, &testState{}, asl.DefaultPayloadBytes)
	}
	var e *exception
	if !errors.As(err, &e) {
		return "", ""
	}
	return e.Code, e.Message
}

func refusal[I any](request *value.Object, check func(I) error) error {
	var in I
	if err := decode(request, &in, asl.DefaultPayloadBytes); err != nil {
		return err
	}
	return check(in)
}
