package store

import (
	"context"
	"database/sql/driver"
	"time"
)

// begin starts a transaction when anybody waits for one. While another
// process holds the lock it tries again for as long as somebody has the time.
func (w *writer) begin() bool {
	for {
		if !w.expire(false, time.Now(), errQueue) {
			return false
		}
		err := w.exec("BEGIN IMMEDIATE")
		switch {
		case err == nil:
			return true
		case isBusy(err):
			w.expire(false, time.Now(), errBusy)
		default:
			w.reset()
			w.expire(true, time.Time{}, err)
		}
	}
}

// exec runs a statement without parameters on the connection, which is opened
// when there is none.
func (w *writer) exec(query string) error {
	ctx := context.Background()
	if w.conn == nil {
		conn, err := w.pool.Conn(ctx)
		if err != nil {
			return err
		}
		w.conn, w.prepare = conn, &statements{from: conn}
	}
	_, err := w.prepare.ExecContext(ctx, query)
	return err
}

// reset drops a connection that may be broken.
func (w *writer) reset() {
	if w.conn != nil {
		// The pool keeps no connection of which a user says that it is bad.
		_ = w.conn.Raw(func(any) error { return driver.ErrBadConn })
		_ = w.conn.Close()
		w.conn = nil
	}
}

// batch runs the closures that wait in the transaction that was begun and
// commits it.
func (w *writer) batch() {
	var members []*request
	start := time.Now()
	for len(members) < batchSize && (len(members) == 0 || time.Since(start) < batchTime) {
		r := w.next(len(members) > 0)
		if r == nil {
			break
		}
		ok, lost := w.join(r, len(members) == 0)
		if lost {
			w.rollback()
			w.again(members)
			return
		}
		if ok {
			members = append(members, r)
		}
		if r.alone {
			break
		}
	}
	if len(members) == 0 {
		w.rollback()
		return
	}
	w.commit(members)
}

// join runs one closure. ok says that it is part of the transaction; lost
// that the transaction can only be rolled back.
func (w *writer) join(r *request, first bool) (ok, lost bool) {
	// The first needs no savepoint: what it undoes is the whole transaction.
	if !first {
		if err := w.exec("SAVEPOINT member"); err != nil {
			w.again([]*request{r})
			return false, true
		}
	}
	r.turn <- w.prepare
	err := <-r.ran
	if err == nil && !first && w.exec("RELEASE member") != nil {
		w.again([]*request{r})
		return false, true
	}
	if err == nil {
		return true, false
	}
	defer func() { r.done <- err }()
	// SQLite rolls back everything after some errors, such as a full disk; then
	// there is nothing left to undo and these fail.
	if first {
		return false, w.exec("ROLLBACK") != nil || w.exec("BEGIN IMMEDIATE") != nil
	}
	return false, w.exec("ROLLBACK TO member") != nil || w.exec("RELEASE member") != nil
}

// rollback ends the transaction, of which SQLite may have rolled back
// everything already.
func (w *writer) rollback() {
	if err := w.exec("ROLLBACK"); err != nil {
		w.reset()
	}
}

// commit ends the transaction and answers its members in their order. When it
// fails, each is tried in a transaction of its own, so that one that is too
// big for the disk does not take the others with it.
func (w *writer) commit(members []*request) {
	w.db.opts.Failpoint("store.commit.before")
	err := w.exec("COMMIT")
	if err == nil {
		w.db.opts.Failpoint("store.commit.after")
	} else {
		w.rollback()
	}
	if err != nil && len(members) > 1 {
		w.again(members)
		return
	}
	for _, r := range members {
		if err == nil {
			r.ticket = w.db.hooks.ticket()
		}
		r.done <- w.db.fail("store.Update", err)
	}
}
