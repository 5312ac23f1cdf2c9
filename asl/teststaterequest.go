package asl

import (
	"strings"

	"github.com/internal-app-portal/iap/asl/value"
)

// testRequest is a TestState request, read.
type testRequest struct {
	definition, stateName, role, level string
	input, variables                   value.JSON
	contextText                        string
	mock                               *testMock
	result                             value.JSON // of the mock, or of the task
	retries, iterationFailures         int
	readerData                         value.JSON
}

type testMock struct {
	failure *failure
	mode    string // fieldValidationMode
}

func readTestRequest(o *value.Object) (*testRequest, error) {
	text := func(o *value.Object, key string) string {
		s, _ := get(o, key).(string)
		return s
	}
	r := &testRequest{definition: text(o, "definition"), stateName: text(o, "stateName"), role: text(o, "roleArn"),
		level: or(text(o, "inspectionLevel"), "INFO"), contextText: text(o, "context")}
	var err error
	if r.input, err = value.FromText(or(text(o, "input"), "{}")); err != nil {
		return nil, refuse(codeInvalidInput, "Invalid State Machine Execution Input: '%s'", err)
	}
	if vars := text(o, "variables"); vars != "" {
		if r.variables, err = value.FromText(vars); err != nil {
			return nil, refuse(codeValidation, "Variables must be valid JSON")
		}
		if _, ok := r.variables.Value().(*value.Object); !ok {
			return nil, refuse(codeValidation, "Variables must be a JSON object")
		}
	}
	if err := r.readMock(o); err != nil {
		return nil, err
	}
	config, _ := get(o, "stateConfiguration").(*value.Object)
	r.retries, r.iterationFailures = small(config, "retrierRetryCount"), small(config, "mapIterationFailureCount")
	if data := text(config, "mapItemReaderData"); data != "" {
		if r.readerData, err = value.FromText(data); err != nil {
			return nil, refuse(codeValidation, "mapItemReaderData must be valid JSON")
		}
	}
	return r, nil
}

// small reads a number that fits an int, from 0 on; else 0.
func small(o *value.Object, key string) int {
	n, _ := get(o, key).(value.Number)
	i, ok := n.Int64()
	if !ok || i < 0 || i > 1<<31-1 {
		return 0
	}
	return int(i)
}

func (r *testRequest) readMock(o *value.Object) error {
	m, ok := get(o, "mock").(*value.Object)
	if !ok {
		return nil
	}
	r.mock = &testMock{}
	r.mock.mode, _ = get(m, "fieldValidationMode").(string)
	result, hasResult := get(m, "result").(string)
	e, hasError := get(m, "errorOutput").(*value.Object)
	reveal, _ := get(o, "revealSecrets").(bool)
	switch {
	case hasResult && hasError:
		return refuse(codeValidation, "A test mock should have only one of the following fields: [result, errorOutput].")
	case !hasResult && !hasError:
		return refuse(codeValidation, "A test mock must have one of the following fields: [result, errorOutput].")
	case reveal:
		return refuse(codeValidation, "TestState does not support RevealSecrets when a mock is specified.")
	case hasError:
		name, _ := get(e, "error").(string)
		cause, _ := get(e, "cause").(string)
		r.mock.failure = &failure{err: optional(name), cause: optional(cause)}
		return nil
	}
	var err error
	if r.result, err = value.FromText(result); err != nil {
		return refuse(codeValidation, "Mocked result must be valid JSON")
	}
	return nil
}

// testedName is the name of a state whose definition is given alone.
const testedName = "StateName"

// machine reads the definition: of a state machine, one of whose states is
// named, or of a state alone, which is put into a machine of its own.
func (r *testRequest) machine() (*Machine, *Graph, *StateDef, error) {
	src, name := []byte(r.definition), r.stateName
	if name == "" {
		name = testedName
		src = wrapState(src)
	}
	m, problems := parse(src, false)
	if hasError(problems) {
		if r.stateName == "" {
			for i := range problems {
				problems[i].Location = strings.TrimPrefix(problems[i].Location, "/States/"+testedName)
			}
		}
		return nil, nil, nil, refuse(codeInvalidDefinition, "%s", DefinitionError([]byte(r.definition), problems))
	}
	for _, g := range m.Graphs {
		if def := g.State(name); def != nil {
			return m, g, def, nil
		}
	}
	return nil, nil, nil, refuse(codeValidation, "State '%s' not found in the state machine definition", name)
}

// wrapState makes a machine of a state's definition, with a state for each that
// it leads to. A text that is no object is left as it is, to be refused.
func wrapState(src []byte) []byte {
	v, err := value.Parse(src)
	state, ok := v.(*value.Object)
	if err != nil || !ok {
		return src
	}
	states := value.NewObject(value.Member{Key: testedName, Value: state})
	lead := func(o *value.Object, key string) {
		if to, ok := get(o, key).(string); ok {
			if _, there := states.Get(to); !there {
				states.Set(to, value.NewObject(value.Member{Key: "Type", Value: string(TypeSucceed)}))
			}
		}
	}
	lead(state, "Next")
	lead(state, "Default")
	for _, rules := range []string{"Choices", "Catch"} {
		list, _ := get(state, rules).(value.Array)
		for _, rule := range list {
			o, _ := rule.(*value.Object)
			lead(o, "Next")
		}
	}
	return []byte(value.Text(value.NewObject(value.Member{Key: "StartAt", Value: testedName}, value.Member{Key: "States", Value: states})))
}

// contextFields are the fields of the Context Object that may be given, with
// the type of each; "" is any.
var contextFields = map[string]map[string]string{
	"Execution": {"Id": "string", "Input": "", "Name": "string", "RoleArn": "string", "StartTime": "string",
		"RedriveCount": "number", "RedriveTime": "string"},
	"State":        {"EnteredTime": "string", "Name": "string", "RetryCount": "number"},
	"StateMachine": {"Id": "string", "Name": "string"},
	"Task":         {"Token": "string"},
}

// contextObject reads the Context Object that is given, or gives nil.
func (r *testRequest) contextObject() (*value.Object, error) {
	if r.contextText == "" {
		return nil, nil
	}
	wrong := func(format string, args ...any) error {
		return refuse(codeValidation, "Invalid Context object provided: "+format, args...)
	}
	v, err := value.Parse([]byte(r.contextText))
	o, ok := v.(*value.Object)
	if err != nil || !ok {
		return nil, wrong("it must be a JSON object")
	}
	for _, part := range o.Members() {
		if part.Key == "Map" {
			return nil, wrong("'Map' field is not supported when mocking a Context object")
		}
		fields, ok := contextFields[part.Key]
		if !ok {
			return nil, wrong("Field '%s' is not allowed", part.Key)
		}
		inner, ok := part.Value.(*value.Object)
		if !ok {
			return nil, wrong("%s must be an object", part.Key)
		}
		for _, m := range inner.Members() {
			switch kind, ok := fields[m.Key]; {
			case !ok:
				return nil, wrong("Field '%s' is not allowed", m.Key)
			case kind != "" && value.Kind(m.Value) != kind:
				return nil, wrong("%s.%s must be a %s", part.Key, m.Key, kind)
			}
		}
	}
	return o, nil
}
