package workflow

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	iap "github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/asl"
)

// The types of state machine.
const (
	Standard = "STANDARD"
	Express  = "EXPRESS"
)

// The statuses of a state machine.
const (
	MachineActive   = "ACTIVE"
	MachineDeleting = "DELETING" // executions of it still run; nothing else can be done with it
)

// Machine is a state machine that people create by name, change and start.
// StateMachine is what it is defined by.
type Machine struct {
	Name   string
	Type   string // Standard or Express
	Status string // MachineActive or MachineDeleting
	MachineSettings
	Revision    string // changes with every change; empty before the first
	LastVersion int64  // number of the version published last, 0 when none was
	ReadOnly    bool   // the portal's own
	CreatedAt   time.Time
	UpdatedAt   time.Time
}

// MachineSettings are what a change changes and a version keeps.
type MachineSettings struct {
	Definition string          `json:"-"`                 // ID of a StateMachine
	Role       string          `json:"role,omitempty"`    // kept for AWS's clients; nothing is assumed
	Logging    json.RawMessage `json:"logging,omitempty"` // as the client gave it
	Tracing    json.RawMessage `json:"tracing,omitempty"`
	Encryption json.RawMessage `json:"encryption,omitempty"`
}

// Version is a published version of a state machine; it never changes.
type Version struct {
	Machine string
	Number  int64 // from 1
	MachineSettings
	Revision    string // of the machine when this was published
	Description string
	CreatedAt   time.Time
}

// Alias leads to one or two versions of a state machine.
type Alias struct {
	Machine     string
	Name        string
	Description string
	Routes      []Route
	CreatedAt   time.Time
	UpdatedAt   time.Time
}

// Route is a part of an alias's traffic.
type Route struct {
	Version int64 `json:"version"`
	Weight  int   `json:"weight"` // percent; those of an alias add up to 100
}

// Tag is a key and a value that people put on a state machine or activity.
type Tag struct{ Key, Value string }

// The causes of errors about state machines, for errors.Is.
var (
	ErrNoMachine     = errors.New("there is no such state machine")
	ErrNoVersion     = errors.New("there is no such version of the state machine")
	ErrNoAlias       = errors.New("there is no such alias of the state machine")
	ErrNoActivity    = errors.New("there is no such activity")
	ErrNoExecution   = errors.New("there is no such execution")
	ErrName          = errors.New("it is not a name: 1 to 80 characters without white space, brackets, wildcards and special characters")
	ErrARN           = errors.New("it is not an ARN that fits here")
	ErrMachineExists = errors.New("there is another state machine of this name")
	ErrDeleting      = errors.New("the state machine is being deleted")
	ErrReadOnly      = errors.New("the state machine is the portal's own and cannot be changed or started")
	ErrRevision      = errors.New("the state machine was changed in the meantime")
	ErrExecutionName = errors.New("there is an execution of this name already, which had another input or has ended: give this one another name")
	ErrAliasExists   = errors.New("there is another alias of this name")
	ErrReferenced    = errors.New("an alias leads to it")
	ErrNotStandard   = errors.New("it is done by Standard state machines alone")
	ErrTooManyTags   = errors.New("there are more than 50 tags")
)

// DefinitionError tells what is wrong with a definition.
type DefinitionError struct {
	Definition []byte
	Problems   []asl.Problem
}

// Error tells the first problem and how many there are.
func (e *DefinitionError) Error() string { return invalidDefinition(e.Problems).Message() }

// MachineStore keeps state machines, versions, aliases and tags. Everything but
// reading takes part in the transaction of ctx.
type MachineStore interface {
	// InsertMachine fails with Conflict when the name is taken.
	InsertMachine(ctx context.Context, m Machine) error
	// UpdateMachine replaces all but name, type and creation; NotFound.
	UpdateMachine(ctx context.Context, m Machine) error
	// Machine returns one, or NotFound. Within a transaction the row is locked.
	Machine(ctx context.Context, name string) (Machine, error)
	// Machines returns at most limit, in the order of names above after.
	Machines(ctx context.Context, after string, limit int) ([]Machine, error)
	// DeleteMachine removes a machine with its versions, aliases and tags.
	DeleteMachine(ctx context.Context, name string) error

	InsertMachineVersion(ctx context.Context, v Version) error
	MachineVersion(ctx context.Context, machine string, number int64) (Version, error)
	// MachineVersions returns at most limit, newest first, with numbers below before
	// (0: from the newest).
	MachineVersions(ctx context.Context, machine string, before int64, limit int) ([]Version, error)
	DeleteMachineVersion(ctx context.Context, machine string, number int64) error

	// PutAlias inserts an alias or replaces the one of its name.
	PutAlias(ctx context.Context, a Alias) error
	Alias(ctx context.Context, machine, name string) (Alias, error)
	// Aliases returns at most limit, in the order of names above after.
	Aliases(ctx context.Context, machine, after string, limit int) ([]Alias, error)
	DeleteAlias(ctx context.Context, machine, name string) error

	Tags(ctx context.Context, resource string) ([]Tag, error)
	PutTags(ctx context.Context, resource string, tags []Tag) error
	DeleteTags(ctx context.Context, resource string, keys []string) error

	ExecutionIndex
}

// ExecutionIndex finds executions.
type ExecutionIndex interface {
	// ExecutionNamed returns the execution of a state machine's name, or NotFound.
	ExecutionNamed(ctx context.Context, machine, name string) (Execution, error)
	// ExecutionsOf lists what a filter lets through, newest first.
	ExecutionsOf(ctx context.Context, f ExecutionFilter) ([]ExecutionItem, error)
	// PutOrigin notes by which version and alias an execution was started.
	PutOrigin(ctx context.Context, execution string, o Origin) error
	// Origin returns the zero Origin for one that was started by the name.
	Origin(ctx context.Context, execution string) (Origin, error)
}

// Origin is the version and the alias that an execution was started by.
type Origin struct {
	Machine string
	Version int64
	Alias   string
}

// ExecutionFilter says which executions are wanted. Empty fields let all
// through.
type ExecutionFilter struct {
	Machine  string // name
	Status   Status
	Version  int64
	Alias    string
	MapRun   string    // ID of the map run; without it, children of map runs are left out
	Prefix   string    // of the name
	From, To time.Time // of the start; To is not in it
	Redriven *bool
	Before   string // ID: only those that began before it
	Limit    int    // 1 to 1000
}

// ExecutionItem is an execution in a list.
type ExecutionItem struct {
	ID           string
	Name         string
	Machine      string // name
	StateMachine string // ID of the definition
	Status       Status
	StartedAt    time.Time
	EndedAt      time.Time // zero while Running
	Origin       Origin
	Owner        string
	RedriveCount int
	RedrivenAt   time.Time
}

func refuse(op string, kind iap.Kind, field string, err error) error {
	return &iap.Error{Op: op, Kind: kind, Field: field, Err: err}
}
