package workflow

import (
	"context"
	"errors"
	"slices"

	"github.com/internal-app-portal/iap/event"
)

// ErrTaskLost is the cause of a Conflict: a row that was to be finished is not
// this process's any more. Nothing was written.
var ErrTaskLost = errors.New("another process has taken this over")

// ErrOwnerLost is the cause of a Conflict: the name in which something was to be
// done is one that others may take for dead.
var ErrOwnerLost = errors.New("the database has lost sight of this process")

// ErrChanged is the cause of a Conflict: the execution was changed since it was
// read. Nothing was written; the same may work with the execution read again.
var ErrChanged = errors.New("the execution was changed in the meantime")

// Part is a piece of an execution's State that is kept apart from it, because
// the State is large and most of it stays as it is.
type Part struct {
	Name string // unique in the execution
	Text string
}

// TaskKey identifies a row of the task table.
type TaskKey struct {
	Execution string
	Kind      TaskKind
	Frame     int64
	Number    int64
}

// KeyOf returns the key of a row.
func KeyOf(t Task) TaskKey { return TaskKey{t.Execution, t.Kind, t.Frame, t.Number} }

// Commit is all that one step of an execution writes. It is written as a whole
// or not at all.
type Commit struct {
	// Execution is the row as it is to be. Its Version is the one that was
	// read, by which a writer that is too late is refused.
	Execution Execution
	// New has the execution inserted, with version 1.
	New bool
	// History follows what was written before, without a gap.
	History []HistoryEvent
	// Finish are rows that must still be this process's, and end with this.
	Finish []Task
	// Put are rows to insert or replace, Delete those to remove. No key is in both.
	Put    []Task
	Delete []TaskKey
	// Parts of the State to insert or replace, and the names of those to remove.
	Parts     []Part
	DropParts []string
	// Events are told with the commit.
	Events []*event.Event
	// Then is called in the transaction after all this was written; nil:
	// nothing. An error of it undoes everything.
	Then func(ctx context.Context) error
}

// put adds a row.
func (c *Commit) put(t Task) {
	c.remove(KeyOf(t))
	c.Delete = slices.DeleteFunc(c.Delete, func(k TaskKey) bool { return k == KeyOf(t) })
	c.Put = append(c.Put, t)
}

// drop removes a row: one that this commit was to add is not written at all,
// but there may be an older one with its key.
func (c *Commit) drop(k TaskKey) {
	c.remove(k)
	if !slices.Contains(c.Delete, k) {
		c.Delete = append(c.Delete, k)
	}
}

func (c *Commit) remove(k TaskKey) {
	c.Put = slices.DeleteFunc(c.Put, func(t Task) bool { return KeyOf(t) == k })
}

// then adds to what is called in the transaction.
func (c *Commit) then(fn func(ctx context.Context) error) {
	before := c.Then
	if before == nil {
		c.Then = fn
		return
	}
	c.Then = func(ctx context.Context) error {
		if err := before(ctx); err != nil {
			return err
		}
		return fn(ctx)
	}
}
