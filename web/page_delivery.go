package web

import (
	"context"
	"net/http"

	iap "github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/event"
	"github.com/internal-app-portal/iap/event/delivery"
)

func (s *Server) deliveryPage(w http.ResponseWriter, r *http.Request, actor iap.Actor) error {
	p := struct {
		layout
		D    deliveryView
		E    event.Event // its number is 0 when it is kept no longer
		Data dataView
	}{layout: s.layout(r, actor, r.PathValue("id"))}
	d, attempts, err := s.cfg.Deliveries.Delivery(r.Context(), actor, r.PathValue("id"))
	if err != nil {
		return err
	}
	p.D = viewDelivery(d, attempts)
	if p.E, err = s.cfg.Reader.EventAt(r.Context(), d.Number); err != nil && !iap.IsKind(err, iap.NotFound) {
		return err
	}
	p.Data = viewData("Data", string(p.E.Data))
	return s.render(w, http.StatusOK, "delivery", p)
}

// redriveView is how far a redrive is.
type redriveView struct {
	ID string
	delivery.Progress
	Rows []deliveryView // that are not delivered, or were given up again
	More bool           // there are more of these
}

// mostUndone is how many deliveries a redrive's page shows that did not go well.
const mostUndone = 20

func (s *Server) viewRedrive(ctx context.Context, actor iap.Actor, id string) (redriveView, error) {
	v := redriveView{ID: id}
	var err error
	if v.Progress, err = s.cfg.Deliveries.RedriveProgress(ctx, actor, id); err != nil {
		return v, err
	}
	for _, status := range []delivery.Status{delivery.Dead, delivery.Waiting} {
		found, err := s.cfg.Deliveries.Deliveries(ctx, actor, delivery.Filter{Redrive: id, Status: status, Limit: mostUndone + 1})
		if err != nil {
			return v, err
		}
		for _, d := range found {
			if status == delivery.Waiting && d.Attempt == 0 {
				continue // it is about to be tried
			}
			if v.More = len(v.Rows) == mostUndone; v.More {
				return v, nil
			}
			v.Rows = append(v.Rows, viewDelivery(d, nil))
		}
	}
	return v, nil
}

func (s *Server) redrivePage(w http.ResponseWriter, r *http.Request, actor iap.Actor) error {
	p := struct {
		layout
		R redriveView
	}{layout: s.layout(r, actor, "Redrive")}
	var err error
	if p.R, err = s.viewRedrive(r.Context(), actor, r.PathValue("id")); err != nil {
		return err
	}
	return s.render(w, http.StatusOK, "redrive", p)
}
