package api

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/booking"
	"github.com/internal-app-portal/iap/client"
	"github.com/internal-app-portal/iap/instance"
)

type bookingInput struct {
	ID string `path:"id" maxLength:"26" doc:"ID of the booking"`
}

func (s *service) registerBookings() {
	if s.cfg.Bookings == nil {
		return
	}
	tags := []string{"Bookings"}
	register(s, huma.Operation{Method: http.MethodPost, Path: "/bookings", OperationID: "book", Tags: tags,
		Summary: "Book an instance for a time window", DefaultStatus: http.StatusCreated,
		Description: "A 409 with an error of the field \"overlap\" says which instance of the app one has then, and what there is to choose.",
		Errors:      []int{400, 404, 409, 422, 429, 503, 507}}, s.book)
	register(s, huma.Operation{Method: http.MethodGet, Path: "/bookings", OperationID: "list-bookings", Tags: tags,
		Summary: "One's own bookings, newest first; for admins everybody's with all"}, s.listBookings)
	register(s, huma.Operation{Method: http.MethodGet, Path: "/bookings/{id}", OperationID: "get-booking", Tags: tags,
		Summary: "One booking", Errors: []int{404}}, s.getBooking)
	register(s, huma.Operation{Method: http.MethodPatch, Path: "/bookings/{id}", OperationID: "change-booking", Tags: tags,
		Summary: "Move a booking, or extend it while it is open", Errors: []int{400, 404, 409, 422, 503, 507}}, s.changeBooking)
	register(s, huma.Operation{Method: http.MethodPost, Path: "/bookings/{id}/cancel", OperationID: "cancel-booking", Tags: tags,
		Summary: "Cancel a booking; its instance is destroyed", Errors: []int{404, 503, 507}},
		func(ctx context.Context, in *bookingInput) (*bodyOf[client.Booking], error) {
			b, err := s.cfg.Bookings.Cancel(ctx, actor(ctx), in.ID)
			return s.bookingOut(ctx, b, err)
		})
	register(s, huma.Operation{Method: http.MethodGet, Path: "/bookings/{id}/booking.ics", OperationID: "booking-calendar", Tags: tags,
		Summary: "A booking for calendars, as RFC 5545 has it", Errors: []int{404},
		Responses: map[string]*huma.Response{"200": {Description: "A calendar with one event",
			Content: map[string]*huma.MediaType{"text/calendar": {Schema: &huma.Schema{Type: "string"}}}}}}, s.bookingCalendar)
}

func (s *service) zone() *time.Location {
	if s.cfg.Zone == nil {
		return time.UTC
	}
	return s.cfg.Zone
}

func (s *service) book(ctx context.Context, in *bodyOf[client.Book]) (*bodyOf[client.Booking], error) {
	x := in.Body
	from, to, err := booking.ParseWindow(x.From, x.To, x.Zone, s.zone(), s.cfg.Now())
	if err != nil {
		return nil, err
	}
	b, err := s.cfg.Bookings.Book(ctx, actor(ctx), booking.New{App: x.App, Title: x.Title, For: x.For, From: from, To: to,
		Overlap: booking.Overlap(x.Overlap), Parameters: x.Parameters})
	return s.bookingOut(ctx, b, err)
}

type changeBookingInput struct {
	ID   string `path:"id" maxLength:"26" doc:"ID of the booking"`
	Body client.ChangeBooking
}

func (s *service) changeBooking(ctx context.Context, in *changeBookingInput) (*bodyOf[client.Booking], error) {
	b, err := s.cfg.Bookings.Get(ctx, actor(ctx), in.ID)
	if err != nil {
		return nil, err
	}
	x := in.Body
	c := booking.Change{Title: x.Title, For: x.For, Overlap: (*booking.Overlap)(x.Overlap)}
	if c.From, c.To, err = booking.ParseMove(b, x.From, x.To, x.Zone, s.zone(), s.cfg.Now()); err != nil {
		return nil, err
	}
	b, err = s.cfg.Bookings.Change(ctx, actor(ctx), in.ID, c)
	return s.bookingOut(ctx, b, err)
}

