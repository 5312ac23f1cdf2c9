package instance

import (
	"context"
	"fmt"
	"strings"

	iap "github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/catalog"
)

// Limits are how many instances may live at once; 0: any number. Those of one
// app are in its manifest.
type Limits struct {
	Person int // of one person
	Portal int // of all
}

// LimitError is the cause of an error of kind Limit: which limit is reached, and
// what of the actor's own could be destroyed to get below it.
type LimitError struct {
	Limit  string // "person", "app" or "portal"
	App    string // of the limit "app"
	Most   int
	Own    []Instance // the actor's that count
	Others int        // of other people
}

// Error says which limit is reached, who holds what, and what to do.
func (e *LimitError) Error() string {
	var b strings.Builder
	switch e.Limit {
	case "person":
		fmt.Fprintf(&b, "you have %s, which is the most for one person", count(e.Most))
	case "app":
		fmt.Fprintf(&b, "there are %s of %s, which is the most", count(e.Most), e.App)
	default:
		fmt.Fprintf(&b, "there are %s in the portal, which is the most", count(e.Most))
	}
	var own []string
	for _, i := range e.Own {
		own = append(own, i.HostName)
	}
	switch {
	case len(own) > 0 && e.Others > 0:
		fmt.Fprintf(&b, ": yours are %s, %d other people's; destroy one of yours, or try again later", strings.Join(own, ", "), e.Others)
	case len(own) > 0:
		fmt.Fprintf(&b, ": %s; destroy one of them first", strings.Join(own, ", "))
	default:
		fmt.Fprintf(&b, ", all of other people; try again later")
	}
	return b.String()
}

func count(n int) string {
	if n == 1 {
		return "1 instance"
	}
	return fmt.Sprintf("%d instances", n)
}

// checkLimits refuses an instance that would be one too many. Within the
// transaction no other deploy passes this point.
func (s *Service) checkLimits(ctx context.Context, actor iap.Actor, m catalog.Manifest) error {
	if s.Limits.Person == 0 && s.Limits.Portal == 0 && m.Instances == 0 {
		return nil
	}
	if err := s.Store.LockDeploys(ctx); err != nil {
		return err
	}
	live, err := s.Store.LiveInstances(ctx)
	if err != nil {
		return err
	}
	checks := []struct {
		limit  string
		most   int
		counts func(Instance) bool
	}{
		{"person", s.Limits.Person, func(i Instance) bool { return i.Owner == actor.ID }},
		{"app", m.Instances, func(i Instance) bool { return i.App == m.Slug }},
		{"portal", s.Limits.Portal, func(Instance) bool { return true }},
	}
	for _, c := range checks {
		e := &LimitError{Limit: c.limit, App: m.Slug, Most: c.most}
		for _, i := range live {
			switch {
			case !c.counts(i) || i.Purpose == ForCertification:
			case i.Owner == actor.ID:
				e.Own = append(e.Own, i)
			default:
				e.Others++
			}
		}
		if c.most > 0 && len(e.Own)+e.Others >= c.most {
			return iap.E("instance.Deploy", iap.Limit, e)
		}
	}
	return nil
}
