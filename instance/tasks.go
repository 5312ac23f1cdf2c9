package instance

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"time"

	iap "github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/event"
	"github.com/internal-app-portal/iap/job"
	"github.com/internal-app-portal/iap/task"
	"github.com/internal-app-portal/iap/workflow"
)

// The error names of the lifecycle's own tasks, beside those of package job.
const (
	errorEndRequested = "Instance.EndRequested"
	errorExited       = "Health.ContainerExited"
	errorUnhealthy    = "Health.Failed"
	errorUnavailable  = job.ErrUnavailable
	errorNotFound     = "Instance.NotFound"
	errorNotAllowed   = "Instance.NotAllowed"
)

// Handlers returns what does the lifecycle's tasks, for the engine.
func (s *Service) Handlers() map[string]workflow.Handler {
	return map[string]workflow.Handler{
		"job:apply":          {Commit: s.taskApply, Cancel: s.taskCancelJob},
		"job:destroy":        {Commit: s.taskDestroy, Cancel: s.taskCancelJob},
		"health:check":       {Run: s.taskCheck},
		"instance:publish":   {Commit: s.taskPublish},
		"instance:hold":      {Commit: s.taskHold},
		"instance:remaining": {Commit: s.taskRemaining},
		"instance:expire":    {Commit: s.taskExpire},
		"instance:certified": {Commit: s.taskCertified},
		"instance:fail":      {Run: s.taskFail},
		"instance:end":       {Commit: s.taskEnd},
		"leak:verify":        {Run: s.taskVerify},
		"instance:list":      {Commit: s.taskList},
		"instance:destroy":   {Commit: s.taskDestroyInstance},
		"instance:sweep":     {Run: s.taskSweep},
		"sweep:note":         {Commit: s.taskNote},
		"sweep:report":       {Commit: s.taskReport},
	}
}

// arguments are those of all tasks together.
type arguments struct {
	Instance string   `json:"instance"`
	Upstream string   `json:"upstream"`
	Error    string   `json:"error"`
	Cause    string   `json:"cause"`
	Receipt  *Receipt `json:"receipt"`
}

// read takes the arguments of a lifecycle's task apart; bad ones are a mistake
// of who wrote the state machine. What a lifecycle does with its instance,
// nobody else's state machine may do.
func (s *Service) read(ctx context.Context, c workflow.Call) (arguments, error) {
	var a arguments
	if err := lifecycleDoc(c.Resource.Service+":"+c.Resource.API).Read(c.Arguments, &a); err != nil {
		return a, badArguments(c, err)
	}
	if !iap.ValidID(a.Instance) {
		return a, workflow.FailTask(task.ErrArguments, "The argument \"instance\" of %s is not the ID of an instance.", c.Resource.ARN)
	}
	i, err := s.Store.Instance(ctx, a.Instance)
	switch {
	case iap.IsKind(err, iap.NotFound):
		return a, workflow.FailTask(errorNotFound, "There is no instance %q.", a.Instance)
	case err == nil && i.Execution != c.Execution:
		return a, workflow.FailTask(errorNotAllowed,
			"%s is for the lifecycle of the instance alone; other state machines use arn:iap:states:::instance:destroy.", c.Resource.ARN)
	}
	return a, err
}

// badArguments fails a task whose arguments do not fit.
func badArguments(c workflow.Call, err error) error {
	fields := iap.Fields(err)
	if len(fields) == 0 {
		return err
	}
	return workflow.FailTask(task.ErrArguments, "The argument %q of %s: %s.", fields[0].Field, c.Resource.ARN, fields[0].Message())
}

// result is the JSON of a task's result.
func result(v any, err error) (json.RawMessage, error) {
	if err != nil {
		return nil, err
	}
	return json.Marshal(v)
}

func (s *Service) taskApply(ctx context.Context, c workflow.Call) (json.RawMessage, error) {
	a, err := s.read(ctx, c)
	if err != nil {
		return nil, err
	}
	i, err := s.Store.Instance(ctx, a.Instance)
	switch {
	case err != nil:
		return nil, err
	case i.EndedBy != "":
		return nil, workflow.FailTask(errorEndRequested, "It is to be destroyed.")
	}
	return s.enqueue(ctx, i, job.Apply, c.Token)
}

