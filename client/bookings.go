package client

import (
	"context"
	"io"
	"net/http"
	"time"
)

// Booking is an instance for a time window.
type Booking struct {
	ID        string         `json:"id"`
	App       string         `json:"app"`
	Version   int            `json:"version"`
	Owner     string         `json:"owner"`
	Title     string         `json:"title"`
	For       string         `json:"for,omitempty" doc:"For whom it is"`
	From      time.Time      `json:"from"`
	To        time.Time      `json:"to"`
	DeployAt  time.Time      `json:"deploy_at" doc:"When the deploy begins"`
	RetryAt   time.Time      `json:"retry_at,omitzero" doc:"When it is tried again"`
	Attempts  int            `json:"attempts,omitempty" doc:"Deploys that have failed"`
	Overlap   string         `json:"overlap,omitempty" enum:"use,replace" doc:"What is done with an instance of the app that the owner has then"`
	Status    string         `json:"status" enum:"booked,deploying,ready,open,ended,cancelled,failed"`
	Instance  string         `json:"instance,omitempty" doc:"ID of the instance; absent: there is none yet"`
	URL       string         `json:"url,omitempty" doc:"Address of the app; absent unless it runs"`
	Page      string         `json:"page,omitempty" doc:"Path of its page in the portal"`
	Reason    string         `json:"reason,omitempty" doc:"Why the last deploy failed, or what it waits for"`
	Execution string         `json:"execution" doc:"ID of its execution"`
	Sequence  int            `json:"sequence" doc:"How often its window was moved"`
	CreatedAt time.Time      `json:"created_at"`
	UpdatedAt time.Time      `json:"updated_at"`
	EndedAt   time.Time      `json:"ended_at,omitzero"`
	EndedBy   string         `json:"ended_by,omitempty"`
	Values    map[string]any `json:"parameters,omitempty" doc:"Values of the parameters; secret ones are masked"`
}

// Over reports whether the booking has ended.
func (b Booking) Over() bool {
	return b.Status == "ended" || b.Status == "cancelled" || b.Status == "failed"
}

// Book says what to book. Times are on the clock of zone, or of the portal.
type Book struct {
	App        string         `json:"app" maxLength:"63" doc:"Slug of the app"`
	From       string         `json:"from" maxLength:"60" doc:"10:00, tomorrow 10:00, thu 10:00, 2026-12-03 10:00, or a moment such as 2026-12-03T10:00:00Z"`
	To         string         `json:"to" maxLength:"60" doc:"The same, a clock time being the next one after from; or a length of time, such as 90m"`
	Zone       string         `json:"zone,omitempty" maxLength:"100" doc:"IANA time zone; absent: the portal's"`
	Title      string         `json:"title,omitempty" maxLength:"1000"`
	For        string         `json:"for,omitempty" maxLength:"1000" doc:"For whom it is"`
	Overlap    string         `json:"overlap,omitempty" maxLength:"20" doc:"What to do with an instance of the app that one has when it is deployed: use, or replace. Absent: refused where there is one already"`
	Parameters map[string]any `json:"parameters,omitempty" doc:"By name"`
}

// ChangeBooking says what to change of a booking; nil leaves it as it is.
type ChangeBooking struct {
	From    *string `json:"from,omitempty" maxLength:"60" doc:"As in a new booking; until the window begins"`
	To      *string `json:"to,omitempty" maxLength:"60" doc:"As in a new booking"`
	Zone    string  `json:"zone,omitempty" maxLength:"100"`
	Title   *string `json:"title,omitempty" maxLength:"1000"`
	For     *string `json:"for,omitempty" maxLength:"1000"`
	Overlap *string `json:"overlap,omitempty" maxLength:"20"`
}

// BookingFilter chooses bookings; empty fields choose all.
type BookingFilter struct {
	App, Owner string
	Live       bool   // those alone that have not ended
	All        bool   // everybody's, for admins
	Before     string // Next of the page before
	Limit      int    // 1 to 500; 0: 100
}

// Book books an instance.
func (c *Client) Book(ctx context.Context, in Book) (Booking, error) {
	return send[Booking](ctx, c, http.MethodPost, "/bookings", in)
}

// Bookings returns a page of bookings, newest first.
func (c *Client) Bookings(ctx context.Context, f BookingFilter) (List[Booking], error) {
	return get[List[Booking]](ctx, c, "/bookings", query(map[string]any{"app": f.App, "owner": f.Owner, "live": f.Live, "all": f.All,
		"before": f.Before, "limit": f.Limit}))
}

// Booking returns one booking.
func (c *Client) Booking(ctx context.Context, id string) (Booking, error) {
	return get[Booking](ctx, c, "/bookings/"+seg(id), nil)
}

// ChangeBooking moves a booking, or says otherwise what it is for.
func (c *Client) ChangeBooking(ctx context.Context, id string, in ChangeBooking) (Booking, error) {
	return send[Booking](ctx, c, http.MethodPatch, "/bookings/"+seg(id), in)
}

// CancelBooking ends a booking before its time.
func (c *Client) CancelBooking(ctx context.Context, id string) (Booking, error) {
	return send[Booking](ctx, c, http.MethodPost, "/bookings/"+seg(id)+"/cancel", nil)
}

// maxCalendar is the size of a calendar file in bytes that is read at most.
const maxCalendar = 1 << 20

// BookingCalendar returns a booking as a calendar file (RFC 5545).
func (c *Client) BookingCalendar(ctx context.Context, id string) ([]byte, error) {
	resp, err := c.send(ctx, request{method: http.MethodGet, path: "/bookings/" + seg(id) + "/booking.ics"})
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	return io.ReadAll(io.LimitReader(resp.Body, maxCalendar))
}
