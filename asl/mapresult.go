package asl

import (
	"time"

	"github.com/internal-app-portal/iap/asl/value"
)

// The values of Transformation, and of OutputType.
const (
	TransformNone    = "NONE"
	TransformCompact = "COMPACT"
	TransformFlatten = "FLATTEN"

	OutputJSON  = "JSON"
	OutputJSONL = "JSONL"
)

// MapResult is what became of a child of a map run.
type MapResult struct {
	Number           int64 // of the child, from 0
	Name, ARN        string
	StateMachineARN  string
	Status           Status
	Input, Output    value.JSON
	Error, Cause     *string
	Started, Stopped time.Time
	RedriveCount     int
}

// Append appends what the results show of this child, in the form that a
// Transformation gives them: nothing, one value or, of a list that is
// flattened, several.
func (r *MapResult) Append(list []value.JSON, transformation string) []value.JSON {
	if r.Status != Succeeded || transformation == TransformNone {
		return append(list, value.Of(r.object()))
	}
	if transformation == TransformFlatten {
		if a, ok := r.Output.Value().(value.Array); ok {
			for _, v := range a {
				list = append(list, value.Of(v))
			}
			return list
		}
	}
	return append(list, r.Output)
}

// object tells all of a child, as AWS's result files do.
func (r *MapResult) object() *value.Object {
	o := &value.Object{}
	included := value.NewObject(value.Member{Key: "Included", Value: true})
	if r.Cause != nil {
		o.Set("Cause", *r.Cause)
	}
	if r.Error != nil {
		o.Set("Error", *r.Error)
	}
	o.Set("ExecutionArn", r.ARN)
	o.Set("Input", r.Input.String())
	o.Set("InputDetails", included)
	o.Set("Name", r.Name)
	if !r.Output.IsZero() {
		o.Set("Output", r.Output.String())
		o.Set("OutputDetails", included)
	}
	o.Set("RedriveCount", value.Int(int64(r.RedriveCount)))
	o.Set("RedriveStatus", "NOT_REDRIVABLE")
	o.Set("StartDate", r.Started.UTC().Format(contextTime))
	o.Set("StateMachineArn", r.StateMachineARN)
	o.Set("Status", string(r.Status))
	if !r.Stopped.IsZero() {
		o.Set("StopDate", r.Stopped.UTC().Format(contextTime))
	}
	return o
}

// Transformation is the form of the results: by default whole where they are
// written to files, else the outputs alone.
func (o *MapRunOrder) Transformation() string {
	switch {
	case o.Writer != nil && o.Writer.Transformation != "":
		return o.Writer.Transformation
	case o.Writes():
		return TransformNone
	}
	return TransformCompact
}

// Writes tells whether the results go to files.
func (o *MapRunOrder) Writes() bool { return o.Writer != nil && o.Writer.Resource != nil }

// MapOutput gathers the results of a map run that become the state's output.
type MapOutput struct {
	transformation string
	lines          bool
	limit          int
	state          string
	text           []byte
	list           []value.JSON
	any            bool
}

// NewMapOutput begins an output without results.
func NewMapOutput(o *MapRunOrder, limits Limits) *MapOutput {
	return &MapOutput{transformation: o.Transformation(), limit: limits.payload(), state: o.State,
		lines: o.Writer != nil && o.Writer.OutputType == OutputJSONL}
}

// Add takes the next result, in the order of the children; a *MapError when
// the output would be too large.
func (m *MapOutput) Add(r MapResult) error {
	m.list = r.Append(m.list[:0], m.transformation)
	for _, j := range m.list {
		if m.any {
			m.text = append(m.text, m.separator())
		}
		m.any = true
		m.text = append(m.text, j.String()...)
		if len(m.text) > m.limit {
			return mapError(tooLarge(m.state))
		}
	}
	return nil
}

func (m *MapOutput) separator() byte {
	if m.lines {
		return '\n'
	}
	return ','
}

// JSON is the output: an array or, as JSON Lines, a text of lines.
func (m *MapOutput) JSON() value.JSON {
	if m.lines {
		return value.Of(string(m.text))
	}
	return value.Trusted("[" + string(m.text) + "]")
}
