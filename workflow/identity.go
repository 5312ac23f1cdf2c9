package workflow

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	iap "github.com/internal-app-portal/iap"
)

// errIdentityLost cuts off what was begun under a name that is lost.
var errIdentityLost = errors.New("the database has lost sight of this process")

// identity is a name under which this process holds rows. Where other processes
// share the database it can be lost, together with the session that holds its
// lock; others then take its rows. What was begun under it is cut off and none
// of its rows are finished any more, and the process goes on under a new one.
type identity struct {
	owner  string
	ctx    context.Context // ends when the name is lost or the engine stops
	cancel context.CancelCauseFunc
	lost   <-chan struct{}
}

func (e *Engine) newIdentity(owner string) *identity {
	id := &identity{owner: owner}
	id.ctx, id.cancel = context.WithCancelCause(e.ctx)
	return id
}

// enter makes a name known, and frees the rows of processes that are gone.
func (e *Engine) enter(ctx context.Context, id *identity) (err error) {
	if id.lost, err = e.Store.Hold(ctx, id.owner); err != nil {
		return fmt.Errorf("making this process known: %w", err)
	}
	if err := e.Store.ReleaseTasks(ctx, id.owner); err != nil {
		return fmt.Errorf("releasing the tasks of an earlier process: %w", err)
	}
	return nil
}

// keepIdentity takes a new name whenever the last one is lost, until the engine
// stops.
func (e *Engine) keepIdentity() {
	for n := 2; ; n++ {
		id := e.me.Load()
		select {
		case <-e.ctx.Done():
			return
		case <-id.lost:
		}
		id.cancel(errIdentityLost)
		slog.Error("the session with the database was lost, and with it what this portal was doing for executions; "+
			"that is done again, here or by another portal", "name", id.owner)
		next := e.rejoin(&n)
		if next == nil {
			return
		}
		e.me.Store(next)
		slog.Info("this portal works at executions again, under a new name", "name", next.owner)
		e.Wake()
	}
}

// rejoin tries new names until one is known; nil when the engine stops.
func (e *Engine) rejoin(n *int) *identity {
	for delay := 20 * time.Millisecond; ; delay = min(2*delay, 2*time.Second) {
		next := e.newIdentity(fmt.Sprintf("%s/%d", e.Owner, *n))
		err := e.enter(e.ctx, next)
		if err == nil {
			return next
		}
		next.cancel(errIdentityLost)
		slog.Warn("this portal cannot work at executions yet; trying again", "err", err, "in", delay)
		select {
		case <-e.ctx.Done():
			return nil
		case <-time.After(delay):
		}
		*n++
	}
}

// Joined reports whether the engine has a name under which it works. It has none
// while the database cannot be reached after the last one was lost.
func (e *Engine) Joined() bool { return e.me.Load().ctx.Err() == nil }

// owns reports whether a row that this process has held is still in its name.
func (e *Engine) owns(t *Task) bool {
	id := e.me.Load()
	return t.Owner == id.owner && id.ctx.Err() == nil
}

// owned returns the context of work at a row; false when the row is in a name
// that is lost.
func (e *Engine) owned(t *Task) (context.Context, bool) {
	id := e.me.Load()
	return id.ctx, t.Owner == id.owner && id.ctx.Err() == nil
}

func errTaskLost() error { return iap.E("workflow.step", iap.Conflict, ErrTaskLost) }
