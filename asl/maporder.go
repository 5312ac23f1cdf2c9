package asl

import "github.com/internal-app-portal/iap/asl/value"

// StartMapRun asks for the run of a distributed Map state: the items are read,
// each batch of them becomes an execution of Machine.Sub(Order.Graph), and the
// signal MapRunEnded tells how it went. Frame and Attempt identify the run.
type StartMapRun struct {
	Frame   FrameID
	Attempt int
	Order   MapRunOrder
}

// RedriveMapRun asks for a map run that has ended without success to go on: its
// children that did not succeed are redriven, Express ones run again, and those
// that were not begun are begun. It then ends by a MapRunEnded of this Attempt.
// It follows "Redriving Map Runs" in AWS's developer guide.
type RedriveMapRun struct {
	Frame   FrameID
	Attempt int
	ARN     string
}

// StopMapRun tells that a map run is no longer wanted: its children are to be
// stopped, and no MapRunEnded is awaited.
type StopMapRun struct {
	Frame   FrameID
	Attempt int
	ARN     string
}

func (StartMapRun) command()   {}
func (RedriveMapRun) command() {}
func (StopMapRun) command()    {}

// MapRunEnded tells how a map run ended: Succeeded with its Output, or Failed
// with an error that Retry and Catch of the state match.
type MapRunEnded struct {
	Frame   FrameID
	Attempt int
	Status  Status
	Output  value.JSON
	Error   string
	Cause   string
}

func (MapRunEnded) signal() {}

// MapRunOrder is what a distributed Map state wants done, all its expressions
// evaluated but those that are evaluated for each item. It can be kept as JSON.
type MapRunOrder struct {
	ARN   string `json:"arn"`
	Label string `json:"label"`
	State string `json:"state"` // name of the Map state
	// StateGraph is the graph in which the Map state is, Graph that of its
	// ItemProcessor.
	StateGraph int `json:"state_graph"`
	Graph      int `json:"graph"`
	// Express tells that the children are Express executions.
	Express bool `json:"express,omitempty"`
	// MaxConcurrency is how many children run at once at most, 0 for no limit.
	MaxConcurrency int64 `json:"max_concurrency,omitempty"`
	// ToleratedCount and ToleratedPercentage say how many items may fail; nil is
	// not set, and with neither of them none may.
	ToleratedCount      *int64   `json:"tolerated_count,omitempty"`
	ToleratedPercentage *float64 `json:"tolerated_percentage,omitempty"`

	// Items is the array or object to go through; absent when there is a Reader.
	Items   value.JSON    `json:"items,omitzero"`
	Reader  *ItemReader   `json:"reader,omitempty"`
	Batcher *ItemBatcher  `json:"batcher,omitempty"`
	Writer  *ResultWriter `json:"writer,omitempty"`
	// Scope is what ItemSelector is evaluated in.
	Scope MapScope `json:"scope"`
}

// MapScope is the place of a distributed Map state in its execution.
type MapScope struct {
	Data         value.JSON `json:"data"`           // raw input of the state
	Input        value.JSON `json:"input,omitzero"` // effective input, when it is another
	Vars         value.JSON `json:"vars,omitzero"`  // all variables that are in scope
	Entered      int64      `json:"entered"`        // milliseconds since 1970
	EnteredEvent int64      `json:"entered_event"`
	Retried      []int      `json:"retried,omitempty"`
}

// ItemReader says where the items of a distributed Map state are, as AWS's
// field of that name does.
type ItemReader struct {
	Resource  Resource   `json:"resource"`
	Arguments value.JSON `json:"arguments,omitzero"`
	// InputType is CSV, JSON, JSONL or MANIFEST, "" when it was not given.
	InputType         string   `json:"input_type,omitempty"`
	CSVHeaderLocation string   `json:"csv_header_location,omitempty"`
	CSVHeaders        []string `json:"csv_headers,omitempty"`
	CSVDelimiter      string   `json:"csv_delimiter,omitempty"`
	Transformation    string   `json:"transformation,omitempty"`
	ManifestType      string   `json:"manifest_type,omitempty"`
	// ItemsPointer is a JSON Pointer (RFC 6901) to the items of a JSON file.
	ItemsPointer string `json:"items_pointer,omitempty"`
	// MaxItems bounds the items that are read, 0 for all.
	MaxItems int64 `json:"max_items,omitempty"`
}

// ItemBatcher says how many items one child gets.
type ItemBatcher struct {
	MaxItems int64 `json:"max_items,omitempty"` // 0 for no limit
	MaxBytes int64 `json:"max_bytes,omitempty"` // of the child's input; 0: the limit of a payload
	// Input is BatchInput, which each batch gets.
	Input value.JSON `json:"input,omitzero"`
}

// ResultWriter says where the results go, and in which form.
type ResultWriter struct {
	// Resource is nil when the results become the output of the state.
	Resource  *Resource  `json:"resource,omitempty"`
	Arguments value.JSON `json:"arguments,omitzero"`
	// Transformation is NONE, COMPACT or FLATTEN, OutputType JSON or JSONL; ""
	// when it was not given.
	Transformation string `json:"transformation,omitempty"`
	OutputType     string `json:"output_type,omitempty"`
}
