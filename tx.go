package iap

import (
	"context"
	"sync"
)

// Transactor runs functions in a database transaction.
//
// Update calls fn with a context that carries the transaction: every store
// method that is given this context takes part in it, whichever package it
// belongs to. That is how an instance, its execution's step, the event that
// tells of it and the work that follows are committed together. fn must do
// nothing but read and write the database, because it may run more than once
// and because nothing is true before the commit; what must follow the commit
// in memory (waking a goroutine) is given to AfterCommit. Calls nest: an inner
// Update joins the outer one.
//
// An error of fn rolls back what fn wrote and is returned as it is. Else the
// error says why the commit failed: Unavailable (busy or down), Full (no space
// left), Internal.
type Transactor interface {
	Update(ctx context.Context, fn func(ctx context.Context) error) error
}

type hooksKey struct{}

// CommitHooks collects what must follow a commit. Its user is an
// implementation of Transactor.
type CommitHooks struct {
	mu  sync.Mutex
	fns []func()
}

// WithCommitHooks returns a context in which AfterCommit adds to the returned
// hooks.
func WithCommitHooks(ctx context.Context) (context.Context, *CommitHooks) {
	h := &CommitHooks{}
	return context.WithValue(ctx, hooksKey{}, h), h
}

// Run calls what was added, in order, once.
func (h *CommitHooks) Run() {
	h.mu.Lock()
	fns := h.fns
	h.fns = nil
	h.mu.Unlock()
	for _, fn := range fns {
		fn()
	}
}

// InUpdate reports whether ctx carries a transaction. A function that would wait
// for what somebody else commits must not wait within one.
func InUpdate(ctx context.Context) bool {
	_, ok := ctx.Value(hooksKey{}).(*CommitHooks)
	return ok
}

// AfterCommit has fn called after the transaction of ctx was committed, never
// when it was rolled back; at once when ctx carries no transaction. fn must
// not block.
func AfterCommit(ctx context.Context, fn func()) {
	h, ok := ctx.Value(hooksKey{}).(*CommitHooks)
	if !ok {
		fn()
		return
	}
	h.mu.Lock()
	h.fns = append(h.fns, fn)
	h.mu.Unlock()
}
