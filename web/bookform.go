package web

import (
	"errors"
	"net/http"
	"time"

	iap "github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/booking"
)

// bookForm is what the form of a booking holds, with what is wrong by field.
type bookForm struct {
	ID                                  string // of a booking that is changed; empty: a new one
	Slug                                string // of the app
	From, To, Zone, For, Title, Overlap string
	Begun                               bool // its start stays
	Fields                              []fieldView
	Problems                            map[string]string
	Problem                             string // of no field
	Choose                              bool   // there is an instance in the window
}

// localForm is how browsers write a date and a time.
const localForm = "2006-01-02T15:04"

// newForm is the form before anything was put in: an hour from the next full one.
func (s *Server) newForm(slug string) bookForm {
	from := s.cfg.Now().In(s.cfg.Location).Truncate(time.Hour).Add(time.Hour)
	return bookForm{Slug: slug, From: from.Format(localForm), To: from.Add(time.Hour).Format(localForm), Zone: s.zone()}
}

// formOf is the form of a booking as it is.
func (s *Server) formOf(b booking.Booking) bookForm {
	return bookForm{ID: b.ID, Slug: b.App, From: b.From.In(s.cfg.Location).Format(localForm), To: b.To.In(s.cfg.Location).Format(localForm),
		Zone: s.zone(), For: b.For, Title: b.Title, Overlap: string(b.Overlap), Begun: !s.cfg.Now().Before(b.From)}
}

// readBookForm reads the form of a booking.
func readBookForm(w http.ResponseWriter, r *http.Request) (f bookForm, err error) {
	if err := parseForm(w, r); err != nil {
		return f, err
	}
	p := r.PostForm
	return bookForm{From: p.Get("from"), To: p.Get("to"), Zone: p.Get("zone"), For: p.Get("for"), Title: p.Get("title"), Overlap: p.Get("overlap")}, nil
}

// wrong puts what is wrong beside the fields; it reports whether that is all of
// err.
func (f *bookForm) wrong(err error) bool {
	f.Problems = map[string]string{}
	var overlap *booking.OverlapError
	if errors.As(err, &overlap) && overlap.Instance != nil {
		f.Choose = true
		f.Problem = "You have " + overlap.Instance.HostName + " of this app then, and one person has one instance of an app. Choose below what becomes of it."
		return true
	}
	fields := iap.Fields(err)
	for _, e := range fields {
		f.Problems[e.Field] = capital(e.Message())
	}
	if rest := place(f.Fields, err); len(fields) == 0 && iap.IsKind(err, iap.Conflict) {
		f.Problem = capital(rest)
		return true
	}
	return len(fields) > 0
}

func (s *Server) bookPage(w http.ResponseWriter, r *http.Request, actor iap.Actor) error {
	return s.showBook(w, r, actor, http.StatusOK, nil)
}

func (s *Server) showBook(w http.ResponseWriter, r *http.Request, actor iap.Actor, status int, sent *bookForm) error {
	p := struct {
		layout
		App  appView
		Form bookForm
	}{layout: s.layout(r, actor, "")}
	a, err := s.cfg.Apps.Get(r.Context(), r.PathValue("slug"))
	if err != nil {
		return err
	}
	p.App, p.Form = viewApp(a), s.newForm(a.Slug)
	p.Form.Fields = viewFields(a.Version.Manifest.Parameters, nil)
	if sent != nil {
		p.Form = *sent
	}
	p.Title = "Book " + p.App.Name
	return s.render(w, status, "book", p)
}

func (s *Server) book(w http.ResponseWriter, r *http.Request, actor iap.Actor) error {
	f, err := readBookForm(w, r)
	if err != nil {
		return err
	}
	a, err := s.cfg.Apps.Get(r.Context(), r.PathValue("slug"))
	if err != nil {
		return err
	}
	params := a.Version.Manifest.Parameters
	f.Slug, f.Fields = a.Slug, viewFields(params, r.PostForm)
	from, to, err := booking.ParseWindow(f.From, f.To, f.Zone, s.cfg.Location, s.cfg.Now())
	if err == nil {
		var b booking.Booking
		b, err = s.cfg.Bookings.Book(r.Context(), actor, booking.New{App: a.Slug, From: from, To: to, For: f.For, Title: f.Title,
			Overlap: booking.Overlap(f.Overlap), Parameters: parameters(params, r.PostForm)})
		if err == nil {
			return seeOther(w, r, "/bookings/"+b.ID)
		}
	}
	if !f.wrong(err) {
		return err
	}
	return s.showBook(w, r, actor, statusOf(err), &f)
}

// statusOf is the status of a form that is shown again.
func statusOf(err error) int {
	if iap.IsKind(err, iap.Conflict) {
		return http.StatusConflict
	}
	return http.StatusUnprocessableEntity
}

// changeBooking moves a booking: by the whole form, or by one of the buttons
// that make it longer.
func (s *Server) changeBooking(w http.ResponseWriter, r *http.Request, actor iap.Actor) error {
	f, err := readBookForm(w, r)
	if err != nil {
		return err
	}
	b, err := s.cfg.Bookings.Get(r.Context(), actor, r.PathValue("id"))
	if err != nil {
		return err
	}
	var c booking.Change
	from, to := &f.From, &f.To
	if longer := r.PostForm.Get("longer"); longer != "" {
		f = s.formOf(b)
		from, to = nil, &longer
	} else {
		c.Title, c.For, c.Overlap = &f.Title, &f.For, (*booking.Overlap)(&f.Overlap)
		f.ID, f.Slug, f.Begun = b.ID, b.App, !s.cfg.Now().Before(b.From)
	}
	if f.Begun {
		from = nil
	}
	if c.From, c.To, err = booking.ParseMove(b, from, to, f.Zone, s.cfg.Location, s.cfg.Now()); err == nil {
		_, err = s.cfg.Bookings.Change(r.Context(), actor, b.ID, c)
	}
	switch {
	case err == nil:
		return seeOther(w, r, "/bookings/"+b.ID)
	case !f.wrong(err):
		return err
	}
	return s.showBooking(w, r, actor, statusOf(err), &f)
}
