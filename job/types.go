package job

import (
	"context"
	"encoding/json"
	"io"
	"slices"
	"strings"
	"time"

	iap "github.com/internal-app-portal/iap"
)

// Kind is what a job does with a bundle.
type Kind string

// The kinds of job.
const (
	Apply   Kind = "apply"
	Destroy Kind = "destroy"
)

// Status is where a job is.
type Status string

// The statuses of a job.
const (
	Queued    Status = "queued"
	Running   Status = "running"
	Succeeded Status = "succeeded"
	Failed    Status = "failed"
	Cancelled Status = "cancelled"
	TimedOut  Status = "timed_out"
)

// Ended reports whether a job with this status has ended.
func (s Status) Ended() bool { return s != Queued && s != Running }

// Step is a part of a job: "init", "apply" or "destroy", "outputs".
type Step struct {
	Name      string    `json:"name"`
	StartedAt time.Time `json:"started_at"`
	EndedAt   time.Time `json:"ended_at,omitzero"`
	Error     string    `json:"error,omitempty"`
}

// Job is one run of a bundle.
type Job struct {
	ID          string
	Instance    string // ID of the instance
	App         string
	Version     int
	Owner       string
	Kind        Kind
	Status      Status
	Position    int    // place in the queue from 1 while Queued, else 0; computed when read
	Waiting     string // what a queued job waits for besides its turn: "Docker"; else empty
	Token       string // of the workflow task that waits for the end
	Steps       []Step
	Upstream    string // output of a successful apply
	Error       string // name: one of the Err… constants; empty unless it failed
	Reason      string // what went wrong, for a person
	CancelledBy string
	CreatedAt   time.Time
	StartedAt   time.Time // zero while queued
	EndedAt     time.Time // zero until ended
}

// The names of errors with which a job fails: the error names of the tasks
// job:apply and job:destroy in a state machine.
const (
	ErrApplyFailed   = "Job.ApplyFailed"
	ErrDestroyFailed = "Job.DestroyFailed"
	ErrInitFailed    = "Job.InitFailed"
	ErrOutputs       = "Job.InvalidOutputs"
	ErrTimedOut      = "Job.TimedOut"
	ErrCancelled     = "Job.Cancelled"
	ErrKilled        = "Job.Killed"           // the process ended without a result
	ErrUnavailable   = "Platform.Unavailable" // the platform does not answer: try again later
)

// Spec is all that a Runner needs to run a job. It is written to the job's
// folder, readable by the portal's user alone.
type Spec struct {
	ID          string            `json:"id"`
	Kind        Kind              `json:"kind"`
	Bundle      string            `json:"bundle"`      // key of the bundle: its SHA-256, or "builtin-docker-<sha>"
	BuiltIn     bool              `json:"built_in"`    // a built-in bundle, which may share a warm provider
	Variables   map[string]any    `json:"variables"`   // by the bundle contract
	Secrets     []string          `json:"secrets"`     // texts that the log must never show
	State       StateAccess       `json:"state"`       // where tofu keeps its state
	Timeout     time.Duration     `json:"timeout"`     // for the whole job
	Grace       time.Duration     `json:"grace"`       // between SIGINT and SIGKILL
	Environment map[string]string `json:"environment"` // allow-listed additions
}

// StateAccess is the address of the HTTP backend for one instance.
type StateAccess struct {
	Address  string `json:"address"`  // http://127.0.0.1:port/tfstate/<instance>
	Username string `json:"username"` // the job's ID
	Password string `json:"password"` // valid for this instance and job alone
}

// Result is what a Runner knows of a job that ended.
type Result struct {
	Status  Status                     `json:"status"` // Succeeded, Failed, Cancelled or TimedOut
	Error   string                     `json:"error,omitempty"`
	Reason  string                     `json:"reason,omitempty"`
	Steps   []Step                     `json:"steps"`
	Outputs map[string]json.RawMessage `json:"outputs,omitempty"` // name → value
	Omitted map[string]string          `json:"omitted,omitempty"` // outputs left out: name → why, as in "is sensitive"
	EndedAt time.Time                  `json:"ended_at"`
}

