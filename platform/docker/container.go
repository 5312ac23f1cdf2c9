package docker

import (
	"context"
	"io"

	"github.com/containerd/errdefs"
	"github.com/moby/moby/api/pkg/stdcopy"
	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/client"

	"github.com/internal-app-portal/iap/instance"
)

// Container tells of the instance's container, with at most lines of its last
// output, stdout and stderr as they came.
func (p *Platform) Container(ctx context.Context, id string, lines int) (instance.Container, error) {
	const op = "docker.Container"
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	c, found, err := p.main(ctx, id)
	if err != nil || !found || c.State == nil {
		return instance.Container{}, p.failure(op, err)
	}
	out := instance.Container{Exists: true, Running: c.State.Running, ExitCode: c.State.ExitCode, OOMKilled: c.State.OOMKilled}
	if lines <= 0 {
		return out, nil
	}
	// A container whose log driver cannot be read back has no last lines.
	tty := c.Config != nil && c.Config.Tty
	out.LastLines, err = p.lastLines(ctx, c.ID, lines, tty)
	if client.IsErrConnectionFailed(err) || ctx.Err() != nil {
		return out, p.failure(op, err)
	}
	return out, nil
}

// main returns the instance's container: of several (an app may bring a
// database) the one that publishes a port, else the newest.
func (p *Platform) main(ctx context.Context, id string) (container.InspectResponse, bool, error) {
	all, err := p.containers(ctx, id)
	if err != nil || len(all) == 0 {
		return container.InspectResponse{}, false, err
	}
	for _, c := range all {
		if c.HostConfig != nil && len(c.HostConfig.PortBindings) > 0 {
			return c, true, nil
		}
	}
	return all[0], true, nil
}

// containers returns all containers of an instance, newest first.
func (p *Platform) containers(ctx context.Context, id string) ([]container.InspectResponse, error) {
	list, err := p.client.ContainerList(ctx, client.ContainerListOptions{All: true, Filters: p.labels("", id)})
	if err != nil {
		return nil, err
	}
	var all []container.InspectResponse
	for _, item := range list.Items {
		c, err := p.client.ContainerInspect(ctx, item.ID, client.ContainerInspectOptions{})
		if errdefs.IsNotFound(err) {
			continue // removed between the two calls
		}
		if err != nil {
			return nil, err
		}
		all = append(all, c.Container)
	}
	return all, nil
}

// maxLog is how much of a log is read for its last lines; keepLog of it is
// kept.
const (
	maxLog  = 16 << 20
	keepLog = 64 << 10
)

func (p *Platform) lastLines(ctx context.Context, id string, lines int, tty bool) ([]string, error) {
	log, err := p.client.ContainerLogs(ctx, id, client.ContainerLogsOptions{
		ShowStdout: true, ShowStderr: true, Tail: itoa(lines),
	})
	if err != nil {
		return nil, err
	}
	defer log.Close()
	var end tail
	limited := io.LimitReader(log, maxLog)
	if tty {
		_, err = io.Copy(&end, limited)
	} else {
		_, err = stdcopy.StdCopy(&end, &end, limited)
	}
	return end.lines(lines), err // what came before a break is worth showing
}

// LimitProcesses bounds the number of processes and threads of each of the
// instance's containers; where the bound is set already, nothing is done.
func (p *Platform) LimitProcesses(ctx context.Context, id string, limit int) error {
	const op = "docker.LimitProcesses"
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	all, err := p.containers(ctx, id)
	if err != nil {
		return p.failure(op, err)
	}
	n := int64(limit)
	for _, c := range all {
		if c.HostConfig != nil && c.HostConfig.PidsLimit != nil && *c.HostConfig.PidsLimit == n {
			continue
		}
		_, err := p.client.ContainerUpdate(ctx, c.ID, client.ContainerUpdateOptions{
			Resources: &container.Resources{PidsLimit: &n},
		})
		if err != nil && !errdefs.IsNotFound(err) {
			return p.failure(op, err)
		}
	}
	return nil
}
