package instance

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/internal-app-portal/iap/catalog"
	"github.com/internal-app-portal/iap/workflow"
)

const (
	errorCertified    = "Instance.Certified"
	errorNotCertified = "Instance.NotCertified"
)

// taskCertified begins the wait for the certification of an instance's version.
// One that has come to something meanwhile is not waited for.
func (s *Service) taskCertified(ctx context.Context, c workflow.Call) (json.RawMessage, error) {
	a, err := s.read(ctx, c)
	if err != nil {
		return nil, err
	}
	if err := s.Store.LockDeploys(ctx); err != nil {
		return nil, err
	}
	i, err := s.Store.Instance(ctx, a.Instance)
	if err != nil {
		return nil, err
	}
	v, err := s.Catalog.Version(ctx, i.App, i.Version)
	switch {
	case err != nil:
		return nil, err
	case v.Deployable():
		return nil, workflow.FailTask(errorCertified, "Its version has passed its certification.")
	case v.Certification.State == catalog.CertFailed:
		return nil, workflow.FailTask(errorNotCertified, "%s", notCertified(v))
	}
	return result(struct{}{}, nil)
}

func notCertified(v catalog.Version) string {
	return fmt.Sprintf("Version %d did not pass its certification; it failed at %s: %s", v.Number, v.Certification.Step, v.Certification.Reason)
}

// CertificationEnded is to be called in the transaction in which the
// certification of a version comes to something: instances that wait for it go
// on, or fail with its reason.
func (s *Service) CertificationEnded(ctx context.Context, v catalog.Version) error {
	if err := s.Store.LockDeploys(ctx); err != nil {
		return err
	}
	live, err := s.Store.LiveInstances(ctx)
	if err != nil {
		return err
	}
	for _, i := range live {
		if i.App != v.App || i.Version != v.Number || i.Status != Queued || i.Purpose == ForCertification {
			continue
		}
		if err := s.certificationEnded(ctx, i, v); err != nil {
			return err
		}
	}
	return nil
}

func (s *Service) certificationEnded(ctx context.Context, i Instance, v catalog.Version) error {
	awaits, err := s.Workflow.Awaits(ctx, i.Execution)
	if err != nil {
		return err
	}
	for _, w := range awaits {
		if w.Resource.Service+":"+w.Resource.API != "instance:certified" {
			continue
		}
		_, err := s.change(ctx, i.ID, func(i *Instance) (bool, error) {
			changed := i.Waiting != ""
			i.Waiting = ""
			return changed, nil
		})
		if err == nil && v.Deployable() {
			err = s.Workflow.Succeed(ctx, w.Token, struct{}{})
		} else if err == nil {
			err = s.Workflow.Fail(ctx, w.Token, errorNotCertified, notCertified(v))
		}
		if err != nil && !errors.Is(err, workflow.ErrStale) {
			return err
		}
	}
	return nil
}
