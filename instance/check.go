package instance

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	iap "github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/catalog"
	"github.com/internal-app-portal/iap/health"
	"github.com/internal-app-portal/iap/workflow"
)

// lastLines is how many lines of a container's output a failure shows.
const lastLines = 10

// taskCheck asks the app until it answers.
func (s *Service) taskCheck(ctx context.Context, c workflow.Call) (json.RawMessage, error) {
	a, err := s.read(ctx, c)
	if err != nil {
		return nil, err
	}
	i, err := s.change(ctx, a.Instance, func(i *Instance) (bool, error) {
		if i.EndedBy != "" {
			return false, workflow.FailTask(errorEndRequested, "It is to be destroyed.")
		}
		changed := i.Status != Checking
		i.Status = Checking
		return changed, nil
	})
	if err != nil {
		return nil, err
	}
	v, err := s.Catalog.Version(ctx, i.App, i.Version)
	if err != nil {
		return nil, err
	}
	return nil, s.probe(ctx, i, v.Manifest, a.Upstream)
}

// probe asks the app until it answers. Meanwhile the platform is told the limit
// of processes, which is in force before probe returns, and to say when the
// container exits: neither holds up the first question.
func (s *Service) probe(ctx context.Context, i Instance, m catalog.Manifest, upstream string) error {
	watched, cancel := context.WithCancel(ctx)
	defer cancel()
	exited := make(chan struct{})
	var limited, watching sync.WaitGroup
	var limitErr, watchErr error
	limited.Go(func() { limitErr = s.Platform.LimitProcesses(watched, i.ID, m.Limits.PIDs) })
	watching.Go(func() {
		var ended <-chan struct{}
		if ended, watchErr = s.Platform.WatchExit(watched, i.ID); watchErr != nil {
			cancel()
			return
		}
		<-ended // at the latest when watched ends
		close(exited)
	})
	err := s.Prober.Check(watched, health.Target{URL: upstream, Path: m.Health.Path,
		Deadline: time.Duration(m.Health.Deadline), Exited: exited})
	limited.Wait()
	cancel()
	watching.Wait()
	for _, platform := range []error{watchErr, limitErr} {
		if iap.IsKind(platform, iap.Unavailable) {
			return s.platformDown(ctx, i.ID, platform)
		}
	}
	if err != nil {
		return s.unhealthy(ctx, i, err)
	}
	return nil
}

// unhealthy is the failure of a check, with the container's last words.
func (s *Service) unhealthy(ctx context.Context, i Instance, cause error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	box, err := s.Platform.Container(ctx, i.ID, lastLines)
	if err != nil {
		return s.platformDown(ctx, i.ID, err)
	}
	name, text := errorExited, exited(box)
	if box.Exists && box.Running {
		name, text = errorUnhealthy, "The app did not become healthy: "+strings.TrimSuffix(message(cause), ".")+"."
	}
	return &workflow.TaskError{Name: name, Cause: s.redact(ctx, i, text+printed(box))}
}

// exited says how a container ended.
func exited(box Container) string {
	switch {
	case !box.Exists:
		return "The app's container is gone."
	case box.OOMKilled:
		return "The app's container used more memory than the app allows and was ended."
	}
	return fmt.Sprintf("The app's container exited with code %d before it answered.", box.ExitCode)
}

// printed says what a container printed at last.
func printed(box Container) string {
	if len(box.LastLines) == 0 {
		return " It printed nothing."
	}
	return " The last lines it printed:\n" + strings.Join(box.LastLines, "\n")
}

// lastWords is what is to be added to the reason of a failed apply when the
// container has ended; empty when it has not, or nothing is known of it.
func (s *Service) lastWords(ctx context.Context, id string) string {
	box, err := s.Platform.Container(ctx, id, lastLines)
	if err != nil || !box.Exists || box.Running || box.ExitCode == 0 && len(box.LastLines) == 0 {
		return ""
	}
	i, err := s.Store.Instance(ctx, id)
	if err != nil {
		return ""
	}
	return s.redact(ctx, i, "\n"+exited(box)+printed(box))
}

func message(err error) string {
	var e *iap.Error
	if errors.As(err, &e) {
		return e.Message()
	}
	return err.Error()
}

// ContainerStarted has the limit of processes set on a container as soon as it
// runs; the health check makes sure of it.
func (s *Service) ContainerStarted(ctx context.Context, id string) error {
	i, err := s.Store.Instance(ctx, id)
	if err != nil {
		return err
	}
	v, err := s.Catalog.Version(ctx, i.App, i.Version)
	if err != nil {
		return err
	}
	return s.Platform.LimitProcesses(ctx, id, v.Manifest.Limits.PIDs)
}

// unknownExit is the exit code of a container of which only is known that it is
// gone.
const unknownExit = -1

// ContainerExited notes that the container of a running instance has ended by
// itself. The instance stays, with its log, until its owner destroys it, but
// its address leads nowhere any more: the platform may give it to another.
func (s *Service) ContainerExited(ctx context.Context, id string, exitCode int) error {
	_, err := s.change(ctx, id, func(i *Instance) (bool, error) {
		if i.Status != Running || i.EndedBy != "" || i.Upstream == "" {
			return false, nil
		}
		i.Upstream, i.Reason = "", "The app's container is gone. Destroy it and deploy again."
		if exitCode != unknownExit {
			i.Reason = fmt.Sprintf("The app's container exited with code %d. Destroy it and deploy again.", exitCode)
		}
		return true, nil
	})
	return err
}

// Compare asks the platform for the container of each running instance, for
// what ended while nobody listened. Unavailable when it does not answer.
func (s *Service) Compare(ctx context.Context) error {
	live, err := s.Store.LiveInstances(ctx)
	if err != nil {
		return err
	}
	for _, i := range live {
		if i.Status != Running || i.Upstream == "" {
			continue
		}
		box, err := s.Platform.Container(ctx, i.ID, 0)
		if err != nil {
			return err
		}
		code := box.ExitCode
		if !box.Exists {
			code = unknownExit
		}
		if !box.Exists || !box.Running {
			if err := s.ContainerExited(ctx, i.ID, code); err != nil {
				return err
			}
		}
	}
	return nil
}
