package store

import (
	"context"
	"database/sql"
	"errors"
	"sync"
	"sync/atomic"
	"time"
)

const (
	batchSize = 256                  // closures in one transaction at most
	batchTime = 5 * time.Millisecond // after which nobody joins a transaction any more
	// patience is how much longer than for a lock an Update waits for its turn,
	// which never comes when it was called by the function that has it, with
	// a context that does not say so.
	patience = time.Second
)

// errAbandoned is the end of a closure that panicked or left its goroutine.
var errAbandoned = errors.New("the transaction's function did not return")

// writer owns the one writing connection of an SQLite database.
type writer struct {
	db   *DB
	pool *sql.DB

	mu     sync.Mutex
	queue  []*request
	closed bool

	wake chan struct{} // holds a token when there may be something to do
	done chan struct{} // closed when run has returned

	// The following are used by run alone.
	conn    *sql.Conn
	prepare *statements
}

// The states of a request.
const (
	waiting int32 = iota
	started
	cancelled
)

// request is one Update on its way through the writer.
type request struct {
	state    atomic.Int32
	deadline time.Time   // until when it waits for the lock
	alone    bool        // shares no transaction: one that it shared was lost
	turn     chan runner // the writer lends the connection
	ran      chan error  // the closure gives it back
	done     chan error  // the transaction has ended
	ticket   uint64      // of the sequencer; set before done when it was committed
}

func startWriter(db *DB, pool *sql.DB) *writer {
	w := &writer{db: db, pool: pool, wake: make(chan struct{}, 1), done: make(chan struct{})}
	go w.run()
	return w
}

// update has fn called with the connection and waits for the commit.
func (w *writer) update(ctx context.Context, fn func(context.Context) error) error {
	r := &request{deadline: time.Now().Add(w.db.opts.BusyTimeout), turn: make(chan runner, 1),
		ran: make(chan error, 1), done: make(chan error, 1)}
	if err := w.enqueue(r); err != nil {
		return err
	}
	var t *tx
	ended := ctx.Done()
	late := time.NewTimer(w.db.opts.BusyTimeout + patience)
	defer late.Stop()
	for {
		select {
		case run := <-r.turn:
			ended = nil
			t = r.call(context.WithoutCancel(ctx), w.db, run, fn)
		case err := <-r.done:
			if err != nil {
				t.unnumber()
				return err
			}
			w.db.hooks.pass(r.ticket, t.hooks.Run)
			return nil
		case <-ended:
			ended = nil
			if r.state.CompareAndSwap(waiting, cancelled) {
				return w.db.ended(ctx)
			}
		case <-late.C:
			if r.state.CompareAndSwap(waiting, cancelled) {
				return w.db.fail("store.Update", errQueue)
			}
		}
	}
}

// call runs fn and gives the connection back whatever fn does.
func (r *request) call(ctx context.Context, db *DB, run runner, fn func(context.Context) error) *tx {
	ctx, t := db.begin(ctx, run)
	err := errAbandoned
	defer func() { r.ran <- err }()
	err = t.call(ctx, fn)
	return t
}

func (w *writer) enqueue(r *request) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed {
		return w.db.fail("store.Update", errClosed)
	}
	w.queue = append(w.queue, r)
	w.signal()
	return nil
}

func (w *writer) signal() {
	select {
	case w.wake <- struct{}{}:
	default:
	}
}

// next takes the first request that still waits; nil when there is none, or
// when it must not join a transaction that others have begun.
func (w *writer) next(joining bool) *request {
	w.mu.Lock()
	defer w.mu.Unlock()
	for len(w.queue) > 0 {
		r := w.queue[0]
		if joining && r.alone {
			return nil
		}
		w.queue[0] = nil
		w.queue = w.queue[1:]
		if r.state.CompareAndSwap(waiting, started) {
			return r
		}
	}
	w.queue = nil
	return nil
}

// again puts requests back at the head of the queue, each for a transaction
// of its own.
func (w *writer) again(rs []*request) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, r := range rs {
		r.alone = true
		r.state.Store(waiting)
	}
	w.queue = append(append([]*request(nil), rs...), w.queue...)
}

// expire answers those who wait in vain with err: all, or those whose time is
// up; it reports whether anybody still waits.
func (w *writer) expire(all bool, now time.Time, err error) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	var left []*request
	for _, r := range w.queue {
		switch {
		case !all && now.Before(r.deadline):
			if r.state.Load() != cancelled {
				left = append(left, r)
			}
		case r.state.CompareAndSwap(waiting, started):
			r.done <- w.db.fail("store.Update", err)
		}
	}
	w.queue = left
	return len(left) > 0
}

func (w *writer) run() {
	defer close(w.done)
	for range w.wake {
		for w.begin() {
			w.batch()
		}
		w.mu.Lock()
		closed := w.closed
		w.mu.Unlock()
		if closed {
			return
		}
	}
}

// close lets the transaction that runs come to its end and refuses the rest.
func (w *writer) close() error {
	w.mu.Lock()
	again := w.closed
	w.closed = true
	w.mu.Unlock()
	if again {
		<-w.done
		return nil
	}
	w.expire(true, time.Time{}, errClosed)
	w.signal()
	<-w.done
	w.expire(true, time.Time{}, errClosed)
	var err error
	if w.conn != nil {
		err = w.conn.Close()
	}
	return errors.Join(err, w.pool.Close())
}
