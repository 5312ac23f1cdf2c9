package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

const (
	openStreams = 1000
	eachSecond  = 100 // events
	tickFor     = 10  // seconds
	// looked is which of the streams have their delay looked at: every one of so
	// many. To read the time out of each message of each would be work of other
	// machines in life.
	looked   = 20
	tickType = "bench.tick"
)

// measureStreams holds streams of the log open while events come, and compares
// what each got by number.
func measureStreams(ctx context.Context, b *bench, out *Part) error {
	data, err := b.folder("streams")
	if err != nil {
		return err
	}
	p, err := b.startPortal(ctx, data)
	if err != nil {
		return err
	}
	defer p.remove()
	before, err := p.settled(ctx)
	if err != nil {
		return err
	}
	n, ticks := b.times(openStreams, 100), b.times(tickFor, 2)*eachSecond
	all := &listeners{}
	defer all.close()
	for k := range n {
		if err := all.open(ctx, p, k%looked == 0, ticks); err != nil {
			return err
		}
	}
	idle, err := p.settled(ctx)
	if err != nil {
		return err
	}
	numbers, err := p.tick(ctx, ticks)
	if err != nil {
		return err
	}
	busy, err := memoryOf(p.cmd.Process.Pid)
	if err != nil {
		return err
	}
	delays, lost, err := all.compare(ctx, numbers)
	if err != nil {
		return err
	}
	title := fmt.Sprintf("%d open streams, %d events a second: ", n, eachSecond)
	missing := compare(title+"messages lost or doubled, of "+strconv.Itoa(n*ticks), "", []float64{float64(lost)}, "", nil, 0)
	missing.Checks = []Check{atMost("all", float64(lost), 0)}
	perStream := func(m memory) []float64 { return []float64{(m.rss - before.rss) * 1000 / float64(n)} }
	out.Figures = append(out.Figures, compare(title+"sent → read from a stream", "ms", delays, "", nil, 0), missing,
		compare(title+"memory for each stream, idle", "kB", perStream(idle), "", nil, 0),
		compare(title+"memory for each stream, after the events", "kB", perStream(busy), "", nil, 0))
	return nil
}

// tick sends events at an even pace and returns their numbers. Each says when it
// was sent.
func (p *portal) tick(ctx context.Context, n int) ([]int64, error) {
	numbers := make([]int64, n)
	errs := make(chan error, n)
	clock := time.NewTicker(time.Second / eachSecond)
	defer clock.Stop()
	for k := range n {
		select {
		case <-clock.C:
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
		go func() {
			body := fmt.Sprintf(`{"specversion":"1.0","id":"%d","source":"/bench","type":%q,"data":{"sent":"%d."}}`, k, tickType, time.Now().UnixMicro())
			sent, err := p.SendEvents(ctx, []byte(body))
			if err == nil && len(sent.Events) == 1 {
				numbers[k] = sent.Events[0].Number
			}
			errs <- err
		}()
	}
	var err error
	for range n {
		err = errors.Join(err, <-errs)
	}
	return numbers, err
}

// listeners are open streams of the log.
type listeners struct {
	all   []*listener
	ended sync.WaitGroup
}

// listener is one.
type listener struct {
	conn   net.Conn
	body   io.Reader
	looks  bool
	want   int
	got    atomic.Int64
	done   chan struct{} // closed when as many came as were sent, or the stream broke
	seen   []int64       // the numbers, as they came
	delays []float64     // milliseconds
}

func (l *listeners) open(ctx context.Context, p *portal, looks bool, want int) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, p.url+"/api/v1/stream?all=true", nil)
	if err != nil {
		return err
	}
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", p.addr)
	if err != nil {
		return err
	}
	one := &listener{conn: conn, looks: looks, want: want, done: make(chan struct{})}
	l.all = append(l.all, one)
	if err := req.Write(conn); err != nil {
		return err
	}
	resp, err := http.ReadResponse(bufio.NewReaderSize(conn, 16<<10), req)
	if err != nil {
		return err
	}
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%s answers %s", req.URL, resp.Status)
	}
	one.body = resp.Body
	if !looks {
		if err := readInSips(conn.(*net.TCPConn)); err != nil {
			return err
		}
	}
	l.ended.Go(one.read)
	return nil
}

func (l *listeners) close() {
	for _, one := range l.all {
		_ = one.conn.Close()
	}
	l.ended.Wait()
}

// read takes the messages of a stream: the line with the number comes before
// that with the type, and the data is last.
func (o *listener) read() {
	defer close(o.done)
	lines := bufio.NewReaderSize(o.body, 16<<10)
	var number int64
	tick := false
	for len(o.seen) < o.want {
		line, err := lines.ReadSlice('\n')
		if err != nil {
			return
		}
		switch name, value, _ := strings.Cut(string(line[:min(len(line), 32)]), ":"); name {
		case "id":
			number, _ = strconv.ParseInt(strings.TrimSpace(value), 10, 64)
		case "event":
			tick = strings.TrimSpace(value) == tickType
		case "data":
			if tick {
				o.take(number, string(line))
			}
		}
	}
}

func (o *listener) take(number int64, data string) {
	o.seen = append(o.seen, number)
	o.got.Store(int64(len(o.seen)))
	if !o.looks {
		return
	}
	_, sent, _ := strings.Cut(data, `"sent":"`)
	sent, _, _ = strings.Cut(sent, ".")
	if at, err := strconv.ParseInt(sent, 10, 64); err == nil {
		o.delays = append(o.delays, millis(time.Since(time.UnixMicro(at))))
	}
}

// readOn has the last messages read, which are less than a sip: the reader is
// woken by what the stream says when nothing happens, at the latest.
func (o *listener) readOn() error {
	if o.looks {
		return nil
	}
	return readAtLeast(o.conn.(*net.TCPConn), 1)
}

// compare waits until the streams have been read and returns the delays, and how
// many messages some stream lacks or has twice.
func (l *listeners) compare(ctx context.Context, numbers []int64) (delays []float64, lost int, err error) {
	wait, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	for _, one := range l.all {
		if err := one.readOn(); err != nil {
			return nil, 0, err
		}
	}
	for _, one := range l.all {
		select {
		case <-one.done:
		case <-wait.Done(): // what is missing is counted
			_ = one.conn.Close()
			<-one.done
		}
		left := map[int64]int{}
		for _, n := range numbers {
			left[n]++
		}
		for _, n := range one.seen {
			left[n]--
		}
		for _, times := range left {
			lost += max(times, -times)
		}
		delays = append(delays, one.delays...)
	}
	return delays, lost, ctx.Err()
}
