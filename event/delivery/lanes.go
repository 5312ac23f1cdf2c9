package delivery

import (
	"context"
	"sync"
	"time"

	iap "github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/event"
)

const (
	lease     = 10 * time.Second // of a lane
	renew     = lease / 3
	lookAgain = time.Second // for what nobody told of
)

// lanes has one lane for each target.
type lanes struct {
	s *Service

	mu     sync.Mutex
	byName map[string]*lane
	owner  string

	ctx    context.Context
	cancel context.CancelFunc
	done   sync.WaitGroup
}

// Wake has all lanes look for what is due.
func (l *lanes) Wake() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, one := range l.byName {
		one.Wake()
	}
}

func (l *lanes) start(ctx context.Context) error {
	l.mu.Lock()
	l.byName, l.owner = map[string]*lane{}, iap.NewID(time.Now())
	l.mu.Unlock()
	l.ctx, l.cancel = context.WithCancel(context.WithoutCancel(ctx))
	sub := l.s.Log.Subscribe(-1)
	if err := l.load(ctx); err != nil {
		l.cancel()
		return err
	}
	l.done.Go(func() { l.run(sub) })
	return nil
}

// stop begins nothing more and waits for the attempts under way, for a while.
func (l *lanes) stop(ctx context.Context) {
	if l.cancel == nil {
		return
	}
	l.cancel()
	l.done.Wait()
	l.mu.Lock()
	open := l.byName
	l.byName = nil
	l.mu.Unlock()
	l.s.Failpoint("deliveries.stopping")
	cut := time.AfterFunc(stopGrace, func() {
		for _, one := range open {
			one.cut()
		}
	})
	for _, one := range open {
		<-one.done
	}
	cut.Stop()
	if err := l.s.Store.LeaveLanes(context.WithoutCancel(ctx), l.name()); err != nil {
		l.s.log.Warn("the lanes of targets could not be given up; another portal takes them in a while", "err", err)
	}
}

// name is the name under which this process holds lanes.
func (l *lanes) name() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.owner
}

// rename takes another name, since the database has lost sight of this process
// under the last one.
func (l *lanes) rename(last string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.owner == last {
		l.owner = iap.NewID(time.Now())
	}
}

// run opens and closes lanes as targets come and go.
func (l *lanes) run(sub *event.Subscription) {
	for l.ctx.Err() == nil {
		events, err := sub.Next(l.ctx)
		again := err != nil
		for _, e := range events {
			again = again || e.Type == event.TargetChanged
		}
		for again && l.ctx.Err() == nil {
			if err := l.load(l.ctx); err == nil {
				break
			}
			pause(l.ctx, pauseAfterFault)
		}
	}
}

// load has a lane for each target that is there.
func (l *lanes) load(ctx context.Context) error {
	targets, err := l.s.Store.Targets(ctx)
	if err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	there := map[string]bool{}
	for _, t := range targets {
		if err := l.s.openSecret(&t); err != nil {
			l.s.log.Error("the secret of a target cannot be read; nothing is delivered to it", "target", t.Name, "err", err)
			continue
		}
		there[t.Name] = true
		if one := l.byName[t.Name]; one != nil {
			one.set(t)
			continue
		}
		one := newLane(l.s, t)
		l.byName[t.Name] = one
		one.start(l.ctx)
	}
	for name, one := range l.byName {
		if !there[name] {
			delete(l.byName, name)
			go one.stop() // it waits for attempts under way
		}
	}
	return nil
}
