package web

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"sync"

	iap "github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/booking"
	"github.com/internal-app-portal/iap/catalog"
	"github.com/internal-app-portal/iap/instance"
)

func (s *Server) bookingRoutes(in func(pattern string, h handler)) {
	for pattern, h := range map[string]handler{
		"GET /bookings":                  s.bookingsPage,
		"GET /book/{slug}":               s.bookPage,
		"POST /book/{slug}":              s.book,
		"GET /bookings/{id}":             s.bookingPage,
		"POST /bookings/{id}":            s.changeBooking,
		"POST /bookings/{id}/cancel":     s.cancelBooking,
		"GET /bookings/{id}/open":        s.openBooking,
		"GET /bookings/{id}/booking.ics": s.bookingCalendar,
	} {
		if s.cfg.Bookings == nil {
			h = s.notFound
		}
		in(pattern, h)
	}
}

// bookingView is a booking in a list or on its page.
type bookingView struct {
	booking.Booking
	State statusView
	AppV  appView
	I     *instanceView // nil: there is no instance
	Open  bool          // its link leads to the app
	Early bool          // it can be looked at, but does not open yet
	Live  bool
	All   bool // it stands among those of others
}

var (
	bookingWords = map[booking.Status]string{booking.Booked: "Booked", booking.Deploying: "Deploying", booking.Ready: "Ready",
		booking.Open: "Open", booking.Ended: "Ended", booking.Cancelled: "Cancelled", booking.Failed: "Failed"}
	bookingHues = map[booking.Status]string{booking.Booked: "waiting", booking.Deploying: "working", booking.Ready: "running",
		booking.Open: "running", booking.Ended: "waiting", booking.Cancelled: "waiting", booking.Failed: "failed"}
	bookingIcons = map[booking.Status]string{booking.Booked: "clock", booking.Deploying: "deploying", booking.Ready: "done",
		booking.Open: "running", booking.Ended: "destroyed", booking.Cancelled: "cancelled", booking.Failed: "failed"}
)

func (s *Server) viewBooking(ctx context.Context, actor iap.Actor, b booking.Booking) (bookingView, error) {
	v := bookingView{Booking: b, Live: !b.Status.Over(), AppV: viewApp(catalog.App{Slug: b.App}),
		State: statusView{Name: bookingIcons[b.Status], Word: bookingWords[b.Status], Hue: bookingHues[b.Status]}}
	if a, err := s.cfg.Apps.Get(ctx, b.App); err == nil { // else the icon and the name alone are missing
		v.AppV = viewApp(a)
	}
	if b.Instance == "" {
		return v, nil
	}
	i, err := s.cfg.Instances.Get(ctx, actor, b.Instance)
	if iap.IsKind(err, iap.NotFound) {
		return v, nil
	}
	if err != nil {
		return v, err
	}
	iv := s.viewInstance(ctx, i, actor.ID)
	v.I = &iv
	running := i.Status == instance.Running
	v.Early = running && i.OpensAt.After(s.cfg.Now())
	v.Open = running && !v.Early
	return v, nil
}

// bookingsShown is how many bookings a page shows.
const bookingsShown = 50

func (s *Server) bookingsPage(w http.ResponseWriter, r *http.Request, actor iap.Actor) error {
	p := struct {
		layout
		Rows []bookingView
		All  bool
		Apps []appView
		More string
	}{layout: s.layout(r, actor, "Bookings"), All: r.URL.Query().Get("all") != "" && actor.Role.Includes(iap.Admin)}
	f := booking.Filter{Before: r.URL.Query().Get("before"), Limit: bookingsShown + 1}
	if !p.All {
		f.Owner = actor.ID
	}
	found, err := s.cfg.Bookings.List(r.Context(), actor, f)
	if err != nil {
		return err
	}
	if len(found) > bookingsShown {
		found = found[:bookingsShown]
		p.More = found[bookingsShown-1].ID
	}
	for _, b := range found {
		v, err := s.viewBooking(r.Context(), actor, b)
		if err != nil {
			return err
		}
		v.All = p.All
		p.Rows = append(p.Rows, v)
	}
	apps, err := s.cfg.Apps.List(r.Context(), actor)
	if err != nil {
		return err
	}
	for _, a := range apps {
		if !a.Retired {
			p.Apps = append(p.Apps, viewApp(a))
		}
	}
	return s.render(w, http.StatusOK, "bookings", p)
}

