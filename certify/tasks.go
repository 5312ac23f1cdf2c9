package certify

import (
	"context"
	"encoding/json"

	iap "github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/catalog"
	"github.com/internal-app-portal/iap/task"
	"github.com/internal-app-portal/iap/workflow"
)

// The error names of the tasks.
const (
	errorBusy       = "Certification.Busy"
	errorDeploy     = "Certification.DeployFailed"
	errorDestroy    = "Certification.DestroyFailed"
	errorNotAllowed = "Certification.NotAllowed"
)

// Handlers returns what does the tasks of certifications, for the engine.
func (s *Service) Handlers() map[string]workflow.Handler {
	return map[string]workflow.Handler{
		"certify:deploy": s.handler(func(ctx context.Context, v catalog.Version, _ arguments) (any, error) { return s.deploy(ctx, v) }),
		"certify:destroy": s.handler(func(ctx context.Context, v catalog.Version, _ arguments) (any, error) {
			return s.destroy(ctx, v, v.Certification.Instance)
		}),
		"certify:pass": s.handler(func(ctx context.Context, v catalog.Version, _ arguments) (any, error) {
			return struct{}{}, s.passed(ctx, v)
		}),
		"certify:fail": s.handler(func(ctx context.Context, v catalog.Version, a arguments) (any, error) {
			return struct{}{}, s.failed(ctx, v, a.Error, a.Cause)
		}),
	}
}

type arguments struct {
	App     string `json:"app"`
	Version int    `json:"version"`
	Error   string `json:"error"`
	Cause   string `json:"cause"`
}

// handler reads the arguments of a task and the version that they name; that is
// for the certification's own execution alone.
func (s *Service) handler(fn func(ctx context.Context, v catalog.Version, a arguments) (any, error)) workflow.Handler {
	return workflow.Handler{Commit: func(ctx context.Context, c workflow.Call) (json.RawMessage, error) {
		var a arguments
		if err := docOf(c.Resource.Service+":"+c.Resource.API).Read(c.Arguments, &a); err != nil {
			fields := iap.Fields(err)
			if len(fields) == 0 {
				return nil, err
			}
			return nil, workflow.FailTask(task.ErrArguments, "The argument %q of %s: %s.", fields[0].Field, c.Resource.ARN, fields[0].Message())
		}
		v, err := s.Catalog.Version(ctx, a.App, a.Version)
		switch {
		case err != nil && !iap.IsKind(err, iap.NotFound):
			return nil, err
		case err != nil || v.Certification.Execution != c.Execution:
			return nil, workflow.FailTask(errorNotAllowed, "%s is for the version's own certification alone.", c.Resource.ARN)
		}
		out, err := fn(ctx, v, a)
		if err != nil {
			return nil, err
		}
		return json.Marshal(out)
	}}
}
