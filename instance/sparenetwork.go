package instance

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"time"

	iap "github.com/internal-app-portal/iap"
)

// When a spare network is made: a platform needs as much of the processor for a
// network as an app needs to start, and people wait for the app.
const (
	spareAfterJob = time.Second     // after the end of the last job
	spareLatest   = 5 * time.Second // after the start of the last job, which may take minutes
	spareStop     = 2 * time.Second // for its removal when the portal stops
)

// spareNetwork is the network that the portal keeps ready for the next instance whose
// network it makes. It bears no instance's label, for it is made before, and goes
// from one instance to the next: the row of an instance says which one it has.
type spareNetwork struct {
	mu     sync.Mutex
	name   string        // empty: there is none
	freed  []string      // those of instances that have ended, to be looked at
	due    time.Time     // when one is to be made if there is none
	closed bool          // nothing is kept any more
	news   chan struct{} // freed or due has changed
}

// take returns the name of the spare network, which is the caller's then; empty
// when there is none.
func (s *spareNetwork) take() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	name := s.name
	s.name = ""
	return name
}

// keep makes a network the spare one unless there is one, or none is kept.
func (s *spareNetwork) keep(name string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed || s.name != "" {
		return false
	}
	s.name = name
	return true
}

// current returns the name of the spare network, which stays that; empty when there
// is none.
func (s *spareNetwork) current() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.name
}

// free gives back a network; empty: none.
func (s *spareNetwork) free(name string) {
	if name != "" {
		s.postpone(name)
		s.tell()
	}
}

// postpone has a network looked at with the next that is given back.
func (s *spareNetwork) postpone(name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.freed = append(s.freed, name)
}

// later puts off the making of a network.
func (s *spareNetwork) later(d time.Duration) {
	s.mu.Lock()
	s.due = time.Now().Add(d)
	s.mu.Unlock()
	s.tell()
}

func (s *spareNetwork) tell() {
	select {
	case s.news <- struct{}{}:
	default:
	}
}

// read returns what was freed, once, and how long it is until one is due.
func (s *spareNetwork) read() (freed []string, due time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	freed, s.freed = s.freed, nil
	return freed, time.Until(s.due)
}

// close returns all that is kept; nothing is from then on.
func (s *spareNetwork) close() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := s.freed
	if s.name != "" {
		all = append(all, s.name)
	}
	s.name, s.freed, s.closed = "", nil, true
	return all
}

// IsSpare reports whether a resource is a network that the portal keeps for its
// instances, and so none that one of them can leave behind.
func IsSpare(r Resource) bool {
	return r.Kind == "network" && r.Labels[LabelMadeBy] == MadeByPortal && r.Labels[LabelInstance] == ""
}

// spareLabels are those of a network that is nobody's yet.
func (s *Service) spareLabels() map[string]string {
	return map[string]string{LabelPortal: s.Portal, LabelMadeBy: MadeByPortal}
}

// NetworkKeeper keeps one network ready for the next instance. Deploys do not
// depend on it; they are only quicker with it. It is a lifetime.Service.
type NetworkKeeper struct {
	Service *Service

	adopted bool
	cancel  context.CancelFunc
	done    sync.WaitGroup
}

// Start begins in the background.
func (k *NetworkKeeper) Start(ctx context.Context) error {
	ctx, k.cancel = context.WithCancel(context.WithoutCancel(ctx))
	k.done.Go(func() { k.run(ctx) })
	return nil
}

// Stop removes what nobody uses.
func (k *NetworkKeeper) Stop(ctx context.Context) error {
	if k.cancel == nil {
		return nil
	}
	k.cancel()
	k.done.Wait()
	ctx, cancel := context.WithTimeout(ctx, spareStop)
	defer cancel()
	err := k.adopt(ctx) // what a killed process left goes, too
	for _, name := range k.Service.spareNetwork.close() {
		k.remove(ctx, name)
	}
	if iap.IsKind(err, iap.Unavailable) {
		return nil // the next start finds it
	}
	return err
}

