package booking

import (
	"context"
	_ "embed"
	"encoding/json"
	"time"

	iap "github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/catalog"
	"github.com/internal-app-portal/iap/event"
	"github.com/internal-app-portal/iap/instance"
	"github.com/internal-app-portal/iap/workflow"
)

// Definition is the state machine of which every booking is one execution, in
// Amazon States Language.
//
//go:embed booking.asl.json
var Definition []byte

// MachineName is the name of that state machine.
const MachineName = "booking"

// DefaultMost is how long a window may be when the operator says nothing.
const DefaultMost = 12 * time.Hour

// Catalog is what a booking needs of the catalogue.
type Catalog interface {
	Deployable(ctx context.Context, slug string) (catalog.App, error)
	Version(ctx context.Context, slug string, number int) (catalog.Version, error)
}

// Instances is what a booking needs of the instances; *instance.Service is one.
type Instances interface {
	DeployFor(ctx context.Context, owner iap.Actor, req instance.DeployRequest, t instance.Terms) (instance.Instance, bool, error)
	DestroyFor(ctx context.Context, actor iap.Actor, id, reason string) (instance.Instance, error)
	SetTerms(ctx context.Context, id string, t instance.Terms) (instance.Instance, error)
	Get(ctx context.Context, actor iap.Actor, ref string) (instance.Instance, error)
	Live(ctx context.Context, owner, app string) (instance.Instance, error)
	EndOf(ctx context.Context, i instance.Instance) (instance.End, error)
	ReadySeconds(ctx context.Context) (map[string]float64, error)
	SealParameters(ctx context.Context, app string, version int, given map[string]any) (map[string]any, error)
	OpenParameters(ctx context.Context, app string, version int, kept map[string]any) (map[string]any, error)
}

// Workflow is what a booking needs of the engine.
type Workflow interface {
	PutStateMachine(ctx context.Context, name string, definition []byte, now time.Time) (string, error)
	StartExecution(ctx context.Context, r workflow.StartRequest) (workflow.Execution, error)
	Awaits(ctx context.Context, execution string) ([]workflow.Waiting, error)
	Succeed(ctx context.Context, token string, output any) error
}

// Config is what a Service needs; every field is required but the last two.
type Config struct {
	Store     Store
	Tx        iap.Transactor
	Log       *event.Log
	Catalog   Catalog
	Instances Instances
	Workflow  Workflow
	Now       func() time.Time
	// Actor returns who a person's ID stands for now.
	Actor func(id string) iap.Actor
	// Most is how long a window may be; 0: DefaultMost.
	Most time.Duration
	// Lead is how long before its window an instance is deployed; 0: by the app's
	// usual time to ready.
	Lead time.Duration
}

// Service books instances. It has no goroutines of its own.
type Service struct{ Config }

// NewService returns a Service.
func NewService(cfg Config) *Service { return &Service{Config: cfg} }

// most is how long the window of an app may be: as the operator says, and no
// longer than an instance of the app may run.
func (s *Service) most(m catalog.Manifest) time.Duration {
	most := DefaultMost
	if s.Most > 0 {
		most = s.Most
	}
	return min(most, m.LongestTime().Std())
}

// The lead time of an app: a spare time, in which a deploy that failed can be
// tried again a few times, and some times what it usually takes to be ready.
const (
	leadSpare   = 5 * time.Minute
	leadTimes   = 3
	leadUnknown = time.Minute // of an app that never was ready
	leadMost    = 2 * time.Hour
)

// lead returns how long before its window an app is deployed.
func (s *Service) lead(ctx context.Context, app string) (time.Duration, error) {
	if s.Lead > 0 {
		return s.Lead, nil
	}
	usual, err := s.Instances.ReadySeconds(ctx)
	if err != nil {
		return 0, err
	}
	ready := leadUnknown
	if sec := usual[app]; sec > 0 {
		ready = time.Duration(sec * float64(time.Second))
	}
	return min(leadMost, (leadSpare + leadTimes*ready).Round(time.Second)), nil
}

// Get returns a booking; that of another person is NotFound unless the actor is
// an admin.
func (s *Service) Get(ctx context.Context, actor iap.Actor, id string) (Booking, error) {
	const op = "booking.Get"
	none := iap.Errorf(op, iap.NotFound, "there is no booking %q", clip(id))
	if !iap.ValidID(id) {
		return Booking{}, none
	}
	b, err := s.Store.Booking(ctx, id)
	if iap.IsKind(err, iap.NotFound) || err == nil && b.Owner != actor.ID && !actor.Role.Includes(iap.Admin) {
		return Booking{}, none
	}
	return b, err
}

// List returns bookings, newest first: the actor's own, or for an admin those
// that f chooses.
func (s *Service) List(ctx context.Context, actor iap.Actor, f Filter) ([]Booking, error) {
	if !actor.Role.Includes(iap.Admin) {
		if actor.ID == "" {
			return nil, nil
		}
		f.Owner = actor.ID
	}
	return s.Store.Bookings(ctx, f)
}

// save writes a changed booking with its event, in the transaction of ctx.
func (s *Service) save(ctx context.Context, b *Booking) error {
	b.UpdatedAt = s.Now()
	if err := s.Store.UpdateBooking(ctx, *b); err != nil {
		return err
	}
	b.Changed++
	return s.tell(ctx, event.BookingChanged, *b)
}

func (s *Service) tell(ctx context.Context, typ string, b Booking) error {
	data, err := json.Marshal(b.Snapshot())
	if err != nil {
		return err
	}
	return s.Log.Append(ctx, &event.Event{Source: "/bookings", Type: typ, Subject: b.ID, Time: s.Now(), Owner: b.Owner, Group: b.ID, Data: data})
}

// maxClip is how many characters of somebody's text an error shows.
const maxClip = 100

func clip(s string) string {
	if r := []rune(s); len(r) > maxClip {
		return string(r[:maxClip]) + "…"
	}
	return s
}
