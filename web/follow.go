package web

import (
	"context"
	"sync"

	iap "github.com/internal-app-portal/iap"
)

// followLogs starts what feeds a stream with the logs of jobs that the viewer
// asked for and may see. The returned channel is closed when all of it has
// ended, after ctx.
func (s *Server) followLogs(ctx context.Context, v *viewer, pieces chan<- piece) <-chan struct{} {
	ended := make(chan struct{})
	if len(v.order) == 0 {
		close(ended)
		return ended
	}
	var all sync.WaitGroup
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