type bookingPage struct {
	layout
	B    bookingView
	Form bookForm
	Edit bool // the form is open
}

func (s *Server) bookingPage(w http.ResponseWriter, r *http.Request, actor iap.Actor) error {
	return s.showBooking(w, r, actor, http.StatusOK, nil)
}

func (s *Server) showBooking(w http.ResponseWriter, r *http.Request, actor iap.Actor, status int, form *bookForm) error {
	p := bookingPage{layout: s.layout(r, actor, ""), Edit: form != nil}
	b, err := s.cfg.Bookings.Get(r.Context(), actor, r.PathValue("id"))
	if err != nil {
		return err
	}
	if p.B, err = s.viewBooking(r.Context(), actor, b); err != nil {
		return err
	}
	p.Title, p.Form = b.Title, s.formOf(b)
	if form != nil {
		p.Form = *form
	}
	return s.render(w, status, "booking", p)
}

func (s *Server) cancelBooking(w http.ResponseWriter, r *http.Request, actor iap.Actor) error {
	b, err := s.cfg.Bookings.Cancel(r.Context(), actor, r.PathValue("id"))
	if err != nil {
		return err
	}
	return seeOther(w, r, "/bookings/"+b.ID)
}

// openBooking leads to the app in the window, and to the booking's page before
// and after it: a link that can be given in advance.
func (s *Server) openBooking(w http.ResponseWriter, r *http.Request, actor iap.Actor) error {
	b, err := s.cfg.Bookings.Get(r.Context(), actor, r.PathValue("id"))
	if err != nil {
		return err
	}
	v, err := s.viewBooking(r.Context(), actor, b)
	if err != nil {
		return err
	}
	w.Header().Set("Cache-Control", "no-store")
	if v.Open && v.Live {
		return seeOther(w, r, v.I.URL)
	}
	return seeOther(w, r, "/bookings/"+b.ID)
}

func (s *Server) bookingCalendar(w http.ResponseWriter, r *http.Request, actor iap.Actor) error {
	b, err := s.cfg.Bookings.Get(r.Context(), actor, r.PathValue("id"))
	if err != nil {
		return err
	}
	u, err := url.Parse(s.cfg.PortalURL)
	if err != nil {
		return errors.Join(errors.New("the portal's URL"), err)
	}
	w.Header().Set("Content-Type", booking.CalendarType)
	w.Header().Set("Content-Disposition", `attachment; filename="booking.ics"`)
	w.Header().Set("Cache-Control", "no-store")
	_, err = w.Write(booking.Calendar(b, s.cfg.PortalURL+"/bookings/"+b.ID+"/open", u.Hostname()))
	return err
}

// booked shows a booking where it is.
func (f *fragments) booked() {
	s, id := f.s, f.e.Subject
	read := sync.OnceValues(func() (bookingView, error) {
		b, err := s.cfg.Bookings.Get(f.ctx, f.actor, id)
		if err != nil {
			return bookingView{}, err
		}
		return s.viewBooking(f.ctx, f.actor, b)
	})
	row := func(all bool) func() (any, error) {
		return func() (any, error) {
			v, err := read()
			v.All = all
			return v, err
		}
	}
	f.part("booking-"+id, "booking-board", row(false))
	f.part("bookingrow-"+id, "booking-row", row(false))
	f.part("bookingrowall-"+id, "booking-row", row(true))
	f.hint("bookings", "bookingrow-"+id)
}
