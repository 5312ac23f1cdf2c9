package web

import (
	"cmp"
	"context"
	"net/http"
	"slices"
	"strings"

	iap "github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/catalog"
	"github.com/internal-app-portal/iap/instance"
)

// cardView is an app in the catalogue with the state of one's own instance.
type cardView struct {
	appView
	Usual           float64 // usual seconds to ready; 0: unknown
	Mine            *instanceView
	Fields          []fieldView
	Open            bool // the parameters are shown at once
	Problem         string
	For, ForProblem string // the time limit that was asked for
}

type cataloguePage struct {
	layout
	Mine  []instanceView
	Cards []cardView
	Query string
	Tag   string
	Tags  []string
	Empty bool
}

func (s *Server) cataloguePage(w http.ResponseWriter, r *http.Request, actor iap.Actor) error {
	p := cataloguePage{layout: s.layout(r, actor, "Catalogue"), Query: strings.TrimSpace(r.URL.Query().Get("q")), Tag: r.URL.Query().Get("tag")}
	ctx := r.Context()
	apps, err := s.cfg.Apps.List(ctx, actor)
	if err != nil {
		return err
	}
	current, err := s.cfg.Instances.Current(ctx, actor)
	if err != nil {
		return err
	}
	usual, err := s.cfg.Instances.ReadySeconds(ctx)
	if err != nil {
		return err
	}
	p.Empty = len(apps) == 0
	for _, a := range apps {
		for _, t := range a.Version.Manifest.Tags {
			if !slices.Contains(p.Tags, t) {
				p.Tags = append(p.Tags, t)
			}
		}
		if !matches(a, p.Query, p.Tag) {
			continue
		}
		p.Cards = append(p.Cards, s.viewCard(ctx, a, current, usual, actor))
	}
	slices.SortStableFunc(p.Cards, func(a, b cardView) int { return cmp.Compare(rank(a), rank(b)) })
	slices.Sort(p.Tags)
	p.Mine = s.viewMine(ctx, current, actor)
	return s.render(w, http.StatusOK, "catalogue", p)
}

// rank puts what nobody can deploy last.
func rank(c cardView) int {
	if c.Retired {
		return 1
	}
	return 0
}

func matches(a catalog.App, query, tag string) bool {
	m := a.Version.Manifest
	if tag != "" && !slices.Contains(m.Tags, tag) {
		return false
	}
	text := strings.ToLower(a.Slug + " " + m.Name + " " + m.Description + " " + strings.Join(m.Tags, " "))
	for _, word := range strings.Fields(strings.ToLower(query)) {
		if !strings.Contains(text, word) {
			return false
		}
	}
	return true
}

func (s *Server) viewCard(ctx context.Context, a catalog.App, current map[string]instance.Instance, usual map[string]float64, actor iap.Actor) cardView {
	c := cardView{appView: viewApp(a), Usual: usual[a.Slug]}
	c.Fields = viewFields(a.Version.Manifest.Parameters, nil)
	for _, f := range c.Fields {
		c.Open = c.Open || f.Required
	}
	if i, ok := current[a.Slug]; ok {
		v := s.viewInstance(ctx, i, actor.ID)
		c.Mine = &v
	}
	return c
}

// viewMine lists one's own instances that have not ended, newest first.
func (s *Server) viewMine(ctx context.Context, current map[string]instance.Instance, actor iap.Actor) []instanceView {
	var mine []instanceView
	for _, i := range current {
		mine = append(mine, s.viewInstance(ctx, i, actor.ID))
	}
	slices.SortFunc(mine, func(a, b instanceView) int { return cmp.Compare(b.ID, a.ID) })
	return mine
}