func (s *Service) taskDestroy(ctx context.Context, c workflow.Call) (json.RawMessage, error) {
	a, err := s.read(ctx, c)
	if err != nil {
		return nil, err
	}
	i, err := s.change(ctx, a.Instance, func(i *Instance) (bool, error) {
		// What failed to be destroyed keeps that status while it is tried again:
		// its owner may have another instance of the app by now.
		if i.Status == DestroyFailed || i.Status == Destroying {
			return false, nil
		}
		i.Status, i.Waiting = Destroying, ""
		return true, nil
	})
	if err != nil {
		return nil, err
	}
	return s.enqueue(ctx, i, job.Destroy, c.Token)
}

func (s *Service) enqueue(ctx context.Context, i Instance, kind job.Kind, token string) (json.RawMessage, error) {
	owner := i.Owner
	if i.Purpose == ForCertification {
		owner = i.KeptBy // who may look at its log
	}
	j, err := s.Jobs.Enqueue(ctx, job.Job{Instance: i.ID, App: i.App, Version: i.Version, Owner: owner, Kind: kind, Token: token})
	return result(map[string]string{"job": j.ID}, err)
}

func (s *Service) taskCancelJob(ctx context.Context, c workflow.Call) error {
	var in input
	if err := json.Unmarshal(c.Input, &in); err != nil {
		return err
	}
	return s.cancelJob(ctx, in.Instance, c.Token, iap.System)
}

func (s *Service) taskPublish(ctx context.Context, c workflow.Call) (json.RawMessage, error) {
	a, err := s.read(ctx, c)
	if err != nil {
		return nil, err
	}
	if err := s.unpublish(ctx, a.Instance, a.Upstream); err != nil {
		return nil, err
	}
	i, err := s.change(ctx, a.Instance, func(i *Instance) (bool, error) {
		if i.EndedBy != "" {
			return false, workflow.FailTask(errorEndRequested, "It is to be destroyed.")
		}
		i.Status, i.Waiting, i.Upstream, i.ReadyAt = Running, "", a.Upstream, s.Now()
		return true, nil
	})
	return result(s.secondsLeft(i), err)
}

// secondsLeft is the time of an instance that is left, rounded up: a hold that
// ended early would begin again.
func (s *Service) secondsLeft(i Instance) map[string]int64 {
	return map[string]int64{"seconds_left": max(1, int64(math.Ceil(i.TimeLimitAt.Sub(s.Now()).Seconds())))}
}

// taskRemaining tells the time that is left of an instance whose end was moved.
func (s *Service) taskRemaining(ctx context.Context, c workflow.Call) (json.RawMessage, error) {
	a, err := s.read(ctx, c)
	if err != nil {
		return nil, err
	}
	i, err := s.Store.Instance(ctx, a.Instance)
	return result(s.secondsLeft(i), err)
}

// unpublish takes an address from an instance that had it before: its container
// must be gone, or the platform would not have given the address away. Nobody's
// URL may lead to another person's app.
func (s *Service) unpublish(ctx context.Context, id, upstream string) error {
	there, err := s.Store.InstancesAt(ctx, upstream)
	if err != nil {
		return err
	}
	for _, other := range there {
		if other.ID == id {
			continue
		}
		if err := s.ContainerExited(ctx, other.ID, unknownExit); err != nil {
			return err
		}
	}
	return nil
}

func (s *Service) taskHold(ctx context.Context, c workflow.Call) (json.RawMessage, error) {
	_, err := s.read(ctx, c)
	return nil, err
}

