package instance_test

import (
	"context"
	"encoding/json"
	"strconv"
	"sync"
	"testing"
	"time"

	iap "github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/event"
	"github.com/internal-app-portal/iap/instance"
	"github.com/internal-app-portal/iap/job"
)

// BenchmarkSweep: the nightly sweep of 1,000 instances on the real database and
// engine, whose jobs end as soon as they begin.
func BenchmarkSweep(b *testing.B) {
	const n = 1000
	l := newLife(b)
	l.jobs.queue = make(chan job.Job, 2*n) // whoever commits puts them in, and must not wait
	ctx, cancel := context.WithCancel(b.Context())
	var workers sync.WaitGroup
	defer workers.Wait()
	defer cancel()
	for range 8 {
		workers.Go(func() {
			for {
				select {
				case <-ctx.Done():
					return
				case j := <-l.jobs.queue:
					j.Status = job.Succeeded
					if j.Kind == job.Apply {
						j.Upstream = "http://127.0.0.1:" + strconv.FormatInt(10_000+l.names.Add(1), 10)
					}
					if err := l.db.Update(ctx, func(ctx context.Context) error { return l.JobEnded(ctx, j) }); err != nil && ctx.Err() == nil {
						b.Error(err)
					}
				}
			}
		})
	}
	sub := l.Log.Subscribe(-1)
	var deploys sync.WaitGroup
	for first := range 16 {
		deploys.Go(func() {
			for k := first; k < n; k += 16 {
				who := iap.Actor{ID: "p" + strconv.Itoa(k), Role: iap.Member}
				if _, _, err := l.Deploy(ctx, who, instance.DeployRequest{App: "app-" + strconv.Itoa(k%50),
					Parameters: map[string]any{"password": "hunter2-secret"}}); err != nil {
					b.Error(err)
					cancel()
				}
			}
		})
	}
	for running := map[string]bool{}; len(running) < n; {
		events, err := sub.Next(ctx)
		if err != nil {
			b.Fatal(err)
		}
		for _, e := range events {
			var i instance.Snapshot
			if e.Type == event.InstanceChanged && json.Unmarshal(e.Data, &i) == nil && i.Status == instance.Running {
				running[e.Subject] = true
			}
		}
	}
	deploys.Wait()
	begun := time.Now()
	id := l.sweep()
	s := l.report(id)
	b.ReportMetric(time.Since(begun).Seconds(), "seconds")
	if s.Destroyed != n || s.Failed+s.Kept > 0 {
		b.Errorf("%d of %d were destroyed, %d failed", s.Destroyed, n, s.Failed)
	}
}
