package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http/httputil"
	"strconv"
	"strings"
	"time"
)

// load asks for one page again and again over connections that stay open. It
// reads no more of HTTP/1.1 than it must, so that little of the machine goes
// to the asking.
type load struct {
	addr, host, path string
	clients          int
	size             int64 // of the body, which is checked
	pid              int   // of the process that answers; 0: unknown
}

// loadResult is what a round brought.
type loadResult struct {
	rate      float64   // requests per second
	latencies []float64 // milliseconds
	cpu       float64   // milliseconds of the answering process for a request
}

// run asks for the length of time.
func (l load) run(ctx context.Context, length time.Duration) (loadResult, error) {
	took := make([][]float64, l.clients)
	before := processorTime(l.pid)
	begun := time.Now()
	end := begun.Add(length)
	err := together(l.clients, l.clients, func(n int) (err error) {
		took[n], err = l.client(ctx, end)
		return err
	})
	var r loadResult
	for _, t := range took {
		r.latencies = append(r.latencies, t...)
	}
	r.rate = float64(len(r.latencies)) / time.Since(begun).Seconds()
	r.cpu = ratio(millis(processorTime(l.pid)-before), float64(len(r.latencies)))
	if err == nil && len(r.latencies) == 0 {
		err = errors.New("no request ended in time")
	}
	return r, err
}

// client is one connection.
func (l load) client(ctx context.Context, end time.Time) ([]float64, error) {
	var d net.Dialer
	conn, err := d.DialContext(ctx, "tcp", l.addr)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { _ = conn.Close() })()
	request := []byte("GET " + l.path + " HTTP/1.1\r\nHost: " + l.host + "\r\nUser-Agent: bench\r\nAccept: */*\r\n\r\n")
	in := bufio.NewReaderSize(conn, 64<<10)
	var out []float64
	for {
		begun := time.Now()
		if begun.After(end) {
			return out, nil
		}
		if _, err := conn.Write(request); err != nil {
			return nil, err
		}
		if err := l.answer(in); err != nil {
			return nil, fmt.Errorf("%s at %s: %w", l.path, l.host, err)
		}
		out = append(out, float64(time.Since(begun).Nanoseconds())/1e6)
	}
}

// answer reads one answer and checks its status and length.
func (l load) answer(in *bufio.Reader) error {
	status, err := in.ReadSlice('\n')
	if err != nil {
		return err
	}
	if !strings.HasPrefix(string(status), "HTTP/1.1 200") {
		return fmt.Errorf("it answers %q", strings.TrimSpace(string(status)))
	}
	length, chunked := int64(-1), false
	for {
		line, err := in.ReadSlice('\n')
		if err != nil {
			return err
		}
		if len(line) <= 2 {
			break
		}
		switch name := string(line[:min(len(line), 18)]); {
		case strings.EqualFold(name[:min(len(name), 15)], "Content-Length:"):
			if length, err = strconv.ParseInt(strings.TrimSpace(string(line[15:])), 10, 64); err != nil {
				return err
			}
		case strings.EqualFold(name, "Transfer-Encoding:"):
			chunked = true
		}
	}
	return l.body(in, length, chunked)
}

func (l load) body(in *bufio.Reader, length int64, chunked bool) error {
	var err error
	switch {
	case chunked:
		if length, err = io.Copy(io.Discard, httputil.NewChunkedReader(in)); err == nil {
			_, err = in.ReadSlice('\n') // the line that ends the trailer
		}
	case length < 0:
		return errors.New("the answer has no length")
	default:
		_, err = in.Discard(int(length))
	}
	if err == nil && length != l.size {
		err = fmt.Errorf("the body has %d bytes instead of %d", length, l.size)
	}
	return err
}
