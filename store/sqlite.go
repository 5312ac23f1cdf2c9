package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"time"

	"golang.org/x/sys/unix"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	iap "github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/workflow"
)

const (
	// readers is how many reads run at once; each connection keeps a cache of
	// its own, so that more would cost memory for nothing.
	readers = 4
	// busyStep is how long one attempt to get the write lock waits; between
	// two the writer looks who still waits for it.
	busyStep = 100 * time.Millisecond
)

// sqliteEngine is the engine over one SQLite file.
type sqliteEngine struct {
	folder string
	read   *sql.DB
	cached *statements
	writer *writer
}

func openSQLite(ctx context.Context, db *DB, path string) error {
	const op = "store.Open"
	e := &sqliteEngine{folder: filepath.Dir(path)}
	db.engine = e
	// SQLite gives its other files the mode of this one.
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return iap.FieldErrorf(op, "database", "cannot be opened: %w", err)
	}
	if err := f.Close(); err != nil {
		return iap.E(op, iap.Internal, err)
	}
	pragmas := url.Values{"_pragma": {"journal_mode(WAL)", "synchronous(FULL)", "cache_size(-4096)", "temp_store(MEMORY)",
		"journal_size_limit(16777216)", fmt.Sprintf("busy_timeout(%d)", busyStep.Milliseconds())}}
	if db.opts.MaxPages > 0 {
		pragmas.Add("_pragma", fmt.Sprintf("max_page_count(%d)", db.opts.MaxPages))
	}
	write, err := sql.Open("sqlite", sqliteDSN(path, pragmas))
	if err != nil {
		return iap.E(op, iap.Internal, err)
	}
	write.SetMaxOpenConns(1)
	if err := retryBusy(ctx, db, func() error { return migrate(ctx, db, write, sqliteMigrations) }); err != nil {
		return errors.Join(db.fail(op, err), write.Close())
	}
	e.read, err = sql.Open("sqlite", sqliteDSN(path, url.Values{"_pragma": {"query_only(1)",
		"cache_size(-1024)", "busy_timeout(2000)"}}))
	if err != nil {
		return errors.Join(iap.E(op, iap.Internal, err), write.Close())
	}
	e.read.SetMaxOpenConns(readers)
	e.read.SetMaxIdleConns(readers)
	e.read.SetConnMaxIdleTime(5 * time.Minute)
	e.cached = &statements{from: e.read}
	e.writer = startWriter(db, write)
	return nil
}

// sqliteDSN escapes what would end the path of a URI.
func sqliteDSN(path string, query url.Values) string {
	u := url.URL{Path: path}
	return "file:" + u.EscapedPath() + "?" + query.Encode()
}

// retryBusy repeats fn for as long as another process holds the lock and
// there is time.
func retryBusy(ctx context.Context, db *DB, fn func() error) error {
	end := time.Now().Add(db.opts.BusyTimeout)
	for {
		err := fn()
		if err == nil || !isBusy(err) || time.Now().After(end) || ctx.Err() != nil {
			return err
		}
	}
}

func isBusy(err error) bool {
	var e *sqlite.Error
	return errors.As(err, &e) && (e.Code()&0xff == sqlite3.SQLITE_BUSY || e.Code()&0xff == sqlite3.SQLITE_LOCKED)
}

func (e *sqliteEngine) errorKind(err error) iap.Kind {
	var se *sqlite.Error
	if !errors.As(err, &se) {
		return iap.Internal
	}
	switch se.Code() & 0xff {
	case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED:
		return iap.Unavailable
	case sqlite3.SQLITE_FULL:
		return iap.Full
	case sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN:
		// Growing the shared memory or the disk's own bookkeeping fails as an
		// I/O error when the disk is full.
		if e.diskFull() {
			return iap.Full
		}
	}
	if c := se.Code(); c == sqlite3.SQLITE_CONSTRAINT_UNIQUE || c == sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY {
		return iap.Conflict
	}
	return iap.Internal
}

// diskFull reports whether less than a mebibyte is left beside the database.
func (e *sqliteEngine) diskFull() bool {
	var s unix.Statfs_t
	if unix.Statfs(e.folder, &s) != nil {
		return false
	}
	return s.Bavail*uint64(s.Bsize) < 1<<20
}

func (e *sqliteEngine) reader() runner { return e.cached }

// once does nothing: a statement costs SQLite no round trip.
func (e *sqliteEngine) once(context.Context, []*workflow.Commit) (done bool, err error) {
	return false, nil
}

func (e *sqliteEngine) update(ctx context.Context, fn func(context.Context) error) error {
	return e.writer.update(ctx, fn)
}

// The portal's process is the only one on an SQLite file.
func (e *sqliteEngine) own(context.Context, string) (<-chan struct{}, error) { return nil, nil }
func (e *sqliteEngine) gone() string                                         { return "1 = 1" }
func (e *sqliteEngine) watch(func())                                         {}
func (e *sqliteEngine) committed()                                           {}

func (e *sqliteEngine) close() error {
	return errors.Join(e.read.Close(), e.writer.close())
}

// statements runs SQL with statements that are prepared once.
type statements struct {
	from interface {
		PrepareContext(ctx context.Context, query string) (*sql.Stmt, error)
	}
	known sync.Map // of SQL to *sql.Stmt
}

func (s *statements) prepare(ctx context.Context, query string) (*sql.Stmt, error) {
	if st, ok := s.known.Load(query); ok {
		return st.(*sql.Stmt), nil
	}
	st, err := s.from.PrepareContext(ctx, query)
	if err != nil {
		return nil, err
	}
	if first, raced := s.known.LoadOrStore(query, st); raced {
		return first.(*sql.Stmt), st.Close()
	}
	return st, nil
}

func (s *statements) ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error) {
	st, err := s.prepare(ctx, query)
	if err != nil {
		return nil, err
	}
	return st.ExecContext(ctx, args...)
}

func (s *statements) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	st, err := s.prepare(ctx, query)
	if err != nil {
		return nil, err
	}
	return st.QueryContext(ctx, args...)
}
