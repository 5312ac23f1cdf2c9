package instance

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	iap "github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/catalog"
	"github.com/internal-app-portal/iap/workflow"
)

// hostNameTries bounds how often a host name that is taken is drawn again;
// with 2²⁸ of them one is already rare.
const hostNameTries = 10

func (s *Service) deploy(ctx context.Context, actor iap.Actor, req DeployRequest, t Terms) (Instance, bool, error) {
	const op = "instance.Deploy"
	v, err := s.version(ctx, req, t)
	if err != nil {
		return Instance{}, false, err
	}
	params, _, err := v.Manifest.Resolve(req.Parameters)
	if err = errors.Join(err, checkFor(req.For, v.Manifest)); err != nil {
		return Instance{}, false, err
	}
	if req.For > 0 {
		v.Manifest.TimeLimit = catalog.Duration(req.For)
	}
	machine, err := s.Workflow.PutStateMachine(ctx, LifecycleName, LifecycleDefinition, s.Now())
	if err != nil {
		return Instance{}, false, err
	}
	for range hostNameTries {
		i, created, err := s.insert(ctx, actor, v, params, machine, t)
		if !iap.IsKind(err, iap.Conflict) || errors.Is(err, errEnding) {
			return i, created, err
		}
		// Somebody was quicker with the same host name, or the same click came
		// twice: then the next round finds the other one.
	}
	return Instance{}, false, iap.Errorf(op, iap.Unavailable, "no free host name was found for %q; try again", req.App)
}

// checkFor refuses a time limit that the app does not allow.
func checkFor(d time.Duration, m catalog.Manifest) error {
	const op, least = "instance.Deploy", time.Minute
	most := m.LongestTime()
	switch {
	case d == 0 || d >= least && d <= most.Std():
		return nil
	case d < least:
		return iap.FieldErrorf(op, "for", "%s is not possible; want 1m to %s", catalog.Duration(d), most)
	}
	return iap.FieldErrorf(op, "for", "%s is longer than an instance of %s may run, which is %s", catalog.Duration(d), m.Slug, most)
}

// ParseFor reads a time limit as people write it: "2h", "90m"; empty: 0, which is
// the app's own. The error is Invalid and names the field "for".
func ParseFor(text string) (time.Duration, error) {
	text = strings.TrimSpace(text)
	if text == "" {
		return 0, nil
	}
	d, err := catalog.ParseDuration(text)
	if err == nil && d == 0 {
		err = fmt.Errorf("%q is no length of time; want 1m or more", clip(text))
	}
	if err != nil {
		return 0, iap.FieldErrorf("instance.Deploy", "for", "%w", err)
	}
	return d.Std(), nil
}

// version returns the version to deploy.
func (s *Service) version(ctx context.Context, req DeployRequest, t Terms) (catalog.Version, error) {
	const op = "instance.Deploy"
	if req.App == "" {
		return catalog.Version{}, iap.FieldErrorf(op, "app", "it is missing; name an app of the catalogue")
	}
	if t.Purpose == ForCertification {
		return s.Catalog.Version(ctx, req.App, req.Version)
	}
	app, err := s.Catalog.Deployable(ctx, req.App)
	if err != nil {
		return catalog.Version{}, err
	}
	if req.Version == 0 || req.Version == app.Latest {
		return app.Version, nil
	}
	if newest := max(app.Newest, app.Latest); req.Version < 0 || req.Version > newest {
		return catalog.Version{}, iap.FieldErrorf(op, "version", "%q has no version %d; the newest is %d", app.Slug, req.Version, newest)
	}
	v, err := s.Catalog.Version(ctx, app.Slug, req.Version)
	if c := v.Certification; err == nil && c.State == catalog.CertFailed {
		return v, iap.Errorf(op, iap.Conflict, "version %d of %s did not pass its certification; it failed at %s: %s", v.Number, v.App, c.Step, c.Reason)
	}
	return v, err
}

// insert makes the instance, its execution and the first job in one commit,
// unless the actor has a live one.
func (s *Service) insert(ctx context.Context, actor iap.Actor, v catalog.Version, params map[string]any, machine string, t Terms) (out Instance, created bool, err error) {
	network := ""
	err = s.Tx.Update(ctx, func(ctx context.Context) error {
		created = false
		live, err := s.Store.LiveInstance(ctx, actor.ID, v.App)
		switch {
		case err == nil:
			out = live
			return s.refuseEnding(live)
		case !iap.IsKind(err, iap.NotFound):
			return err
		}
		if t.Purpose != ForCertification {
			if err := s.checkLimits(ctx, actor, v.Manifest); err != nil {
				return err
			}
		}
		now := s.Now()
		out = Instance{ID: iap.NewID(now), App: v.App, Version: v.Number, Owner: actor.ID,
			HostName: s.HostName(v.App), Status: Queued, Parameters: s.seal(v.Manifest, params), CreatedAt: now,
			TimeLimitAt: now.Add(v.Manifest.TimeLimit.Std()), IdleLimit: v.Manifest.IdleLimit.Std(), WarningBar: v.Manifest.WarningBar,
			Price: s.Rates.Of(v.Manifest)}
		if network == "" && v.NetworkOfPortal() {
			network = s.spareNetwork.take()
		}
		out.Execution, out.Network = out.ID, network
		t.apply(&out, actor.ID)
		created = true
		begin := ""
		if !v.Deployable() && t.Purpose != ForCertification {
			begin, out.Waiting = beginCertified, fmt.Sprintf("the certification of version %d", v.Number)
		}
		return s.begin(ctx, out, machine, begin)
	})
	if (err != nil || !created) && !takenNetwork(err) {
		s.spareNetwork.free(network)
	}
	if err != nil {
		return Instance{}, false, err
	}
	if created {
		out, err = s.Store.Instance(ctx, out.ID)
	}
	return out, created, err
}

// takenNetwork reports whether a network is that of another instance.
func takenNetwork(err error) bool {
	var e *iap.Error
	return errors.As(err, &e) && e.Kind == iap.Conflict && e.Field == "network"
}

func (s *Service) begin(ctx context.Context, i Instance, machine, begin string) error {
	if err := s.Store.InsertInstance(ctx, i); err != nil {
		return err
	}
	e, err := s.event(ctx, i)
	if err != nil {
		return err
	}
	if err := s.Log.Append(ctx, e); err != nil {
		return err
	}
	in, err := inputOf(i, begin)
	if err != nil {
		return err
	}
	_, err = s.Workflow.StartExecution(ctx, workflow.StartRequest{ID: i.Execution, StateMachine: machine, Input: in, Owner: i.Owner})
	return err
}

// refuseEnding: an instance on its way out is not handed to somebody who wants
// to use the app.
func (s *Service) refuseEnding(i Instance) error {
	if i.Status != Destroying && i.EndedBy == "" {
		return nil
	}
	return &iap.Error{Op: "instance.Deploy", Kind: iap.Conflict, RetryAfter: 2 * time.Second, Err: errEnding}
}