func (k *NetworkKeeper) run(ctx context.Context) {
	s := &k.Service.spareNetwork
	timer := time.NewTimer(spareAfterJob)
	defer timer.Stop()
	for ctx.Err() == nil {
		select {
		case <-ctx.Done():
		case <-timer.C:
			k.renew(ctx)
		case <-s.news:
			if err := k.adopt(ctx); err != nil {
				continue // with the next news, or when one is due
			}
			freed, due := s.read()
			for _, name := range freed {
				k.reuse(ctx, name)
			}
			timer.Reset(due)
		}
	}
}

// renew makes a network when there is no spare one.
func (k *NetworkKeeper) renew(ctx context.Context) {
	if err := errors.Join(k.adopt(ctx), k.make(ctx)); err != nil && ctx.Err() == nil {
		slog.Warn("no network is ready for the next instance; it will be made with it", "error", err)
	}
}

func (k *NetworkKeeper) make(ctx context.Context) error {
	s := k.Service
	if !k.adopted || s.spareNetwork.current() != "" {
		return nil
	}
	name := "iap-" + iap.NewID(s.Now())
	s.failpoint("instance.spare.before")
	err := s.Platform.MakeNetwork(ctx, name, s.spareLabels())
	if err == nil {
		s.spareNetwork.keep(name)
	} else {
		s.spareNetwork.postpone(name) // it may have been made all the same
	}
	s.failpoint("instance.spare.after")
	return err
}

// adopt looks, once, for the networks that an earlier process kept: that process
// may have been killed between any two steps.
func (k *NetworkKeeper) adopt(ctx context.Context) error {
	if k.adopted {
		return nil
	}
	s := k.Service
	found, err := s.Platform.Resources(ctx, s.Portal, "")
	if err != nil {
		return err
	}
	used, err := s.Store.Networks(ctx)
	if err != nil {
		return err
	}
	for _, r := range found {
		if IsSpare(r) && r.Name != s.spareNetwork.current() && !slices.Contains(used, r.Name) {
			k.reuse(ctx, r.Name)
		}
	}
	k.adopted = true
	return nil
}

// reuse keeps a network that is nobody's any more for the next instance, or
// removes it: when there is one already, and when somebody has put a container
// into it.
func (k *NetworkKeeper) reuse(ctx context.Context, name string) {
	s := k.Service
	used, err := s.Platform.NetworkUsed(ctx, name, s.spareLabels(), "")
	switch {
	case iap.IsKind(err, iap.NotFound):
	case iap.IsKind(err, iap.Conflict):
		slog.Warn("a network of an instance that has ended is another's by now", "network", name, "error", err)
	case err != nil: // the platform does not answer, or the portal stops
		s.spareNetwork.postpone(name)
	case !used && s.spareNetwork.keep(name):
		s.failpoint("instance.spare.reused")
	default:
		k.remove(ctx, name)
	}
}

// remove removes a network, unless another process has found it here and given it to
// an instance. One that stays is tried again with the next, at the stop, and by the
// next process.
func (k *NetworkKeeper) remove(ctx context.Context, name string) {
	s := k.Service
	given, err := s.Store.Networks(ctx)
	if err == nil && slices.Contains(given, name) {
		return
	}
	used := false
	if err == nil {
		used, err = s.Platform.NetworkUsed(ctx, name, s.spareLabels(), "")
	}
	if iap.IsKind(err, iap.NotFound) || iap.IsKind(err, iap.Conflict) {
		return // somebody was quicker, and maybe took the name
	}
	if used {
		slog.Warn("a container of somebody else is taken out of a network that is removed", "network", name)
	}
	if err == nil {
		s.failpoint("instance.spare.remove.before")
		err = s.Platform.Remove(ctx, Resource{Platform: s.Platform.Name(), Kind: "network", ID: name, Name: name})
		s.failpoint("instance.spare.remove.after")
	}
	if err != nil {
		s.spareNetwork.postpone(name)
	}
	if err != nil && ctx.Err() == nil {
		slog.Warn("a network that no instance uses cannot be removed now", "network", name, "error", err)
	}
}
