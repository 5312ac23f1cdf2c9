package asl

import (
	"time"

	"github.com/internal-app-portal/iap/asl/value"
)

// HistoryEvent is one entry of an execution's history, as GetExecutionHistory
// gives it. Its JSON form is AWS's, with the details under the name that
// belongs to the type and the timestamp in seconds since 1970.
type HistoryEvent struct {
	ID              int64
	PreviousEventID int64
	Type            string // as in AWS's HistoryEventType
	Timestamp       time.Time
	Details         Details
}

// Details are the details of all types of events; each type uses a few.
type Details struct {
	Name              string
	Input             value.JSON
	Output            value.JSON
	Parameters        value.JSON
	Credentials       value.JSON
	Error, Cause      *string
	ResourceType      string
	Resource          string
	Region            string
	TimeoutSeconds    *int64
	HeartbeatSeconds  *int64
	AssignedVariables []Variable
	Index             *int
	Length            *int
	Location          string // EvaluationFailed: the field that failed
	State             string // EvaluationFailed: the state that failed
	RoleARN           string
	WorkerName        string
	MapRunARN         string
	RedriveCount      *int64
}

// Variable is an assigned variable and its value.
type Variable struct {
	Name  string
	Value value.JSON
}
