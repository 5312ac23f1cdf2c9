package sfn

import (
	"context"
	"log/slog"
	"time"

	iap "github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/asl"
	"github.com/internal-app-portal/iap/workflow"
)

// Prefix is the path under which the protocol is spoken.
const Prefix = "/aws/stepfunctions"

// Keys knows the access keys of people.
type Keys interface {
	// AccessKey returns the secret of an access key and whose it is; ok is false
	// when there is no such key.
	AccessKey(id string) (secret string, who iap.Actor, ok bool)
}

// Config is what a Handler needs.
type Config struct {
	Machines   *workflow.Machines
	Activities *workflow.Activities
	Engine     *workflow.Engine
	Express    *workflow.ExpressRuns
	Keys       Keys
	Now        func() time.Time
	Logger     *slog.Logger
	// Env is what states are tested with; nil: time and random numbers alone.
	Env func() asl.Env
	// PayloadBytes is the largest input and output; 0: 262,144.
	PayloadBytes int
	// PollTime is how long GetActivityTask waits for a task; 0: a minute, as on
	// AWS.
	PollTime time.Duration
	// Done is closed when the portal is about to stop; waiting requests are then
	// answered.
	Done <-chan struct{}
}

// Handler answers the requests of AWS's clients.
type Handler struct {
	Config
	operations map[string]operation
}

// New returns a Handler.
func New(cfg Config) *Handler {
	if cfg.Logger == nil {
		cfg.Logger = slog.Default()
	}
	if cfg.PayloadBytes <= 0 {
		cfg.PayloadBytes = asl.DefaultPayloadBytes
	}
	if cfg.PollTime <= 0 {
		cfg.PollTime = time.Minute
	}
	if cfg.Env == nil {
		cfg.Env = func() asl.Env { return asl.Env{Now: cfg.Now()} }
	}
	return &Handler{Config: cfg, operations: operations()}
}

// request is one call under way.
type request struct {
	*Handler
	ctx       context.Context
	who       iap.Actor
	operation string
}
