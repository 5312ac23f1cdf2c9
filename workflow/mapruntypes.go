package workflow

import (
	"context"
	"encoding/json"
	"time"

	"github.com/internal-app-portal/iap/asl"
)

// MapRun is the run of a distributed Map state.
type MapRun struct {
	ID           string `json:"id"`
	Execution    string `json:"execution"` // ID of the one that waits for it
	Frame        int64  `json:"frame"`
	Attempt      int64  `json:"attempt"`
	Machine      string `json:"machine"`       // name
	StateMachine string `json:"state_machine"` // ID of the definition
	Label        string `json:"label"`
	State        string `json:"state"` // name of the Map state
	Graph        int    `json:"graph"`
	Express      bool   `json:"express,omitempty"` // children are Express executions
	Single       bool   `json:"single,omitempty"`  // each child has one item
	Owner        string `json:"owner,omitempty"`   // of the execution
	Status       Status `json:"status"`
	// MaxConcurrency is 0 for no limit; of the tolerances nil is not set.
	MaxConcurrency      int64    `json:"max_concurrency"`
	ToleratedCount      *int64   `json:"tolerated_count,omitempty"`
	ToleratedPercentage *float64 `json:"tolerated_percentage,omitempty"`
	// Items and Children count; what is pending is known once all are read.
	Items    asl.MapCounts `json:"items"`
	Children asl.MapCounts `json:"children"`
	// Total is the number of all items, -1 while it is not known.
	Total int64 `json:"total"`
	// Next is the number of the child from which a process that takes the run
	// over goes on; of Express children some after it may have ended.
	Next int64 `json:"next"`
	// RedriveCount is how often the run was redriven, RedrivenAt the last time.
	// Redriving tells that its children are not yet in order for that.
	RedriveCount int       `json:"redrive_count,omitempty"`
	RedrivenAt   time.Time `json:"redriven_at,omitzero"`
	Redriving    bool      `json:"redriving,omitempty"`

	StartedAt time.Time `json:"started_at"`
	StoppedAt time.Time `json:"stopped_at,omitzero"`
}

// ARN returns the run's ARN.
func (r MapRun) ARN() string {
	return arnPrefix + ARNMapRun + ":" + r.Machine + "/" + r.Label + ":" + r.ID
}

func (r MapRun) tolerance() asl.Tolerance {
	return asl.Tolerance{Count: r.ToleratedCount, Percentage: r.ToleratedPercentage}
}

// halted reports whether no children are begun: the run has ended, or is being
// redriven and not ready for that yet.
func (r MapRun) halted() bool { return r.Status != Running || r.Redriving }

// MapChild is a child of a map run: an execution of its own or, when Execution
// is empty, one that ran in memory and has ended.
type MapChild struct {
	MapRun       string
	Number       int64 // from 0
	Items        int64
	Execution    string // ID
	Status       Status
	Counted      bool
	Input        json.RawMessage
	Output       json.RawMessage
	Error, Cause string
	StartedAt    time.Time
	EndedAt      time.Time
	RedriveCount int // of its execution
}

// MapTally is how many children of one status have ended, with their items;
// Final are those of them that no redrive can have go on.
type MapTally struct {
	Status                    Status
	Children, Items           int64
	FinalChildren, FinalItems int64
}

// MapRunStore keeps map runs. Everything but reading takes part in the
// transaction of ctx.
type MapRunStore interface {
	// InsertMapRun stores a run and its order.
	InsertMapRun(ctx context.Context, r MapRun, order []byte) error
	// MapRun returns one run, or NotFound; in a transaction it is then locked.
	MapRun(ctx context.Context, id string) (MapRun, error)
	MapOrder(ctx context.Context, id string) ([]byte, error)
	UpdateMapRun(ctx context.Context, r MapRun) error
	// MapRuns returns at most limit runs of an execution, newest first, with IDs
	// before before (empty: from the newest).
	MapRuns(ctx context.Context, execution, before string, limit int) ([]MapRun, error)

	// InsertMapChildren stores children, in the place of those with their numbers.
	InsertMapChildren(ctx context.Context, children []MapChild) error
	// EndMapChild notes how the execution ended that is a child; final says that
	// it did not succeed and can never be redriven.
	EndMapChild(ctx context.Context, execution string, status Status, final bool) error
	// CountMapChildren gives those that ended since it was last called.
	CountMapChildren(ctx context.Context, run string) ([]MapTally, error)
	// UncountedMapChildren reports whether CountMapChildren would give any.
	UncountedMapChildren(ctx context.Context, run string) (bool, error)
	// LateMapChildren counts the executions that ended before a time without
	// success, and are not final.
	LateMapChildren(ctx context.Context, run string, before time.Time) (MapTally, error)
	// MapChildren returns at most limit children with numbers above after; of
	// executions with their input, output, error and times.
	MapChildren(ctx context.Context, run string, after int64, limit int) ([]MapChild, error)
	// MapChildNumbers returns the numbers, items and statuses of the children from
	// one on.
	MapChildNumbers(ctx context.Context, run string, from int64) ([]MapChild, error)
	// MarkMapChildren gives all that did not succeed the status PendingRedrive.
	MarkMapChildren(ctx context.Context, run string) error
	// TakeRedrives gives at most limit of those with numbers above after the
	// status Running, and returns them in their order.
	TakeRedrives(ctx context.Context, run string, after int64, limit int) ([]MapChild, error)
	// UnstartedMapChildren returns children that are to run as executions and do
	// not yet, or not again.
	UnstartedMapChildren(ctx context.Context, run string) ([]MapChild, error)
	// RunningMapChildren returns the IDs of at most limit executions that run.
	RunningMapChildren(ctx context.Context, run string, limit int) ([]string, error)
	// ClearMapChildren removes the data of at most limit children that ran in
	// memory, and returns how many it were.
	ClearMapChildren(ctx context.Context, run string, limit int) (int64, error)
	// EnsureTask inserts a task or, when there is one that nobody holds, makes it
	// due when t is.
	EnsureTask(ctx context.Context, t Task) error
	// HurryTask makes a task due that nobody holds.
	HurryTask(ctx context.Context, execution string, kind TaskKind, at time.Time) error
}
