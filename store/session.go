package store

import (
	"context"
	"crypto/rand"
	"errors"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"

	iap "github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/workflow"
)

const (
	channel     = "iap_commit"          // by which replicas tell each other of commits
	ownerClass  = 6812                  // the class of the advisory locks of living owners, as in gone
	notifyEvery = 10 * time.Millisecond // at most one NOTIFY in this time
	reconnect   = 2 * time.Second       // the longest pause between attempts to connect
)

// heartbeat is how often the session asks the server for its time, by which it
// also learns that nobody answers any more; an answer may take as long.
const heartbeat = 10 * time.Second

// errOwned is the answer when another session holds an owner's lock, for a
// while perhaps this process's last one.
var errOwned = errors.New("another process has this name")

// session keeps one connection for what belongs to a session of PostgreSQL:
// it listens for the commits of other replicas, tells them of ours, and holds
// the advisory locks by which others see that our owners of tasks are alive. An
// owner whose lock was lost with the connection is dead for ever, because
// others may have taken its tasks since. Its goroutine alone uses the
// connection.
type session struct {
	cfg     *pgx.ConnConfig
	replica string // tells our own notifications from others'
	clock   *clock
	cancel  context.CancelFunc
	done    chan struct{}
	beat    time.Time // of the last heartbeat; the goroutine's alone

	mu        sync.Mutex
	onCommit  func()
	held      map[string]chan struct{} // owners whose lock this session holds; closed when it is lost
	dead      map[string]bool          // owners whose lock was lost
	wanted    map[string][]chan error  // owners whose lock is asked for
	notify    bool                     // a NOTIFY is due
	notified  time.Time                // when the last was sent
	interrupt context.CancelFunc       // ends the wait for notifications
}

func startSession(cfg *pgx.ConnConfig, c *clock) *session {
	ctx, cancel := context.WithCancel(context.Background())
	s := &session{cfg: cfg, clock: c, replica: rand.Text(), cancel: cancel, done: make(chan struct{}),
		held: map[string]chan struct{}{}, dead: map[string]bool{}, wanted: map[string][]chan error{}}
	go s.run(ctx)
	return s
}

func (s *session) stop() {
	s.cancel()
	<-s.done
}

// run keeps a connection until the session is stopped.
func (s *session) run(ctx context.Context) {
	defer close(s.done)
	defer func() { s.lose(errClosed) }()
	for pause := 10 * time.Millisecond; ctx.Err() == nil; pause = min(2*pause, reconnect) {
		conn, err := pgx.ConnectConfig(ctx, s.cfg)
		if err == nil {
			pause = 10 * time.Millisecond
			err = s.serve(ctx, conn)
			closing, cancel := context.WithTimeout(context.Background(), time.Second)
			// It is lost, or not needed any more. Without this the locks would last
			// until the server has noticed that nobody is there.
			_, _ = conn.Exec(closing, "SELECT pg_advisory_unlock_all()")
			_ = conn.Close(closing)
			cancel()
		}
		s.lose(err)
		select {
		case <-ctx.Done():
		case <-time.After(pause):
		}
	}
}

// lose gives up what ended with the connection.
func (s *session) lose(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.interrupt = nil
	for owner, lost := range s.held {
		close(lost)
		s.dead[owner] = true
	}
	clear(s.held)
	for owner, waiting := range s.wanted {
		for _, w := range waiting {
			w <- err
		}
		delete(s.wanted, owner)
	}
}

// serve uses one connection until it is lost.
func (s *session) serve(ctx context.Context, conn *pgx.Conn) error {
	// A NOTIFY is told to those who listen now; that it is on the disk matters to
	// nobody, and commits that come meanwhile would wait for it.
	if _, err := conn.Exec(ctx, "SET synchronous_commit TO off; LISTEN "+channel); err != nil {
		return err
	}
	s.tell() // what was committed before this is not going to be told
	for {
		wait, interrupt := context.WithTimeout(ctx, heartbeat)
		s.mu.Lock()
		s.interrupt = interrupt
		if s.workDue() {
			interrupt()
		}
		s.mu.Unlock()
		n, err := conn.WaitForNotification(wait)
		interrupted := wait.Err() != nil
		interrupt()
		switch {
		case err == nil && n.Payload != s.replica:
			s.tell()
		case err != nil && (!interrupted || ctx.Err() != nil):
			return err
		}
		if err := s.work(ctx, conn); err != nil {
			return err
		}
	}
}

// take takes an owner's lock and answers those who asked for it.
func (s *session) take(ctx context.Context, conn *pgx.Conn, owner string) error {
	var got bool
	err := conn.QueryRow(ctx, "SELECT pg_try_advisory_lock($1, hashtext(current_schema() || ' ' || $2))", ownerClass, owner).Scan(&got)
	if err != nil {
		return err
	}
	s.answer(owner, got)
	return nil
}