func (s *Service) taskExpire(ctx context.Context, c workflow.Call) (json.RawMessage, error) {
	a, err := s.read(ctx, c)
	if err != nil {
		return nil, err
	}
	expired := true
	sweep, err := s.sweepAt(ctx)
	if err != nil {
		return nil, err
	}
	_, err = s.change(ctx, a.Instance, func(i *Instance) (bool, error) {
		if i.EndedBy != "" {
			return false, nil
		}
		if i.TimeLimitAt.After(s.Now()) { // it was moved at the last moment, or the clock was set back
			expired = false
			return false, nil
		}
		i.EndedBy, i.EndReason = iap.System.ID, "its time was up"
		i.SavedBy, i.SavedUntil = EndByTime, sweep
		if i.KeepUntil.Equal(i.TimeLimitAt) {
			i.EndReason = "the time it was kept for was over"
		}
		if i.Purpose == ForBooking {
			i.EndReason = "the time it was booked for was over"
		}
		return true, nil
	})
	return result(map[string]bool{"expired": expired}, err)
}

// taskFail keeps why a deploy failed, with what the container said when it
// ended while it was being made. That somebody wanted it gone is no failure.
func (s *Service) taskFail(ctx context.Context, c workflow.Call) (json.RawMessage, error) {
	a, err := s.read(ctx, c)
	if err != nil {
		return nil, err
	}
	reason := orText(a.Cause, a.Error)
	if a.Error == job.ErrApplyFailed {
		reason = orText(s.networkProblem(a.Instance), reason) + s.lastWords(ctx, a.Instance)
	}
	_, err = s.change(ctx, a.Instance, func(i *Instance) (bool, error) {
		if i.EndedBy != "" {
			return false, nil
		}
		i.Reason, i.Waiting = reason, ""
		return true, nil
	})
	return result(struct{}{}, err)
}

func (s *Service) taskEnd(ctx context.Context, c workflow.Call) (json.RawMessage, error) {
	a, err := s.read(ctx, c)
	if err != nil {
		return nil, err
	}
	if a.Receipt == nil {
		return nil, workflow.FailTask("States.ParameterPathFailure", "%s needs the argument \"receipt\".", c.Resource.ARN)
	}
	left := len(a.Receipt.Left)
	network := ""
	_, err = s.change(ctx, a.Instance, func(i *Instance) (bool, error) {
		if left > 0 {
			a.Receipt.again(i.Receipt)
		}
		i.Receipt, i.EndedAt, i.Waiting, i.Upstream = a.Receipt, s.Now(), "", ""
		switch {
		case left > 0:
			i.Status = DestroyFailed
			return true, s.tellLeak(ctx, *i)
		case i.Reason != "" && i.ReadyAt.IsZero():
			i.Status = DeployFailed
		default:
			i.Status = Destroyed
		}
		network, i.Network = i.Network, ""
		return true, nil
	})
	if err == nil {
		iap.AfterCommit(ctx, func() { s.spareNetwork.free(network) })
	}
	return result(map[string]int{"left": left, "retry_seconds": int(a.Receipt.retry().Seconds())}, err)
}

// tellLeak adds the event that something of an instance is left.
func (s *Service) tellLeak(ctx context.Context, i Instance) error {
	data, err := json.Marshal(map[string]any{"instance": i.ID, "host_name": i.HostName, "resources": i.Receipt.Left})
	if err != nil {
		return err
	}
	slog.Warn("something is left of an instance", "instance", i.ID, "host_name", i.HostName, "resources", len(i.Receipt.Left))
	return s.Log.Append(ctx, &event.Event{Source: "/instances", Type: event.LeakFound, Subject: i.ID, Time: s.Now(),
		Owner: i.Owner, Group: i.ID, Data: data})
}

// taskVerify removes what carries the instance's label though it should be
// gone, and says what is left then.
func (s *Service) taskVerify(ctx context.Context, c workflow.Call) (json.RawMessage, error) {
	a, err := s.read(ctx, c)
	if err != nil {
		return nil, err
	}
	if w := s.networks.forget(a.Instance); w != nil {
		if err := w.wait(ctx); err != nil {
			return nil, err
		}
	}
	found, err := s.Platform.Resources(ctx, s.Portal, a.Instance)
	if err != nil {
		return nil, s.platformDown(ctx, a.Instance, err)
	}
	if err := s.remove(ctx, found); err != nil {
		return nil, s.platformDown(ctx, a.Instance, err)
	}
	left := found
	if len(found) > 0 {
		if left, err = s.Platform.Resources(ctx, s.Portal, a.Instance); err != nil {
			return nil, s.platformDown(ctx, a.Instance, err)
		}
	}
	return result(Receipt{At: s.Now(), Left: orNone(left), Removed: minus(withoutNetwork(found), left)}, nil)
}

