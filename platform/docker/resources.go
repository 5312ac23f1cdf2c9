package docker

import (
	"context"
	"strings"
	"time"

	"github.com/containerd/errdefs"
	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/client"

	"github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/instance"
)

// The kinds of resource, in the order in which they can be removed.
const (
	kindContainer = "container"
	kindNetwork   = "network"
	kindVolume    = "volume"
)

// labels is the filter for one portal's resources, of one instance or of all.
func (p *Platform) labels(portal, id string) client.Filters {
	if portal == "" {
		portal = p.portal
	}
	f := make(client.Filters).Add("label", instance.LabelPortal+"="+portal)
	if id != "" {
		f.Add("label", instance.LabelInstance+"="+id)
	}
	return f
}

// Resources lists the containers, networks and volumes that carry the portal's
// label, in the order in which they can be removed. An empty portal means the
// one that the Platform was made for.
func (p *Platform) Resources(ctx context.Context, portal, id string) ([]instance.Resource, error) {
	const op = "docker.Resources"
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	filter := p.labels(portal, id)
	containers, err := p.client.ContainerList(ctx, client.ContainerListOptions{All: true, Filters: filter})
	if err != nil {
		return nil, p.failure(op, err)
	}
	networks, err := p.client.NetworkList(ctx, client.NetworkListOptions{Filters: filter})
	if err != nil {
		return nil, p.failure(op, err)
	}
	volumes, err := p.client.VolumeList(ctx, client.VolumeListOptions{Filters: filter})
	if err != nil {
		return nil, p.failure(op, err)
	}
	var all []instance.Resource
	add := func(kind, id, name string, labels map[string]string, created time.Time) {
		all = append(all, instance.Resource{Platform: p.Name(), Kind: kind, ID: id, Name: name, Labels: labels,
			CreatedAt: created.UTC().Truncate(time.Millisecond)})
	}
	for _, c := range containers.Items {
		name := c.ID
		if len(c.Names) > 0 {
			name = strings.TrimPrefix(c.Names[0], "/")
		}
		add(kindContainer, c.ID, name, c.Labels, time.Unix(c.Created, 0))
	}
	for _, n := range networks.Items {
		add(kindNetwork, n.ID, n.Name, n.Labels, n.Created)
	}
	for _, v := range volumes.Items {
		created, _ := time.Parse(time.RFC3339, v.CreatedAt) // a driver need not tell
		add(kindVolume, v.Name, v.Name, v.Labels, created)
	}
	return all, nil
}

// Remove deletes a resource by force: a running container is killed, a network
// is taken from the containers that still use it. Removing what is gone is
// harmless. Conflict when it is in use and stays.
func (p *Platform) Remove(ctx context.Context, r instance.Resource) error {
	const op = "docker.Remove"
	ctx, cancel := context.WithTimeout(ctx, removeTimeout)
	defer cancel()
	var err error
	switch r.Kind {
	case kindContainer:
		err = p.removeContainer(ctx, r.ID)
	case kindNetwork:
		err = p.removeNetwork(ctx, r.ID)
	case kindVolume:
		_, err = p.client.VolumeRemove(ctx, r.ID, client.VolumeRemoveOptions{Force: true})
	default:
		return iap.FieldErrorf(op, "kind", "%q is no kind of resource here; want container, network or volume", r.Kind)
	}
	if errdefs.IsNotFound(err) {
		return nil
	}
	return p.failure(op, err)
}

// removeContainer removes it, or waits for the removal by somebody else that
// is going on.
func (p *Platform) removeContainer(ctx context.Context, id string) error {
	_, err := p.client.ContainerRemove(ctx, id, client.ContainerRemoveOptions{Force: true, RemoveVolumes: true})
	if !errdefs.IsConflict(err) {
		return err
	}
	waitCtx, cancel := context.WithCancel(ctx)
	wait := p.client.ContainerWait(waitCtx, id, client.ContainerWaitOptions{Condition: container.WaitConditionRemoved})
	err = nil
	select {
	case <-wait.Result:
		cancel()
	case err = <-wait.Error:
		cancel()
	case <-ctx.Done():
		cancel()
		drain(wait)
		err = ctx.Err()
	}
	return err
}

// drain lets the client's goroutine end after its context did.
func drain(wait client.ContainerWaitResult) {
	select {
	case <-wait.Result:
	case <-wait.Error:
	}
}

func (p *Platform) removeNetwork(ctx context.Context, id string) error {
	_, err := p.client.NetworkRemove(ctx, id, client.NetworkRemoveOptions{})
	if err == nil || errdefs.IsNotFound(err) || client.IsErrConnectionFailed(err) {
		return err
	}
	found, inspectErr := p.client.NetworkInspect(ctx, id, client.NetworkInspectOptions{})
	if inspectErr != nil {
		return inspectErr
	}
	for endpoint := range found.Network.Containers {
		// What cannot be taken off shows as the error of the removal below.
		_, _ = p.client.NetworkDisconnect(ctx, id, client.NetworkDisconnectOptions{Container: endpoint, Force: true})
	}
	_, err = p.client.NetworkRemove(ctx, id, client.NetworkRemoveOptions{})
	return err
}
