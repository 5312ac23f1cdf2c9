package asl

import (
	"encoding/json"
	"strconv"
	"strings"
	"unicode"

	"github.com/internal-app-portal/iap/asl/value"
)

// DetailsKey is the name under which AWS puts the details of a type of event;
// "" for types that have none.
func DetailsKey(eventType string) string {
	switch eventType {
	case "LambdaFunctionStarted", "MapStateSucceeded", "MapStateFailed", "MapStateAborted", "MapRunSucceeded", "MapRunAborted",
		"ParallelStateStarted", "ParallelStateSucceeded", "ParallelStateFailed", "ParallelStateAborted",
		"TaskStateAborted", "WaitStateAborted":
		return ""
	}
	switch {
	case strings.HasSuffix(eventType, "StateEntered"):
		return "stateEnteredEventDetails"
	case strings.HasSuffix(eventType, "StateExited"):
		return "stateExitedEventDetails"
	}
	return string(unicode.ToLower(rune(eventType[0]))) + eventType[1:] + "EventDetails"
}

// MarshalJSON writes the event as AWS does.
func (e HistoryEvent) MarshalJSON() ([]byte, error) {
	o := value.NewObject(
		value.Member{Key: "timestamp", Value: seconds(e.Timestamp.UnixMilli())},
		value.Member{Key: "type", Value: e.Type},
		value.Member{Key: "id", Value: value.Int(e.ID)},
		value.Member{Key: "previousEventId", Value: value.Int(e.PreviousEventID)},
	)
	if key := DetailsKey(e.Type); e.Type != "" && key != "" {
		o.Set(key, e.Details.object(e.Type))
	}
	return value.Append(nil, o), nil
}

// seconds writes milliseconds as seconds with three decimals.
func seconds(ms int64) value.Number {
	s := strconv.FormatInt(ms%1000+1000, 10)[1:]
	return value.Number(strconv.FormatInt(ms/1000, 10) + "." + s)
}

// object writes the details under AWS's names. Data that AWS may cut off is
// told to be whole.
func (d Details) object(eventType string) *value.Object {
	o := &value.Object{}
	text := func(key, s string) {
		if s != "" {
			o.Set(key, s)
		}
	}
	data := func(key string, j value.JSON) {
		if !j.IsZero() {
			o.Set(key, j.String())
			o.Set(key+"Details", value.NewObject(value.Member{Key: "truncated", Value: false}))
		}
	}
	text("name", d.Name)
	data("input", d.Input)
	data("output", d.Output)
	text("roleArn", d.RoleARN)
	text("resourceType", d.ResourceType)
	text("resource", d.Resource)
	text("region", d.Region)
	if !d.Parameters.IsZero() {
		o.Set("parameters", d.Parameters.String())
	}
	if !d.Credentials.IsZero() {
		o.Set("taskCredentials", credentials(d.Credentials.Value()))
	}
	number(o, "timeoutInSeconds", d.TimeoutSeconds)
	number(o, "heartbeatInSeconds", d.HeartbeatSeconds)
	number(o, "index", d.Index)
	number(o, "length", d.Length)
	if d.Error != nil {
		o.Set("error", *d.Error)
	}
	if d.Cause != nil {
		o.Set("cause", *d.Cause)
	}
	text("location", d.Location)
	text("state", d.State)
	text("workerName", d.WorkerName)
	text("mapRunArn", d.MapRunARN)
	number(o, "redriveCount", d.RedriveCount)
	if len(d.AssignedVariables) > 0 {
		vars := &value.Object{}
		for _, v := range d.AssignedVariables {
			vars.Set(v.Name, v.Value.String())
		}
		o.Set("assignedVariables", vars)
		o.Set("assignedVariablesDetails", value.NewObject(value.Member{Key: "truncated", Value: false}))
	}
	return o
}

func number[T int | int64](o *value.Object, key string, n *T) {
	if n != nil {
		o.Set(key, value.Int(int64(*n)))
	}
}

// credentials writes Credentials as AWS's history does.
func credentials(v value.Value) value.Value {
	in, _ := v.(*value.Object)
	arn, ok := in.Get("RoleArn")
	if !ok {
		return v
	}
	return value.NewObject(value.Member{Key: "roleArn", Value: arn})
}

// UnmarshalJSON reads what MarshalJSON wrote.
func (e *HistoryEvent) UnmarshalJSON(b []byte) error { return e.unmarshal(b) }

var _ json.Marshaler = HistoryEvent{}
