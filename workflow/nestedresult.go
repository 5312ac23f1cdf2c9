package workflow

import (
	"encoding/json"
	"errors"
	"strings"

	iap "github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/task"
)

// The names of the errors of states:startExecution, as AWS has them.
const (
	errNoMachine      = "StepFunctions.StateMachineDoesNotExistException"
	errSameName       = "StepFunctions.ExecutionAlreadyExistsException"
	errExecutionLimit = "StepFunctions.ExecutionLimitExceededException"
	errMachineType    = "StepFunctions.StateMachineTypeNotSupportedException"
	errBadARN         = "StepFunctions.InvalidArnException"
)

// nestedResult is what a parent gets of a child, as DescribeExecution tells of
// it. Input and Output are texts, or with .sync:2 the values themselves.
type nestedResult struct {
	Cause               string `json:",omitempty"`
	Error               string `json:",omitempty"`
	ExecutionArn        string
	Input               json.RawMessage `json:",omitempty"`
	InputDetails        *included       `json:",omitempty"`
	Name                string
	Output              json.RawMessage `json:",omitempty"`
	OutputDetails       *included       `json:",omitempty"`
	RedriveCount        int
	RedriveStatus       string
	RedriveStatusReason string `json:",omitempty"`
	StartDate           int64  // milliseconds since 1970
	StateMachineArn     string
	Status              Status
	StopDate            int64
}

type included struct{ Included bool }

func childResult(x Execution, machine string, values bool, redrive RedriveState) nestedResult {
	r := nestedResult{Cause: x.Cause, Error: x.Error, ExecutionArn: ExecutionARN(machine, x.Name), Name: x.Name,
		Input: x.Input, InputDetails: &included{true}, RedriveCount: x.RedriveCount, RedriveStatus: redrive.Status,
		RedriveStatusReason: redrive.Reason, StartDate: x.StartedAt.UnixMilli(), StateMachineArn: MachineARN(machine),
		Status: x.Status, StopDate: x.EndedAt.UnixMilli()}
	if x.Status == Succeeded {
		r.Output, r.OutputDetails = x.Output, &included{true}
	}
	if !values {
		r.Input, r.Output = asText(r.Input), asText(r.Output)
	}
	return r
}

// maxCause is how long a cause may be, as on AWS.
const maxCause = 32_768

// cause tells of a child that failed. What is too long is left out or cut: each
// generation quotes the cause of the one below it.
func (r nestedResult) cause() (string, error) {
	b, err := json.Marshal(r)
	if len(b) > maxCause {
		r.Input, r.InputDetails = nil, &included{false}
		b, err = json.Marshal(r)
	}
	for err == nil && len(b) > maxCause && r.Cause != "" {
		r.Cause = strings.ToValidUTF8(r.Cause[:len(r.Cause)/2], "")
		b, err = json.Marshal(r)
	}
	return string(b), err
}

// asText is JSON in a JSON string.
func asText(v json.RawMessage) json.RawMessage {
	if len(v) == 0 {
		return nil
	}
	b, _ := json.Marshal(string(v)) // never fails
	return b
}

func badStart(err error) error {
	if fields := iap.Fields(err); len(fields) > 0 {
		return FailTask(task.ErrArguments, "The argument %q of states:startExecution: %s.", fields[0].Field, fields[0].Message())
	}
	return err
}

// startFailure names why an execution could not be started.
func startFailure(a startArguments, err error) error {
	var e *iap.Error
	switch {
	case errors.Is(err, ErrNoMachine), errors.Is(err, ErrNoVersion), errors.Is(err, ErrNoAlias), errors.Is(err, ErrDeleting), errors.Is(err, ErrReadOnly):
		return FailTask(errNoMachine, "State Machine Does Not Exist: '%s'", a.StateMachineArn)
	case errors.Is(err, ErrExecutionName):
		return FailTask(errSameName, "Execution Already Exists: '%s'", a.Name)
	case errors.Is(err, ErrARN):
		return FailTask(errBadARN, "Invalid Arn: '%s'", a.StateMachineArn)
	case errors.As(err, &e) && e.Kind == iap.Invalid:
		return FailTask(task.ErrArguments, "The argument %q of states:startExecution: %s.", e.Field, e.Message())
	}
	return err
}
