package instance

import (
	"context"
	"fmt"
	"slices"

	"github.com/internal-app-portal/iap/catalog"
	"github.com/internal-app-portal/iap/job"
)

// Prepare makes the Spec of a job that is about to start: the bundle and its
// variables by the bundle contract. The job waits while the platform does not
// answer.
func (s *Service) Prepare(ctx context.Context, j job.Job) (job.Spec, error) {
	i, err := s.Store.Instance(ctx, j.Instance)
	if err != nil {
		return job.Spec{}, err
	}
	v, err := s.Catalog.Version(ctx, i.App, i.Version)
	if err != nil {
		return job.Spec{}, err
	}
	if err := s.Platform.Ping(ctx); err != nil {
		return job.Spec{}, job.WaitFor(s.Platform.Title(), err)
	}
	if err := s.clearBefore(ctx, j); err != nil {
		return job.Spec{}, job.WaitFor(s.Platform.Title(), err)
	}
	given, err := s.open(v.Manifest, i.Parameters)
	if err != nil {
		return job.Spec{}, fmt.Errorf("the stored secrets cannot be read: %w", err)
	}
	params, env, err := v.Manifest.Resolve(given)
	if err != nil {
		return job.Spec{}, fmt.Errorf("the stored parameters do not fit the app's version any more: %w", err)
	}
	spec := job.Spec{
		Bundle:    v.BundleSHA,
		Variables: s.variables(i, v, params, env),
		Secrets:   v.Manifest.Secrets(params),
		State:     s.State(i.ID, j.ID),
		Timeout:   s.JobTimeout,
		Grace:     s.Grace,
	}
	if spec.Bundle == "" {
		spec.Bundle, spec.BuiltIn = s.BuiltIn, true
	}
	if v.NetworkOfPortal() {
		spec.Variables["network"] = networkName(i) // see makeNetwork
	}
	spec.Secrets = append(spec.Secrets, spec.State.Password)
	return spec, nil
}

// clearBefore removes what an earlier job of the same instance left half done,
// things that no state knows of: before an apply all of them, for their names
// are taken; before a destroy the containers, for what the state does know of,
// such as their network, cannot be destroyed while they use it.
func (s *Service) clearBefore(ctx context.Context, j job.Job) error {
	jobs, err := s.Jobs.Of(ctx, j.Instance)
	if err != nil || !slices.ContainsFunc(jobs, func(other job.Job) bool {
		return other.ID != j.ID && (j.Kind == job.Apply || other.Status != job.Succeeded)
	}) {
		return err
	}
	found, err := s.Platform.Resources(ctx, s.Portal, j.Instance)
	if err != nil {
		return err
	}
	if j.Kind == job.Destroy {
		found = slices.DeleteFunc(found, func(r Resource) bool { return r.Kind != "container" })
	}
	return s.remove(ctx, found)
}

// variables are the inputs that the bundle contract promises, and with an own
// bundle the app's parameters.
func (s *Service) variables(i Instance, v catalog.Version, params map[string]any, env map[string]string) map[string]any {
	m := v.Manifest
	vars := map[string]any{}
	if v.BundleSHA != "" {
		for name, value := range params {
			vars[name] = value
		}
	}
	vars["host_name"] = i.HostName
	vars["resource_name"] = s.ResourceName(i.HostName)
	vars["instance_id"] = i.ID
	vars["image"] = m.Image
	vars["port"] = m.Port
	vars["environment"] = env
	vars["labels"] = s.labels(i)
	vars["limits"] = map[string]any{
		"memory_mb": int64(m.Limits.Memory) >> 20, "cpus": m.Limits.CPUs, "pids": m.Limits.PIDs}
	vars["read_only_root"] = m.ReadOnlyRoot == nil || *m.ReadOnlyRoot
	return vars
}

func (s *Service) labels(i Instance) map[string]string {
	return map[string]string{
		LabelInstance: i.ID,
		LabelHostName: i.HostName,
		LabelApp:      i.App,
		LabelOwner:    i.Owner,
		LabelPortal:   s.Portal,
	}
}
