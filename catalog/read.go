package catalog

import (
	"context"

	"github.com/internal-app-portal/iap"
)

// List returns the apps that the actor may see, in the order of their slugs:
// members see those that are not retired, publishers and admins see all.
func (s *Service) List(ctx context.Context, actor iap.Actor) ([]App, error) {
	return nil, nil
}

// Get returns an app with its newest version, retired or not. NotFound
// suggests the nearest slug: unknown app "tood"; did you mean "todo"?
func (s *Service) Get(ctx context.Context, slug string) (App, error) {
	return App{}, nil
}

// Deployable returns an app that can be deployed: Get, but Conflict when the
// app is retired.
func (s *Service) Deployable(ctx context.Context, slug string) (App, error) {
	return App{}, nil
}

// Version returns one version, or NotFound.
func (s *Service) Version(ctx context.Context, slug string, number int) (Version, error) {
	return Version{}, nil
}

// Versions returns all versions of an app, newest first, or NotFound.
func (s *Service) Versions(ctx context.Context, slug string) ([]Version, error) {
	return nil, nil
}

// Retire hides an app from those who deploy; its instances live on. Retiring
// a retired app is harmless. It needs the role publisher.
func (s *Service) Retire(ctx context.Context, actor iap.Actor, slug string) error { return nil }

// Unretire takes Retire back.
func (s *Service) Unretire(ctx context.Context, actor iap.Actor, slug string) error { return nil }

// Bundle returns the zip of a version's own bundle by its SHA-256, or
// NotFound.
func (s *Service) Bundle(ctx context.Context, sha string) ([]byte, error) { return nil, nil }

// Icon returns the icon's file and its media type, or NotFound when the
// icon is text.
func (s *Service) Icon(ctx context.Context, v Version) (data []byte, mediaType string, err error) {
	return nil, "", nil
}
