package catalog

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"time"

	"github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/event"
)

// CertificationState is whether people can have a version.
type CertificationState string

// The states of a certification. People can have what has passed or was skipped;
// none at all means that the portal certifies no versions.
const (
	CertWaiting CertificationState = "waiting"
	CertRunning CertificationState = "running"
	CertPassed  CertificationState = "passed"
	CertFailed  CertificationState = "failed"
	CertSkipped CertificationState = "skipped"
)

// Done reports whether the certification has come to something.
func (s CertificationState) Done() bool { return s != CertWaiting && s != CertRunning }

// Certification is what is known of a version's certification.
type Certification struct {
	State     CertificationState `json:"state"`
	At        time.Time          `json:"at,omitzero"`
	By        string             `json:"by,omitempty"`     // who skipped it, or had it tried again
	Step      string             `json:"step,omitempty"`   // at which it failed
	Reason    string             `json:"reason,omitempty"` // why it failed, or was skipped
	Instance  string             `json:"instance,omitempty"`
	Job       string             `json:"job,omitempty"` // whose log tells more
	Execution string             `json:"execution,omitempty"`
}

// Deployable reports whether people can have the version.
func (v Version) Deployable() bool {
	return v.Certification.State.Done() && v.Certification.State != CertFailed
}

// Certifier begins the certification of a version in the transaction of ctx and
// returns the execution that does it.
type Certifier func(ctx context.Context, v Version) (execution string, err error)

// Certified is the data of an event.AppCertification.
type Certified struct {
	Slug    string `json:"slug"`
	Version int    `json:"version"`
	Certification
}

// begin says how the certification of a new version begins: it waits, unless it
// is skipped or there is none.
func (s *Service) begin(v *Version, actor iap.Actor, skip bool) {
	switch {
	case skip && actor == iap.System:
		v.Certification = Certification{State: CertSkipped, At: v.CreatedAt, By: actor.ID, Reason: "seeded by --dev"}
	case skip:
		v.Certification = Certification{State: CertSkipped, At: v.CreatedAt, By: actor.ID, Reason: "skipped when it was added"}
	case s.cfg.Certify != nil:
		v.Certification = Certification{State: CertWaiting, At: v.CreatedAt}
	}
}

// certify starts the certification of a version that waits for it.
func (s *Service) certify(ctx context.Context, v *Version) error {
	if v.Certification.State != CertWaiting {
		return nil
	}
	var err error
	if v.Certification.Execution, err = s.cfg.Certify(ctx, *v); err != nil {
		return err
	}
	return s.cfg.Store.SetCertification(ctx, v.App, v.Number, v.Certification)
}

// Certify has the certification of a version tried again; number 0 is the newest.
// It needs the role publisher. Errors: Forbidden, NotFound, Conflict (it goes on,
// or is not needed).
func (s *Service) Certify(ctx context.Context, actor iap.Actor, slug string, number int) (Version, error) {
	const op = "catalog.Certify"
	if err := mayPublish(op, actor, "have versions certified"); err != nil {
		return Version{}, err
	}
	return s.changeCertification(ctx, slug, number, func(ctx context.Context, v *Version) error {
		switch {
		case !v.Certification.State.Done():
			return iap.Errorf(op, iap.Conflict, "version %d of %s is being certified", v.Number, slug)
		case v.Certification.State == CertPassed:
			return iap.Errorf(op, iap.Conflict, "version %d of %s has passed its certification", v.Number, slug)
		case s.cfg.Certify == nil:
			return iap.Errorf(op, iap.Conflict, "this portal certifies no versions")
		}
		v.Certification = Certification{State: CertWaiting, By: actor.ID, At: s.cfg.Now()}
		var err error
		v.Certification.Execution, err = s.cfg.Certify(ctx, *v)
		return err
	})
}

