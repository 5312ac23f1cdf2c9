package web

import (
	"context"
	"encoding/json"

	iap "github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/workflow"
)

// Workflows is what the pages need of state machines and executions. Its
// errors are those of the workflow package; what an actor may not see is
// NotFound.
type Workflows interface {
	// Machines lists state machines in the order of names above after.
	Machines(ctx context.Context, actor iap.Actor, after string, limit int) ([]MachineItem, error)
	Machine(ctx context.Context, actor iap.Actor, name string) (Machine, error)
	// Save creates a state machine, or changes the one of the name when its
	// revision is still the given one; else Conflict.
	Save(ctx context.Context, actor iap.Actor, s SaveMachine) (Machine, error)
	Delete(ctx context.Context, actor iap.Actor, name string) error
	// Start begins an execution and returns its ID; "" of an Express one.
	Start(ctx context.Context, actor iap.Actor, machine, name string, input json.RawMessage) (string, error)

	Executions(ctx context.Context, actor iap.Actor, f workflow.ExecutionFilter) ([]workflow.ExecutionItem, error)
	Execution(ctx context.Context, actor iap.Actor, id string) (Execution, error)
	// History returns at most limit events with numbers above after.
	History(ctx context.Context, actor iap.Actor, id string, after int64, limit int) ([]workflow.HistoryEvent, error)
	Stop(ctx context.Context, actor iap.Actor, id, cause string) error
	Redrive(ctx context.Context, actor iap.Actor, id string) error

	// MapRun returns the run of a distributed Map state.
	MapRun(ctx context.Context, actor iap.Actor, id string) (workflow.MapRun, error)
	// MapRuns returns the map runs of an execution, newest first.
	MapRuns(ctx context.Context, actor iap.Actor, execution string, limit int) ([]workflow.MapRun, error)
	UpdateMapRun(ctx context.Context, actor iap.Actor, id string, c workflow.MapRunChange) error

	// Tasks are the portal's own tasks, in the order in which they are shown.
	Tasks() []TaskDoc
}

// MachineItem is a state machine in a list.
type MachineItem struct {
	workflow.Machine
	Running, Failed int // executions; at most 100 are counted, the newest
}

// Machine is a state machine with all that its page shows.
type Machine struct {
	workflow.Machine
	Text     []byte // the definition
	Versions []workflow.Version
	Aliases  []workflow.Alias
}

// SaveMachine is a state machine as its editor sends it.
type SaveMachine struct {
	Name     string
	Type     string // of a new one; Standard or Express
	Text     []byte
	Revision string // that the text was made from
	New      bool
}

// Execution is an execution with all that its page shows.
type Execution struct {
	workflow.Execution
	Machine string // name
	Text    []byte // the definition
	Events  int64  // number of the newest event
	// Redrivable tells whether it can go on where it failed; Why says why not.
	Redrivable bool
	Why        string
}

// TaskDoc tells how a task of the portal is used.
type TaskDoc struct {
	Resource, Title, Summary string
	Integrations             []string // "", ".sync", ".waitForTaskToken"
	Arguments, Result        []TaskField
	Errors                   []TaskField
	Example                  string // a state, as JSON
}

// TaskField is an argument, a part of a result, or an error.
type TaskField struct {
	Name, Type, Text string
	Required         bool
}
