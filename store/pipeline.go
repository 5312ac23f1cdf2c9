package store

import (
	"context"
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
}

// pipeline runs statements in the transaction of PostgreSQL, of which none needs
// what another one answers, in one round trip for all.
func (t *tx) pipeline(ctx context.Context, op string, ss []statement) error {
	if len(ss) == 0 {
		return nil
	}
	var batch pgx.Batch
	for _, s := range ss {
		batch.Queue(s.query, clean(s.args)...)
	}
	err := t.conn.Raw(func(driver any) error {
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
		return results.Close()
	})
	if err != nil {
		return t.fail(op, err)
	}
	return nil
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