func (s *session) tell() {
	s.mu.Lock()
	fn := s.onCommit
	s.mu.Unlock()
	if fn != nil {
		fn()
	}
}

// workDue reports whether work has something to do now; mu is held.
func (s *session) workDue() bool {
	return len(s.wanted) > 0 || (s.notify && time.Since(s.notified) >= notifyEvery)
}

// work takes the locks that are asked for and sends the NOTIFY that is due.
func (s *session) work(ctx context.Context, conn *pgx.Conn) error {
	s.mu.Lock()
	notify := s.notify && time.Since(s.notified) >= notifyEvery
	if notify {
		s.notify, s.notified = false, time.Now()
	}
	owners := make([]string, 0, len(s.wanted))
	for owner := range s.wanted {
		owners = append(owners, owner)
	}
	s.mu.Unlock()
	if time.Since(s.beat) >= heartbeat {
		if err := s.ask(ctx, conn); err != nil {
			return err
		}
	}
	if notify {
		if _, err := conn.Exec(ctx, "SELECT pg_notify($1, $2)", channel, s.replica); err != nil {
			return err
		}
	}
	for _, owner := range owners {
		if err := s.take(ctx, conn, owner); err != nil {
			return err
		}
	}
	return nil
}

// ask is one heartbeat.
func (s *session) ask(ctx context.Context, conn *pgx.Conn) error {
	ctx, cancel := context.WithTimeout(ctx, heartbeat)
	defer cancel()
	s.beat = time.Now()
	return s.clock.measure(ctx, func(ctx context.Context, query string) (micros int64, err error) {
		return micros, conn.QueryRow(ctx, query).Scan(&micros)
	})
}

func (s *session) answer(owner string, got bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if got && s.held[owner] == nil {
		s.held[owner] = make(chan struct{})
	}
	for _, w := range s.wanted[owner] {
		if got {
			w <- nil
		} else {
			w <- errOwned
		}
	}
	delete(s.wanted, owner)
}

// wake has the goroutine see to its work; mu is held.
func (s *session) wake() {
	if s.interrupt != nil {
		s.interrupt()
	}
}

func (e *postgresEngine) watch(fn func()) {
	e.session.mu.Lock()
	defer e.session.mu.Unlock()
	e.session.onCommit = fn
}

// committed has others told, once for all commits of a short time: a NOTIFY
// for each would cost a fifth of the throughput.
func (e *postgresEngine) committed() {
	s := e.session
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.notify {
		return
	}
	s.notify = true
	if wait := notifyEvery - time.Since(s.notified); wait > 0 {
		time.AfterFunc(wait, func() {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.wake()
		})
		return
	}
	s.wake()
}

// own takes the owner's lock when the session does not hold it already.
func (e *postgresEngine) own(ctx context.Context, owner string) (<-chan struct{}, error) {
	const op = "store.Hold"
	s := e.session
	answer := make(chan error, 1)
	for {
		s.mu.Lock()
		if lost := s.held[owner]; lost != nil {
			s.mu.Unlock()
			return lost, nil
		}
		if s.dead[owner] {
			s.mu.Unlock()
			return nil, iap.E(op, iap.Conflict, workflow.ErrOwnerLost)
		}
		s.wanted[owner] = append(s.wanted[owner], answer)
		s.wake()
		s.mu.Unlock()
		if err := e.await(ctx, answer); err != nil {
			return nil, err
		}
	}
}

// await waits for the answer of the session.
func (e *postgresEngine) await(ctx context.Context, answer <-chan error) error {
	timeout := time.NewTimer(e.db.opts.BusyTimeout)
	defer timeout.Stop()
	var err error
	select {
	case err = <-answer:
	case <-ctx.Done():
		return e.db.ended(ctx)
	case <-timeout.C:
		err = errQueue
	case <-e.session.done:
		err = errClosed
	}
	if err == nil {
		return nil
	}
	return &iap.Error{Op: "store.Hold", Kind: iap.Unavailable, RetryAfter: retryAfter, Err: err}
}

// gone is true of a task whose owner's lock no session holds. Portals that
// share a database have a schema each, and so locks of their own.
func (e *postgresEngine) gone() string {
	return `NOT EXISTS (SELECT 1 FROM pg_locks l WHERE l.locktype = 'advisory' AND l.granted AND l.classid = 6812
		AND l.objsubid = 2 AND l.objid = (hashtext(current_schema() || ' ' || task.owner)::bigint & 4294967295)::oid
		AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database()))`
}