func (s *service) getBooking(ctx context.Context, in *bookingInput) (*bodyOf[client.Booking], error) {
	b, err := s.cfg.Bookings.Get(ctx, actor(ctx), in.ID)
	return s.bookingOut(ctx, b, err)
}

type bookingsInput struct {
	App    string `query:"app" maxLength:"63"`
	Owner  string `query:"owner" maxLength:"200" doc:"For admins"`
	All    bool   `query:"all" doc:"Everybody's, for admins"`
	Live   bool   `query:"live" doc:"Those alone that have not ended"`
	Before string `query:"before" maxLength:"26" doc:"next of the page before"`
	Limit  int    `query:"limit" minimum:"1" maximum:"499" default:"100"`
}

func (s *service) listBookings(ctx context.Context, in *bookingsInput) (*bodyOf[client.List[client.Booking]], error) {
	a := actor(ctx)
	f := booking.Filter{App: in.App, Owner: in.Owner, Live: in.Live, Before: in.Before, Limit: in.Limit + 1}
	if f.Owner == "" && !in.All {
		f.Owner = a.ID
	}
	found, err := s.cfg.Bookings.List(ctx, a, f)
	if err != nil {
		return nil, err
	}
	out := client.List[client.Booking]{Items: []client.Booking{}}
	for _, b := range found[:min(len(found), in.Limit)] {
		wire, err := s.booking(ctx, b)
		if err != nil {
			return nil, err
		}
		out.Items = append(out.Items, wire)
	}
	if len(found) > in.Limit {
		out.Next = found[in.Limit-1].ID
	}
	return &bodyOf[client.List[client.Booking]]{out}, nil
}

func (s *service) bookingOut(ctx context.Context, b booking.Booking, err error) (*bodyOf[client.Booking], error) {
	if err != nil {
		return nil, err
	}
	out, err := s.booking(ctx, b)
	return &bodyOf[client.Booking]{out}, err
}

func (s *service) booking(ctx context.Context, b booking.Booking) (client.Booking, error) {
	out := client.Booking{ID: b.ID, App: b.App, Version: b.Version, Owner: b.Owner, Title: b.Title, For: b.For, From: ms(b.From), To: ms(b.To),
		DeployAt: ms(b.DeployAt), RetryAt: ms(b.RetryAt), Attempts: b.Attempts, Overlap: string(b.Overlap), Status: string(b.Status),
		Instance: b.Instance, Page: "/bookings/" + b.ID, Reason: b.Reason, Execution: b.Execution, Sequence: b.Sequence,
		CreatedAt: ms(b.CreatedAt), UpdatedAt: ms(b.UpdatedAt), EndedAt: ms(b.EndedAt), EndedBy: b.EndedBy}
	v, err := s.cfg.Catalog.Version(ctx, b.App, b.Version)
	if err != nil && !iap.IsKind(err, iap.NotFound) {
		return out, err
	}
	out.Values = mask(b.Parameters, v.Manifest.Parameters)
	if b.Instance == "" {
		return out, nil
	}
	i, err := s.cfg.Instances.Get(ctx, iap.System, b.Instance)
	if err == nil && i.Status == instance.Running {
		out.URL = s.cfg.Instances.URL(i)
	}
	if iap.IsKind(err, iap.NotFound) {
		err = nil
	}
	return out, err
}

type calendarOut struct {
	ContentType string `header:"Content-Type"`
	Disposition string `header:"Content-Disposition"`
	Body        []byte
}

func (s *service) bookingCalendar(ctx context.Context, in *bookingInput) (*calendarOut, error) {
	b, err := s.cfg.Bookings.Get(ctx, actor(ctx), in.ID)
	if err != nil {
		return nil, err
	}
	u, err := url.Parse(s.cfg.PortalURL)
	if err != nil {
		return nil, errors.Join(errors.New("the portal's URL"), err)
	}
	return &calendarOut{ContentType: booking.CalendarType, Disposition: `attachment; filename="booking.ics"`,
		Body: booking.Calendar(b, s.cfg.PortalURL+"/bookings/"+b.ID+"/open", u.Hostname())}, nil
}