// remove deletes resources. One that resists is left for the receipt to name;
// the error is that the platform does not answer.
func (s *Service) remove(ctx context.Context, found []Resource) error {
	for _, r := range found {
		if err := s.Platform.Remove(ctx, r); iap.IsKind(err, iap.Unavailable) {
			return err
		}
	}
	return nil
}

// platformDown is the failure of a task that is tried again when the platform
// answers; until then the instance says what it waits for.
func (s *Service) platformDown(ctx context.Context, id string, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if err := s.waits(ctx, id, s.Platform.Title()); err != nil {
		return err
	}
	return workflow.FailTask(errorUnavailable, "%s does not answer: %v", s.Platform.Title(), err)
}

func orNone(r []Resource) []Resource {
	if r == nil {
		return []Resource{}
	}
	return r
}

// minus returns those of a that are not in b.
func minus(a, b []Resource) []Resource {
	in := map[string]bool{}
	for _, r := range b {
		in[r.Kind+" "+r.ID] = true
	}
	var out []Resource
	for _, r := range a {
		if !in[r.Kind+" "+r.ID] {
			out = append(out, r)
		}
	}
	return out
}

// JobStarted is to be called in the transaction that starts a job.
func (s *Service) JobStarted(ctx context.Context, j job.Job) error {
	_, err := s.change(ctx, j.Instance, func(i *Instance) (bool, error) {
		i.Waiting = ""
		if j.Kind == job.Apply && !i.Status.Ended() && i.Status != Destroying {
			i.Status = Deploying
		}
		return true, nil
	})
	if err != nil {
		return err
	}
	iap.AfterCommit(ctx, func() {
		s.spareNetwork.later(spareLatest)
		if j.Kind == job.Apply {
			s.makeNetwork(j)
		}
	})
	return nil
}

// JobWaits is to be called in the transaction that notes what a queued job
// waits for.
func (s *Service) JobWaits(ctx context.Context, j job.Job) error {
	return s.waits(ctx, j.Instance, j.Waiting)
}

// JobEnded is to be called in the transaction that ends a job: the lifecycle
// goes on in it.
func (s *Service) JobEnded(ctx context.Context, j job.Job) error {
	iap.AfterCommit(ctx, func() { s.spareNetwork.later(spareAfterJob) })
	if j.Token == "" {
		return nil
	}
	var err error
	if j.Status == job.Succeeded {
		err = s.Workflow.Succeed(ctx, j.Token, map[string]string{"job": j.ID, "upstream": j.Upstream})
	} else {
		err = s.Workflow.Fail(ctx, j.Token, orText(j.Error, "Job."+string(j.Status)), orText(j.Reason, fmt.Sprintf("the job %s", j.Status)))
	}
	if errors.Is(err, workflow.ErrStale) {
		return nil // its state timed out or was left meanwhile
	}
	return err
}

// CheckUpstream refuses the output of an apply that is not an address of the
// instance itself. A container that has exited meanwhile publishes nothing:
// the health check then tells why, with its last words.
func (s *Service) CheckUpstream(ctx context.Context, j job.Job) error {
	ctx, cancel := context.WithTimeout(ctx, 15*time.Second)
	defer cancel()
	err := s.Platform.CheckUpstream(ctx, j.Instance, j.Upstream)
	if !iap.IsKind(err, iap.Invalid) {
		return err
	}
	box, boxErr := s.Platform.Container(ctx, j.Instance, 0)
	if boxErr == nil && box.Exists && !box.Running {
		return nil
	}
	return err
}

func orText(s, other string) string {
	if s == "" {
		return other
	}
	return s
}
