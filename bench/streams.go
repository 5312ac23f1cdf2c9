package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"sync"
	"sync/atomic"

	"golang.org/x/sys/unix"
)

// crowd is many open streams of the portal's pages that nobody looks at.
type crowd struct {
	stop  context.CancelFunc
	ended sync.WaitGroup
	bytes atomic.Int64
	lost  atomic.Int64
}

// sip is how many bytes wake the reader of a stream: some three changes.
const sip = 8 << 10

// openStreams opens n streams for topics, as the same page in other browsers
// does, and reads them. Those browsers are on other machines in life, so as
// little of this one as can be goes to them: what comes is counted, not parsed,
// and its reader is woken for a sip of it.
func (p *portal) openStreams(ctx context.Context, n int, topics []string) (*crowd, error) {
	ctx, stop := context.WithCancel(ctx)
	c := &crowd{stop: stop}
	for range n {
		conn, err := p.openStream(ctx, topics)
		if err != nil {
			c.close()
			return nil, err
		}
		c.ended.Go(func() { c.read(ctx, conn) })
	}
	return c, nil
}

// openStream opens one and returns its connection after the head of the answer.
func (p *portal) openStream(ctx context.Context, topics []string) (net.Conn, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, p.url+"/stream?"+url.Values{"want": topics}.Encode(), nil)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Accept", "text/event-stream")
	var d net.Dialer
	conn, err := d.DialContext(ctx, "tcp", p.addr)
	if err != nil {
		return nil, err
	}
	if err = req.Write(conn); err == nil {
		var resp *http.Response
		if resp, err = http.ReadResponse(bufio.NewReader(conn), req); err == nil && resp.StatusCode != http.StatusOK {
			err = fmt.Errorf("%s answers %s", req.URL, resp.Status)
		}
	}
	if err == nil {
		err = readInSips(conn.(*net.TCPConn))
	}
	if err != nil {
		conn.Close()
		return nil, err
	}
	return conn, nil
}

// readInSips has the kernel keep what came until it is a sip, or the end.
func readInSips(conn *net.TCPConn) error { return readAtLeast(conn, sip) }

// readAtLeast has the kernel keep what came until it is as many bytes.
func readAtLeast(conn *net.TCPConn, bytes int) error {
	raw, err := conn.SyscallConn()
	if err != nil {
		return err
	}
	var set error
	err = raw.Control(func(fd uintptr) { set = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_RCVLOWAT, bytes) })
	return errors.Join(err, set)
}

func (c *crowd) read(ctx context.Context, conn net.Conn) {
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { conn.Close() })()
	buf := make([]byte, 16<<10)
	for {
		n, err := conn.Read(buf)
		c.bytes.Add(int64(n))
		if err != nil {
			if ctx.Err() == nil {
				c.lost.Add(1)
			}
			return
		}
	}
}

func (c *crowd) close() {
	c.stop()
	c.ended.Wait()
}
