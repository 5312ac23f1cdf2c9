package instance

import (
	"context"
	_ "embed"
	"encoding/json"
	"log/slog"
	"sync/atomic"
	"time"

	iap "github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/catalog"
	"github.com/internal-app-portal/iap/event"
	"github.com/internal-app-portal/iap/health"
	"github.com/internal-app-portal/iap/job"
	"github.com/internal-app-portal/iap/workflow"
)

// LifecycleDefinition is the state machine of which every instance is one
// execution, in Amazon States Language.
//
//go:embed lifecycle.asl.json
var LifecycleDefinition []byte

// LifecycleName is the name of the lifecycle's state machine.
const LifecycleName = "lifecycle"

// Catalog is what an instance needs of the catalogue.
type Catalog interface {
	// Deployable returns an app with its newest version: NotFound with a
	// suggestion, Conflict when it is retired.
	Deployable(ctx context.Context, slug string) (catalog.App, error)
	// Version returns one version, or NotFound.
	Version(ctx context.Context, slug string, number int) (catalog.Version, error)
}

// Jobs is what an instance needs of the jobs.
type Jobs interface {
	Enqueue(ctx context.Context, j job.Job) (job.Job, error)
	Cancel(ctx context.Context, actorID, jobID string) error
	Of(ctx context.Context, instance string) ([]job.Job, error)
}

// Workflow is what an instance needs of the engine.
type Workflow interface {
	PutStateMachine(ctx context.Context, name string, definition []byte, now time.Time) (string, error)
	StartExecution(ctx context.Context, r workflow.StartRequest) (workflow.Execution, error)
	// IsRunning reports whether there is an execution that has not ended.
	IsRunning(ctx context.Context, execution string) (bool, error)
	// Definition returns the state machine that an execution was started with.
	Definition(ctx context.Context, execution string) (workflow.StateMachine, error)
	Awaits(ctx context.Context, execution string) ([]workflow.Waiting, error)
	Succeed(ctx context.Context, token string, output any) error
	Fail(ctx context.Context, token, errorName, cause string) error
}

// Prober finds out when an app answers; *health.Prober is one.
type Prober interface {
	Check(ctx context.Context, t health.Target) error
}

// Config is what a Service needs; every field is required but Actor.
type Config struct {
	Store      Store
	Tx         iap.Transactor
	Catalog    Catalog
	Jobs       Jobs
	Workflow   Workflow
	Log        *event.Log
	EventStore event.Store
	Platform   Platform
	Prober     Prober
	Now        func() time.Time
	// HostName makes a new host name for an app.
	HostName func(slug string) string
	// ResourceName makes the form of a host name that the platform allows.
	ResourceName func(hostName string) string
	// AppURL is the address of a host name.
	AppURL func(hostName string) string
	// Actor returns who a person's ID stands for, for tasks of state machines
	// that the person has started. Nil, or an ID that nobody has: a member.
	Actor func(id string) iap.Actor
	// Portal is this portal's ID, the value of the label iap.portal.
	Portal string
	// State gives a job access to its instance's Terraform state.
	State func(instance, job string) job.StateAccess
	// Failpoint is called with the name of the place before and after each side
	// effect that no job has. Nil: nothing is called.
	Failpoint func(name string)
	// Sealer keeps secret parameters.
	Sealer Sealer
	// BuiltIn is the key of the platform's built-in bundle.
	BuiltIn string
	// JobTimeout bounds one apply or destroy; Grace is between SIGINT and
	// SIGKILL.
	JobTimeout, Grace time.Duration
	// NextSweep returns when the next sweep is, the zero time when there is none;
	// nil: there is none.
	NextSweep func(ctx context.Context) (time.Time, error)
	// Activity returns the last use of the app with a host name that this process
	// has seen, the zero value when none; nil: nobody watches.
	Activity func(hostName string) Activity
	// Rates are the prices of apps that name none; Zone is that of the ledger's
	// months, nil: UTC.
	Rates Rates
	Zone  *time.Location
	// Limits are how many instances may live at once.
	Limits Limits
	// Changed is called in the transaction that changes an instance which has a
	// purpose; nil: nobody is told.
	Changed func(ctx context.Context, i Instance) error
	// KeepMost is how far ahead an instance may be kept; 0: DefaultKeepMost.
	KeepMost time.Duration
}

// Service is the portal's main job. It has no goroutines of its own: what
// takes time is done by jobs and by the engine.
type Service struct {
	Config

	networks     networks
	spareNetwork spareNetwork

	upSince atomic.Int64 // milliseconds; since when apps can be used; 0: unknown
}

