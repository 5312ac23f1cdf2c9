package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/catalog"
	"github.com/internal-app-portal/iap/client"
)

type slugInput struct {
	Slug string `path:"slug" maxLength:"63" doc:"Slug of the app"`
}

func (s *service) registerApps() {
	tags := []string{"Apps"}
	register(s, huma.Operation{Method: http.MethodGet, Path: "/apps", OperationID: "list-apps", Tags: tags,
		Summary: "The catalogue; publishers see retired apps too"}, s.listApps)
	s.registerUpload(tags)
	register(s, huma.Operation{Method: http.MethodGet, Path: "/apps/{slug}", OperationID: "get-app", Tags: tags,
		Summary: "One app with its newest version", Errors: []int{404}}, s.getApp)
	register(s, huma.Operation{Method: http.MethodGet, Path: "/apps/{slug}/versions", OperationID: "list-versions", Tags: tags,
		Summary: "The versions of an app, newest first", Errors: []int{404}}, s.listVersions)
	register(s, huma.Operation{Method: http.MethodPost, Path: "/apps/{slug}/versions/{number}/certify", OperationID: "certify", Tags: tags,
		Summary: "Have a version certified again; for publishers", Errors: []int{403, 404, 409, 503, 507}}, certification(s.cfg.Catalog.Certify))
	register(s, huma.Operation{Method: http.MethodPost, Path: "/apps/{slug}/versions/{number}/skip-certification", OperationID: "skip-certification", Tags: tags,
		Summary: "Let people have a version without a certification; for admins", Errors: []int{403, 404, 503, 507}}, certification(s.cfg.Catalog.SkipCertification))
	register(s, huma.Operation{Method: http.MethodPost, Path: "/apps/{slug}/retire", OperationID: "retire", Tags: tags,
		Summary: "Hide an app from those who deploy; its instances live on", Errors: []int{403, 404, 503, 507}},
		func(ctx context.Context, in *slugInput) (*bodyOf[client.App], error) {
			if err := s.cfg.Catalog.Retire(ctx, actor(ctx), in.Slug); err != nil {
				return nil, err
			}
			return s.app(ctx, in.Slug)
		})
	register(s, huma.Operation{Method: http.MethodPost, Path: "/apps/{slug}/unretire", OperationID: "unretire", Tags: tags,
		Summary: "Take a retire back", Errors: []int{403, 404, 503, 507}},
		func(ctx context.Context, in *slugInput) (*bodyOf[client.App], error) {
			if err := s.cfg.Catalog.Unretire(ctx, actor(ctx), in.Slug); err != nil {
				return nil, err
			}
			return s.app(ctx, in.Slug)
		})
}

func (s *service) listApps(ctx context.Context, _ *struct{}) (*bodyOf[client.List[client.App]], error) {
	apps, err := s.cfg.Catalog.List(ctx, actor(ctx))
	if err != nil {
		return nil, err
	}
	ready, err := s.cfg.Instances.ReadySeconds(ctx)
	if err != nil {
		return nil, err
	}
	out := client.List[client.App]{Items: []client.App{}}
	for _, a := range apps {
		wire, err := wireApp(a, ready)
		if err != nil {
			return nil, err
		}
		out.Items = append(out.Items, wire)
	}
	return &bodyOf[client.List[client.App]]{out}, nil
}

func (s *service) getApp(ctx context.Context, in *slugInput) (*bodyOf[client.App], error) {
	return s.app(ctx, in.Slug)
}

func (s *service) app(ctx context.Context, slug string) (*bodyOf[client.App], error) {
	a, err := s.cfg.Catalog.Get(ctx, slug)
	if err != nil {
		return nil, err
	}
	if a.Retired && !actor(ctx).Role.Includes(iap.Publisher) {
		return nil, iap.Errorf("api.app", iap.NotFound, "the app %q is retired", slug)
	}
	ready, err := s.cfg.Instances.ReadySeconds(ctx)
	if err != nil {
		return nil, err
	}
	wire, err := wireApp(a, ready)
	if err != nil {
		return nil, err
	}
	return &bodyOf[client.App]{wire}, nil
}

func (s *service) listVersions(ctx context.Context, in *slugInput) (*bodyOf[client.List[client.AppVersion]], error) {
	versions, err := s.cfg.Catalog.Versions(ctx, in.Slug)
	if err != nil {
		return nil, err
	}
	out := client.List[client.AppVersion]{Items: []client.AppVersion{}}
	for _, v := range versions {
		wire, err := wireVersion(v)
		if err != nil {
			return nil, err
		}
		out.Items = append(out.Items, wire)
	}
	return &bodyOf[client.List[client.AppVersion]]{out}, nil
}

type versionInput struct {
	Slug   string `path:"slug" maxLength:"63" doc:"Slug of the app"`
	Number int    `path:"number" minimum:"0" doc:"Number of the version; 0: the newest"`
}

// certification is a handler of what is done with a version's certification.
func certification(do func(ctx context.Context, actor iap.Actor, slug string, number int) (catalog.Version, error)) func(context.Context, *versionInput) (*bodyOf[client.AppVersion], error) {
	return func(ctx context.Context, in *versionInput) (*bodyOf[client.AppVersion], error) {
		v, err := do(ctx, actor(ctx), in.Slug, in.Number)
		if err != nil {
			return nil, err
		}
		wire, err := wireVersion(v)
		return &bodyOf[client.AppVersion]{wire}, err
	}
}
