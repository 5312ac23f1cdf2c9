package booking

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	iap "github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/catalog"
	"github.com/internal-app-portal/iap/event"
	"github.com/internal-app-portal/iap/instance"
	"github.com/internal-app-portal/iap/workflow"
)

const (
	maxText  = 100                  // characters of a title or a guest's name
	mostOpen = 100                  // bookings of one person that have not ended
	farthest = 366 * 24 * time.Hour // ahead
)

// OverlapError is the cause of a Conflict: what is there in the window already.
type OverlapError struct {
	Instance *instance.Instance // of the app, which the owner has
	EndsAt   time.Time          // of it
	Booking  *Booking           // of the app, by the same owner
}

// Error says what overlaps, and what there is to choose.
func (e *OverlapError) Error() string {
	if b := e.Booking; b != nil {
		return fmt.Sprintf("your booking %q of %s overlaps, from %s to %s, and one person has one instance of an app: extend that one (%s), cancel it, or choose another time",
			b.Title, b.App, b.From.Format(timeFormat), b.To.Format(timeFormat), b.ID)
	}
	return fmt.Sprintf("you have the instance %s of %s up to %s, and one person has one instance of an app: "+
		"choose with overlap \"use\" to use it for the booking too, \"replace\" to have it destroyed when the booked one is deployed, or destroy it yourself before",
		e.Instance.HostName, e.Instance.App, e.EndsAt.Format(timeFormat))
}

func overlaps(field string, e *OverlapError) error {
	return &iap.Error{Op: "booking.Book", Kind: iap.Conflict, Field: field, Err: e}
}

const timeFormat = "2006-01-02T15:04:05Z07:00"

// Access is what people can do about bookings; *Service is one.
type Access interface {
	Book(ctx context.Context, actor iap.Actor, n New) (Booking, error)
	Change(ctx context.Context, actor iap.Actor, id string, c Change) (Booking, error)
	Cancel(ctx context.Context, actor iap.Actor, id string) (Booking, error)
	Get(ctx context.Context, actor iap.Actor, id string) (Booking, error)
	List(ctx context.Context, actor iap.Actor, f Filter) ([]Booking, error)
}

// Book books an instance. The booking, its execution and the event are one
// commit. Errors: Invalid (with the field), NotFound and Conflict for the app,
// Conflict caused by an *OverlapError, Limit, Unavailable, Full.
func (s *Service) Book(ctx context.Context, actor iap.Actor, n New) (Booking, error) {
	const op = "booking.Book"
	if n.App == "" {
		return Booking{}, iap.FieldErrorf(op, "app", "it is missing; name an app of the catalogue")
	}
	app, err := s.Catalog.Deployable(ctx, n.App)
	if err != nil {
		return Booking{}, err
	}
	now := s.Now()
	b := Booking{ID: iap.NewID(now), App: app.Slug, Version: app.Version.Number, Owner: actor.ID, Title: words(n.Title), For: words(n.For),
		From: ms(n.From), To: ms(n.To), Overlap: n.Overlap, Status: Booked, CreatedAt: now, UpdatedAt: now}
	if b.Title == "" {
		b.Title = app.Version.Manifest.Name
		if b.For != "" {
			b.Title = clip(b.Title + " for " + b.For)
		}
	}
	params, paramErr := s.Instances.SealParameters(ctx, b.App, b.Version, n.Parameters)
	if err := errors.Join(s.check(op, b, app.Version.Manifest, now), paramErr); err != nil {
		return Booking{}, err
	}
	b.Parameters = params
	if err := s.Tx.Update(ctx, func(ctx context.Context) error { return s.insert(ctx, &b) }); err != nil {
		return Booking{}, err
	}
	return b, nil
}

func ms(t time.Time) time.Time { return t.UTC().Truncate(time.Millisecond) }

// words makes one line of a text.
func words(s string) string { return strings.Join(strings.Fields(s), " ") }

