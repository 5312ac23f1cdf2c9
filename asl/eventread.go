package asl

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/internal-app-portal/iap/asl/value"
)

// unmarshal reads an event in AWS's form.
func (e *HistoryEvent) unmarshal(b []byte) error {
	v, err := value.Parse(b)
	if err != nil {
		return fmt.Errorf("asl: a history event: %w", err)
	}
	o, ok := v.(*value.Object)
	if !ok {
		return errors.New("asl: a history event must be a JSON object")
	}
	*e = HistoryEvent{}
	e.Type, _ = get(o, "type").(string)
	id, _ := get(o, "id").(value.Number)
	previous, _ := get(o, "previousEventId").(value.Number)
	stamp, _ := get(o, "timestamp").(value.Number)
	e.ID, _ = id.Int64()
	e.PreviousEventID, _ = previous.Int64()
	e.Timestamp = time.UnixMilli(int64(stamp.Float64()*1000 + 0.5)).UTC()
	if e.Type == "" {
		return errors.New("asl: a history event must have a type")
	}
	if details, ok := get(o, DetailsKey(e.Type)).(*value.Object); ok {
		e.Details = readDetails(details)
	}
	return nil
}

func get(o *value.Object, key string) value.Value {
	v, _ := o.Get(key)
	return v
}

func readDetails(o *value.Object) Details {
	text := func(key string) string {
		s, _ := get(o, key).(string)
		return s
	}
	data := func(key string) value.JSON { return value.Trusted(text(key)) }
	maybe := func(key string) *string {
		if s, ok := get(o, key).(string); ok {
			return &s
		}
		return nil
	}
	d := Details{
		Name: text("name"), Input: data("input"), Output: data("output"), Parameters: data("parameters"),
		RoleARN: text("roleArn"), ResourceType: text("resourceType"), Resource: text("resource"), Region: text("region"),
		Error: maybe("error"), Cause: maybe("cause"), Location: text("location"), State: text("state"),
		WorkerName: text("workerName"), MapRunARN: text("mapRunArn"),
		TimeoutSeconds: whole[int64](o, "timeoutInSeconds"), HeartbeatSeconds: whole[int64](o, "heartbeatInSeconds"),
		Index: whole[int](o, "index"), Length: whole[int](o, "length"),
		RedriveCount: whole[int64](o, "redriveCount"),
	}
	if c, ok := get(o, "taskCredentials").(*value.Object); ok {
		if arn, ok := c.Get("roleArn"); ok {
			d.Credentials = value.Of(value.NewObject(value.Member{Key: "RoleArn", Value: arn}))
		}
	}
	vars, _ := get(o, "assignedVariables").(*value.Object)
	for _, m := range vars.Members() {
		s, _ := m.Value.(string)
		d.AssignedVariables = append(d.AssignedVariables, Variable{m.Key, value.Trusted(s)})
	}
	return d
}

func whole[T int | int64](o *value.Object, key string) *T {
	n, ok := get(o, key).(value.Number)
	if !ok {
		return nil
	}
	i, _ := n.Int64()
	t := T(i)
	return &t
}

var _ json.Unmarshaler = (*HistoryEvent)(nil)
