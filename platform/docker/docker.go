// Package docker is the platform on which instances are containers of a Docker
// Engine, from 20.10 (API 1.41).
package docker

import (
	"context"
	"io/fs"

	"github.com/internal-app-portal/iap/instance"
)

// Platform is a Docker Engine.
type Platform struct{}

var _ instance.Platform = (*Platform)(nil)

// New returns the platform at host ("unix:///var/run/docker.sock"; empty: as
// DOCKER_HOST says) for the portal with the ID portal. Nothing is connected
// yet. Invalid when host is no address.
func New(host, portal string) (*Platform, error) { return &Platform{}, nil }

// Close ends all connections.
func (p *Platform) Close() error { return nil }

// Exit is the end of an instance's container.
type Exit struct {
	Instance string // ID of the instance
	ExitCode int
}

// Exits returns a channel of the ends of this portal's containers from now on,
// which closes when ctx ends or the engine's stream breaks.
func (p *Platform) Exits(ctx context.Context) (<-chan Exit, error) { return nil, nil }

// BuiltIn returns the files of the bundle for apps that are only an image.
func BuiltIn() fs.FS { return nil }

func (p *Platform) Name() string                   { return "docker" }
func (p *Platform) Title() string                  { return "Docker" }
func (p *Platform) Ping(ctx context.Context) error { return nil }
func (p *Platform) Resources(ctx context.Context, portal, id string) ([]instance.Resource, error) {
	return nil, nil
}
func (p *Platform) Remove(ctx context.Context, r instance.Resource) error { return nil }
func (p *Platform) Container(ctx context.Context, id string, lines int) (instance.Container, error) {
	return instance.Container{}, nil
}
func (p *Platform) WatchExit(ctx context.Context, id string) (<-chan struct{}, error) {
	return nil, nil
}
func (p *Platform) CheckUpstream(ctx context.Context, id, upstream string) error { return nil }
