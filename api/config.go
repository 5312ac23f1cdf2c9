package api

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"time"

	"github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/booking"
	"github.com/internal-app-portal/iap/catalog"
	"github.com/internal-app-portal/iap/event"
	"github.com/internal-app-portal/iap/instance"
	"github.com/internal-app-portal/iap/job"
	"github.com/internal-app-portal/iap/leak"
	"github.com/internal-app-portal/iap/schedule"
)

// Instances is what the API needs of instance.Service.
type Instances interface {
	Deploy(ctx context.Context, actor iap.Actor, req instance.DeployRequest) (instance.Instance, bool, error)
	Destroy(ctx context.Context, actor iap.Actor, ref string) (instance.Instance, error)
	Get(ctx context.Context, actor iap.Actor, ref string) (instance.Instance, error)
	Keep(ctx context.Context, actor iap.Actor, ref string, until time.Time, reason string) (instance.Instance, error)
	Release(ctx context.Context, actor iap.Actor, ref string) (instance.Instance, error)
	EndOf(ctx context.Context, i instance.Instance) (instance.End, error)
	ActivityOf(i instance.Instance) instance.Activity
	Ledger(ctx context.Context, actor iap.Actor, month string) (instance.Ledger, error)
	GetSweep(ctx context.Context, actor iap.Actor, execution string) (instance.Sweep, error)
	Sweeps(ctx context.Context, actor iap.Actor, limit int) ([]instance.Sweep, error)
	List(ctx context.Context, actor iap.Actor, f instance.Filter) ([]instance.Instance, error)
	Events(ctx context.Context, actor iap.Actor, ref string) ([]event.Event, error)
	Progress(ctx context.Context, i instance.Instance) (instance.Progress, error)
	ReadySeconds(ctx context.Context) (map[string]float64, error)
	URL(i instance.Instance) string
}

// Catalog is what the API needs of catalog.Service.
type Catalog interface {
	Add(ctx context.Context, actor iap.Actor, up catalog.Upload) (catalog.Version, error)
	List(ctx context.Context, actor iap.Actor) ([]catalog.App, error)
	Get(ctx context.Context, slug string) (catalog.App, error)
	Version(ctx context.Context, slug string, number int) (catalog.Version, error)
	Versions(ctx context.Context, slug string) ([]catalog.Version, error)
	Certify(ctx context.Context, actor iap.Actor, slug string, number int) (catalog.Version, error)
	SkipCertification(ctx context.Context, actor iap.Actor, slug string, number int) (catalog.Version, error)
	Retire(ctx context.Context, actor iap.Actor, slug string) error
	Unretire(ctx context.Context, actor iap.Actor, slug string) error
}

// Jobs is what the API needs of job.Service.
type Jobs interface {
	Get(ctx context.Context, id string) (job.Job, error)
	List(ctx context.Context, f job.Filter) ([]job.Job, error)
	Of(ctx context.Context, instance string) ([]job.Job, error)
	Cancel(ctx context.Context, actorID, id string) error
	Log(ctx context.Context, id string, offset int64, follow bool) (io.ReadCloser, error)
}

// Log is what the API needs of event.Log.
type Log interface {
	Last() int64
	Subscribe(number int64) *event.Subscription
}

// Auth says who asks; *auth.Auth is one.
type Auth interface {
	Actor(r *http.Request) (iap.Actor, bool)
}

// Config is what New needs. Instances, Catalog, Jobs, Log and Auth must be set.
type Config struct {
	Instances Instances
	Catalog   Catalog
	Jobs      Jobs
	Log       Log
	Auth      Auth
	Workflows Workflows        // nil: the API has no state machines
	Buckets   Buckets          // nil: the API has no buckets
	Schedules schedule.Access  // nil: the API has no schedules
	Bookings  booking.Access   // nil: the API has no bookings
	PortalURL string           // address of the portal, for calendars
	Schema    []byte           // JSON Schema of iap.yaml: catalog.Schema
	Zone      *time.Location   // of clock times; nil: UTC
	Version   string           // of the program
	Portal    string           // address of the portal, where the schemas of its events are
	Now       func() time.Time // nil: time.Now
	Logger    *slog.Logger     // nil: slog.Default()
	Heartbeat time.Duration    // between signs of life on a stream; 0: 15 s
	// Leaks is what outlived its instance; nil: nothing looks for it.
	Leaks leak.Access
	// Delivery has rules, targets and deliveries, Events the log, and Inbox takes
	// events from outside; nil: the API has none of them.
	Delivery Delivery
	Events   event.Reader
	Inbox    Inbox
	// Oldest returns the number of the oldest event that is kept; nil: all are.
	Oldest func(ctx context.Context) (int64, error)
	// Sources are the secrets of those who sign the events that they send, by
	// their names.
	Sources map[string]string
	// Done is closed when the server is about to stop: streams end then. Nil:
	// they end with their requests alone.
	Done <-chan struct{}
}
