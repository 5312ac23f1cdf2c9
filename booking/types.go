package booking

import (
	"context"
	"time"
)

// Status is where a booking is.
type Status string

// The statuses of a booking. The last three end it.
const (
	Booked    Status = "booked"
	Deploying Status = "deploying"
	Ready     Status = "ready" // it runs; its window has not begun
	Open      Status = "open"
	Ended     Status = "ended"
	Cancelled Status = "cancelled"
	Failed    Status = "failed" // there was nothing to open in the whole window
)

// Over reports whether the booking has ended.
func (s Status) Over() bool { return s == Ended || s == Cancelled || s == Failed }

// Overlap says what to do with an instance of the app that the owner has when
// the booked one is to be deployed: a person has one instance of an app at most.
type Overlap string

// What there is to choose. Not chosen is refused where there is such an instance
// already, and Use where one is deployed later.
const (
	NotChosen Overlap = ""
	Use       Overlap = "use"     // it becomes the booking's and lives up to its end
	Replace   Overlap = "replace" // it is destroyed, and a new one deployed
)

// Booking is an instance for a time window.
type Booking struct {
	ID         string
	App        string
	Version    int
	Owner      string
	Title      string // "Todo for J. Doe"
	For        string // for whom it is; may be empty
	From, To   time.Time
	DeployAt   time.Time      // when the deploy begins
	RetryAt    time.Time      // zero, or when it is tried again
	Attempts   int            // deploys that have failed
	Overlap    Overlap        //
	Parameters map[string]any // secret ones as stored text; see catalog.Parameter
	Status     Status
	Instance   string // ID; empty: there is none yet
	Reason     string // why the last deploy failed, or what it waits for
	Execution  string
	Sequence   int // counts the moves of the window, for calendars
	CreatedAt  time.Time
	UpdatedAt  time.Time
	EndedAt    time.Time // zero: it has not ended
	EndedBy    string    // actor's ID
	Changed    int64     // counts the changes of this row
}

// Filter chooses bookings; empty fields choose all.
type Filter struct {
	Owner  string
	App    string
	Live   bool   // those alone that have not ended
	Before string // an ID: older ones alone
	Limit  int    // at most 500; 0: 100
}

// Store keeps bookings. Everything but reading takes part in the transaction of
// ctx.
type Store interface {
	InsertBooking(ctx context.Context, b Booking) error
	// UpdateBooking writes the row when its stored Changed is b.Changed and adds
	// one to it; else Conflict.
	UpdateBooking(ctx context.Context, b Booking) error
	// Booking returns one, or NotFound. In a transaction the row is locked until
	// its end.
	Booking(ctx context.Context, id string) (Booking, error)
	// Bookings returns those that f chooses, newest first.
	Bookings(ctx context.Context, f Filter) ([]Booking, error)
	// LockDeploys keeps other transactions that call it waiting until the end of
	// this one.
	LockDeploys(ctx context.Context) error
}

// New says what to book.
type New struct {
	App        string
	Title      string // empty: made of the app's name and For
	For        string
	From, To   time.Time
	Overlap    Overlap
	Parameters map[string]any // by name, as text or as JSON values
}

// Change says what to change of a booking; nil leaves it as it is.
type Change struct {
	From, To   *time.Time
	Title, For *string
	Overlap    *Overlap
}

// Snapshot is the data of an event of a booking.
type Snapshot struct {
	ID       string    `json:"id"`
	App      string    `json:"app"`
	Version  int       `json:"version"`
	Owner    string    `json:"owner"`
	Title    string    `json:"title"`
	For      string    `json:"for,omitempty"`
	From     time.Time `json:"from"`
	To       time.Time `json:"to"`
	Status   Status    `json:"status"`
	Instance string    `json:"instance,omitempty"`
	Attempts int       `json:"attempts,omitempty"`
	RetryAt  time.Time `json:"retry_at,omitzero"`
	Reason   string    `json:"reason,omitempty"`
	EndedAt  time.Time `json:"ended_at,omitzero"`
	EndedBy  string    `json:"ended_by,omitempty"`
}

// Snapshot returns the public fields of b.
func (b Booking) Snapshot() Snapshot {
	return Snapshot{ID: b.ID, App: b.App, Version: b.Version, Owner: b.Owner, Title: b.Title, For: b.For, From: b.From, To: b.To,
		Status: b.Status, Instance: b.Instance, Attempts: b.Attempts, RetryAt: b.RetryAt, Reason: b.Reason, EndedAt: b.EndedAt, EndedBy: b.EndedBy}
}
