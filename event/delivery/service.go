package delivery

import (
	"context"
	"log/slog"
	"time"

	iap "github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/event"
)

// Sender makes the attempts for targets of some kinds.
type Sender interface {
	// Check says what is wrong with a target's settings, as an Invalid error that
	// names the field.
	Check(t Target) error
	// Send makes one attempt at the delivery of an event. The context ends with
	// the target's timeout.
	Send(ctx context.Context, t Target, m Message) Result
}

// Message is what is delivered.
type Message struct {
	ID    string // the same for each attempt
	Event event.Event
	// Attempt is which it is, from 1.
	Attempt int
	// Test says that it is no delivery, only a try.
	Test bool
}

// Sealer keeps secrets from who reads the database.
type Sealer interface {
	Seal(text string) string
	Open(sealed string) (string, error)
}

// Config is what a Service needs.
type Config struct {
	Store   Store
	Tx      iap.Transactor
	Log     *event.Log
	Events  event.Store
	Senders map[Kind]Sender
	Sealer  Sealer
	Now     func() time.Time // the database's clock
	Portal  string           // address of the portal, where the schemas of its events are; empty: deliveries name none
	Logger  *slog.Logger     // nil: slog.Default()
	// Failpoint is called between the steps of a delivery; nil: nothing.
	Failpoint func(name string)
}

// Service keeps rules and targets and makes deliveries.
type Service struct {
	Config
	log      *slog.Logger
	matcher  *matcher
	lanes    *lanes
	redriver *redriver
}

// New returns a Service that does nothing until Start.
func New(cfg Config) *Service {
	if cfg.Logger == nil {
		cfg.Logger = slog.Default()
	}
	if cfg.Failpoint == nil {
		cfg.Failpoint = func(string) {}
	}
	s := &Service{Config: cfg, log: cfg.Logger}
	s.lanes = &lanes{s: s}
	s.matcher = &matcher{s: s}
	s.redriver = newRedriver(s)
	return s
}

// Start begins to match and to deliver, and goes on with redrives, from where
// the last process ended.
func (s *Service) Start(ctx context.Context) error {
	if err := s.lanes.start(ctx); err != nil {
		return err
	}
	if err := s.matcher.start(ctx); err != nil {
		_ = s.Stop(context.WithoutCancel(ctx))
		return err
	}
	s.redriver.start(ctx)
	return nil
}

// Stop ends all of it and waits for the attempts that are being made.
func (s *Service) Stop(ctx context.Context) error {
	s.redriver.stop()
	s.matcher.stop()
	s.lanes.stop(ctx)
	return nil
}

// Wake has the lanes look for what is due; it never blocks.
func (s *Service) Wake() { s.lanes.Wake() }

// admin refuses who may not change anything.
func admin(a iap.Actor, op string) error {
	if a.Role.Includes(iap.Admin) {
		return nil
	}
	return iap.Errorf(op, iap.Forbidden, "rules, targets and deliveries are for admins")
}

// tell appends the event of a change in the transaction of ctx.
func (s *Service) tell(ctx context.Context, typ string, c Change) error {
	source := "/rules"
	if typ == event.TargetChanged {
		source = "/targets"
	}
	return s.Log.Append(ctx, &event.Event{Source: source, Type: typ, Subject: c.Name, Time: s.Now(), Owner: event.AdminsOnly, Data: mustJSON(c)})
}

// validName reports whether a rule or a target may be called s.
func validName(s string) bool {
	if len(s) == 0 || len(s) > 63 || s[0] == '-' || s[len(s)-1] == '-' {
		return false
	}
	for _, c := range []byte(s) {
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' {
			return false
		}
	}
	return true
}

func checkName(op, name string) error {
	if validName(name) {
		return nil
	}
	return iap.FieldErrorf(op, "name", "%.80q is not made of small letters, digits and '-', at most 63 of them, with '-' only inside", name)
}
