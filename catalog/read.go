package catalog

import (
	"context"
	"slices"

	"github.com/internal-app-portal/iap"
)

// List returns the apps that the actor may see, in the order of their slugs:
// members see those that are not retired, publishers and admins see all.
func (s *Service) List(ctx context.Context, actor iap.Actor) ([]App, error) {
	apps, err := s.cfg.Store.Apps(ctx)
	if err != nil || actor.Role.Includes(iap.Publisher) {
		return apps, err
	}
	return slices.DeleteFunc(apps, func(a App) bool { return a.Retired }), nil
}

// Get returns an app with its newest version, retired or not. NotFound
// suggests the nearest slug: unknown app "tood"; did you mean "todo"?
func (s *Service) Get(ctx context.Context, slug string) (App, error) {
	app, err := s.cfg.Store.App(ctx, slug)
	if iap.IsKind(err, iap.NotFound) {
		return App{}, s.unknown(ctx, slug)
	}
	return app, err
}

// unknown is the error for a slug that no app has.
func (s *Service) unknown(ctx context.Context, slug string) error {
	var slugs []string
	if apps, err := s.cfg.Store.Apps(ctx); err == nil { // without them there is no suggestion
		for _, a := range apps {
			if !a.Retired {
				slugs = append(slugs, a.Slug)
			}
		}
	}
	err := iap.Errorf("catalog.Get", iap.NotFound, "unknown app %q%s", shorten(slug), didYouMean(slug, slugs))
	err.Field = "app"
	return err
}

// Deployable returns an app that can be deployed: Get, but Conflict when the
// app is retired, or has no version that has passed its certification. One whose
// only version is being certified is returned.
func (s *Service) Deployable(ctx context.Context, slug string) (App, error) {
	app, err := s.Get(ctx, slug)
	if err == nil && app.Retired {
		return App{}, iap.Errorf("catalog.Deployable", iap.Conflict, "the app %q is retired; a publisher can take that back", slug)
	}
	if err == nil && app.Version.Certification.State == CertFailed {
		c := app.Version.Certification
		return App{}, iap.Errorf("catalog.Deployable", iap.Conflict, "version %d of %s did not pass its certification, and there is no other; it failed at %s: %s",
			app.Latest, slug, c.Step, c.Reason)
	}
	return app, err
}

// Version returns one version, or NotFound.
func (s *Service) Version(ctx context.Context, slug string, number int) (Version, error) {
	v, err := s.cfg.Store.Version(ctx, slug, number)
	if !iap.IsKind(err, iap.NotFound) {
		return v, err
	}
	app, err := s.Get(ctx, slug)
	if err != nil {
		return Version{}, err
	}
	return Version{}, iap.Errorf("catalog.Version", iap.NotFound, "the app %q has no version %d; the newest is %d", slug, number, app.Newest)
}

// Versions returns all versions of an app, newest first, or NotFound.
func (s *Service) Versions(ctx context.Context, slug string) ([]Version, error) {
	if _, err := s.Get(ctx, slug); err != nil {
		return nil, err
	}
	return s.cfg.Store.Versions(ctx, slug)
}

// Retire hides an app from those who deploy; its instances live on. Retiring
// a retired app is harmless. It needs the role publisher.
func (s *Service) Retire(ctx context.Context, actor iap.Actor, slug string) error {
	return s.retire(ctx, actor, slug, true)
}

// Unretire takes Retire back.
func (s *Service) Unretire(ctx context.Context, actor iap.Actor, slug string) error {
	return s.retire(ctx, actor, slug, false)
}

func (s *Service) retire(ctx context.Context, actor iap.Actor, slug string, retired bool) error {
	if err := mayPublish("catalog.Retire", actor, "retire apps"); err != nil {
		return err
	}
	return s.cfg.Tx.Update(ctx, func(ctx context.Context) error {
		app, err := s.Get(ctx, slug)
		if err != nil || app.Retired == retired {
			return err
		}
		return s.setRetired(ctx, app, retired)
	})
}

func (s *Service) setRetired(ctx context.Context, app App, retired bool) error {
	if err := s.cfg.Store.SetRetired(ctx, app.Slug, retired, s.cfg.Now()); err != nil {
		return err
	}
	return s.tell(ctx, Changed{Slug: app.Slug, Version: app.Latest, Retired: retired})
}

// Bundle returns the zip of a version's own bundle by its SHA-256, or
// NotFound.
func (s *Service) Bundle(ctx context.Context, sha string) ([]byte, error) {
	return s.cfg.Blobs.Get(ctx, sha)
}

// Icon returns the icon's file and its media type, or NotFound when the
// icon is text.
func (s *Service) Icon(ctx context.Context, v Version) (data []byte, mediaType string, err error) {
	if v.IconSHA == "" {
		return nil, "", iap.Errorf("catalog.Icon", iap.NotFound, "the icon of %q is not a file", v.App)
	}
	data, err = s.cfg.Blobs.Get(ctx, v.IconSHA)
	return data, v.IconType, err
}
