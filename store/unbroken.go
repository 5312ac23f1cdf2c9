package store

import (
	"context"
	"crypto/tls"
	"database/sql/driver"
	"syscall"

	"github.com/jackc/pgx/v5"
	"golang.org/x/sys/unix"
)

// unbroken keeps the pool from lending a connection on which something waits to
// be read: its end, or the server's last words. What is sent on such a one gets
// no answer, and whether a commit was done would not be known.
func unbroken(_ context.Context, conn *pgx.Conn) error {
	network := conn.PgConn().Conn()
	if secured, ok := network.(*tls.Conn); ok {
		network = secured.NetConn()
	}
	socket, ok := network.(syscall.Conn)
	if !ok {
		return nil
	}
	raw, err := socket.SyscallConn()
	if err != nil {
		return driver.ErrBadConn
	}
	silent := false
	// Not Read, which would wait for the driver, when that reads ahead.
	err = raw.Control(func(fd uintptr) {
		var b [1]byte
		_, _, err := unix.Recvfrom(int(fd), b[:], unix.MSG_PEEK|unix.MSG_DONTWAIT)
		silent = err == unix.EAGAIN
	})
	if err != nil || !silent {
		return driver.ErrBadConn
	}
	return nil
}
