package store

import (
	"context"
	"sync"
	"time"
)

// clock is the time that a database goes by: on SQLite the process's, on
// PostgreSQL the server's, so that replicas whose clocks differ agree on what
// is due and on which leases are over.
type clock struct {
	local func() time.Time

	mu   sync.Mutex
	base time.Time // the server's time, zero while the local clock counts
	at   time.Time // when it was that, by the process's monotonic clock
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.base.IsZero() {
		return c.local()
	}
	return c.base.Add(time.Since(c.at))
}

// set is told the server's time, which was asked for at begun. The clock is
// moved when it is wrong by more than the answer may be, and so does not jump
// to and fro with each answer.
func (c *clock) set(server, begun time.Time) {
	took := time.Since(begun)
	at := begun.Add(took / 2)
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.base.IsZero() && server.Sub(c.base.Add(at.Sub(c.at))).Abs() <= took/2+time.Millisecond {
		return
	}
	c.base, c.at = server, at
}

// serverTime is the server's time in microseconds.
const serverTime = "(extract(epoch FROM clock_timestamp()) * 1000000)::bigint"

// measure asks a PostgreSQL server for its time.
func (c *clock) measure(ctx context.Context, ask func(ctx context.Context, query string) (micros int64, err error)) error {
	begun := time.Now()
	micros, err := ask(ctx, "SELECT "+serverTime)
	if err == nil {
		c.set(time.UnixMicro(micros), begun)
	}
	return err
}

// Now returns the time that leases and timers go by: on PostgreSQL that of the
// database's server, whatever this process's clock shows.
func (db *DB) Now() time.Time { return db.clock.now() }
