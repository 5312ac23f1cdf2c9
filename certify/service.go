package certify

import (
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	iap "github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/catalog"
	"github.com/internal-app-portal/iap/instance"
	"github.com/internal-app-portal/iap/job"
	"github.com/internal-app-portal/iap/workflow"
)

// Definition is the state machine of which every certification is one execution,
// in Amazon States Language.
//
//go:embed certification.asl.json
var Definition []byte

// MachineName is the name of that state machine.
const MachineName = "certification"

// longest bounds the life of an instance that certifies.
const longest = time.Hour

// Catalog is what certifications need of the catalogue; *catalog.Service is one.
type Catalog interface {
	Version(ctx context.Context, slug string, number int) (catalog.Version, error)
	SetCertification(ctx context.Context, slug string, number int, fn func(c *catalog.Certification) bool) error
}

// Instances is what certifications need of the instances.
type Instances interface {
	DeployFor(ctx context.Context, owner iap.Actor, req instance.DeployRequest, t instance.Terms) (instance.Instance, bool, error)
	Get(ctx context.Context, actor iap.Actor, ref string) (instance.Instance, error)
	DestroyFor(ctx context.Context, actor iap.Actor, id, reason string) (instance.Instance, error)
}

// Jobs is what certifications need of the jobs.
type Jobs interface {
	Of(ctx context.Context, instance string) ([]job.Job, error)
}

// Workflow is what certifications need of the engine.
type Workflow interface {
	PutStateMachine(ctx context.Context, name string, definition []byte, now time.Time) (string, error)
	StartExecution(ctx context.Context, r workflow.StartRequest) (workflow.Execution, error)
	Awaits(ctx context.Context, execution string) ([]workflow.Waiting, error)
	Succeed(ctx context.Context, token string, output any) error
	Fail(ctx context.Context, token, errorName, cause string) error
}

// Config is what a Service needs; every field is required.
type Config struct {
	Catalog   Catalog
	Instances Instances
	Jobs      Jobs
	Workflow  Workflow
	Now       func() time.Time
}

// Service certifies versions. It has no goroutines of its own.
type Service struct{ Config }

// NewService returns a Service.
func NewService(cfg Config) *Service { return &Service{Config: cfg} }

// input is the input of a certification's execution.
type input struct {
	App     string `json:"app"`
	Version int    `json:"version"`
}

// Begin is a catalog.Certifier.
func (s *Service) Begin(ctx context.Context, v catalog.Version) (string, error) {
	machine, err := s.Workflow.PutStateMachine(ctx, MachineName, Definition, s.Now())
	if err != nil {
		return "", err
	}
	in, err := json.Marshal(input{App: v.App, Version: v.Number})
	if err != nil {
		return "", err
	}
	// Its first step comes after this commit: it looks for itself at the version.
	x, err := s.Workflow.StartExecution(ctx, workflow.StartRequest{StateMachine: machine, Input: in, Owner: v.CreatedBy, Later: true})
	return x.ID, err
}

// purposeID names what an instance certifies.
func purposeID(v catalog.Version) string { return fmt.Sprintf("%s/%d", v.App, v.Number) }

// sample are values for the parameters that must be given and have no default.
func sample(m catalog.Manifest) map[string]any {
	out := map[string]any{}
	for _, p := range m.Parameters {
		if !p.Required || p.Default != nil {
			continue
		}
		switch {
		case len(p.Choices) > 0:
			out[p.Name] = p.Choices[0]
		case p.Type == "number" && p.Min != nil:
			out[p.Name] = *p.Min
		case p.Type == "number" && p.Max != nil:
			out[p.Name] = *p.Max
		case p.Type == "number":
			out[p.Name] = 1
		case p.Type == "boolean":
			out[p.Name] = false
		default:
			out[p.Name] = "certification"
		}
	}
	return out
}

// deploy makes the instance in the commit of the step that awaits it.
func (s *Service) deploy(ctx context.Context, v catalog.Version) (any, error) {
	i, created, err := s.Instances.DeployFor(ctx, iap.System, instance.DeployRequest{App: v.App, Version: v.Number, Parameters: sample(v.Manifest)},
		instance.Terms{Purpose: instance.ForCertification, PurposeID: purposeID(v), EndsAt: s.Now().Add(longest), For: v.CreatedBy, Reason: "it is being certified"})
	switch fields := iap.Fields(err); {
	case iap.IsKind(err, iap.Conflict) || err == nil && !created:
		return nil, workflow.FailTask(errorBusy, "Another certification of %s goes on.", v.App)
	case len(fields) > 0:
		return nil, workflow.FailTask(errorDeploy, "%s: %s; give it a default with which it can be tried", fields[0].Field, fields[0].Message())
	case err != nil:
		return nil, err
	}
	return map[string]string{"instance": i.ID}, s.Catalog.SetCertification(ctx, v.App, v.Number, func(c *catalog.Certification) bool {
		c.Instance = i.ID
		if c.State == catalog.CertWaiting { // else it was skipped meanwhile
			c.State = catalog.CertRunning
		}
		return true
	})
}

// ownKey marks what a certification's own step changes.
type ownKey struct{}