// Runner runs jobs somewhere: in local processes, in a Kubernetes cluster.
// Its errors are Unavailable (cannot start now), NotFound (it never heard of
// the job) or Internal.
type Runner interface {
	// Start begins a job and returns when it will go on without the portal.
	// Starting a job that was started already is harmless.
	Start(ctx context.Context, spec Spec) error
	// Wait blocks until the job has ended and returns its result, also after
	// a restart of the portal; progress is called with the steps each time one
	// begins or ends. NotFound when it was never started. A job whose process
	// vanished without a result has Failed with ErrKilled.
	Wait(ctx context.Context, id string, progress func([]Step)) (Result, error)
	// Cancel asks a job to stop: SIGINT, then after its grace SIGKILL. It does
	// not wait. Cancelling an ended job is harmless.
	Cancel(ctx context.Context, id string) error
	// Log returns a reader of the job's log from the byte offset. With follow
	// it blocks for more until the job has ended or ctx is done, without
	// polling. NotFound when there is no log.
	Log(ctx context.Context, id string, offset int64, follow bool) (io.ReadCloser, error)
	// Remove deletes what the runner keeps of an ended job, its log included.
	Remove(ctx context.Context, id string) error
}

// Bundles hands out the files of bundles to a Runner.
type Bundles interface {
	// Bundle returns the zip of a bundle by its key, or NotFound.
	Bundle(ctx context.Context, key string) ([]byte, error)
}

// Store keeps jobs.
type Store interface {
	InsertJob(ctx context.Context, j Job) error
	// UpdateJob replaces a job's row; NotFound.
	UpdateJob(ctx context.Context, j Job) error
	// Job returns one job, with its Position when it is queued; NotFound.
	Job(ctx context.Context, id string) (Job, error)
	// JobsByStatus returns the jobs with one of the statuses in the order of
	// their IDs, with their Positions.
	JobsByStatus(ctx context.Context, statuses ...Status) ([]Job, error)
	// FirstQueued returns at most limit queued jobs from the first place on,
	// with their Positions.
	FirstQueued(ctx context.Context, limit int) ([]Job, error)
	// JobsOf returns the jobs of an instance in the order of their IDs.
	JobsOf(ctx context.Context, instance string) ([]Job, error)
	// Jobs returns the jobs that the filter chooses, newest first, with their
	// Positions; its limit is taken as it is.
	Jobs(ctx context.Context, f Filter) ([]Job, error)
}

// Filter chooses jobs; empty fields choose all.
type Filter struct {
	Owner, App string
	Kind       Kind
	Statuses   []Status
	Before     string // an ID: older ones alone
	Limit      int    // at most 500; 0: 50
}

// Statuses are all that a job can have, in the order of its life.
var Statuses = []Status{Queued, Running, Succeeded, Failed, Cancelled, TimedOut}

// Parse reads a kind and a list of statuses, separated by commas, into a
// filter; empty texts choose all. The error is Invalid and names the field.
func (f *Filter) Parse(kind, statuses string) error {
	const op = "job.Filter"
	if f.Kind = Kind(kind); kind != "" && f.Kind != Apply && f.Kind != Destroy {
		return iap.FieldErrorf(op, "kind", "%.40q is no kind; it is %s or %s", kind, Apply, Destroy)
	}
	f.Statuses = nil
	for word := range strings.SplitSeq(statuses, ",") {
		switch st := Status(strings.TrimSpace(word)); {
		case st == "":
		case slices.Contains(Statuses, st):
			f.Statuses = append(f.Statuses, st)
		default:
			return iap.FieldErrorf(op, "status", "%.40q is no status; it is one of %s", word, join(Statuses))
		}
	}
	return nil
}

func join(statuses []Status) string {
	words := make([]string, len(statuses))
	for i, st := range statuses {
		words[i] = string(st)
	}
	return strings.Join(words, ", ")
}
