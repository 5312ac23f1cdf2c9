package job

import (
	"context"
	"time"
)

// StateVersion is one stored Terraform state of an instance, encrypted.
type StateVersion struct {
	Instance  string
	Number    int64  // 1, 2, 3, …
	Serial    int64  // the serial that the state itself names, -1 where it cannot be read
	Lineage   string // the lineage that the state itself names, empty where it cannot be read
	Data      []byte // encrypted; nil when the state was deleted
	CreatedAt time.Time
	Job       string // ID of the job that wrote it
}

// StateLock is the lock on an instance's state. It lives as long as its job.
type StateLock struct {
	Instance  string
	ID        string // the lock's ID, from tofu
	Job       string // ID of the job that holds it
	Info      []byte // tofu's lock JSON
	CreatedAt time.Time
}

// StateStore keeps Terraform states and their locks.
type StateStore interface {
	// State returns the newest version of an instance's state, or NotFound.
	State(ctx context.Context, instance string) (StateVersion, error)
	// InsertState adds a version with the next number and deletes all but the
	// newest keep versions.
	InsertState(ctx context.Context, v StateVersion, keep int) error
	// Lock returns the lock of an instance, or NotFound.
	Lock(ctx context.Context, instance string) (StateLock, error)
	// Locks returns all locks.
	Locks(ctx context.Context) ([]StateLock, error)
	// InsertLock takes the lock; Conflict when there is one.
	InsertLock(ctx context.Context, l StateLock) error
	// DeleteLock removes the lock with this ID; NotFound when it is another's
	// or there is none.
	DeleteLock(ctx context.Context, instance, id string) error
}
