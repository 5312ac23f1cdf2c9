package maprun

import (
	"sync"
	"time"
)

// ahead is how far children may be begun before the first one that has not
// ended: what came to be of them is kept in memory.
const ahead = 4096

type done struct {
	child Child
	items int64
	ended Ended
	err   error
}

// beside runs children beside each other.
func (r *run) beside() error {
	limit := int64(r.AtOnce)
	if limit <= 0 {
		limit = defaultAtOnce
	}
	if m := r.order.MaxConcurrency; m > 0 {
		limit = min(limit, m)
	}
	var work sync.WaitGroup
	// It holds all that run, so that none of them waits for this to look.
	answers := make(chan done, limit)
	defer func() {
		r.cancel() // those that run when the map run has failed
		work.Wait()
	}()
	running, begun, more := int64(0), int64(0), true
	for {
		for more && running < limit && begun < r.next+ahead {
			b, ok, err := r.batch()
			if err != nil {
				return err
			}
			if more = ok; ok {
				r.begin(&work, answers, r.child(b, time.Now()), b.Items)
				running++
				begun++
			}
		}
		if running == 0 {
			return nil
		}
		d := <-answers
		running--
		if d.err != nil {
			return d.err
		}
		if err := r.take(d.child, d.items, d.ended); err != nil {
			return err
		}
	}
}

func (r *run) begin(work *sync.WaitGroup, answers chan<- done, c Child, items int64) {
	work.Go(func() {
		e, err := r.Child(r.ctx, c)
		answers <- done{c, items, e, err}
	})
}
