package leak

import (
	"context"
	"time"

	iap "github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/instance"
)

// look returns the resources that outlived their instances, and how many carry
// the portal's label at all.
func (s *Service) look(ctx context.Context) (leaks []Leak, looked int, err error) {
	begun := s.Now()
	all, err := s.Platform.Resources(ctx, s.Portal, "")
	if err != nil {
		return nil, 0, err
	}
	known := map[string]*instance.Instance{} // nil: there is none
	for _, r := range all {
		if instance.IsSpare(r) {
			continue
		}
		id := r.Labels[instance.LabelInstance]
		if _, read := known[id]; !read {
			i, err := s.Store.Instance(ctx, id)
			switch {
			case err == nil:
				known[id] = &i
			case iap.IsKind(err, iap.NotFound):
				known[id] = nil
			default:
				return nil, 0, err
			}
		}
		if l, leaked := judge(r, known[id], begun); leaked {
			leaks = append(leaks, l)
		}
	}
	return leaks, len(all), nil
}

// judge says whether a resource is a leak, seen after begun. The row of an
// instance is there before anything of it is made, and the platform was asked
// before the row was read: what an instance that lives has is never one. One
// that ended since may have been whole when the platform was asked.
func judge(r instance.Resource, i *instance.Instance, begun time.Time) (Leak, bool) {
	l := Leak{Resource: r, Instance: r.Labels[instance.LabelInstance], HostName: r.Labels[instance.LabelHostName],
		App: r.Labels[instance.LabelApp], Owner: r.Labels[instance.LabelOwner], Since: r.CreatedAt}
	if i == nil {
		return l, true
	}
	if !i.Status.Ended() || !i.EndedAt.Before(begun) {
		return l, false
	}
	l.Made = i.HostName == l.HostName
	l.Retried = l.Made && i.Status == instance.DestroyFailed
	l.Since, l.Price = i.EndedAt, i.Price
	return l, true
}
