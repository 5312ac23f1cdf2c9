// Package leak finds what is left behind: resources on the platform that carry
// the label of an instance which has ended. Each is kept as a Leak from when it
// was first seen until it is gone, told by events, and removed after a grace
// where the portal itself made it. What carries no label of this portal is never
// looked at.
package leak

import (
	"context"
	"time"

	"github.com/internal-app-portal/iap/instance"
)

// Leak is a resource that outlived its instance.
type Leak struct {
	ID       string            `json:"id"`
	Resource instance.Resource `json:"resource"`
	Instance string            `json:"instance"`        // ID by its label
	HostName string            `json:"host_name"`       // by its label
	App      string            `json:"app,omitempty"`   // by its label
	Owner    string            `json:"owner,omitempty"` // ID of a person, by its label
	Price    instance.Price    `json:"price,omitzero"`  // of its instance, where the portal knows it
	// Made says that the portal knows the instance, with this host name: it made
	// the resource, and removes it. Else somebody labelled it by hand, or the
	// database is older than the resource; then it is reported alone.
	Made bool `json:"made"`
	// Retried says that the instance's own lifecycle goes on trying to destroy it.
	Retried  bool      `json:"retried,omitempty"`
	Since    time.Time `json:"since,omitzero"` // when its instance ended; else when it was made, where the platform tells; else FoundAt
	FoundAt  time.Time `json:"found_at,omitzero"`
	SeenAt   time.Time `json:"seen_at,omitzero"`   // the last time
	RemoveAt time.Time `json:"remove_at,omitzero"` // when the portal removes it by itself; zero: it does not
	Tries    int       `json:"tries,omitempty"`    // removals that did not help
	Problem  string    `json:"problem,omitempty"`  // why the last one did not
	GoneAt   time.Time `json:"gone_at,omitzero"`   // zero: it is there
	GoneBy   string    `json:"gone_by,omitempty"`  // ID of who had it removed: the portal or an admin; empty: somebody else removed it
}

// Gone reports whether the resource is not there any more.
func (l Leak) Gone() bool { return !l.GoneAt.IsZero() }

// Cost is what it has cost since it is a leak, in the portal's currency, as if its
// whole instance still ran: it is not more.
func (l Leak) Cost(now time.Time) float64 {
	if l.Gone() {
		now = l.GoneAt
	}
	return l.Price.Of(max(0, now.Sub(l.Since).Hours())).Cost
}

// Advice says what becomes of a leak, or what to do about it.
func (l Leak) Advice() string {
	switch {
	case l.Gone():
		return ""
	case l.Retried:
		return "Its instance is destroyed again by itself; look at its page for what resists."
	case l.Made:
		return "The portal removes it by itself; remove it now if it is in the way."
	}
	return "The portal does not know its instance and leaves it alone. Find out who made it; remove it if nobody needs it."
}

// Filter chooses leaks.
type Filter struct {
	Gone   bool   // those that are gone as well
	Before string // ID; older ones alone
	Limit  int    // at most so many
}

// Store keeps leaks. Everything but reading takes part in the transaction of ctx.
type Store interface {
	// PutLeak inserts a leak or replaces the one of its ID.
	PutLeak(ctx context.Context, l Leak) error
	// Leak returns one, or NotFound. In a transaction the row is locked until
	// its end.
	Leak(ctx context.Context, id string) (Leak, error)
	// Leaks returns leaks, newest first.
	Leaks(ctx context.Context, f Filter) ([]Leak, error)
	// LockLeaks keeps other transactions that call it waiting until the end of
	// this one.
	LockLeaks(ctx context.Context) error
	// Instance returns an instance, or NotFound.
	Instance(ctx context.Context, id string) (instance.Instance, error)
}

// Platform is where instances run. Its errors are Unavailable when it does not
// answer.
type Platform interface {
	// Resources lists what carries the portal's label and, when instance is not
	// empty, the instance's.
	Resources(ctx context.Context, portal, instance string) ([]instance.Resource, error)
	// Remove deletes a resource by force; removing what is gone is harmless.
	Remove(ctx context.Context, r instance.Resource) error
}
