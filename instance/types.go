// Package instance is the portal's main job: one person's running copy of an
// app, from the click to the proof that nothing was left.
package instance

import (
	"context"
	"time"

	"github.com/internal-app-portal/iap/catalog"
)

// Status is where an instance is in its life.
type Status string

// The statuses of an instance, in the order of a life that goes well, then
// the two that end one that does not.
const (
	Queued        Status = "queued"
	Deploying     Status = "deploying"
	Checking      Status = "checking"
	Running       Status = "running"
	Destroying    Status = "destroying"
	Destroyed     Status = "destroyed"
	DeployFailed  Status = "deploy_failed"  // cleaned up, nothing left
	DestroyFailed Status = "destroy_failed" // something is left
)

// Ended reports whether the life of the instance is over; an ended instance
// does not keep its owner from deploying the app again.
func (s Status) Ended() bool { return s == Destroyed || s == DeployFailed || s == DestroyFailed }

// Instance is one person's running copy of an app.
type Instance struct {
	ID         string
	App        string
	Version    int
	Owner      string
	HostName   string // DNS label: brave-otter-lamp-todo
	Status     Status
	Waiting    string         // what it waits for: "Docker", "3rd in the queue"; empty when it goes on
	Upstream   string         // http://127.0.0.1:port, while running
	Network    string         // the one made ahead that it was given; empty: none, or it has ended
	Parameters map[string]any // secret ones as stored text; see catalog.Parameter
	CreatedAt  time.Time
	ReadyAt    time.Time // zero until running
	// TimeLimitAt is when its own time is up; a sweep or idleness may end it before.
	TimeLimitAt time.Time
	EndedAt     time.Time     // zero until ended
	EndedBy     string        // actor's ID; "portal" when its time was up
	EndReason   string        // "destroyed by its owner", "its time was up"
	Reason      string        // why it failed, for a person
	Receipt     *Receipt      // after a destroy
	Execution   string        // ID of its lifecycle's execution
	KeepUntil   time.Time     // up to when the sweep spares it; zero: it does not
	KeepReason  string        // for people
	KeptBy      string        // ID of who keeps it
	IdleLimit   time.Duration // after which it ends when nobody uses it; 0: never
	WarningBar  bool          // its app allows a warning in its pages
	Price       Price         // while it runs, as it was when it was deployed
	SavedBy     EndBy         // what ended it before it would have ended otherwise; empty: nothing
	SavedUntil  time.Time     // when that would have been
	Active      Activity      // the last use as it was stored; Service.ActivityOf knows newer ones
	// WarnedOf is the end that its owner was warned of, WarnedBefore how long
	// before it that was the last time.
	WarnedOf     time.Time
	WarnedBefore time.Duration
	// Purpose is what the portal itself made it for, PurposeID which one.
	Purpose   Purpose
	PurposeID string
	OpensAt   time.Time // its URL leads to the app from then on; zero: as soon as it runs
	Changed   int64     // counts the changes of this row
}

// Receipt is the proof of a destroy: what carries the instance's label now.
type Receipt struct {
	At      time.Time  `json:"at"`
	Left    []Resource `json:"left"`              // empty: nothing
	Removed []Resource `json:"removed,omitempty"` // found by label and removed by the portal
	// Where something is left, for how many destroys in a row, and since when.
	Tries int       `json:"tries,omitempty"`
	Since time.Time `json:"since,omitzero"`
}

// again counts a destroy that left something, after the one before.
func (r *Receipt) again(before *Receipt) {
	r.Tries, r.Since = 1, r.At
	if before != nil && before.Tries > 0 {
		r.Tries, r.Since = before.Tries+1, before.Since
	}
}

// How long a destroy that left something waits before it is tried again: it
// doubles from the first to the second, and after a day it is the last.
const (
	firstRetry = time.Minute
	mostRetry  = 2 * time.Hour
	lateRetry  = 24 * time.Hour
)

// retry is the time until it is tried again; 0 when nothing is left.
func (r *Receipt) retry() time.Duration {
	switch {
	case len(r.Left) == 0:
		return 0
	case r.At.Sub(r.Since) >= lateRetry:
		return lateRetry
	}
	return min(mostRetry, firstRetry<<min(r.Tries-1, 10))
}

// Resource is something on a platform that carries an instance's label.
type Resource struct {
	Platform string            `json:"platform"` // "docker"
	Kind     string            `json:"kind"`     // "container", "network", "volume"
	ID       string            `json:"id"`
	Name     string            `json:"name"`
	Labels   map[string]string `json:"labels,omitempty"`
	// CreatedAt is the zero time where the platform does not tell.
	CreatedAt time.Time `json:"created_at,omitzero"`
}

// The labels that every resource carries.
const (
	LabelInstance = "iap.instance"
	LabelHostName = "iap.host-name"
	LabelApp      = "iap.app"
	LabelOwner    = "iap.owner"
	LabelPortal   = "iap.portal"
)

// Container is what a platform knows of an instance's container.
type Container struct {
	Exists    bool
	Running   bool
	ExitCode  int
	OOMKilled bool
	LastLines []string // the last lines it printed, harmless to show
}