// SkipCertification lets people have a version without one; number 0 is the
// newest. Who did it, and when, is kept. It needs the role admin.
func (s *Service) SkipCertification(ctx context.Context, actor iap.Actor, slug string, number int) (Version, error) {
	const op = "catalog.SkipCertification"
	if err := maySkip(op, actor); err != nil {
		return Version{}, err
	}
	return s.changeCertification(ctx, slug, number, func(_ context.Context, v *Version) error {
		if v.Deployable() {
			return nil
		}
		reason := "skipped while it went on"
		if v.Certification.State == CertFailed {
			reason = strings.TrimSuffix("skipped after it failed at "+v.Certification.Step+": "+v.Certification.Reason, ": ")
		}
		v.Certification = Certification{State: CertSkipped, At: s.cfg.Now(), By: actor.ID, Reason: reason,
			Instance: v.Certification.Instance, Job: v.Certification.Job}
		return nil
	})
}

func maySkip(op string, actor iap.Actor) error {
	if actor.Role.Includes(iap.Admin) {
		return nil
	}
	return iap.Errorf(op, iap.Forbidden, "only admins skip a certification")
}

// SetCertification keeps what became of a version's certification, with its
// event, in the transaction of ctx or its own. fn returns false to leave it.
func (s *Service) SetCertification(ctx context.Context, slug string, number int, fn func(c *Certification) bool) error {
	_, err := s.changeCertification(ctx, slug, number, func(_ context.Context, v *Version) error {
		if !fn(&v.Certification) {
			return errLeft
		}
		v.Certification.At = s.cfg.Now()
		return nil
	})
	return err
}

// errLeft leaves a certification as it is.
var errLeft = errors.New("nothing is to be changed")

// changeCertification changes the certification of a version, moves the app to
// the newest version that people can have, and tells of both.
func (s *Service) changeCertification(ctx context.Context, slug string, number int, fn func(ctx context.Context, v *Version) error) (v Version, err error) {
	app, err := s.Get(ctx, slug)
	if err != nil {
		return v, err
	}
	if number == 0 {
		number = app.Newest
	}
	err = s.cfg.Tx.Update(ctx, func(ctx context.Context) error {
		if v, err = s.Version(ctx, slug, number); err != nil {
			return err
		}
		switch err := fn(ctx, &v); {
		case errors.Is(err, errLeft):
			return nil
		case err != nil:
			return err
		}
		if err := s.cfg.Store.SetCertification(ctx, slug, number, v.Certification); err != nil {
			return err
		}
		if err := s.tellCertification(ctx, v); err != nil {
			return err
		}
		if s.cfg.Certified != nil && v.Certification.State.Done() {
			if err := s.cfg.Certified(ctx, v); err != nil {
				return err
			}
		}
		return s.promote(ctx, slug)
	})
	return v, err
}

// promote has people get the newest version that they can have.
func (s *Service) promote(ctx context.Context, slug string) error {
	app, err := s.Get(ctx, slug)
	if err != nil {
		return err
	}
	versions, err := s.cfg.Store.Versions(ctx, slug)
	if err != nil || len(versions) == 0 {
		return err
	}
	latest := versions[0].Number // of none that they can have, the newest is shown
	for _, v := range versions {
		if v.Deployable() {
			latest = v.Number
			break
		}
	}
	if latest != app.Latest {
		if err := s.cfg.Store.SetLatest(ctx, slug, latest, s.cfg.Now()); err != nil {
			return err
		}
	}
	return s.tell(ctx, Changed{Slug: slug, Version: latest, Retired: app.Retired})
}

func (s *Service) tellCertification(ctx context.Context, v Version) error {
	if v.Certification.State == "" {
		return nil
	}
	data, err := json.Marshal(Certified{Slug: v.App, Version: v.Number, Certification: v.Certification})
	if err != nil {
		return iap.E("catalog.tell", iap.Internal, err)
	}
	now := s.cfg.Now()
	return s.cfg.Events.Append(ctx, &event.Event{ID: iap.NewID(now), Source: "/apps", Type: event.AppCertification,
		Subject: v.App, Time: now, Owner: v.CreatedBy, Data: data})
}
