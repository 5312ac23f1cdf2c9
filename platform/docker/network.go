package docker

import (
	"cmp"
	"context"
	"errors"
	"slices"

	"github.com/containerd/errdefs"
	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/network"
	"github.com/moby/moby/client"
	"github.com/moby/moby/client/pkg/versions"

	"github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/instance"
)

// checksNames is the version of the API from which on an engine has one network
// of a name at most.
const checksNames = "1.44"

// MakeNetwork makes a bridge network with a name and labels, unless that is
// there already. Conflict, in Docker's words, when it cannot be made, as when
// another one has the name or all subnets are taken.
func (p *Platform) MakeNetwork(ctx context.Context, name string, labels map[string]string) error {
	const op = "docker.MakeNetwork"
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	there, err := p.named(ctx, name, labels)
	if err != nil || len(there) > 0 {
		return err
	}
	_, err = p.client.NetworkCreate(ctx, name, client.NetworkCreateOptions{Driver: "bridge", Labels: labels})
	switch {
	case errdefs.IsConflict(err): // somebody else was quicker
		_, err = p.named(ctx, name, labels)
		return err
	case client.IsErrConnectionFailed(err), errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return p.failure(op, err)
	case err != nil:
		return iap.Errorf(op, iap.Conflict, "%w", err)
	}
	if versions.GreaterThanOrEqualTo(p.client.ClientVersion(), checksNames) {
		return nil
	}
	// A portal that died while Docker made one for it may have left that behind.
	if there, err = p.named(ctx, name, labels); err != nil {
		return err
	}
	for _, n := range there[min(1, len(there)):] {
		if err := p.removeNetwork(ctx, n.ID); err != nil && !errdefs.IsNotFound(err) {
			return p.failure(op, err)
		}
	}
	return nil
}

// NetworkUsed reports whether a container, running or not, is in a network that
// MakeNetwork made; those of the instance own do not count. NotFound when there is
// none of the name, Conflict when it is another's.
func (p *Platform) NetworkUsed(ctx context.Context, name string, labels map[string]string, own string) (bool, error) {
	const op = "docker.NetworkUsed"
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	there, err := p.named(ctx, name, labels)
	if err == nil && len(there) == 0 {
		err = iap.Errorf(op, iap.NotFound, "there is no network %q", name)
	}
	if err != nil {
		return false, err
	}
	// The network itself names those alone that run.
	in, err := p.client.ContainerList(ctx, client.ContainerListOptions{All: true, Filters: make(client.Filters).Add("network", name)})
	used := slices.ContainsFunc(in.Items, func(c container.Summary) bool {
		return own == "" || c.Labels[instance.LabelInstance] != own
	})
	return used, p.failure(op, err)
}

// named returns the networks of a name, oldest first. Conflict when one of them
// is not that of the instance in labels.
func (p *Platform) named(ctx context.Context, name string, labels map[string]string) ([]network.Summary, error) {
	const op = "docker.MakeNetwork"
	list, err := p.client.NetworkList(ctx, client.NetworkListOptions{Filters: make(client.Filters).Add("name", name)})
	if err != nil {
		return nil, p.failure(op, err)
	}
	// The filter finds parts of names, too.
	found := slices.DeleteFunc(list.Items, func(n network.Summary) bool { return n.Name != name })
	for _, n := range found {
		for _, label := range []string{instance.LabelPortal, instance.LabelInstance} {
			if n.Labels[label] != labels[label] {
				return nil, iap.Errorf(op, iap.Conflict, "another network has the name %q", name)
			}
		}
	}
	slices.SortFunc(found, func(a, b network.Summary) int { return cmp.Or(a.Created.Compare(b.Created), cmp.Compare(a.ID, b.ID)) })
	return found, nil
}
