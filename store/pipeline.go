package store

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
)

// statement is one of those that a transaction sends at once.
type statement struct {
	query string
	args  []any
	row   func(scan scanner) error // takes a row that comes back; nil: none does
	done  func(changed int64)      // is told how many rows it changed; nil: that does not matter
	must  int64                    // how many rows it has to change; see fenced
}

// pipeline runs statements in the transaction of PostgreSQL, of which none needs
// what another one answers, in one round trip for all.
func (t *tx) pipeline(ctx context.Context, op string, ss []statement) error {
	if len(ss) == 0 {
		return nil
	}
	if _, err := send(ctx, t.conn, ss); err != nil {
		return t.fail(op, err)
	}
	return nil
}

// send runs statements in one round trip: in the transaction of the connection,
// or else in one that is theirs alone, which is committed when send returns no
// error. answered tells that none of them failed.
func send(ctx context.Context, c *sql.Conn, ss []statement) (answered bool, err error) {
	var batch pgx.Batch
	for _, s := range ss {
		batch.Queue(s.query, clean(s.args)...)
	}
	err = c.Raw(func(driver any) error {
		conn, ok := driver.(*stdlib.Conn)
		if !ok {
			return fmt.Errorf("the connection is a %T", driver)
		}
		results := conn.Conn().SendBatch(ctx, &batch)
		for _, s := range ss {
			if err := s.take(results); err != nil {
				_ = results.Close() // says the same
				return err
			}
		}
		answered = true
		return results.Close()
	})
	return answered, err
}

// take reads the answer to a statement.
func (s statement) take(results pgx.BatchResults) error {
	rows, err := results.Query()
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if s.row == nil {
			continue
		}
		if err := s.row(rows.Scan); err != nil {
			return err
		}
	}
	if err := rows.Err(); err != nil {
		return err
	}
	if s.done != nil {
		s.done(rows.CommandTag().RowsAffected())
	}
	return nil
}
