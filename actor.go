package iap

import "context"

// Role is what a person may do; each role may do all that those before it may.
type Role string

// The roles of signed-in people.
const (
	Member    Role = "member"    // deploys apps
	Publisher Role = "publisher" // puts apps into the catalogue
	Admin     Role = "admin"     // runs the portal
)

var roleRank = map[Role]int{Member: 1, Publisher: 2, Admin: 3}

// Includes reports whether a person of role r may do what role other may.
func (r Role) Includes(other Role) bool { return roleRank[r] >= roleRank[other] && roleRank[r] > 0 }

// Valid reports whether r is a role that exists.
func (r Role) Valid() bool { return roleRank[r] > 0 }

// Actor is who asks for something: a person, or a part of the portal.
type Actor struct {
	ID   string // the stable name of the person: an e-mail address, or "local-admin"
	Name string // as shown to others
	Role Role
}

// System is the actor of what the portal does by itself.
var System = Actor{ID: "portal", Name: "the portal", Role: Admin}

type actorKey struct{}

// WithActor returns a context that carries a.
func WithActor(ctx context.Context, a Actor) context.Context {
	return context.WithValue(ctx, actorKey{}, a)
}

// ActorFrom returns the actor that ctx carries; ok is false when nobody is
// signed in.
func ActorFrom(ctx context.Context) (a Actor, ok bool) {
	a, ok = ctx.Value(actorKey{}).(Actor)
	return a, ok
}
