package web

import (
	"context"
	"sync"

	iap "github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/event"
)

// follow starts what feeds a stream: the event log, and the logs of jobs that
// the viewer asked for and may see. The returned channel is closed when all of
// it has ended, after ctx.
func (s *Server) follow(ctx context.Context, cancel context.CancelCauseFunc, v *viewer, batches chan<- []event.Event, pieces chan<- piece) <-chan struct{} {
	ended := make(chan struct{})
	var all sync.WaitGroup
	sub := s.cfg.Events.Subscribe(v.last)
	all.Go(func() {
		for {
			batch, err := sub.Next(ctx)
			if err != nil {
				cancel(err)
				return
			}
			select {
			case batches <- batch:
			case <-ctx.Done():
				return
			}
		}
	})
	for _, id := range v.order {
		want := wantedLog{job: id, offset: v.offsets[id]}
		all.Go(func() {
			j, err := s.cfg.Jobs.Get(ctx, want.job)
			if err == nil && j.Owner != v.actor.ID && !v.actor.Role.Includes(iap.Admin) {
				return
			}
			if err == nil {
				err = s.followLog(ctx, want, pieces)
			}
			// The rest of the stream lives on without this log.
			if err != nil && ctx.Err() == nil && !iap.IsKind(err, iap.NotFound) {
				s.cfg.Logger.Warn("following a log ended", "job", want.job, "err", err)
			}
		})
	}
	go func() {
		all.Wait()
		close(ended)
	}()
	return ended
}
