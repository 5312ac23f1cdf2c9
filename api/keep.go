package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/internal-app-portal/iap/client"
	"github.com/internal-app-portal/iap/instance"
)

func (s *service) registerKeep() {
	tags := []string{"Instances"}
	register(s, huma.Operation{Method: http.MethodPut, Path: "/instances/{ref}/keep", OperationID: "keep-instance", Tags: tags,
		Summary: "Keep an instance up to a time", Description: "The nightly sweep spares it, and where its own time is up before, that is moved.",
		Errors: []int{400, 404, 409, 422, 503, 507}}, s.keepInstance)
	register(s, huma.Operation{Method: http.MethodDelete, Path: "/instances/{ref}/keep", OperationID: "release-instance", Tags: tags,
		Summary: "Keep an instance no longer; its own end stays where it is", Errors: []int{404, 503, 507}}, s.releaseInstance)
}

type keepInput struct {
	Ref  string `path:"ref" maxLength:"128" doc:"ID, host name, or a part of the host name that is unique among one's own live instances"`
	Body client.Keep
}

func (s *service) keepInstance(ctx context.Context, in *keepInput) (*bodyOf[client.Instance], error) {
	zone := s.cfg.Zone
	if zone == nil {
		zone = time.UTC
	}
	until, err := instance.ParseUntil(in.Body.Until, zone, s.cfg.Now())
	if err != nil {
		return nil, err
	}
	i, err := s.cfg.Instances.Keep(ctx, actor(ctx), in.Ref, until, in.Body.Reason)
	if err != nil {
		return nil, err
	}
	return &bodyOf[client.Instance]{s.instance(i)}, nil
}

func (s *service) releaseInstance(ctx context.Context, in *refInput) (*bodyOf[client.Instance], error) {
	i, err := s.cfg.Instances.Release(ctx, actor(ctx), in.Ref)
	if err != nil {
		return nil, err
	}
	return &bodyOf[client.Instance]{s.instance(i)}, nil
}