// Platform is where instances run. Its errors are Unavailable when the
// platform does not answer.
type Platform interface {
	// Name returns "docker" or "kubernetes"; Title "Docker", "Kubernetes".
	Name() string
	Title() string
	// Ping returns nil when the platform answers.
	Ping(ctx context.Context) error
	// Resources lists what carries the portal's label, of one instance or,
	// when instance is empty, of all.
	Resources(ctx context.Context, portal, instance string) ([]Resource, error)
	// Remove deletes a resource by force; removing what is gone is harmless.
	Remove(ctx context.Context, r Resource) error
	// Container tells of the instance's container, with at most lines of its
	// last output.
	Container(ctx context.Context, instance string, lines int) (Container, error)
	// WatchExit returns a channel that is closed when the instance's container
	// exits (or is gone already) or when ctx ends.
	WatchExit(ctx context.Context, instance string) (<-chan struct{}, error)
	// LimitProcesses bounds the processes and threads of the instance's
	// containers.
	LimitProcesses(ctx context.Context, instance string, pids int) error
	// MakeNetwork makes a network of a name with these labels unless it is there.
	// Conflict, with the platform's reason, when it refuses.
	MakeNetwork(ctx context.Context, name string, labels map[string]string) error
	// NetworkUsed reports whether a container, running or not, is in a network
	// with these labels; those of the instance own do not count. NotFound when
	// there is none of the name, Conflict when it is another's.
	NetworkUsed(ctx context.Context, name string, labels map[string]string, own string) (bool, error)
	// CheckUpstream returns an Invalid error unless upstream is an address of
	// this instance's container.
	CheckUpstream(ctx context.Context, instance, upstream string) error
}

// Store keeps instances.
type Store interface {
	SweepStore
	LedgerStore
	// LockDeploys keeps other transactions that call it waiting until the end of
	// this one.
	LockDeploys(ctx context.Context) error
	// InsertInstance fails with Conflict when the owner has a live instance of
	// the app (Field "owner"), when the host name was given out before (Field
	// "host_name") or when another instance has its network (Field "network").
	InsertInstance(ctx context.Context, i Instance) error
	// UpdateInstance writes the row when its stored Changed is i.Changed and
	// adds one to it; else Conflict.
	UpdateInstance(ctx context.Context, i Instance) error
	// NoteActivity keeps the last use of instances where it is newer than what is
	// stored. It does not count as a change of the row.
	NoteActivity(ctx context.Context, of map[string]Activity) error
	Instance(ctx context.Context, id string) (Instance, error)
	InstanceByHostName(ctx context.Context, hostName string) (Instance, error)
	// LiveInstance returns the owner's instance of an app that has not ended.
	LiveInstance(ctx context.Context, owner, app string) (Instance, error)
	// LatestInstance returns the owner's newest instance of an app.
	LatestInstance(ctx context.Context, owner, app string) (Instance, error)
	// InstancesAt returns the instances whose app answers at an address.
	InstancesAt(ctx context.Context, upstream string) ([]Instance, error)
	// Networks returns the networks that instances were given.
	Networks(ctx context.Context) ([]string, error)
	// LiveInstances returns all that have not ended, oldest first.
	LiveInstances(ctx context.Context) ([]Instance, error)
	// Instances returns at most f.Limit instances, newest first.
	Instances(ctx context.Context, f Filter) ([]Instance, error)
	// ReadySeconds returns, for each app, the median seconds from created to
	// ready of its last 20 instances that became ready.
	ReadySeconds(ctx context.Context) (map[string]float64, error)
}

// Filter chooses instances; empty fields choose all.
type Filter struct {
	Owner    string
	App      string
	Statuses []Status
	Text     string // part of the host name, app or owner
	Before   string // an ID: older ones alone
	Limit    int    // at most 500; 0: 100
}

// Snapshot is the data of an InstanceChanged event: the public fields.
type Snapshot struct {
	ID          string    `json:"id"`
	App         string    `json:"app"`
	Version     int       `json:"version"`
	Owner       string    `json:"owner"`
	HostName    string    `json:"host_name"`
	Status      Status    `json:"status"`
	Waiting     string    `json:"waiting,omitempty"`
	Upstream    string    `json:"upstream,omitempty"`
	CreatedAt   time.Time `json:"created_at"`
	EndsAt      time.Time `json:"ends_at"` // when it ends, by whatever comes first
	TimeLimitAt time.Time `json:"time_limit_at"`
	EndedAt     time.Time `json:"ended_at,omitzero"`
	EndedBy     string    `json:"ended_by,omitempty"`
	EndReason   string    `json:"end_reason,omitempty"`
	Reason      string    `json:"reason,omitempty"`
	Receipt     *Receipt  `json:"receipt,omitempty"`

	KeepUntil  time.Time `json:"keep_until,omitzero"`
	KeepReason string    `json:"keep_reason,omitempty"`

	ReadyAt    time.Time        `json:"ready_at,omitzero"`
	IdleLimit  catalog.Duration `json:"idle_limit,omitempty"`
	Active     *Activity        `json:"activity,omitempty"` // as it was stored then
	WarningBar bool             `json:"warning_bar,omitempty"`
	Purpose    Purpose          `json:"purpose,omitempty"`
	PurposeID  string           `json:"purpose_id,omitempty"`
	OpensAt    time.Time        `json:"opens_at,omitzero"`
}
