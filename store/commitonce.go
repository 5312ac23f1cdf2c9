package store

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/internal-app-portal/iap/event"
	"github.com/internal-app-portal/iap/workflow"
)

// once writes commits in one round trip, which is a transaction of its own: the
// server begins it with the first statement and commits it where the client
// waits for the answers. A statement that does not change the rows that it must
// fails, and all others with it. done is false when nothing was written: it is to
// be done the ordinary way, which finds out which commits are lost.
func (e *postgresEngine) once(ctx context.Context, cs []*workflow.Commit) (done bool, err error) {
	for _, c := range cs {
		if c.Then != nil {
			return false, nil // it asks before it writes
		}
	}
	ss, err := e.db.commitStatements(cs)
	if err != nil {
		return false, nil
	}
	conn, err := e.connect(ctx)
	if err != nil {
		return errors.Is(err, errQueue), e.db.fail(opCommit, err)
	}
	defer conn.Close()
	e.db.opts.Failpoint("store.commit.before")
	limited, cancel := context.WithTimeout(ctx, commitTimeout)
	defer cancel()
	answered, err := send(limited, conn, ss)
	if err != nil {
		unnumber(cs)
	}
	switch {
	case err == nil:
	case undone(err, answered):
		return false, nil
	default:
		return true, e.db.fail(opCommit, fmt.Errorf("%w: %w", errUnknown, err))
	}
	e.db.opts.Failpoint("store.commit.after")
	if slices.ContainsFunc(cs, concernsOthers) {
		e.committed()
	}
	return true, nil
}

// undone reports whether an error of once says that nothing was committed. It
// does when the server refuses a statement or the commit. One that ends the
// session may do so after the commit, and a connection can be lost at any time.
func undone(err error, answered bool) bool {
	var refused *pgconn.PgError
	if errors.As(err, &refused) {
		return !answered || refused.SeverityUnlocalized != "FATAL"
	}
	return pgconn.SafeToRetry(err)
}

// concernsOthers reports whether other replicas are to be told of a commit.
func concernsOthers(c *workflow.Commit) bool {
	return len(c.Events) > 0 || slices.ContainsFunc(c.Put, func(t workflow.Task) bool { return t.Owner == "" })
}

// commitStatements are all statements of commits: what may turn out not to be
// wanted any more, each made to fail then; what follows; and last the events,
// because they lock the counter.
func (db *DB) commitStatements(cs []*workflow.Commit) ([]statement, error) {
	cs = inOrder(cs)
	lost := commitErrors{} // nobody asks
	fenced := slices.Concat(insertNewOnes(cs), updateRunningOnes(cs, lost), updateEnded(cs, lost), finishTasks(cs, lost))
	for i, s := range fenced {
		fenced[i] = s.fenced()
	}
	rest, err := restOf(cs)
	if err != nil {
		return nil, err
	}
	return slices.Concat(fenced, rest, appendEvents(cs)), nil
}

// insertNewOnes insert the executions that are new.
func insertNewOnes(cs []*workflow.Commit) (out []statement) {
	for _, c := range cs {
		if c.New {
			x := c.Execution
			x.Version = 1
			out = append(out, statement{query: insertExecution + " RETURNING id", args: newOf(x), must: 1})
		}
	}
	return out
}

// appendEvents number and write the events of commits.
func appendEvents(cs []*workflow.Commit) []statement {
	var events []*event.Event
	for _, c := range cs {
		events = append(events, c.Events...)
	}
	if len(events) == 0 {
		return nil
	}
	var numbers []int64
	return []statement{{query: appendAtOnce, args: eventArrays(events), row: func(scan scanner) error {
		n, err := scalar[int64](scan)
		numbers = append(numbers, n)
		return err
	}, done: func(int64) {
		first := slices.Min(numbers)
		for i, e := range events {
			e.Number = first + int64(i)
		}
	}}}
}

// unnumber takes the numbers of events back that were not committed.
func unnumber(cs []*workflow.Commit) {
	for _, c := range cs {
		for _, e := range c.Events {
			e.Number = 0
		}
	}
}

// fenced makes a statement fail that does not change the rows that it must.
func (s statement) fenced() statement {
	return statement{query: fmt.Sprintf("WITH changed AS (%s) SELECT 1 / (count(*) = $%d::bigint)::int FROM changed", s.query, len(s.args)+1),
		args: append(slices.Clone(s.args), s.must)}
}
