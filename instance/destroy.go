package instance

import (
	"context"
	"errors"
	"strings"

	iap "github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/workflow"
)

var errEnding = errors.New("your instance of this app is being destroyed; deploy again when it is gone")

func (s *Service) destroy(ctx context.Context, actor iap.Actor, ref, reason string) (Instance, error) {
	i, err := s.get(ctx, actor, ref)
	if err != nil {
		return Instance{}, err
	}
	var out Instance
	err = s.Tx.Update(ctx, func(ctx context.Context) error {
		var err error
		out, err = s.change(ctx, i.ID, func(i *Instance) (bool, error) {
			news := requestEnd(i, actor)
			if news && reason != "" {
				i.EndReason = reason
			}
			return news, nil
		})
		if err != nil || out.Status == Destroyed || out.Status == DeployFailed {
			return err
		}
		return s.interrupt(ctx, out, actor)
	})
	if err != nil {
		return Instance{}, err
	}
	return s.Store.Instance(ctx, i.ID)
}

// requestEnd notes who ends the instance; it reports whether that is news.
func requestEnd(i *Instance, actor iap.Actor) bool {
	if i.EndedBy != "" || i.Status.Ended() || i.Status == Destroying {
		return false
	}
	i.EndedBy, i.EndReason = actor.ID, "destroyed by "+actor.Name
	if actor.ID == i.Owner {
		i.EndReason = "destroyed by its owner"
	}
	return true
}

// interrupt ends whatever the lifecycle waits for, so that it goes on to
// destroy. Between two attempts it waits for nothing; the next one then sees
// that the end was asked for.
func (s *Service) interrupt(ctx context.Context, i Instance, actor iap.Actor) error {
	awaits, err := s.Workflow.Awaits(ctx, i.Execution)
	if err != nil {
		return err
	}
	for _, w := range awaits {
		switch w.Resource.Service + ":" + w.Resource.API {
		case "instance:hold":
			err = s.Workflow.Succeed(ctx, w.Token, map[string]string{"by": actor.ID})
		case "instance:certified":
			err = s.Workflow.Fail(ctx, w.Token, errorEndRequested, "It is to be destroyed.")
		case "health:check":
			err = s.Workflow.Fail(ctx, w.Token, errorEndRequested, "It is to be destroyed.")
		case "job:apply":
			err = s.cancelJob(ctx, i.ID, w.Token, actor)
		}
		if err != nil && !errors.Is(err, workflow.ErrStale) {
			return err
		}
	}
	return nil
}

func (s *Service) cancelJob(ctx context.Context, id, token string, actor iap.Actor) error {
	jobs, err := s.Jobs.Of(ctx, id)
	if err != nil {
		return err
	}
	for _, j := range jobs {
		if j.Token != token || j.Status.Ended() {
			continue
		}
		if err := s.Jobs.Cancel(ctx, actor.ID, j.ID); err != nil && !iap.IsKind(err, iap.Conflict) {
			return err
		}
	}
	return nil
}

func (s *Service) get(ctx context.Context, actor iap.Actor, ref string) (Instance, error) {
	const op = "instance.Get"
	notFound := iap.Errorf(op, iap.NotFound, "there is no instance %q", clip(ref))
	i, err := s.find(ctx, actor, strings.ToLower(strings.TrimSpace(ref)))
	switch {
	case iap.IsKind(err, iap.NotFound):
		return Instance{}, notFound
	case err != nil:
		return Instance{}, err
	case i.Owner != actor.ID && !actor.Role.Includes(iap.Admin):
		return Instance{}, notFound
	}
	return i, nil
}

func (s *Service) find(ctx context.Context, actor iap.Actor, ref string) (Instance, error) {
	if iap.ValidID(ref) {
		return s.Store.Instance(ctx, ref)
	}
	i, err := s.Store.InstanceByHostName(ctx, ref)
	if !iap.IsKind(err, iap.NotFound) {
		return i, err
	}
	return s.findPart(ctx, actor, ref)
}

// findPart finds the one live instance whose host name has part in it: among
// the actor's own first, then for an admin among all. When none lives it is the
// actor's last one that did, for people ask what became of it.
func (s *Service) findPart(ctx context.Context, actor iap.Actor, part string) (Instance, error) {
	const op = "instance.Get"
	none := iap.Errorf(op, iap.NotFound, "none")
	if part == "" {
		return Instance{}, none
	}
	live, err := s.Store.LiveInstances(ctx)
	if err != nil {
		return Instance{}, err
	}
	var own, all []Instance
	for _, i := range live {
		if !strings.Contains(i.HostName, part) {
			continue
		}
		all = append(all, i)
		if i.Owner == actor.ID {
			own = append(own, i)
		}
	}
	if len(own) == 0 && actor.Role.Includes(iap.Admin) {
		own = all
	}
	switch len(own) {
	case 0:
		ended, err := s.Store.Instances(ctx, Filter{Owner: actor.ID, Text: part})
		for _, i := range ended {
			if strings.Contains(i.HostName, part) {
				return i, nil
			}
		}
		if err == nil {
			err = none
		}
		return Instance{}, err
	case 1:
		return own[0], nil
	}
	var names []string
	for _, i := range own {
		names = append(names, i.HostName)
	}
	return Instance{}, iap.FieldErrorf(op, "instance", "%q is part of %s; write more of it", clip(part), strings.Join(names, ", "))
}

func (s *Service) current(ctx context.Context, actor iap.Actor) (map[string]Instance, error) {
	live, err := s.Store.LiveInstances(ctx)
	if err != nil {
		return nil, err
	}
	out := map[string]Instance{}
	for _, i := range live {
		if i.Owner == actor.ID {
			out[i.App] = i
		}
	}
	return out, nil
}

// maxClip is how many characters of somebody's text an error or a log shows.
const maxClip = 200

func clip(s string) string {
	if r := []rune(s); len(r) > maxClip {
		return string(r[:maxClip]) + "…"
	}
	return s
}
