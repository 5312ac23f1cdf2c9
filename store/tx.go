package store

import (
	"context"
	"database/sql"
	"strings"
	"sync/atomic"
	"unicode/utf8"

	iap "github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/event"
)

// txKey finds the transaction of one database in a context.
type txKey struct{ db *DB }

// tx is one closure's part in a transaction.
type tx struct {
	db      *DB
	run     runner
	conn    *sql.Conn // that run uses, on PostgreSQL
	hooks   *iap.CommitHooks
	events  []*event.Event // numbered and written by finish
	due     bool           // a task was put that another replica could run
	failure error          // the first SQL error: nothing but a rollback can follow
	ended   atomic.Bool    // the function has returned; run belongs to others
}

// tx returns the transaction of ctx, nil when there is none or when it is
// over: a context may outlive it in a goroutine or a hook.
func (db *DB) tx(ctx context.Context) *tx {
	if t, ok := ctx.Value(txKey{db}).(*tx); ok && !t.ended.Load() {
		return t
	}
	return nil
}

// begin returns a context in which store methods use run.
func (db *DB) begin(ctx context.Context, run runner) (context.Context, *tx) {
	t := &tx{db: db, run: run}
	ctx, t.hooks = iap.WithCommitHooks(ctx)
	return context.WithValue(ctx, txKey{db}, t), t
}

// call runs fn and what must precede the commit.
func (t *tx) call(ctx context.Context, fn func(context.Context) error) error {
	defer t.ended.Store(true)
	if err := fn(ctx); err != nil {
		return err
	}
	if t.failure != nil {
		return t.failure
	}
	return t.writeEvents(ctx)
}

// exec runs a statement that changes rows, in the transaction of ctx or in one
// of its own, and returns how many it changed.
func (db *DB) exec(ctx context.Context, op, query string, args ...any) (n int64, err error) {
	err = db.Update(ctx, func(ctx context.Context) error {
		t := db.tx(ctx)
		res, err := t.run.ExecContext(ctx, query, clean(args)...)
		if err != nil {
			return t.fail(op, err)
		}
		n, err = res.RowsAffected()
		return err
	})
	return n, err
}

// fail makes the transaction one that can only be rolled back.
func (t *tx) fail(op string, err error) error {
	err = t.db.fail(op, err)
	if t.failure == nil {
		t.failure = err
	}
	return err
}

// scanner reads the columns of one row.
type scanner func(dest ...any) error

// list runs a query, in the transaction of ctx or outside of any, and returns
// its rows.
func list[T any](ctx context.Context, db *DB, op string, scan func(scanner) (T, error), query string, args ...any) ([]T, error) {
	run, fail := db.engine.reader(), db.fail
	if t := db.tx(ctx); t != nil {
		run, fail = t.run, t.fail
	}
	rows, err := run.QueryContext(ctx, query, clean(args)...)
	if err != nil {
		return nil, fail(op, err)
	}
	defer rows.Close()
	var out []T
	for rows.Next() {
		v, err := scan(rows.Scan)
		if err != nil {
			return nil, fail(op, err)
		}
		out = append(out, v)
	}
	if err := rows.Err(); err != nil {
		return nil, fail(op, err)
	}
	return out, nil
}

// one is list for a query with at most one row; none is NotFound.
func one[T any](ctx context.Context, db *DB, op string, scan func(scanner) (T, error), query string, args ...any) (T, error) {
	rows, err := list(ctx, db, op, scan, query, args...)
	if err != nil || len(rows) == 0 {
		var none T
		if err == nil {
			err = iap.E(op, iap.NotFound, nil)
		}
		return none, err
	}
	return rows[0], nil
}

// locked has a query lock its rows for the transaction of ctx, where there is
// one: who reads them to change them in it loses no other's change. Rows are
// locked in different orders (the end of a job: job, execution, instance; the
// end of an instance the other way round), so that two transactions may block
// each other; PostgreSQL then fails one, and Update tries it again.
func (db *DB) locked(ctx context.Context, query string) string {
	if db.tx(ctx) != nil {
		query += db.dialect.forUpdate
	}
	return query
}

// scalar scans a row of one column.
func scalar[T any](scan scanner) (v T, err error) {
	err = scan(&v)
	return v, err
}

// clean makes the texts among args safe for both databases.
func clean(args []any) []any {
	for i, a := range args {
		if s, ok := a.(string); ok {
			args[i] = cleanText(s)
		}
	}
	return args
}

// cleanText replaces what PostgreSQL refuses in text: NUL, and whatever is not
// UTF-8.
func cleanText(s string) string {
	if strings.IndexByte(s, 0) < 0 && utf8.ValidString(s) {
		return s
	}
	return strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\x00", "\uFFFD")
}
