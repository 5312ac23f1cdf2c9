package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"

	iap "github.com/internal-app-portal/iap"
)

const (
	pgConnections = 10
	// commitTimeout bounds how long a commit on a dead network keeps others
	// waiting for their place in the order of commits.
	commitTimeout = 10 * time.Second
	longestPause  = 100 * time.Millisecond // between two attempts at a transaction
)

// postgresEngine is the engine over a PostgreSQL database, which other
// replicas of the portal may share.
type postgresEngine struct {
	db      *DB
	pool    *sql.DB
	session *session
}

func openPostgres(ctx context.Context, db *DB, url string) error {
	const op = "store.Open"
	cfg, err := pgx.ParseConfig(url)
	if err != nil {
		// The parser's error hides the password.
		return iap.FieldErrorf(op, "database", "is no valid PostgreSQL URL: %w", err)
	}
	if cfg.RuntimeParams["application_name"] == "" {
		cfg.RuntimeParams["application_name"] = "iap"
	}
	db.dialect = dialect{arrays: true, replicas: true, skipLocked: " FOR UPDATE SKIP LOCKED", forUpdate: " FOR UPDATE"}
	e := &postgresEngine{db: db, pool: stdlib.OpenDB(*cfg, stdlib.OptionResetSession(unbroken))}
	db.engine = e
	e.pool.SetMaxOpenConns(pgConnections)
	e.pool.SetMaxIdleConns(pgConnections)
	e.pool.SetConnMaxIdleTime(5 * time.Minute)
	// Replicas that start at once take turns.
	locker, err := lock.NewPostgresSessionLocker(lock.WithLockTimeout(1, 60))
	if err != nil {
		return iap.E(op, iap.Internal, err)
	}
	err = migrate(ctx, db, e.pool, migrations{folder: "migrations/postgres", dialect: goose.DialectPostgres,
		options: []goose.ProviderOption{goose.WithSessionLocker(locker)}})
	if err != nil {
		return errors.Join(db.fail(op, err), e.pool.Close())
	}
	err = db.clock.measure(ctx, func(ctx context.Context, query string) (micros int64, err error) {
		return micros, e.pool.QueryRowContext(ctx, query).Scan(&micros)
	})
	if err != nil {
		return errors.Join(db.fail(op, err), e.pool.Close())
	}
	e.session = startSession(cfg, &db.clock)
	return nil
}

func (e *postgresEngine) reader() runner { return e.pool }

func (e *postgresEngine) close() error {
	e.session.stop()
	return e.pool.Close()
}

// update tries again what failed for no fault of fn: a conflict with another
// transaction, or a connection that was lost before the commit.
func (e *postgresEngine) update(ctx context.Context, fn func(context.Context) error) error {
	end := time.Now().Add(e.db.opts.BusyTimeout)
	for pause := time.Millisecond; ; pause = min(2*pause, longestPause) {
		again, err := e.attempt(ctx, fn)
		if err == nil || !again || time.Now().After(end) {
			return err
		}
		select {
		case <-ctx.Done():
			return e.db.ended(ctx)
		case <-time.After(rand.N(pause) + pause/2):
		}
	}
}

// attempt makes one transaction of fn; again says that another may succeed.
func (e *postgresEngine) attempt(ctx context.Context, fn func(context.Context) error) (again bool, err error) {
	conn, err := e.connect(ctx)
	if err != nil {
		return lost(err), e.db.fail("store.Update", err)
	}
	defer conn.Close()
	// The commit is not cancelled with ctx: its outcome would not be known.
	txCtx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	stx, err := conn.BeginTx(txCtx, nil)
	if err != nil {
		return lost(err), e.db.fail("store.Update", err)
	}
	fnCtx, t := e.db.begin(ctx, stx)
	t.conn = conn
	committed := false
	defer func() {
		if !committed {
			_ = stx.Rollback() // the server does it when the connection is gone
			t.unnumber()
		}
	}()
	if err := t.call(fnCtx, fn); err != nil {
		return transient(err) || transient(t.failure), err
	}
	return e.commit(t, stx, cancel, &committed)
}

// connect takes a connection of the pool, however many wait for one.
func (e *postgresEngine) connect(ctx context.Context) (*sql.Conn, error) {
	limited, cancel := context.WithTimeoutCause(ctx, e.db.opts.BusyTimeout, errQueue)
	defer cancel()
	conn, err := e.pool.Conn(limited)
	if err != nil && ctx.Err() == nil && limited.Err() != nil {
		err = errQueue
	}
	return conn, err
}

func (e *postgresEngine) commit(t *tx, stx *sql.Tx, cancel func(), committed *bool) (again bool, err error) {
	e.db.opts.Failpoint("store.commit.before")
	// The place in the order is taken while the lock on the counter of events
	// is held, so that it is the order of their numbers.
	ticket := e.db.hooks.ticket()
	var hooks func()
	defer func() { e.db.hooks.pass(ticket, hooks) }()
	timer := time.AfterFunc(commitTimeout, cancel)
	err = stx.Commit()
	timer.Stop()
	if err != nil {
		var refused *pgconn.PgError
		if !errors.As(err, &refused) && !errors.Is(err, pgx.ErrTxCommitRollback) {
			err = errors.Join(errUnknown, err)
		}
		return transient(err) && refused != nil, e.db.fail("store.Update", err)
	}
	*committed = true
	e.db.opts.Failpoint("store.commit.after")
	hooks = t.hooks.Run
	if len(t.events) > 0 || t.due {
		e.committed()
	}
	return false, nil
}

// transient reports whether the same transaction may succeed when it is tried
// again.
func transient(err error) bool {
	var e *pgconn.PgError
	if errors.As(err, &e) && (e.Code == "40001" || e.Code == "40P01") { // serialization failure, deadlock
		return true
	}
	return lost(err)
}

// lost reports whether err says that there is no connection, or none any more.
func lost(err error) bool {
	if err == nil || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return false
	}
	var e *pgconn.PgError
	if errors.As(err, &e) {
		// Connection exceptions; shutdown, crash and start of the server; a
		// standby that still answers in place of the primary.
		return strings.HasPrefix(e.Code, "08") || strings.HasPrefix(e.Code, "57P0") || e.Code == "53300" || e.Code == "25006"
	}
	var network net.Error
	return errors.As(err, &network) || errors.Is(err, driver.ErrBadConn) || errors.Is(err, io.EOF) ||
		errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, net.ErrClosed) || pgconn.SafeToRetry(err)
}

func (e *postgresEngine) errorKind(err error) iap.Kind {
	var refused *pgconn.PgError
	var connect *pgconn.ConnectError
	switch {
	case errors.Is(err, sql.ErrConnDone), transient(err):
		return iap.Unavailable
	case errors.As(err, &refused):
	case errors.As(err, &connect):
		return iap.Unavailable
	default:
		return iap.Internal
	}
	switch refused.Code {
	case "23505": // unique violation
		return iap.Conflict
	case "53100": // disk full
		return iap.Full
	case "55P03": // lock not available
		return iap.Unavailable
	case "57014": // cancelled by a time-out of the server
		return iap.Timeout
	}
	return iap.Internal
}
