package instance

import (
	"context"
	"maps"
	"sync"
	"time"

	iap "github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/job"
)

// LabelMadeBy says who made a resource when it was not a bundle: MadeByPortal.
const (
	LabelMadeBy  = "iap.made-by"
	MadeByPortal = "portal"
)

// networkTimeout is how long the platform may take to make a network.
const networkTimeout = 10 * time.Second

// networks are the networks that are being made, or were, for the apply jobs of
// this process. The network of an instance of the built-in bundle, and of one whose
// app wants it so, is the portal's, for a provider may wait for seconds for one that
// it made itself. It was made ahead (see spareNetwork), or is made while the job's
// tool reads its scripts.
type networks struct {
	mu sync.Mutex
	of map[string]*network // by instance
}

// network is one that is being made.
type network struct {
	job  string
	made chan struct{} // closed when it is there, or cannot be made
	err  error         // why not; after made
}

// get returns the network of a job, and whether it is up to the caller to make it.
func (n *networks) get(instance, job string) (w *network, begin bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if w = n.of[instance]; w != nil && w.job == job {
		return w, false
	}
	if n.of == nil {
		n.of = map[string]*network{}
	}
	w = &network{job: job, made: make(chan struct{})}
	n.of[instance] = w
	return w, true
}

// drop has the network of an instance made anew when it is asked for again.
func (n *networks) drop(instance string, failed *network) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.of[instance] == failed {
		delete(n.of, instance)
	}
}

// forget returns what there is of an instance and forgets it.
func (n *networks) forget(instance string) *network {
	n.mu.Lock()
	defer n.mu.Unlock()
	w := n.of[instance]
	delete(n.of, instance)
	return w
}

// problem returns why the network of an instance could not be made.
func (n *networks) problem(instance string) error {
	n.mu.Lock()
	w := n.of[instance]
	n.mu.Unlock()
	if w == nil {
		return nil
	}
	select {
	case <-w.made:
		return w.err
	default:
		return nil
	}
}

// wait returns when the network is there or cannot be made, or with ctx.
func (w *network) wait(ctx context.Context) error {
	select {
	case <-w.made:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// BeforeState is to be called before a job's tool gets the state, which it needs
// before it does anything: the network that the bundle builds upon is there then.
// Unavailable while the platform does not answer; the tool asks again, and the
// instance says what it waits for. Conflict when the platform refuses the network: the
// job fails without the state, and networkProblem tells why.
func (s *Service) BeforeState(ctx context.Context, j job.Job) error {
	if j.Kind != job.Apply {
		return nil
	}
	w := s.makeNetwork(j)
	if err := w.wait(ctx); err != nil {
		return err
	}
	if iap.IsKind(w.err, iap.Unavailable) {
		s.networks.drop(j.Instance, w)
		if err := s.waits(ctx, j.Instance, s.Platform.Title()); err != nil {
			return err
		}
		return w.err
	}
	if w.err != nil {
		return w.err
	}
	i, err := s.Store.Instance(ctx, j.Instance)
	if err != nil || i.Waiting == "" {
		return err
	}
	return s.waits(ctx, j.Instance, "")
}

// waits notes what an instance waits for, when that is news.
func (s *Service) waits(ctx context.Context, id, what string) error {
	_, err := s.change(ctx, id, func(i *Instance) (bool, error) {
		changed := i.Waiting != what
		i.Waiting = what
		return changed, nil
	})
	return err
}

// makeNetwork makes the network of a running apply job in the background, once.
func (s *Service) makeNetwork(j job.Job) *network {
	w, begin := s.networks.get(j.Instance, j.ID)
	if begin {
		go func() {
			defer close(w.made)
			// Nobody waits for it who would end with it: the state is asked for again.
			ctx, cancel := context.WithTimeout(context.Background(), networkTimeout)
			defer cancel()
			w.err = s.network(ctx, j)
		}()
	}
	return w
}

func (s *Service) network(ctx context.Context, j job.Job) error {
	i, err := s.Store.Instance(ctx, j.Instance)
	if err != nil {
		return err
	}
	v, err := s.Catalog.Version(ctx, i.App, i.Version)
	if err != nil || !v.NetworkOfPortal() {
		return err
	}
	labels := s.spareLabels()
	if i.Network == "" {
		maps.Copy(labels, s.labels(i))
	}
	name := networkName(i)
	s.failpoint("instance.network.before")
	err = s.Platform.MakeNetwork(ctx, name, labels)
	s.failpoint("instance.network.after")
	if err != nil || i.Network == "" {
		return err
	}
	// It was there before the instance was, and so may be what somebody has put into it.
	// Its own container may be there, too: an earlier process gave the tool the state.
	used, err := s.Platform.NetworkUsed(ctx, name, labels, i.ID)
	if err == nil && used {
		err = iap.Errorf("instance.MakeNetwork", iap.Conflict, "somebody has put a container into the network %s, which was for this instance alone", name)
	}
	return err
}

// networkName is the name of the network of an instance, where the portal makes it.
// A bundle may give resource_name to one of its own.
func networkName(i Instance) string { return orText(i.Network, "iap-"+i.ID) }

// networkProblem is the reason of a failed apply whose network the platform
// refused to make; empty when it did not.
func (s *Service) networkProblem(id string) string {
	err := s.networks.problem(id)
	if !iap.IsKind(err, iap.Conflict) {
		return ""
	}
	return s.Platform.Title() + " has no network for the instance: " + message(err)
}

// withoutNetwork returns the resources that only a bundle can have left behind.
func withoutNetwork(found []Resource) []Resource {
	var out []Resource
	for _, r := range found {
		if r.Labels[LabelMadeBy] != MadeByPortal {
			out = append(out, r)
		}
	}
	return out
}
