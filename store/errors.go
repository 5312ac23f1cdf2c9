package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	iap "github.com/internal-app-portal/iap"
)

// retryAfter is when a client should try again after Unavailable or Full.
const retryAfter = time.Second

var (
	errClosed  = errors.New("the database is closed")
	errBusy    = errors.New("the database is locked by another process")
	errQueue   = errors.New("the database is busy")
	errUnknown = errors.New("the connection was lost during the commit; whether it was done is not known")
)

// ended says why a context came to its end.
func (db *DB) ended(ctx context.Context) error {
	err := ctx.Err()
	if cause := context.Cause(ctx); cause != err {
		err = fmt.Errorf("%w: %w", err, cause)
	}
	return db.fail("store.Update", err)
}

// fail turns an error of a driver into an iap.Error; one that is an iap.Error
// already stays as it is.
func (db *DB) fail(op string, err error) error {
	var known *iap.Error
	if err == nil || errors.As(err, &known) {
		return err
	}
	e := iap.E(op, iap.Internal, err)
	switch {
	case db.closed.Load():
		e.Kind, e.Err = iap.Unavailable, errors.Join(errClosed, err)
	case errors.Is(err, errClosed), errors.Is(err, errBusy), errors.Is(err, errQueue), errors.Is(err, errUnknown):
		e.Kind = iap.Unavailable
	case errors.Is(err, context.DeadlineExceeded):
		e.Kind = iap.Timeout
	case errors.Is(err, context.Canceled):
		e.Kind = iap.Unavailable
	default:
		e.Kind = db.engine.errorKind(err)
	}
	if e.Kind == iap.Unavailable || e.Kind == iap.Full {
		e.RetryAfter = retryAfter
	}
	return e
}