// destroy ends the instance in the commit of the step that awaits that. One that
// does not run any more has failed; its lifecycle is ended all the same.
func (s *Service) destroy(ctx context.Context, v catalog.Version, id string) (any, error) {
	before, err := s.Instances.Get(ctx, iap.System, id)
	switch {
	case err != nil:
		return nil, err
	case before.Status == instance.Running && before.Upstream == "":
		return nil, workflow.FailTask(errorDeploy, "It stopped right after it had answered. %s", before.Reason)
	case before.Status != instance.Running:
		return nil, workflow.FailTask(errorDeploy, "It ended before it was to be destroyed: %s", before.EndReason)
	}
	_, err = s.Instances.DestroyFor(context.WithValue(ctx, ownKey{}, true), iap.System, id, "its certification has seen it run")
	return struct{}{}, err
}

// InstanceChanged is to be called in the transaction that changes an instance
// with a purpose: its certification goes on by it.
func (s *Service) InstanceChanged(ctx context.Context, i instance.Instance) error {
	if i.Purpose != instance.ForCertification || ctx.Value(ownKey{}) != nil || i.Status != instance.Running && !i.Status.Ended() {
		return nil
	}
	v, err := s.Catalog.Version(ctx, i.App, i.Version)
	if err != nil {
		return err
	}
	awaits, err := s.Workflow.Awaits(ctx, v.Certification.Execution)
	if iap.IsKind(err, iap.NotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	for _, w := range awaits {
		switch w.Resource.Service + ":" + w.Resource.API {
		case "certify:deploy":
			err = s.deployed(ctx, w.Token, i)
		case "certify:destroy":
			err = s.destroyed(ctx, w.Token, i)
		}
		if err != nil && !errors.Is(err, workflow.ErrStale) {
			return err
		}
	}
	return nil
}

func (s *Service) deployed(ctx context.Context, token string, i instance.Instance) error {
	if i.Status == instance.Running {
		return s.Workflow.Succeed(ctx, token, map[string]string{"instance": i.ID})
	}
	reason := i.Reason
	if reason == "" {
		reason = i.EndReason
	}
	return s.Workflow.Fail(ctx, token, errorDeploy, reason)
}

func (s *Service) destroyed(ctx context.Context, token string, i instance.Instance) error {
	switch {
	case i.Status == instance.Running:
		return nil
	case i.Status == instance.DestroyFailed:
		var left []string
		for _, r := range i.Receipt.Left {
			left = append(left, r.Kind+" "+r.Name)
		}
		return s.Workflow.Fail(ctx, token, errorDestroy, "It was destroyed, but something is left: "+strings.Join(left, ", "))
	}
	return s.Workflow.Succeed(ctx, token, struct{}{})
}

// passed and failed keep what the certification has come to; one that was
// skipped meanwhile stays that.
func (s *Service) passed(ctx context.Context, v catalog.Version) error {
	return s.Catalog.SetCertification(ctx, v.App, v.Number, func(c *catalog.Certification) bool {
		if c.State.Done() {
			return false
		}
		c.State, c.Step, c.Reason = catalog.CertPassed, "", ""
		return true
	})
}

func (s *Service) failed(ctx context.Context, v catalog.Version, errorName, cause string) error {
	step, jobID, err := s.where(ctx, v, errorName)
	if err != nil {
		return err
	}
	if id := v.Certification.Instance; id != "" { // what is left of it goes, however far it came
		_, err := s.Instances.DestroyFor(context.WithValue(ctx, ownKey{}, true), iap.System, id, "its certification has failed")
		if err != nil && !iap.IsKind(err, iap.NotFound) {
			return err
		}
	}
	if cause == "" {
		cause = errorName
	}
	return s.Catalog.SetCertification(ctx, v.App, v.Number, func(c *catalog.Certification) bool {
		if c.State.Done() {
			return false
		}
		c.State, c.Step, c.Reason, c.Job = catalog.CertFailed, step, cause, jobID
		return true
	})
}

// where says at which step of its instance a certification failed, and whose log
// tells more.
func (s *Service) where(ctx context.Context, v catalog.Version, errorName string) (step, jobID string, err error) {
	step = "the deploy"
	if errorName == errorDestroy {
		step = "the verification"
	}
	id := v.Certification.Instance
	if id == "" {
		return step, "", nil
	}
	jobs, err := s.Jobs.Of(ctx, id)
	if err != nil {
		return step, "", err
	}
	for _, j := range jobs {
		switch {
		case j.Kind == job.Apply && j.Status == job.Succeeded && errorName == errorDeploy:
			step, jobID = "the health check", j.ID
		case j.Kind == job.Apply && errorName != errorDestroy, j.Kind == job.Destroy && errorName == errorDestroy:
			jobID = j.ID
		}
	}
	return step, jobID, nil
}

// ExecutionEnded is to be called in the transaction that ends an execution: a
// certification that broke off has failed.
func (s *Service) ExecutionEnded(ctx context.Context, x workflow.Execution) error {
	var in input
	if x.Status == workflow.Succeeded || json.Unmarshal(x.Input, &in) != nil || in.App == "" || in.Version == 0 {
		return nil
	}
	v, err := s.Catalog.Version(ctx, in.App, in.Version)
	if err != nil || v.Certification.Execution != x.ID {
		return nil // not a certification
	}
	slog.Error("a certification broke off", "app", v.App, "version", v.Number, "execution", x.ID, "error", x.Error, "cause", x.Cause)
	return s.failed(ctx, v, errorDeploy, "The certification broke off: "+strings.TrimSpace(x.Error+" "+x.Cause))
}
