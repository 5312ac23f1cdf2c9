package instance_test

import (
	"context"
	"encoding/json"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	iap "github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/event"
	"github.com/internal-app-portal/iap/instance"
	"github.com/internal-app-portal/iap/job"
)

// BenchmarkSweep: the nightly sweep of 5,000 instances on the real database and
// engine, whose jobs end as soon as they begin. Meanwhile somebody looks at the
// newest instances, and an event is committed, again and again.
func BenchmarkSweep(b *testing.B) {
	const n = 5000
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
	answered := l.askMeanwhile(b)
	begun, from := time.Now(), l.Log.Last()
	s := l.swept(b, from, l.sweep())
	b.ReportMetric(time.Since(begun).Seconds(), "seconds")
	took := answered()
	b.ReportMetric(took[len(took)*99/100], "answer-p99-ms")
	b.ReportMetric(took[len(took)-1], "answer-max-ms")
	if s.Destroyed != n || s.Failed+s.Kept > 0 {
		b.Errorf("%d of %d were destroyed, %d failed", s.Destroyed, n, s.Failed)
	}
}

// askMeanwhile lists instances and commits an event, one after the other, until
// the returned function is called, which says how long each took, in milliseconds
// and in order.
func (l *life) askMeanwhile(b *testing.B) (end func() []float64) {
	ctx, cancel := context.WithCancel(b.Context())
	done := make(chan []float64)
	go func() {
		var took []float64
		timed := func(what func() error) {
			begun := time.Now()
			if err := what(); err != nil && ctx.Err() == nil {
				b.Error(err)
			}
			took = append(took, float64(time.Since(begun).Microseconds())/1000)
		}
		for tick := time.Tick(5 * time.Millisecond); ctx.Err() == nil; <-tick {
			timed(func() error {
				_, err := l.List(ctx, iap.System, instance.Filter{Limit: 50})
				return err
			})
			timed(func() error {
				return l.db.Update(ctx, func(ctx context.Context) error {
					return l.Log.Append(ctx, &event.Event{Source: "/bench", Type: "bench.asked", Time: l.Now(), Data: json.RawMessage("{}")})
				})
			})
		}
		slices.Sort(took)
		done <- took
	}()
	return func() []float64 {
		cancel()
		return <-done
	}
}

// swept waits for the end of a sweep and returns its report: from the event, for
// looking at the execution at each event would be much of what is measured.
func (l *life) swept(b *testing.B, from int64, id string) (s instance.Sweep) {
	for sub := l.Log.Subscribe(from); ; {
		events, err := sub.Next(b.Context())
		if err != nil {
			b.Fatal(err)
		}
		for _, e := range events {
			if e.Type != event.SweepFinished || e.Subject != id {
				continue
			}
			if err := json.Unmarshal(e.Data, &s); err != nil {
				b.Fatal(err)
			}
			return s
		}
	}
}
