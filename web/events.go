package web

import (
	"context"
	"net/http"
	"time"

	iap "github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/event"
	"github.com/internal-app-portal/iap/event/delivery"
)

// Deliveries is what the pages need of rules, targets and deliveries;
// *delivery.Service is one.
type Deliveries interface {
	Rules
	Targets
	Letters
	Deliveries(ctx context.Context, a iap.Actor, f delivery.Filter) ([]delivery.Delivery, error)
	Delivery(ctx context.Context, a iap.Actor, id string) (delivery.Delivery, []delivery.Attempt, error)
}

// Rules is the part of Deliveries about rules.
type Rules interface {
	Rules(ctx context.Context, a iap.Actor) ([]delivery.Rule, error)
	Rule(ctx context.Context, a iap.Actor, name string) (delivery.Rule, error)
	PutRule(ctx context.Context, a iap.Actor, r delivery.Rule) (delivery.Rule, bool, error)
	PauseRule(ctx context.Context, a iap.Actor, name string, paused bool) (delivery.Rule, error)
	DeleteRule(ctx context.Context, a iap.Actor, name string) error
	Try(ctx context.Context, a iap.Actor, when string) ([]delivery.Tried, error)
	Choosing(ctx context.Context, a iap.Actor, e event.Event) ([]delivery.Rule, error)
}

// Targets is the part of Deliveries about targets.
type Targets interface {
	Kinds() []delivery.Kind
	Targets(ctx context.Context, a iap.Actor) ([]delivery.Target, map[string]delivery.Health, error)
	Target(ctx context.Context, a iap.Actor, name string) (delivery.Target, delivery.Health, error)
	AddTarget(ctx context.Context, a iap.Actor, t delivery.Target) (delivery.Target, error)
	ChangeTarget(ctx context.Context, a iap.Actor, t delivery.Target) (delivery.Target, error)
	PauseTarget(ctx context.Context, a iap.Actor, name string, paused bool) (delivery.Target, error)
	DeleteTarget(ctx context.Context, a iap.Actor, name string) error
	RotateSecret(ctx context.Context, a iap.Actor, name, secret string, overlap time.Duration) (delivery.Target, error)
	TestTarget(ctx context.Context, a iap.Actor, name string) (delivery.Attempt, error)
}

// Letters is the part of Deliveries about dead letters.
type Letters interface {
	RedriveAll(ctx context.Context, a iap.Actor, f delivery.Filter) (id string, n int, err error)
	Redrive(ctx context.Context, a iap.Actor, ids []string) (id string, n int, err error)
	RedriveProgress(ctx context.Context, a iap.Actor, id string) (delivery.Progress, error)
	DeleteLetters(ctx context.Context, a iap.Actor, ids []string, reason string) error
}

// events lets admins in, where there are pages of events.
func (s *Server) events(h handler) handler {
	return s.admin(func(w http.ResponseWriter, r *http.Request, actor iap.Actor) error {
		if s.cfg.Reader == nil || s.cfg.Deliveries == nil {
			return s.notFound(w, r, actor)
		}
		return h(w, r, actor)
	})
}

func (s *Server) eventRoutes(in func(pattern string, h handler)) {
	for pattern, h := range map[string]handler{
		"GET /events":          s.eventsPage,
		"GET /events/{number}": s.eventPage,

		"GET /targets":                s.targetsPage,
		"GET /new-target/{kind}":      s.newTarget,
		"POST /new-target/{kind}":     s.addTarget,
		"GET /targets/{name}":         s.targetPage,
		"POST /targets/{name}":        s.changeTarget,
		"POST /targets/{name}/test":   s.testTarget,
		"POST /targets/{name}/rotate": s.rotateSecret,
		"POST /targets/{name}/pause":  s.pauseTarget(true),
		"POST /targets/{name}/resume": s.pauseTarget(false),
		"POST /targets/{name}/remove": s.removeTarget,

		"GET /rules":                s.rulesPage,
		"GET /new-rule":             s.newRule,
		"POST /new-rule":            s.putRule,
		"POST /try-rule":            s.tryRule,
		"GET /rules/{name}":         s.rulePage,
		"POST /rules/{name}":        s.putRule,
		"POST /rules/{name}/pause":  s.pauseRule(true),
		"POST /rules/{name}/resume": s.pauseRule(false),
		"POST /rules/{name}/remove": s.removeRule,

		"GET /dead-letters":          s.lettersPage,
		"POST /dead-letters/redrive": s.redriveLetters,
		"POST /dead-letters/delete":  s.deleteLetters,
		"GET /deliveries/{id}":       s.deliveryPage,
		"GET /redrives/{id}":         s.redrivePage,
	} {
		in(pattern, s.events(h))
	}
}
