// Package event is the portal's one numbered log of what happened, as
// CloudEvents 1.0, and the way in memory by which all who follow it are told.
package event

import (
	"context"
	"encoding/json"
	"time"
)

// Event is one entry of the log: a CloudEvents 1.0 event with two extension
// attributes by which readers choose. Events are never changed.
type Event struct {
	Number  int64           // position in the log: 1, 2, 3, … without gaps, in the order of commits
	ID      string          // CloudEvents id; unique with Source
	Source  string          // CloudEvents source: "/instances", "/jobs", "/apps"
	Type    string          // CloudEvents type, one of the constants below
	Subject string          // CloudEvents subject: the ID of what changed
	Time    time.Time       // when it happened
	Owner   string          // extension iapowner: the person it concerns; empty: all
	Group   string          // extension iapgroup: the instance it belongs to, where there is one
	Data    json.RawMessage // JSON object, by Type
	// Extensions are further attributes, dataschema among them, as a JSON object of
	// texts, numbers, and true or false; empty: there are none.
	Extensions json.RawMessage
}

// AdminsOnly is the Owner of events that concern nobody but admins.
const AdminsOnly = "-"

// How many events of a group are read at most: those of its beginning, and the
// newest.
const (
	FirstOf = 100
	LastOf  = 400
)

// Cut reports whether events, as EventsOf returned them, may lack some between
// the first FirstOf and the last LastOf.
func Cut(events []Event) bool { return len(events) >= FirstOf+LastOf }

// The types of events.
const (
	InstanceChanged  = "iap.instance.changed"    // data: instance.Snapshot
	JobChanged       = "iap.job.changed"         // data: job.Snapshot
	ExecutionChanged = "iap.execution.changed"   // data: id, status
	MapRunChanged    = "iap.map_run.changed"     // data: id, execution, status
	AppChanged       = "iap.app.changed"         // data: slug, version, retired
	AppCertification = "iap.app.certification"   // data: catalog.Certified
	LeakFound        = "iap.leak.found"          // data: leak.Found
	LeakGone         = "iap.leak.gone"           // data: leak.Gone
	LockReleased     = "iap.state.lock_released" // data: job, lock id, reason
	RuleChanged      = "iap.rule.changed"        // data: delivery.Change
	TargetChanged    = "iap.target.changed"      // data: delivery.Change
	DeliveryDead     = "iap.delivery.dead"       // data: delivery.DeadLetter
	RedriveChanged   = "iap.redrive.changed"     // data: delivery.RedriveTold
	MessageRefused   = "iap.message.refused"     // data: intake.Refused
	Test             = "iap.test"                // data: target, by; sent to a target by hand, never in the log
)

// Store keeps the log.
type Store interface {
	// AppendEvents adds events to the log in the transaction of ctx and sets
	// their numbers at commit. Called outside a transaction it makes one.
	AppendEvents(ctx context.Context, events ...*Event) error
	// EventsAfter returns at most limit events with numbers above after, in
	// order.
	EventsAfter(ctx context.Context, after int64, limit int) ([]Event, error)
	// EventsOf returns the events of one group in order: where there are more
	// than FirstOf + LastOf, the first FirstOf and the last LastOf of them.
	EventsOf(ctx context.Context, group string) ([]Event, error)
	// LastEventNumber returns the number of the newest event, 0 when there is
	// none.
	LastEventNumber(ctx context.Context) (int64, error)
}
