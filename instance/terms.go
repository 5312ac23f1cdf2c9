package instance

import (
	"context"
	"time"

	iap "github.com/internal-app-portal/iap"
)

// Purpose is what the portal itself made an instance for.
type Purpose string

// The purposes of an instance.
const (
	ForPerson  Purpose = "" // somebody deployed it
	ForBooking Purpose = "booking"
	// ForCertification: the portal's own, to try a new version; KeptBy is its
	// publisher.
	ForCertification Purpose = "certification"
)

// Terms are what a purpose asks of an instance.
type Terms struct {
	Purpose   Purpose
	PurposeID string    // the booking's ID, or "app/version" of a certification
	OpensAt   time.Time // its URL leads to the app from then on; zero: as soon as it runs
	EndsAt    time.Time // zero: when the app's time limit is over
	For       string    // whose it is, where that is not who owns it
	Reason    string    // why the sweep spares it up to EndsAt; empty: it does not
}

func (t Terms) apply(i *Instance, by string) {
	if i.Purpose == ForBooking {
		i.KeepUntil, i.KeepReason, i.KeptBy = time.Time{}, "", ""
	}
	i.Purpose, i.PurposeID, i.OpensAt = t.Purpose, t.PurposeID, t.OpensAt
	if t.EndsAt.IsZero() {
		return
	}
	i.TimeLimitAt = t.EndsAt
	if t.For != "" {
		by = t.For
	}
	if t.Reason != "" {
		i.KeepUntil, i.KeepReason, i.KeptBy = t.EndsAt, t.Reason, by
	}
}

// DeployFor is Deploy on terms, for a part of the portal that acts for owner.
// The live instance that is returned with created false may be another one: its
// PurposeID says.
func (s *Service) DeployFor(ctx context.Context, owner iap.Actor, req DeployRequest, t Terms) (i Instance, created bool, err error) {
	return s.deploy(ctx, owner, req, t)
}

// SetTerms puts other terms on an instance that has not ended. Errors: NotFound,
// Conflict (it is on its way out, or its end cannot be moved).
func (s *Service) SetTerms(ctx context.Context, id string, t Terms) (Instance, error) {
	return s.move(ctx, id, func(i *Instance) error {
		if i.Status.Ended() || i.Status == Destroying || i.EndedBy != "" {
			return iap.Errorf("instance.SetTerms", iap.Conflict, "%s is being destroyed or gone", i.HostName)
		}
		t.apply(i, i.Owner)
		return nil
	})
}

// DestroyFor is Destroy with another reason than that actor did it.
func (s *Service) DestroyFor(ctx context.Context, actor iap.Actor, id, reason string) (Instance, error) {
	return s.destroy(ctx, actor, id, reason)
}

// Live returns the instance of an app that a person has, or NotFound.
func (s *Service) Live(ctx context.Context, owner, app string) (Instance, error) {
	return s.Store.LiveInstance(ctx, owner, app)
}

// SealParameters checks parameters against a version and returns them as they
// are kept: secret ones sealed. Errors: Invalid, with the field.
func (s *Service) SealParameters(ctx context.Context, app string, version int, given map[string]any) (map[string]any, error) {
	v, err := s.Catalog.Version(ctx, app, version)
	if err != nil {
		return nil, err
	}
	params, _, err := v.Manifest.Resolve(given)
	if err != nil {
		return nil, err
	}
	return s.seal(v.Manifest, params), nil
}

// OpenParameters takes SealParameters back.
func (s *Service) OpenParameters(ctx context.Context, app string, version int, kept map[string]any) (map[string]any, error) {
	v, err := s.Catalog.Version(ctx, app, version)
	if err != nil {
		return nil, err
	}
	return s.open(v.Manifest, kept)
}
