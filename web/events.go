package web

import (
	"context"
	"net/http"

	iap "github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/event"
	"github.com/internal-app-portal/iap/event/delivery"
)

// Deliveries is what the pages need of rules, targets and deliveries;
// *delivery.Service is one.
type Deliveries interface {
	Choosing(ctx context.Context, a iap.Actor, e event.Event) ([]delivery.Rule, error)
	Deliveries(ctx context.Context, a iap.Actor, f delivery.Filter) ([]delivery.Delivery, error)
	Delivery(ctx context.Context, a iap.Actor, id string) (delivery.Delivery, []delivery.Attempt, error)
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
	} {
		in(pattern, s.events(h))
	}
}
