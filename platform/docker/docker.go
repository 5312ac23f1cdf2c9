// Package docker is the platform on which instances are containers of a Docker
// Engine, from 20.10 (API 1.41).
package docker

import (
	"context"
	"embed"
	"errors"
	"io/fs"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/containerd/errdefs"
	"github.com/moby/moby/client"

	"github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/instance"
)

// How long the engine may take for one answer; an engine that hangs is one
// that does not answer.
const (
	callTimeout   = 10 * time.Second
	removeTimeout = 60 * time.Second // stopping a container and freeing its disk takes a while
)

//go:embed bundle/*.tf
var bundle embed.FS

// BuiltIn returns the files of the bundle for apps that are only an image.
func BuiltIn() fs.FS {
	files, err := fs.Sub(bundle, "bundle")
	if err != nil {
		panic(err) // the folder is embedded above
	}
	return files
}

// Platform is a Docker Engine. It is safe for concurrent use.
type Platform struct {
	client *client.Client
	portal string

	ctx    context.Context // ends at Close; the watchers below live in it
	cancel context.CancelFunc
	wg     sync.WaitGroup
}

var _ instance.Platform = (*Platform)(nil)

// New returns the platform at host ("unix:///var/run/docker.sock"; empty: as
// DOCKER_HOST, DOCKER_TLS_VERIFY and DOCKER_CERT_PATH say) for the portal with
// the ID portal. Nothing is connected yet; the API's version is agreed on at
// the first call. Invalid when host is no address.
func New(host, portal string) (*Platform, error) {
	options := []client.Opt{client.WithTLSClientConfigFromEnv(), client.WithHostFromEnv()}
	if host != "" {
		options = append(options, client.WithHost(host))
	}
	c, err := client.New(options...)
	if err == nil && !slices.Contains([]string{"unix", "tcp", "http", "https", "npipe"}, scheme(c.DaemonHost())) {
		err = errors.New("the scheme is not known")
	}
	if err != nil {
		return nil, iap.FieldErrorf("docker.New", "docker.host",
			"%q is no address of a Docker Engine; want unix:///path or tcp://host:port: %w", host, err)
	}
	p := &Platform{client: c, portal: portal}
	p.ctx, p.cancel = context.WithCancel(context.Background())
	return p, nil
}

func scheme(host string) string {
	s, _, _ := strings.Cut(host, "://")
	return s
}

// Close ends all watching and all connections.
func (p *Platform) Close() error {
	p.cancel()
	p.wg.Wait()
	return p.client.Close()
}

// Name returns "docker".
func (p *Platform) Name() string { return "docker" }

// Title returns "Docker".
func (p *Platform) Title() string { return "Docker" }

// Host returns the engine's address.
func (p *Platform) Host() string { return p.client.DaemonHost() }

// Ping returns nil when the engine answers.
func (p *Platform) Ping(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	_, err := p.client.Ping(ctx, client.PingOptions{NegotiateAPIVersion: true})
	return p.failure("docker.Ping", err)
}

// failure turns an error of the engine into one of the portal.
func (p *Platform) failure(op string, err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, context.Canceled):
		return err
	case client.IsErrConnectionFailed(err), errors.Is(err, context.DeadlineExceeded), errdefs.IsUnavailable(err):
		return &iap.Error{Op: op, Kind: iap.Unavailable, RetryAfter: time.Second,
			Err: &notAnswering{host: p.client.DaemonHost(), cause: err}}
	case errdefs.IsNotFound(err):
		return iap.E(op, iap.NotFound, err)
	case errdefs.IsConflict(err), errdefs.IsPermissionDenied(err):
		return iap.E(op, iap.Conflict, err)
	}
	return iap.Errorf(op, iap.Unavailable, "Docker refuses: %w", err)
}

// notAnswering keeps the engine's words for the log only.
type notAnswering struct {
	host  string
	cause error
}

func (e *notAnswering) Error() string { return "Docker does not answer at " + e.host }
func (e *notAnswering) Unwrap() error { return e.cause }

// Version returns the version of the engine that answers, such as "28.2.2
// (API 1.50)".
func (p *Platform) Version(ctx context.Context) (string, error) {
	const op = "docker.Version"
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	v, err := p.client.ServerVersion(ctx, client.ServerVersionOptions{})
	if err != nil {
		return "", p.failure(op, err)
	}
	return v.Version + " (API " + v.APIVersion + ")", nil
}
