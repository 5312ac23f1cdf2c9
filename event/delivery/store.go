package delivery

import (
	"context"
	"time"
)

// Store keeps rules, targets and deliveries. Each method takes part in the
// transaction of ctx where there is one.
type Store interface {
	RuleStore
	LaneStore
	LetterStore
}

// RuleStore keeps rules and targets and the place up to which rules were
// applied.
type RuleStore interface {
	Rules(ctx context.Context) ([]Rule, error) // by name
	PutRule(ctx context.Context, r Rule) error
	DeleteRule(ctx context.Context, name string) error
	Targets(ctx context.Context) ([]Target, error) // by name
	PutTarget(ctx context.Context, t Target) error
	// DeleteTarget removes a target and drops what was not delivered.
	DeleteTarget(ctx context.Context, name, reason string, now time.Time) error
	LastEventNumber(ctx context.Context) (int64, error)
	// Matched returns the number of the last event that was matched.
	Matched(ctx context.Context) (int64, error)
	// Match moves on from the event from to the event to and adds deliveries.
	// Conflict when the place is not from.
	Match(ctx context.Context, from, to int64, ds []Delivery) error
}

// LaneStore is what a lane works with.
type LaneStore interface {
	// HoldLane takes or keeps the lane of a target until a time; false when
	// another process that lives holds it. Conflict when the database has lost
	// sight of owner: take another name.
	HoldLane(ctx context.Context, target, owner string, now, until time.Time) (bool, error)
	// LeaveLanes gives up all lanes of owner.
	LeaveLanes(ctx context.Context, owner string) error
	// DueDeliveries returns at most limit waiting deliveries of a target whose
	// time has come, the longest due first, with their events; Behind is told of
	// an ordered target alone.
	DueDeliveries(ctx context.Context, t Target, now time.Time, limit int) ([]Due, error)
	// NextDelivery returns when the next delivery of a target is due; false when
	// none waits.
	NextDelivery(ctx context.Context, target string) (time.Time, bool, error)
	// Park has the waiting deliveries of a subject wait for the first of them, and
	// returns how many did not before.
	Park(ctx context.Context, target, subject string) (int, error)
	// Unpark has the first waiting delivery of a subject be due, if it is parked.
	Unpark(ctx context.Context, target, subject string, now time.Time) error
	// WriteAttempt writes d and the attempt that it is after. Conflict when the
	// delivery is not waiting for this attempt.
	WriteAttempt(ctx context.Context, d Delivery, a Attempt) error
	// NoteLane keeps how an attempt at a time went, and how many in a row have
	// failed by then; failure is empty when it did well.
	NoteLane(ctx context.Context, target string, at time.Time, failure string, failures int) error
	// Hurry has all deliveries of a target that wait for another attempt be due.
	Hurry(ctx context.Context, target string, now time.Time) error
}

// LetterStore reads deliveries, and changes those that are dead.
type LetterStore interface {
	Deliveries(ctx context.Context, f Filter) ([]Delivery, error)
	// Attempts returns the attempts at a delivery in their order.
	Attempts(ctx context.Context, number int64, target string) ([]Attempt, error)
	// PutRedrive keeps a redrive that has begun, or how far it is.
	PutRedrive(ctx context.Context, r Redrive) error
	// Redrives returns the redrives whose end was not told yet.
	Redrives(ctx context.Context) ([]Redrive, error)
	// HoldRedrive returns one of them, which nobody else changes until the
	// transaction of ctx has ended. NotFound when its end was told.
	HoldRedrive(ctx context.Context, id string) (Redrive, error)
	// EndRedrive forgets a redrive; its letters still bear its ID.
	EndRedrive(ctx context.Context, id string) error
	// RedriveNext has dead letters wait again that are part of r and that it has
	// not had wait before: the limit with the lowest numbers. It returns how many
	// they are.
	RedriveNext(ctx context.Context, r Redrive, now time.Time, limit int) (int, error)
	// RedriveOne has one dead letter wait again; Conflict when it is not dead.
	RedriveOne(ctx context.Context, number int64, target, id string, now time.Time) error
	RedriveProgress(ctx context.Context, id string) (Progress, error)
	// Drop gives a dead letter up for good; Conflict when it is not dead.
	Drop(ctx context.Context, number int64, target, reason string, now time.Time) error
	// Health returns the health of targets by their names.
	Health(ctx context.Context) (map[string]Health, error)
}
