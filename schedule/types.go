package schedule

import (
	"context"
	"encoding/json"
	"time"
)

// Schedule starts executions of a state machine at certain times.
type Schedule struct {
	Name         string
	Cron         string // five fields
	Zone         string // IANA name
	StateMachine string // its name
	Input        json.RawMessage
	Grace        time.Duration // how late it may still be fired
	Paused       bool
	Owner        string // ID of the person for whom its executions act
	BuiltIn      bool   // the portal's own; it can be changed and paused, not removed
	NextAt       time.Time
	NextLocal    string // of NextAt; names the firing
	CreatedAt    time.Time
	UpdatedAt    time.Time
	UpdatedBy    string
}

// Outcome is what became of a time of a schedule.
type Outcome string

// The outcomes of a firing.
const (
	Started Outcome = "started"
	Missed  Outcome = "missed" // it was found when its grace was over
	Failed  Outcome = "failed" // no execution could be started
)

// Firing is one time of a schedule, or one time that somebody ran it.
type Firing struct {
	Schedule  string
	Local     string    // date and time on the zone's clock; unique in the schedule. Of a run by hand its execution's ID
	DueAt     time.Time // of a run by hand the moment of it
	FiredAt   time.Time
	Outcome   Outcome
	Execution string // ID
	Reason    string // why it was missed or has failed
	By        string // ID of who ran it by hand; empty: the clock
	Skipped   int    // older times that were missed with it
}

// Store keeps schedules and firings. Everything but reading takes part in the
// transaction of ctx.
type Store interface {
	// InsertSchedule fails with Conflict when the name is taken.
	InsertSchedule(ctx context.Context, s Schedule) error
	// UpdateSchedule replaces all but name, owner, kind and creation; NotFound.
	UpdateSchedule(ctx context.Context, s Schedule) error
	// DeleteSchedule removes a schedule with its firings.
	DeleteSchedule(ctx context.Context, name string) error
	// Schedule returns one, or NotFound. In a transaction the row is locked
	// until its end.
	Schedule(ctx context.Context, name string) (Schedule, error)
	// Schedules returns all in the order of their names.
	Schedules(ctx context.Context) ([]Schedule, error)
	// InsertFiring fails with Conflict when there is one of the schedule and the
	// local time already.
	InsertFiring(ctx context.Context, f Firing) error
	// Firing returns the one of a local time, or NotFound.
	Firing(ctx context.Context, schedule, local string) (Firing, error)
	// Firings returns at most limit, newest first.
	Firings(ctx context.Context, schedule string, limit int) ([]Firing, error)
	// DeleteFirings removes all of a schedule but the newest.
	DeleteFirings(ctx context.Context, schedule string, newest int) error
}

// New says what schedule to make.
type New struct {
	Name         string
	Cron         string // or At and Weekdays
	At           string // "19:00"
	Weekdays     string // "mon-fri"; empty: every day
	Zone         string // empty: the portal's
	StateMachine string
	Input        json.RawMessage // nil: {}
	Grace        time.Duration   // 0: DefaultGrace
	Paused       bool
}

// Change says what to change of a schedule; nil leaves it as it is.
type Change struct {
	Cron, At, Weekdays, Zone *string
	StateMachine             *string
	Input                    json.RawMessage
	Grace                    *time.Duration
	Paused                   *bool
}

// The bounds of a schedule's grace, and what it is when nothing is said.
const (
	DefaultGrace = time.Hour
	MaxGrace     = 7 * 24 * time.Hour
)
