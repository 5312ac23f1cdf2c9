package instance

import (
	"context"
	"encoding/json"

	iap "github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/task"
	"github.com/internal-app-portal/iap/workflow"
)

// actor is who a task acts for: the person who started its execution, with what
// that person may do now.
func (s *Service) actor(c workflow.Call) iap.Actor {
	switch {
	case c.Owner == iap.System.ID:
		return iap.System
	case s.Actor != nil:
		return s.Actor(c.Owner)
	}
	return iap.Actor{ID: c.Owner, Name: c.Owner, Role: iap.Member}
}

// maxListed bounds what instance:list gives, so that its result is no larger
// than a payload may be.
const maxListed = 200

// taskList lists instances for a state machine.
func (s *Service) taskList(ctx context.Context, c workflow.Call) (json.RawMessage, error) {
	a := struct {
		App, Owner, Before string
		Statuses           []Status
		Limit              int
	}{Limit: maxListed}
	if err := listDoc.Read(c.Arguments, &a); err != nil {
		return nil, badArguments(c, err)
	}
	if a.Limit < 1 || a.Limit > maxListed {
		return nil, workflow.FailTask(task.ErrArguments, "The argument \"limit\" of %s: %d is not between 1 and %d.", c.Resource.ARN, a.Limit, maxListed)
	}
	for _, status := range a.Statuses {
		if !status.valid() {
			return nil, workflow.FailTask(task.ErrArguments, "The argument \"statuses\" of %s: there is no status %q.", c.Resource.ARN, clip(string(status)))
		}
	}
	if a.Before != "" && !iap.ValidID(a.Before) {
		return nil, workflow.FailTask(task.ErrArguments, "The argument \"before\" of %s: it is not the \"next\" of a page.", c.Resource.ARN)
	}
	if a.Statuses == nil {
		a.Statuses = []Status{Queued, Deploying, Checking, Running, Destroying}
	}
	found, err := s.List(ctx, s.actor(c), Filter{App: a.App, Owner: a.Owner, Statuses: a.Statuses, Before: a.Before, Limit: a.Limit + 1})
	if err != nil {
		return nil, err
	}
	out := struct {
		Instances []listed `json:"instances"`
		Truncated bool     `json:"truncated"`
		Next      string   `json:"next"`
	}{Instances: []listed{}, Truncated: len(found) > a.Limit}
	for _, i := range found[:min(len(found), a.Limit)] {
		end, err := s.EndOf(ctx, i)
		if err != nil {
			return nil, err
		}
		out.Instances = append(out.Instances, listed{ID: i.ID, App: i.App, Version: i.Version, Owner: i.Owner, HostName: i.HostName,
			Status: i.Status, CreatedAt: i.CreatedAt.Format(timeFormat), EndsAt: end.At.Format(timeFormat), TimeLimitAt: i.TimeLimitAt.Format(timeFormat),
			KeepReason: i.KeepReason})
		if !i.KeepUntil.IsZero() {
			out.Instances[len(out.Instances)-1].KeepUntil = i.KeepUntil.Format(timeFormat)
		}
	}
	if out.Truncated {
		out.Next = out.Instances[a.Limit-1].ID
	}
	return result(out, nil)
}

const timeFormat = "2006-01-02T15:04:05Z07:00"

// listed is what a state machine is told of an instance: times are as
// TimestampPath wants them.
type listed struct {
	ID          string `json:"id"`
	App         string `json:"app"`
	Version     int    `json:"version"`
	Owner       string `json:"owner"`
	HostName    string `json:"host_name"`
	Status      Status `json:"status"`
	CreatedAt   string `json:"created_at"`
	EndsAt      string `json:"ends_at"`
	TimeLimitAt string `json:"time_limit_at"`

	KeepUntil  string `json:"keep_until,omitempty"`
	KeepReason string `json:"keep_reason,omitempty"`
}

func (s Status) valid() bool {
	switch s {
	case Queued, Deploying, Checking, Running, Destroying, Destroyed, DeployFailed, DestroyFailed:
		return true
	}
	return false
}

// taskDestroyInstance begins the end of an instance for a state machine.
func (s *Service) taskDestroyInstance(ctx context.Context, c workflow.Call) (json.RawMessage, error) {
	var a struct{ Instance string }
	if err := destroyDoc.Read(c.Arguments, &a); err != nil {
		return nil, badArguments(c, err)
	}
	i, err := s.Destroy(ctx, s.actor(c), a.Instance)
	switch {
	case iap.IsKind(err, iap.NotFound):
		return nil, workflow.FailTask(errorNotFound, "There is no instance %q, or it is not yours.", clip(a.Instance))
	case iap.IsKind(err, iap.Invalid):
		return nil, badArguments(c, err)
	case err != nil:
		return nil, err
	case i.Execution == c.Execution:
		return nil, workflow.FailTask(errorNotAllowed, "A lifecycle destroys its instance by arn:iap:states:::job:destroy.sync.")
	}
	return result(map[string]any{"id": i.ID, "host_name": i.HostName, "status": i.Status}, nil)
}
