package job

import (
	"bytes"
	"context"
	"io"

	"github.com/internal-app-portal/iap"
)

// Log returns a reader of a job's log from the byte offset. With follow it
// blocks for more, first for the job's turn, until the job has ended or ctx is
// done. A job that never started has an empty log. NotFound when there is no
// such job; Invalid when the offset is negative.
func (s *Service) Log(ctx context.Context, id string, offset int64, follow bool) (io.ReadCloser, error) {
	if offset < 0 {
		return nil, iap.FieldErrorf("job.Log", "offset", "%d is negative; it is a number of bytes from 0", offset)
	}
	turn, err := s.turn(ctx, id)
	if err != nil {
		return nil, err
	}
	if turn != nil && !follow {
		return io.NopCloser(bytes.NewReader(nil)), nil
	}
	ctx, cancel := context.WithCancelCause(ctx)
	r := &logReader{ctx: ctx, cancel: cancel, turn: turn}
	r.open = func() (io.ReadCloser, error) {
		rc, err := s.cfg.Runner.Log(ctx, id, offset, follow)
		if iap.IsKind(err, iap.NotFound) {
			return io.NopCloser(bytes.NewReader(nil)), nil
		}
		return rc, err
	}
	return r, nil
}

// turn returns a channel that is closed when the runner has the job or the job
// has ended, nil when that is so already.
func (s *Service) turn(ctx context.Context, id string) (<-chan struct{}, error) {
	// The channel first: a job that leaves between the two is then seen.
	s.mu.Lock()
	c := s.logs[id]
	if c == nil {
		c = make(chan struct{})
		s.logs[id] = c
	}
	s.mu.Unlock()
	j, err := s.cfg.Store.Job(ctx, id)
	s.mu.Lock()
	w := s.workers[id]
	waits := err == nil && (j.Status == Queued || (j.Status == Running && w != nil && !w.given))
	if waits && s.logs[id] != c {
		waits = false // closed in the meantime
	}
	s.mu.Unlock()
	if waits {
		return c, nil
	}
	s.left(id)
	return nil, err
}

// logReader waits for a job's turn, then reads its log. Close may be called
// while another goroutine reads.
type logReader struct {
	ctx    context.Context
	cancel context.CancelCauseFunc
	turn   <-chan struct{}
	open   func() (io.ReadCloser, error)
	rc     io.ReadCloser
}

func (r *logReader) Read(p []byte) (int, error) {
	if r.rc == nil {
		if r.turn != nil {
			select {
			case <-r.ctx.Done():
				return 0, context.Cause(r.ctx)
			case <-r.turn:
			}
		}
		rc, err := r.open()
		if err != nil {
			return 0, err
		}
		r.rc = rc
		context.AfterFunc(r.ctx, func() { rc.Close() })
	}
	return r.rc.Read(p)
}

// Close ends a Read that blocks.
func (r *logReader) Close() error {
	r.cancel(io.ErrClosedPipe)
	return nil
}