func (s *Service) failpoint(name string) {
	if s.Failpoint != nil {
		s.Failpoint(name)
	}
}

// NewService returns a Service.
func NewService(cfg Config) *Service {
	return &Service{Config: cfg, spareNetwork: spareNetwork{news: make(chan struct{}, 1)}}
}

// Snapshot returns the public fields of i, with the end that its time limit sets.
func (i Instance) Snapshot() Snapshot {
	s := Snapshot{ID: i.ID, App: i.App, Version: i.Version, Owner: i.Owner, HostName: i.HostName,
		Status: i.Status, Waiting: i.Waiting, Upstream: i.Upstream, CreatedAt: i.CreatedAt, EndsAt: i.TimeLimitAt, TimeLimitAt: i.TimeLimitAt,
		EndedAt: i.EndedAt, EndedBy: i.EndedBy, EndReason: i.EndReason, Reason: i.Reason, Receipt: i.Receipt,
		KeepUntil: i.KeepUntil, KeepReason: i.KeepReason, ReadyAt: i.ReadyAt, IdleLimit: catalog.Duration(i.IdleLimit), WarningBar: i.WarningBar,
		Purpose: i.Purpose, PurposeID: i.PurposeID, OpensAt: i.OpensAt}
	if !i.Active.At.IsZero() {
		s.Active = &i.Active
	}
	return s
}

// Instance returns what a snapshot tells of an instance.
func (s Snapshot) Instance() Instance {
	i := Instance{ID: s.ID, App: s.App, Version: s.Version, Owner: s.Owner, HostName: s.HostName,
		Status: s.Status, Waiting: s.Waiting, Upstream: s.Upstream, CreatedAt: s.CreatedAt, ReadyAt: s.ReadyAt,
		TimeLimitAt: s.TimeLimitAt, EndedAt: s.EndedAt, EndedBy: s.EndedBy, EndReason: s.EndReason, Reason: s.Reason,
		Receipt: s.Receipt, KeepUntil: s.KeepUntil, KeepReason: s.KeepReason, IdleLimit: s.IdleLimit.Std(), Active: s.active(), WarningBar: s.WarningBar,
		Purpose: s.Purpose, PurposeID: s.PurposeID, OpensAt: s.OpensAt}
	if i.TimeLimitAt.IsZero() { // an event of before there were other ends
		i.TimeLimitAt = s.EndsAt
	}
	return i
}

func (s Snapshot) active() Activity {
	if s.Active == nil {
		return Activity{}
	}
	return *s.Active
}

// event makes the event that tells of i as it is now.
func (s *Service) event(ctx context.Context, i Instance) (*event.Event, error) {
	snapshot := i.Snapshot()
	end, err := s.EndOf(ctx, i)
	if err != nil {
		return nil, err
	}
	snapshot.EndsAt = end.At
	data, err := json.Marshal(snapshot)
	if err != nil {
		return nil, err
	}
	return &event.Event{Source: "/instances", Type: event.InstanceChanged, Subject: i.ID, Time: s.Now(),
		Owner: i.Owner, Group: i.ID, Data: data}, nil
}

// change reads an instance, has fn change it, and writes it with its event,
// in the transaction of ctx or its own. When fn returns false nothing is
// written.
func (s *Service) change(ctx context.Context, id string, fn func(i *Instance) (bool, error)) (Instance, error) {
	var out Instance
	err := s.Tx.Update(ctx, func(ctx context.Context) error {
		i, err := s.Store.Instance(ctx, id)
		if err != nil {
			return err
		}
		before := i.Status
		write, err := fn(&i)
		out = i
		if err != nil || !write {
			return err
		}
		if err := s.Store.UpdateInstance(ctx, i); err != nil {
			return err
		}
		out.Changed++
		if i.Status != before {
			iap.AfterCommit(ctx, func() { report(i) })
		}
		e, err := s.event(ctx, i)
		if err != nil {
			return err
		}
		if err := s.Log.Append(ctx, e); err != nil || i.Purpose == ForPerson || s.Changed == nil {
			return err
		}
		return s.Changed(ctx, i)
	})
	return out, err
}

// report writes a line for the operator.
func report(i Instance) {
	level, more := slog.LevelInfo, []any{}
	if i.Status == DeployFailed || i.Status == DestroyFailed {
		level = slog.LevelWarn
	}
	if i.Reason != "" {
		more = append(more, "reason", clip(i.Reason))
	}
	slog.Log(context.Background(), level, "instance "+string(i.Status),
		append([]any{"host_name", i.HostName, "app", i.App, "owner", i.Owner}, more...)...)
}
