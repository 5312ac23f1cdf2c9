package store

import (
	"context"
	"errors"
	"sync"

	iap "github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/workflow"
)

const opCommit = "store.WriteCommit"

const (
	sharedCommits = 256     // commits in one transaction at most
	sharedBytes   = 4 << 20 // after which no more join it
)

// commits has the commits of steps that come at the same time share
// transactions, so that their statements and the sync of the disk are paid once
// for many.
type commits struct {
	db *DB
	// atOnce is how many transactions run at the same time: one on SQLite,
	// which has one writer.
	atOnce int

	mu     sync.Mutex
	queue  []*pendingCommit
	active int
	work   sync.WaitGroup
}

// pendingCommit is a commit on its way.
type pendingCommit struct {
	c    *workflow.Commit
	done chan error
}

// WriteCommit implements workflow.Store.
func (db *DB) WriteCommit(ctx context.Context, c *workflow.Commit) error {
	if t := db.tx(ctx); t != nil {
		lost, err := db.writeCommits(ctx, []*workflow.Commit{c})
		return errors.Join(err, lost[c])
	}
	return db.commits.write(c)
}

// write has c written and waits for the sync of the disk.
func (s *commits) write(c *workflow.Commit) error {
	p := &pendingCommit{c: c, done: make(chan error, 1)}
	s.mu.Lock()
	if s.db.closed.Load() {
		s.mu.Unlock()
		return s.db.fail(opCommit, errClosed)
	}
	s.queue = append(s.queue, p)
	if s.active < s.atOnce {
		s.active++
		s.work.Go(s.run)
	}
	s.mu.Unlock()
	return <-p.done
}

// run writes what waits until there is nothing left.
func (s *commits) run() {
	for {
		s.mu.Lock()
		ps := s.next()
		if len(ps) == 0 {
			s.active--
			s.mu.Unlock()
			return
		}
		s.mu.Unlock()
		s.transact(ps)
	}
}

// next takes what goes into the next transaction; mu is held.
func (s *commits) next() []*pendingCommit {
	n, bytes := 0, 0
	for n < len(s.queue) && n < sharedCommits && bytes < sharedBytes {
		bytes += sizeOf(s.queue[n].c)
		n++
	}
	ps := s.queue[:n:n]
	s.queue = s.queue[n:]
	if len(s.queue) == 0 {
		s.queue = nil
	}
	return ps
}

func sizeOf(c *workflow.Commit) int {
	n := len(c.Execution.State)
	for _, h := range c.History {
		n += len(h.Details)
	}
	for _, p := range c.Parts {
		n += len(p.Text)
	}
	return n
}

// transact writes commits in one transaction. Those that must not be written
// are answered, and the others written without them; when it fails for another
// reason, each is tried in a transaction of its own.
func (s *commits) transact(ps []*pendingCommit) {
	for len(ps) > 0 {
		lost, err := s.attempt(ps)
		if len(lost) == 0 {
			if err != nil && len(ps) > 1 {
				for _, p := range ps {
					s.transact([]*pendingCommit{p})
				}
				return
			}
			for _, p := range ps {
				p.done <- err
			}
			return
		}
		var left []*pendingCommit
		for _, p := range ps {
			if err, isLost := lost[p.c]; isLost {
				p.done <- err
			} else {
				left = append(left, p)
			}
		}
		ps = left
	}
}

// errLostCommits rolls a transaction back in which some must not be written.
var errLostCommits = errors.New("some of the steps must not be written")

func (s *commits) attempt(ps []*pendingCommit) (lost map[*workflow.Commit]error, err error) {
	cs := make([]*workflow.Commit, len(ps))
	for i, p := range ps {
		cs[i] = p.c
	}
	if done, err := s.db.engine.once(context.Background(), cs); done {
		return nil, err
	}
	err = s.db.Update(context.Background(), func(ctx context.Context) error {
		lost, err = s.db.writeCommits(ctx, cs)
		if err == nil && len(lost) > 0 {
			return errLostCommits
		}
		return err
	})
	if err != nil && !errors.Is(err, errLostCommits) {
		return nil, err
	}
	return lost, nil
}

// close refuses what comes from now on and waits for what was begun.
func (s *commits) close() {
	s.mu.Lock()
	s.db.closed.Store(true)
	s.mu.Unlock()
	s.work.Wait()
}

// commitErrors are the commits that must not be written, and why.
type commitErrors map[*workflow.Commit]error

func (e commitErrors) changed(c *workflow.Commit) {
	e[c] = iap.E(opCommit, iap.Conflict, workflow.ErrChanged)
}

func (e commitErrors) taskLost(c *workflow.Commit) {
	e[c] = iap.E(opCommit, iap.Conflict, workflow.ErrTaskLost)
}

// writeCommits writes commits of different executions in the transaction of
// ctx. It returns those that must not be written; then the transaction is to be
// rolled back.
func (db *DB) writeCommits(ctx context.Context, cs []*workflow.Commit) (commitErrors, error) {
	write := db.writeEachCommit
	if db.dialect.arrays {
		write = db.writeCommitsAtOnce
	}
	lost := commitErrors{}
	if err := db.insertNew(ctx, cs, lost); err != nil || len(lost) > 0 {
		return lost, err
	}
	if err := write(ctx, cs, lost); err != nil || len(lost) > 0 {
		return lost, err
	}
	t := db.tx(ctx)
	for _, c := range cs {
		for _, task := range c.Put {
			t.due = t.due || task.Owner == ""
		}
		t.events = append(t.events, c.Events...)
		if c.Then != nil {
			if err := c.Then(ctx); err != nil {
				return nil, err
			}
		}
	}
	return nil, nil
}

// insertNew inserts the executions that are new.
func (db *DB) insertNew(ctx context.Context, cs []*workflow.Commit, lost commitErrors) error {
	for _, c := range cs {
		if !c.New {
			continue
		}
		x := c.Execution
		x.Version = 1
		err := db.InsertExecution(ctx, x)
		if iap.IsKind(err, iap.Conflict) && db.tx(ctx).failure == nil || iap.IsKind(err, iap.NotFound) {
			lost[c] = err
			continue
		}
		if err != nil {
			return err
		}
	}
	return nil
}
