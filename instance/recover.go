package instance

import (
	"context"
	"encoding/json"
	"log/slog"

	iap "github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/workflow"
)

// input is the input of a lifecycle's execution.
type input struct {
	Instance string `json:"instance"`
	App      string `json:"app"`
	Version  int    `json:"version"`
	HostName string `json:"host_name"`
	Begin    string `json:"begin,omitempty"` // where to begin: one of the constants below; empty: with Apply
}

const (
	beginDestroy = "destroy" // at once
	beginWait    = "wait"    // when somebody asks, or after a while
	// beginCertified: with the wait for the certification of its version.
	beginCertified = "certification"
)

func inputOf(i Instance, begin string) (json.RawMessage, error) {
	return json.Marshal(input{Instance: i.ID, App: i.App, Version: i.Version, HostName: i.HostName, Begin: begin})
}

// ExecutionEnded is to be called in the transaction that ends an execution. A
// lifecycle that ended in any other way than as it should has left its instance
// without a way to its end: a new execution takes it there.
func (s *Service) ExecutionEnded(ctx context.Context, x workflow.Execution) error {
	if x.Status == workflow.Succeeded {
		return nil
	}
	var in input
	if err := json.Unmarshal(x.Input, &in); err != nil || !iap.ValidID(in.Instance) {
		return nil // not a lifecycle
	}
	i, err := s.Store.Instance(ctx, in.Instance)
	if iap.IsKind(err, iap.NotFound) || err == nil && i.Execution != x.ID {
		return nil
	}
	if err != nil {
		return err
	}
	begin := beginDestroy
	if in.Begin != "" && in.Begin != beginCertified {
		begin = beginWait // it broke off on this way before: not in a circle
	}
	slog.Error("a lifecycle broke off; its instance is destroyed", "instance", i.ID, "execution", x.ID,
		"status", x.Status, "error", x.Error, "cause", x.Cause)
	return s.restart(ctx, i.ID, begin)
}

// restart gives an instance a new execution.
func (s *Service) restart(ctx context.Context, id, begin string) error {
	machine, err := s.Workflow.PutStateMachine(ctx, LifecycleName, LifecycleDefinition, s.Now())
	if err != nil {
		return err
	}
	i, err := s.change(ctx, id, func(i *Instance) (bool, error) {
		if i.Status == Destroyed || i.Status == DeployFailed {
			return false, nil
		}
		i.Execution = iap.NewID(s.Now())
		if i.Reason == "" {
			i.Reason = "The portal lost its way with this instance and destroys it."
		}
		return true, nil
	})
	if err != nil || i.Status == Destroyed || i.Status == DeployFailed {
		return err
	}
	in, err := inputOf(i, begin)
	if err != nil {
		return err
	}
	_, err = s.Workflow.StartExecution(ctx, workflow.StartRequest{ID: i.Execution, StateMachine: machine, Input: in, Owner: i.Owner})
	return err
}

// Recover is to be called before the engine starts: instances whose execution
// is not there, or has ended before them, get a new one.
func (s *Service) Recover(ctx context.Context) error {
	live, err := s.Store.LiveInstances(ctx)
	if err != nil {
		return err
	}
	left, err := s.Store.Instances(ctx, Filter{Statuses: []Status{DestroyFailed}, Limit: 500})
	if err != nil {
		return err
	}
	for _, i := range append(live, left...) {
		running, err := s.Workflow.IsRunning(ctx, i.Execution)
		if err != nil {
			return err
		}
		if running {
			continue
		}
		slog.Error("an instance had no lifecycle; it is destroyed", "instance", i.ID)
		if err := s.Tx.Update(ctx, func(ctx context.Context) error { return s.restart(ctx, i.ID, beginDestroy) }); err != nil {
			return err
		}
	}
	return nil
}
