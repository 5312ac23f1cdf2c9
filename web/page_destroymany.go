package web

import (
	"fmt"
	"net/http"
	"slices"

	iap "github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/instance"
)

// mostDestroyed is how many instances can be destroyed by one form.
const mostDestroyed = 200

// destroyable reports whether an instance can be destroyed and is not being.
func destroyable(i instance.Instance) bool {
	return slices.Contains(allStatuses[:4], i.Status) || i.Status == instance.DestroyFailed
}

// doomedView is an instance in the preview of what is to be destroyed.
type doomedView struct {
	instanceView
	Ticked  bool
	Problem string // why it could not be destroyed
}

type destroyManyPage struct {
	layout
	F       instanceFilter
	Rows    []doomedView
	Most    int // of the rows, where there are more instances
	Kept    int // of the rows are kept by their owners
	Problem string
}

// destroyManyPage shows what would be destroyed: all that the filter chooses and
// that has not ended. What its owner keeps has to be ticked by hand.
func (s *Server) destroyManyPage(w http.ResponseWriter, r *http.Request, actor iap.Actor) error {
	return s.showDestroyMany(w, r, actor, http.StatusOK, destroyManyPage{F: readInstanceFilter(r.URL.Query())},
		func(v *doomedView) { v.Ticked = !v.Kept })
}

func (s *Server) showDestroyMany(w http.ResponseWriter, r *http.Request, actor iap.Actor, status int, p destroyManyPage, row func(*doomedView)) error {
	p.layout = s.layout(r, actor, "Destroy instances")
	f, err := p.F.filter()
	if err != nil {
		return err
	}
	if len(f.Statuses) != 1 {
		f.Statuses = append(slices.Clone(allStatuses[:4]), instance.DestroyFailed)
	}
	f.Limit = mostDestroyed + 1
	list, err := s.cfg.Instances.List(r.Context(), actor, f)
	if err != nil {
		return err
	}
	if len(list) > mostDestroyed {
		list, p.Most = list[:mostDestroyed], mostDestroyed
	}
	for _, i := range list {
		if !destroyable(i) {
			continue
		}
		v := doomedView{instanceView: s.viewInstance(r.Context(), i, actor.ID)}
		row(&v)
		if v.Kept {
			p.Kept++
		}
		p.Rows = append(p.Rows, v)
	}
	return s.render(w, status, "destroymany", p)
}

// destroyMany destroys those that were ticked. What cannot be is shown again with
// the reason; the others are destroyed all the same.
func (s *Server) destroyMany(w http.ResponseWriter, r *http.Request, actor iap.Actor) error {
	if err := parseForm(w, r); err != nil {
		return err
	}
	p, ids := destroyManyPage{F: readInstanceFilter(r.PostForm)}, r.PostForm["id"]
	if len(ids) > mostDestroyed {
		return iap.FieldErrorf("web.destroyMany", "id", "there are %d; at most %d at once", len(ids), mostDestroyed)
	}
	if len(ids) == 0 {
		p.Problem = "Nothing is ticked: tick the instances that should be destroyed."
		return s.showDestroyMany(w, r, actor, http.StatusUnprocessableEntity, p, func(*doomedView) {})
	}
	failed := map[string]string{}
	for _, id := range ids {
		if _, err := s.cfg.Instances.Destroy(r.Context(), actor, id); err != nil {
			if r.Context().Err() != nil || iap.KindOf(err) == iap.Internal {
				return err
			}
			failed[id] = message(err)
		}
	}
	if len(failed) > 0 {
		p.Problem = fmt.Sprintf("%d of %d could not be destroyed; the others are being destroyed.", len(failed), len(ids))
		return s.showDestroyMany(w, r, actor, http.StatusUnprocessableEntity, p, func(v *doomedView) {
			v.Problem = failed[v.ID]
			v.Ticked = v.Problem != ""
		})
	}
	return seeOther(w, r, "/admin/instances?status=live")
}
