package leak

import (
	"context"
	"encoding/json"
	"maps"
	"slices"
	"time"

	"github.com/internal-app-portal/iap/event"
	"github.com/internal-app-portal/iap/instance"
)

// Found is the data of event.LeakFound.
type Found struct {
	Instance  string              `json:"instance"` // ID by the label
	HostName  string              `json:"host_name"`
	App       string              `json:"app,omitempty"`
	Owner     string              `json:"owner,omitempty"`
	Resources []instance.Resource `json:"resources"`
	Since     time.Time           `json:"since,omitzero"`
	RemoveAt  time.Time           `json:"remove_at,omitzero"` // absent: the portal does not remove them by itself
	Advice    string              `json:"advice,omitempty"`
}

// Gone is the data of event.LeakGone.
type Gone struct {
	Leak     string            `json:"leak"` // its ID
	Instance string            `json:"instance"`
	HostName string            `json:"host_name"`
	Resource instance.Resource `json:"resource"`
	By       string            `json:"by,omitempty"` // who removed it; absent: somebody outside the portal
}

// tellFound adds an event for each instance of which something was found. What
// the lifecycle of an instance could not destroy it has told itself.
func (s *Service) tellFound(ctx context.Context, fresh map[string][]Leak) error {
	for _, id := range slices.Sorted(maps.Keys(fresh)) {
		all := slices.DeleteFunc(fresh[id], func(l Leak) bool { return l.Retried })
		if len(all) == 0 {
			continue
		}
		l := all[0]
		d := Found{Instance: l.Instance, HostName: l.HostName, App: l.App, Owner: l.Owner, Since: l.Since, Advice: l.Advice()}
		for _, one := range all {
			d.Resources = append(d.Resources, one.Resource)
		}
		if l.Made {
			d.RemoveAt = s.Now().Add(s.Grace)
		}
		s.Logger.Warn("something is left of an instance", "instance", l.Instance, "host_name", l.HostName, "resources", len(all))
		if err := s.tell(ctx, event.LeakFound, l, d); err != nil {
			return err
		}
	}
	return nil
}

func (s *Service) tellGone(ctx context.Context, l Leak) error {
	return s.tell(ctx, event.LeakGone, l, Gone{Leak: l.ID, Instance: l.Instance, HostName: l.HostName, Resource: l.Resource, By: l.GoneBy})
}

// tell adds an event for admins: whoever owned the instance is done with it.
func (s *Service) tell(ctx context.Context, typ string, l Leak, data any) error {
	b, err := json.Marshal(data)
	if err != nil {
		return err
	}
	e := event.Event{Source: "/instances", Type: typ, Subject: l.Instance, Time: s.Now(), Owner: event.AdminsOnly, Data: b}
	if l.Made {
		e.Group = l.Instance
	}
	return s.Log.Append(ctx, &e)
}
