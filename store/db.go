package store

import (
	"context"
	"database/sql"
	"strings"
	"sync/atomic"
	"time"

	iap "github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/catalog"
	"github.com/internal-app-portal/iap/event"
	"github.com/internal-app-portal/iap/event/delivery"
	"github.com/internal-app-portal/iap/instance"
	"github.com/internal-app-portal/iap/job"
	"github.com/internal-app-portal/iap/workflow"
)

var (
	_ iap.Transactor         = (*DB)(nil)
	_ event.Store            = (*DB)(nil)
	_ event.InboxStore       = (*DB)(nil)
	_ event.Reader           = (*DB)(nil)
	_ delivery.Store         = (*DB)(nil)
	_ catalog.Store          = (*DB)(nil)
	_ job.Store              = (*DB)(nil)
	_ job.StateStore         = (*DB)(nil)
	_ workflow.Store         = (*DB)(nil)
	_ workflow.MachineStore  = (*DB)(nil)
	_ workflow.ActivityStore = (*DB)(nil)
	_ instance.Store         = (*DB)(nil)
)

// Options changes how a database is used; the zero value is right for a
// server.
type Options struct {
	// BusyTimeout is how long a change waits for another process's lock, or
	// for a lost connection, before it fails as Unavailable; 0 is 5 seconds.
	BusyTimeout time.Duration
	// MaxPages limits the size of an SQLite database, in pages of 4 KiB; 0 is
	// no limit. At the limit changes fail as Full.
	MaxPages int64
	// Now is this process's clock, which SQLite goes by; nil is time.Now.
	Now func() time.Time
	// Failpoint is called before and after each commit with
	// "store.commit.before" and "store.commit.after"; nil does nothing. Its
	// user is a test that kills the process there.
	Failpoint func(name string)
}

// DB is an open database. Its methods may be called from many goroutines;
// those that share the context of one transaction, from one at a time.
type DB struct {
	opts    Options
	engine  engine
	hooks   sequencer
	commits commits
	dialect dialect
	clock   clock
	closed  atomic.Bool
}

// dialect holds the little by which the SQL of the two databases differs.
type dialect struct {
	skipLocked string // suffix of a SELECT that skips rows others have locked
	forUpdate  string // suffix of a SELECT that locks its rows
	arrays     bool   // a parameter may be an array
	replicas   bool   // other portals may share the database
}

// engine is what differs between the two databases beyond SQL.
type engine interface {
	// update runs fn in a transaction and runs the hooks after its commit.
	update(ctx context.Context, fn func(context.Context) error) error
	// once writes commits in a shorter way than update's; where there is none, or
	// it does not work, done is false and nothing was written.
	once(ctx context.Context, cs []*workflow.Commit) (done bool, err error)
	// reader returns what runs reads outside of a transaction.
	reader() runner
	// errorKind classifies an error of the driver.
	errorKind(err error) iap.Kind
	// own makes owner known as a living process, so that its tasks are left
	// alone; lost is closed when it is so no more. gone is the SQL condition
	// under which a task's owner is dead.
	own(ctx context.Context, owner string) (lost <-chan struct{}, err error)
	gone() string
	// watch has fn called when another replica committed.
	watch(fn func())
	// committed tells other replicas, after a commit that concerns them.
	committed()
	close() error
}

// runner runs SQL: a pool, a connection or a transaction.
type runner interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

// Open opens the database at url, "sqlite:PATH", a plain path or
// "postgres://…", and brings its tables up to date. The folder of an SQLite
// file must exist. Its errors are Invalid (field "database": no such form, or
// a database from a newer portal), Unavailable (locked or down), Full and
// Internal.
func Open(ctx context.Context, url string, opts Options) (*DB, error) {
	if opts.BusyTimeout == 0 {
		opts.BusyTimeout = 5 * time.Second
	}
	if opts.Now == nil {
		opts.Now = time.Now
	}
	if opts.Failpoint == nil {
		opts.Failpoint = func(string) {}
	}
	db := &DB{opts: opts, clock: clock{local: opts.Now}}
	db.hooks.init()
	db.commits.db, db.commits.atOnce = db, 1
	scheme, path, found := strings.Cut(url, ":")
	var err error
	switch {
	case url == "":
		err = iap.FieldErrorf("store.Open", "database", "is empty; give sqlite:PATH or postgres://USER:PASSWORD@HOST/NAME")
	case found && (scheme == "postgres" || scheme == "postgresql"):
		err = openPostgres(ctx, db, url)
	case found && scheme == "sqlite":
		err = openSQLite(ctx, db, path)
	case strings.Contains(url, "://"):
		err = iap.FieldErrorf("store.Open", "database", "%q is no database the portal knows; give sqlite:PATH or postgres://USER:PASSWORD@HOST/NAME", scheme)
	default:
		err = openSQLite(ctx, db, url)
	}
	if err != nil {
		return nil, err
	}
	return db, nil
}

// Close waits for the transactions that have begun, refuses those that wait
// and closes the database. Calling it again is harmless.
func (db *DB) Close() error {
	db.commits.close()
	return db.engine.close()
}

// Update implements iap.Transactor. The context that fn is given is not
// cancelled on SQLite; on PostgreSQL it is cancelled with ctx.
func (db *DB) Update(ctx context.Context, fn func(ctx context.Context) error) error {
	if db.tx(ctx) != nil {
		return fn(ctx)
	}
	if ctx.Err() != nil {
		return db.ended(ctx)
	}
	return db.engine.update(ctx, fn)
}

// OnRemoteCommit has fn called, from a goroutine of the database and never
// twice at once, after another replica committed events or tasks that are
// due, and after the connection by which replicas tell each other was made
// again. Calls are coalesced. On SQLite there is no other replica. Call it
// once, before the database is used.
func (db *DB) OnRemoteCommit(fn func()) { db.engine.watch(fn) }
