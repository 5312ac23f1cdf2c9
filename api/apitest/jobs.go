package apitest

import (
	"context"
	"encoding/json"
	"io"
	"slices"
	"sync"

	"github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/event"
	"github.com/internal-app-portal/iap/instance"
	"github.com/internal-app-portal/iap/job"
)

// jobs stands in for job.Service.
type jobs struct{ p *Portal }

// startJob is called with p.mu held.
func (p *Portal) startJob(i instance.Instance, kind job.Kind) job.Job {
	now := p.now()
	j := job.Job{ID: iap.NewID(now), Instance: i.ID, App: i.App, Version: i.Version, Owner: i.Owner, Kind: kind,
		Status: job.Running, Steps: []job.Step{{Name: string(kind), StartedAt: now}}, CreatedAt: now, StartedAt: now}
	p.jobs = append(p.jobs, j)
	p.logs[j.ID] = newJobLog()
	p.jobChanged(j)
	return j
}

// endJob is called with p.mu held.
func (p *Portal) endJob(id string, status job.Status, reason string) {
	for n := range p.jobs {
		if j := &p.jobs[n]; j.ID == id {
			j.Status, j.Reason, j.EndedAt = status, reason, p.now()
			p.logs[id].end()
			p.jobChanged(*j)
		}
	}
}

func (p *Portal) jobChanged(j job.Job) {
	data, err := json.Marshal(j.Snapshot())
	if err != nil {
		panic(err)
	}
	p.append(&event.Event{Source: "/jobs", Type: event.JobChanged, Subject: j.ID, Time: p.now(),
		Owner: j.Owner, Group: j.Instance, Data: data})
}

// WriteLog adds to the log of a job that runs.
func (p *Portal) WriteLog(id, text string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.logs[id].write(text)
}

// EndJob ends a job that runs.
func (p *Portal) EndJob(id string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.endJob(id, job.Succeeded, "")
}

func (s jobs) Get(_ context.Context, id string) (job.Job, error) {
	s.p.mu.Lock()
	defer s.p.mu.Unlock()
	for _, j := range s.p.jobs {
		if j.ID == id {
			return j, nil
		}
	}
	return job.Job{}, iap.Errorf("job.Get", iap.NotFound, "there is no such job")
}

func (s jobs) List(_ context.Context, f job.Filter) (out []job.Job, err error) {
	s.p.mu.Lock()
	defer s.p.mu.Unlock()
	for _, j := range slices.Backward(s.p.jobs) {
		if (f.Owner == "" || j.Owner == f.Owner) && (f.App == "" || j.App == f.App) && (f.Kind == "" || j.Kind == f.Kind) &&
			(len(f.Statuses) == 0 || slices.Contains(f.Statuses, j.Status)) && (f.Before == "" || j.ID < f.Before) && len(out) < f.Limit {
			out = append(out, j)
		}
	}
	return out, s.p.fail
}

func (s jobs) Of(_ context.Context, id string) (out []job.Job, err error) {
	s.p.mu.Lock()
	defer s.p.mu.Unlock()
	for _, j := range s.p.jobs {
		if j.Instance == id {
			out = append(out, j)
		}
	}
	return out, nil
}

func (s jobs) Cancel(_ context.Context, actorID, id string) error {
	s.p.mu.Lock()
	defer s.p.mu.Unlock()
	for n := range s.p.jobs {
		j := &s.p.jobs[n]
		switch {
		case j.ID != id:
		case j.Status.Ended():
			return iap.Errorf("job.Cancel", iap.Conflict, "the job has ended")
		default:
			j.CancelledBy = actorID
			s.p.endJob(id, job.Cancelled, "cancelled by "+actorID)
		}
	}
	return nil
}

func (s jobs) Log(ctx context.Context, id string, offset int64, follow bool) (io.ReadCloser, error) {
	s.p.mu.Lock()
	defer s.p.mu.Unlock()
	l := s.p.logs[id]
	if l == nil {
		return nil, iap.Errorf("job.Log", iap.NotFound, "there is no log")
	}
	return &logReader{ctx: ctx, log: l, offset: offset, follow: follow}, nil
}

// jobLog is a log that grows.
type jobLog struct {
	mu      sync.Mutex
	text    []byte
	ended   bool
	changed chan struct{}
}

func newJobLog() *jobLog { return &jobLog{changed: make(chan struct{})} }

func (l *jobLog) write(text string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.text = append(l.text, text...)
	close(l.changed)
	l.changed = make(chan struct{})
}

func (l *jobLog) end() {
	l.write("")
	l.mu.Lock()
	defer l.mu.Unlock()
	l.ended = true
	close(l.changed)
	l.changed = make(chan struct{})
}

type logReader struct {
	ctx    context.Context
	log    *jobLog
	offset int64
	follow bool
}

func (r *logReader) Read(b []byte) (int, error) {
	for {
		r.log.mu.Lock()
		n := copy(b, r.log.text[min(r.offset, int64(len(r.log.text))):])
		ended, changed := r.log.ended, r.log.changed
		r.log.mu.Unlock()
		r.offset += int64(n)
		switch {
		case n > 0:
			return n, nil
		case ended || !r.follow:
			return 0, io.EOF
		}
		select {
		case <-changed:
		case <-r.ctx.Done():
			return 0, context.Cause(r.ctx)
		}
	}
}

func (r *logReader) Close() error { return nil }
