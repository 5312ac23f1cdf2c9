package schedule

import (
	"context"
	"encoding/json"
	"fmt"
	"regexp"
	"sync"
	"time"

	iap "github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/event"
	"github.com/internal-app-portal/iap/workflow"
)

// Machines is what schedules need of the state machines; *workflow.Machines is
// one.
type Machines interface {
	Resolve(ctx context.Context, arn string) (workflow.Target, error)
	Start(ctx context.Context, r workflow.StartMachine) (workflow.Execution, workflow.Target, error)
}

// Config is what a Service needs.
type Config struct {
	Store    Store
	Tx       iap.Transactor
	Log      *event.Log
	Machines Machines
	Zone     string // of schedules that name none
	Now      func() time.Time
}

// Service keeps the schedules and fires them from Start to Stop.
type Service struct {
	Config
	wake   chan struct{}
	cancel context.CancelFunc
	done   sync.WaitGroup
}

// NewService returns a service that fires nothing yet.
func NewService(cfg Config) *Service { return &Service{Config: cfg, wake: make(chan struct{}, 1)} }

var nameForm = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,46}[a-z0-9])?$`)

func (n *New) check() error {
	const op = "schedule.Add"
	if !nameForm.MatchString(n.Name) {
		return iap.FieldErrorf(op, "name", "%q is not a name: want 1 to 48 lower-case letters, digits and dashes between them", clip(n.Name))
	}
	return nil
}

func checkGrace(d time.Duration) error {
	if d < time.Minute || d > MaxGrace {
		return iap.FieldErrorf("schedule", "grace", "%s is not between 1 minute and 7 days", d)
	}
	return nil
}

func checkInput(in json.RawMessage) error {
	if !json.Valid(in) {
		return iap.FieldErrorf("schedule", "input", "it is not JSON")
	}
	if len(in) > 262_144 {
		return iap.FieldErrorf("schedule", "input", "it has more than 262,144 bytes")
	}
	return nil
}

// expression returns the cron expression of one given as such or as a clock
// time.
func expression(cron, at, weekdays string) (string, error) {
	switch {
	case at == "" && weekdays != "":
		return "", iap.FieldErrorf("schedule", "at", "it is missing; weekdays need a clock time, such as 19:00")
	case at == "":
		return cron, nil
	case cron != "":
		return "", iap.FieldErrorf("schedule", "cron", "give a cron expression or a clock time, not both")
	}
	return Daily(at, weekdays)
}

func adminsOnly(a iap.Actor, op string) error {
	if a.Role.Includes(iap.Admin) {
		return nil
	}
	return iap.Errorf(op, iap.Forbidden, "schedules are for admins")
}

// Access is what people can do about schedules; *Service is one.
type Access interface {
	Add(ctx context.Context, actor iap.Actor, n New) (Schedule, error)
	Change(ctx context.Context, actor iap.Actor, name string, c Change) (Schedule, error)
	Remove(ctx context.Context, actor iap.Actor, name string) error
	Run(ctx context.Context, actor iap.Actor, name string) (Firing, error)
	Get(ctx context.Context, actor iap.Actor, name string) (Schedule, error)
	List(ctx context.Context, actor iap.Actor) ([]Schedule, error)
	Firings(ctx context.Context, actor iap.Actor, name string, limit int) ([]Firing, error)
	Times(s Schedule, n int) []Due
}

// Add makes a schedule; it is due from now on. Errors: Forbidden, Invalid (with
// the field), Conflict (the name is taken), and for the field "state_machine"
// also NotFound.
func (s *Service) Add(ctx context.Context, actor iap.Actor, n New) (Schedule, error) {
	const op = "schedule.Add"
	if err := adminsOnly(actor, op); err != nil {
		return Schedule{}, err
	}
	return s.add(ctx, actor, n, false)
}

func (s *Service) add(ctx context.Context, actor iap.Actor, n New, builtIn bool) (Schedule, error) {
	if err := n.check(); err != nil {
		return Schedule{}, err
	}
	text, err := expression(n.Cron, n.At, n.Weekdays)
	if err != nil {
		return Schedule{}, err
	}
	now := s.Now()
	out := Schedule{Name: n.Name, Cron: text, Zone: n.Zone, StateMachine: n.StateMachine, Input: n.Input, Grace: n.Grace,
		Paused: n.Paused, Owner: actor.ID, BuiltIn: builtIn, CreatedAt: now}
	if out.Zone == "" {
		out.Zone = s.Zone
	}
	if out.Grace == 0 {
		out.Grace = DefaultGrace
	}
	if len(out.Input) == 0 {
		out.Input = json.RawMessage("{}")
	}
	err = s.Tx.Update(ctx, func(ctx context.Context) error {
		if err := s.complete(ctx, actor, &out); err != nil {
			return err
		}
		if err := s.Store.InsertSchedule(ctx, out); err != nil {
			return err
		}
		return s.tell(ctx, out, "added", actor)
	})
	return out, err
}

// complete checks a schedule and sets when it is due next.
func (s *Service) complete(ctx context.Context, actor iap.Actor, out *Schedule) error {
	timing, err := ParseTiming(out.Cron, out.Zone)
	if err != nil {
		return err
	}
	if err := checkGrace(out.Grace); err != nil {
		return err
	}
	if err := checkInput(out.Input); err != nil {
		return err
	}
	if err := s.checkMachine(ctx, out.StateMachine); err != nil {
		return err
	}
	next := timing.Next(s.Now())
	out.NextAt, out.NextLocal, out.UpdatedAt, out.UpdatedBy = next.At, next.Local, s.Now(), actor.ID
	return nil
}

func (s *Service) checkMachine(ctx context.Context, name string) error {
	const op, field = "schedule", "state_machine"
	if name == "" {
		return iap.FieldErrorf(op, field, "it is missing; name the state machine to start")
	}
	t, err := s.Machines.Resolve(ctx, workflow.MachineARN(name))
	switch {
	case iap.IsKind(err, iap.NotFound), iap.IsKind(err, iap.Invalid):
		return iap.FieldErrorf(op, field, "there is no state machine %q", clip(name))
	case iap.IsKind(err, iap.Forbidden), iap.IsKind(err, iap.Conflict):
		return iap.FieldErrorf(op, field, "%q cannot be started: %s", clip(name), messageOf(err))
	case err != nil:
		return err
	case t.Express:
		return iap.FieldErrorf(op, field, "%q is an Express state machine; schedules start Standard ones", clip(name))
	}
	return nil
}

// Get returns a schedule; NotFound, Forbidden.
func (s *Service) Get(ctx context.Context, actor iap.Actor, name string) (Schedule, error) {
	if err := adminsOnly(actor, "schedule.Get"); err != nil {
		return Schedule{}, err
	}
	return s.get(ctx, name)
}

func (s *Service) get(ctx context.Context, name string) (Schedule, error) {
	out, err := s.Store.Schedule(ctx, name)
	if iap.IsKind(err, iap.NotFound) {
		err = iap.Errorf("schedule.Get", iap.NotFound, "there is no schedule %q", clip(name))
	}
	return out, err
}

// List returns all schedules in the order of their names.
func (s *Service) List(ctx context.Context, actor iap.Actor) ([]Schedule, error) {
	if err := adminsOnly(actor, "schedule.List"); err != nil {
		return nil, err
	}
	return s.Store.Schedules(ctx)
}

// Firings returns the newest firings of a schedule, at most limit.
func (s *Service) Firings(ctx context.Context, actor iap.Actor, name string, limit int) ([]Firing, error) {
	if _, err := s.Get(ctx, actor, name); err != nil {
		return nil, err
	}
	return s.Store.Firings(ctx, name, limit)
}

// Times returns the next n times of a schedule, whether it is paused or not.
func (s *Service) Times(x Schedule, n int) []Due {
	t, err := ParseTiming(x.Cron, x.Zone)
	if err != nil {
		return nil // its zone is no longer in the database of zones
	}
	return t.Times(s.Now(), n)
}

// NextOf returns when a schedule that is not paused is due next; the zero time
// when there is none.
func (s *Service) NextOf(ctx context.Context, name string) (time.Time, error) {
	x, err := s.Store.Schedule(ctx, name)
	if iap.IsKind(err, iap.NotFound) || err == nil && x.Paused {
		return time.Time{}, nil
	}
	return x.NextAt, err
}

func messageOf(err error) string {
	if texts := iap.Texts(err); len(texts) > 0 {
		return texts[0]
	}
	return fmt.Sprint(err)
}
