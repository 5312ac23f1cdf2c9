package local

import (
	"context"
	"errors"
	"io"
	"os"
	"sync"

	"github.com/internal-app-portal/iap"
)

// Log implements job.Runner. Each line begins with its time, as RFC 3339 with
// milliseconds, and holds no control characters.
func (r *Runner) Log(ctx context.Context, id string, offset int64, follow bool) (io.ReadCloser, error) {
	const op = "local.Log"
	f, err := r.folder(id)
	if err != nil {
		return nil, err
	}
	if offset < 0 {
		return nil, iap.FieldErrorf(op, "offset", "%d is negative; it is a number of bytes from 0", offset)
	}
	if !f.known() {
		return nil, iap.Errorf(op, iap.NotFound, "there is no log of job %s", id)
	}
	l := &logReader{ctx: ctx, f: f, offset: offset, closed: make(chan struct{})}
	if follow {
		if l.changes, l.leave, err = r.watch.join(string(f)); err != nil {
			return nil, failed(op, err)
		}
	}
	return l, nil
}

// logReader reads a log that may grow, or not be there yet. Close may be
// called while another goroutine reads.
type logReader struct {
	ctx     context.Context
	f       folder
	offset  int64
	file    *os.File
	changes <-chan struct{} // nil: without waiting
	leave   func()
	closed  chan struct{}
	closing sync.Once
	mu      sync.Mutex // guards file
}

func (l *logReader) Read(p []byte) (int, error) {
	for {
		// Before reading: what was written before the end is then read.
		over := l.f.has(resultFile)
		n, err := l.read(p)
		if n > 0 || !errors.Is(err, io.EOF) {
			return n, err
		}
		if over || l.changes == nil {
			return 0, io.EOF
		}
		select {
		case <-l.changes:
		case <-l.closed:
			return 0, os.ErrClosed
		case <-l.ctx.Done():
			return 0, context.Cause(l.ctx)
		}
	}
}

func (l *logReader) read(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.file == nil {
		file, err := os.Open(l.f.path(logFileName))
		if errors.Is(err, os.ErrNotExist) {
			return 0, io.EOF
		}
		if err != nil {
			return 0, failed("local.Log", err)
		}
		l.file = file
	}
	n, err := l.file.ReadAt(p, l.offset)
	l.offset += int64(n)
	if n > 0 {
		err = nil
	}
	return n, err
}

// Close ends a Read that waits.
func (l *logReader) Close() error {
	l.closing.Do(func() {
		close(l.closed)
		if l.leave != nil {
			l.leave()
		}
		l.mu.Lock()
		defer l.mu.Unlock()
		if l.file != nil {
			l.file.Close()
		}
	})
	return nil
}
