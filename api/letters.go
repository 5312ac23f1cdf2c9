package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/client"
	"github.com/internal-app-portal/iap/event/delivery"
)

type idInput struct {
	ID string `path:"id" maxLength:"90"`
}

func (s *service) registerLetters() {
	if s.cfg.Delivery == nil {
		return
	}
	tags := []string{"Deliveries"}
	register(s, huma.Operation{Method: http.MethodGet, Path: "/deliveries", OperationID: "list-deliveries", Tags: tags,
		Summary: "Deliveries, newest events first; dead letters with status=dead; for admins", Errors: []int{403, 422}}, s.listDeliveries)
	register(s, huma.Operation{Method: http.MethodGet, Path: "/deliveries/{id}", OperationID: "get-delivery", Tags: tags,
		Summary: "One delivery with its attempts and its event, for admins", Errors: []int{403, 404}}, s.getDelivery)
	register(s, huma.Operation{Method: http.MethodPost, Path: "/dead-letters/redrive", OperationID: "redrive-dead-letters", Tags: tags,
		DefaultStatus: http.StatusOK, Summary: "Deliver dead letters again, in the order of their events; for admins",
		Errors: []int{403, 404, 409, 422, 503, 507}}, s.redriveLetters)
	register(s, huma.Operation{Method: http.MethodGet, Path: "/redrives/{id}", OperationID: "get-redrive", Tags: tags,
		Summary: "How far a redrive is, for admins", Errors: []int{403, 404}},
		func(ctx context.Context, in *idInput) (*bodyOf[client.Redrive], error) {
			return s.redriveOf(ctx, in.ID)
		})
	register(s, huma.Operation{Method: http.MethodPost, Path: "/dead-letters/delete", OperationID: "delete-dead-letters", Tags: tags,
		Summary: "Give dead letters up for good, with a reason; for admins", Errors: []int{403, 404, 409, 422, 503, 507}},
		func(ctx context.Context, in *struct {
			Body exact[client.DeleteLetters]
		}) (*struct{}, error) {
			return nil, s.cfg.Delivery.DeleteLetters(ctx, actor(ctx), in.Body.Value.IDs, in.Body.Value.Reason)
		})
}

type deliveriesInput struct {
	Target string    `query:"target" maxLength:"63"`
	Type   string    `query:"type" maxLength:"300" doc:"Type of the event; with * at its end all that begin so"`
	Status string    `query:"status" enum:"waiting,delivered,dead,dropped"`
	Number int64     `query:"number" minimum:"1" doc:"Of the event"`
	Since  time.Time `query:"since" doc:"Ended not before"`
	Limit  int       `query:"limit" minimum:"1" maximum:"500" default:"100"`
	Before string    `query:"before" maxLength:"90" doc:"\"next\" of the page before"`
}

func (s *service) listDeliveries(ctx context.Context, in *deliveriesInput) (*bodyOf[client.List[client.Delivery]], error) {
	f := delivery.Filter{Target: in.Target, EventType: in.Type, Status: delivery.Status(in.Status), Number: in.Number, Since: in.Since, Limit: in.Limit}
	if in.Before != "" {
		if _, _, err := delivery.ParseID(in.Before); err != nil {
			return nil, iap.FieldErrorf("api.Deliveries", "query.before", "%q is not the \"next\" of a page", in.Before)
		}
		f.Before = in.Before
	}
	ds, err := s.cfg.Delivery.Deliveries(ctx, actor(ctx), f)
	if err != nil {
		return nil, err
	}
	out := client.List[client.Delivery]{Items: []client.Delivery{}}
	for _, d := range ds {
		out.Items = append(out.Items, wireDelivery(d))
	}
	if len(ds) == in.Limit {
		out.Next = ds[len(ds)-1].ID()
	}
	return &bodyOf[client.List[client.Delivery]]{out}, nil
}

func wireDelivery(d delivery.Delivery) client.Delivery {
	out := client.Delivery{ID: d.ID(), Number: d.Number, Target: d.Target, Rule: d.Rule, Subject: d.Subject, EventType: d.EventType,
		Status: string(d.Status), Attempts: d.Attempt, Since: ms(d.Since), EndedAt: ms(d.EndedAt), Reason: d.Reason, Redrive: d.Redrive}
	if d.Status == delivery.Waiting && !d.Parked() {
		out.NextAt = ms(d.NextAt)
	}
	return out
}

func wireAttempt(a delivery.Attempt) client.Attempt {
	return client.Attempt{Number: a.Number, At: ms(a.At), TookSeconds: a.Took.Seconds(), Code: a.Code, Answer: a.Answer, Error: a.Error}
}

func (s *service) getDelivery(ctx context.Context, in *idInput) (*bodyOf[client.Delivery], error) {
	d, attempts, err := s.cfg.Delivery.Delivery(ctx, actor(ctx), in.ID)
	if err != nil {
		return nil, err
	}
	out := wireDelivery(d)
	for _, a := range attempts {
		out.Tries = append(out.Tries, wireAttempt(a))
	}
	e, err := s.cfg.Events.EventAt(ctx, d.Number)
	switch {
	case err == nil:
		wire := s.event(e)
		out.Event = &wire
	case !iap.IsKind(err, iap.NotFound):
		return nil, err
	}
	return &bodyOf[client.Delivery]{out}, nil
}

type redriveInput struct {
	Body exact[client.RedriveRequest]
}

func (s *service) redriveLetters(ctx context.Context, in *redriveInput) (*bodyOf[client.Redrive], error) {
	b := in.Body.Value
	var id string
	var n int
	var err error
	switch {
	case b.All == (len(b.IDs) > 0):
		return nil, iap.FieldErrorf("api.Redrive", "ids", "give either the IDs of dead letters or \"all\": true")
	case b.All:
		id, n, err = s.cfg.Delivery.RedriveAll(ctx, actor(ctx), delivery.Filter{Target: b.Target, EventType: b.Type, Since: b.Since})
	default:
		id, n, err = s.cfg.Delivery.Redrive(ctx, actor(ctx), b.IDs)
	}
	if err != nil {
		return nil, err
	}
	if n == 0 {
		return &bodyOf[client.Redrive]{client.Redrive{}}, nil
	}
	return s.redriveOf(ctx, id)
}

func (s *service) redriveOf(ctx context.Context, id string) (*bodyOf[client.Redrive], error) {
	p, err := s.cfg.Delivery.RedriveProgress(ctx, actor(ctx), id)
	if err != nil {
		return nil, err
	}
	return &bodyOf[client.Redrive]{client.Redrive{ID: id, Total: p.Total, Waiting: p.Waiting, Delivered: p.Delivered, Dead: p.Dead, Dropped: p.Dropped}}, nil
}
