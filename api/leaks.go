package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/internal-app-portal/iap/client"
	"github.com/internal-app-portal/iap/leak"
)

func (s *service) registerLeaks() {
	if s.cfg.Leaks == nil {
		return
	}
	tags := []string{"Leaks"}
	register(s, huma.Operation{Method: http.MethodGet, Path: "/leaks", OperationID: "list-leaks", Tags: tags,
		Summary: "What outlived its instance, newest first; for admins", Errors: []int{403, 422}}, s.listLeaks)
	register(s, huma.Operation{Method: http.MethodGet, Path: "/leaks/{id}", OperationID: "get-leak", Tags: tags,
		Summary: "One leak, for admins", Errors: []int{403, 404}},
		func(ctx context.Context, in *idInput) (*bodyOf[client.Leak], error) {
			l, err := s.cfg.Leaks.Get(ctx, actor(ctx), in.ID)
			return &bodyOf[client.Leak]{s.wireLeak(l)}, err
		})
	register(s, huma.Operation{Method: http.MethodPost, Path: "/leaks/{id}/remove", OperationID: "remove-leak", Tags: tags,
		DefaultStatus: http.StatusOK, Summary: "Remove at once what leaked, for admins", Errors: []int{403, 404, 409, 503, 507}},
		func(ctx context.Context, in *idInput) (*bodyOf[client.Leak], error) {
			l, err := s.cfg.Leaks.Remove(ctx, actor(ctx), in.ID)
			return &bodyOf[client.Leak]{s.wireLeak(l)}, err
		})
}

type leaksInput struct {
	Gone   bool   `query:"gone" doc:"Those that are gone as well"`
	Before string `query:"before" maxLength:"26" doc:"\"next\" of the page before"`
	Limit  int    `query:"limit" minimum:"1" maximum:"500" default:"100"`
}

func (s *service) listLeaks(ctx context.Context, in *leaksInput) (*bodyOf[client.List[client.Leak]], error) {
	found, err := s.cfg.Leaks.List(ctx, actor(ctx), leak.Filter{Gone: in.Gone, Before: in.Before, Limit: in.Limit})
	if err != nil {
		return nil, err
	}
	out := client.List[client.Leak]{Items: []client.Leak{}}
	for _, l := range found {
		out.Items = append(out.Items, s.wireLeak(l))
	}
	if len(found) == in.Limit {
		out.Next = found[len(found)-1].ID
	}
	return &bodyOf[client.List[client.Leak]]{out}, nil
}

func (s *service) wireLeak(l leak.Leak) client.Leak {
	r := l.Resource
	return client.Leak{ID: l.ID, Platform: r.Platform, Kind: r.Kind, Resource: r.ID, Name: r.Name, Instance: l.Instance,
		HostName: l.HostName, App: l.App, Owner: l.Owner, Made: l.Made, CreatedAt: ms(r.CreatedAt), Since: ms(l.Since), Cost: l.Cost(s.cfg.Now()),
		FoundAt: ms(l.FoundAt), SeenAt: ms(l.SeenAt), RemoveAt: ms(l.RemoveAt), Tries: l.Tries, Problem: l.Problem,
		GoneAt: ms(l.GoneAt), GoneBy: l.GoneBy, Advice: l.Advice()}
}