// check refuses what no booking can be.
func (s *Service) check(op string, b Booking, m catalog.Manifest, now time.Time) error {
	var errs []error
	if b.From.Before(now.Truncate(time.Minute)) && b.Status == Booked {
		errs = append(errs, iap.FieldErrorf(op, "from", "%s is over already", b.From.Format(timeFormat)))
	}
	if b.From.After(now.Add(farthest)) {
		errs = append(errs, iap.FieldErrorf(op, "from", "%s is more than a year ahead", b.From.Format(timeFormat)))
	}
	errs = append(errs, s.checkEnd(op, b, m, now))
	for field, text := range map[string]string{"title": b.Title, "for": b.For} {
		if len([]rune(text)) > maxText+1 {
			errs = append(errs, iap.FieldErrorf(op, field, "it is longer than %d characters", maxText))
		}
	}
	if b.Overlap != NotChosen && b.Overlap != Use && b.Overlap != Replace {
		errs = append(errs, iap.FieldErrorf(op, "overlap", "%q is neither \"use\" nor \"replace\"", clip(string(b.Overlap))))
	}
	return errors.Join(errs...)
}

func (s *Service) checkEnd(op string, b Booking, m catalog.Manifest, now time.Time) error {
	switch {
	case !b.To.After(b.From):
		return iap.FieldErrorf(op, "to", "the end is not after the start")
	case !b.To.After(now):
		return iap.FieldErrorf(op, "to", "%s is over already", b.To.Format(timeFormat))
	case b.To.Sub(b.From) > s.most(m):
		return iap.FieldErrorf(op, "to", "the window is %s long; the most of %s is %s", instance.LengthWords(b.To.Sub(b.From)), b.App, instance.LengthWords(s.most(m)))
	}
	return nil
}

// insert stores a booking unless something overlaps.
func (s *Service) insert(ctx context.Context, b *Booking) error {
	lead, err := s.lead(ctx, b.App)
	if err != nil {
		return err
	}
	b.DeployAt = b.From.Add(-lead)
	if err := s.checkOthers(ctx, *b); err != nil {
		return err
	}
	if err := s.checkLive(ctx, *b); err != nil {
		return err
	}
	b.Execution = b.ID
	if err := s.Store.InsertBooking(ctx, *b); err != nil {
		return err
	}
	if err := s.tell(ctx, event.BookingChanged, *b); err != nil {
		return err
	}
	return s.start(ctx, *b, 0)
}

// checkOthers refuses a window that overlaps with another one of the same owner
// and app. Within the transaction no other booking passes this point.
func (s *Service) checkOthers(ctx context.Context, b Booking) error {
	const op = "booking.Book"
	if err := s.Store.LockDeploys(ctx); err != nil {
		return err
	}
	own, err := s.Store.Bookings(ctx, Filter{Owner: b.Owner, Live: true, Limit: mostOpen + 1})
	if err != nil {
		return err
	}
	for _, o := range own {
		if o.App == b.App && o.ID != b.ID && o.From.Before(b.To) && b.From.Before(o.To) {
			return overlaps("from", &OverlapError{Booking: &o})
		}
	}
	if len(own) >= mostOpen {
		return iap.Errorf(op, iap.Limit, "you have %d bookings, which is the most; cancel one that is not needed", mostOpen)
	}
	return nil
}

// checkLive asks what to do with an instance that is there up to the deploy;
// that of another booking is waited for.
func (s *Service) checkLive(ctx context.Context, b Booking) error {
	live, err := s.Instances.Live(ctx, b.Owner, b.App)
	switch {
	case iap.IsKind(err, iap.NotFound):
		return nil
	case err != nil:
		return err
	case b.Overlap != NotChosen || live.Purpose != instance.ForPerson || live.EndedBy != "":
		return nil
	}
	end, err := s.Instances.EndOf(ctx, live)
	if err != nil || !end.At.After(b.DeployAt) {
		return err
	}
	return overlaps("overlap", &OverlapError{Instance: &live, EndsAt: end.At})
}

// input is the input of a booking's execution.
type input struct {
	Booking string `json:"booking"`
	App     string `json:"app"`
	Title   string `json:"title"`
	Begun   int    `json:"begun,omitempty"` // executions before it, which broke off
}

// start starts the execution of a booking.
func (s *Service) start(ctx context.Context, b Booking, begun int) error {
	machine, err := s.Workflow.PutStateMachine(ctx, MachineName, Definition, s.Now())
	if err != nil {
		return err
	}
	in, err := json.Marshal(input{Booking: b.ID, App: b.App, Title: b.Title, Begun: begun})
	if err != nil {
		return err
	}
	_, err = s.Workflow.StartExecution(ctx, workflow.StartRequest{ID: b.Execution, StateMachine: machine, Input: in, Owner: b.Owner})
	return err
}
