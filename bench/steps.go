package main

import (
	"context"
	"time"

	"github.com/internal-app-portal/iap/client"
)

// The steps of a deploy, in order. Those of the portal are in whole
// milliseconds.
const (
	stepAnswered  = "click → answer"
	stepQueued    = "click → job queued"
	stepStart     = "job queued → started"
	stepPrepare   = "job started → first step"
	stepInit      = "step init"
	stepApply     = "step apply"
	stepOutputs   = "step outputs"
	stepNoticed   = "last step → job ended"
	stepChecking  = "job ended → checking"
	stepCheck     = "checking → running"
	stepHeard     = "running → told"
	stepFirst200  = "told → first 200"
	kindApply     = "apply"
	kindApplyInit = "init"
	kindOutputs   = "outputs"
)

// cycleSteps is the order in which they are shown.
var cycleSteps = [...]string{stepAnswered, stepQueued, stepStart, stepPrepare, stepInit, stepApply, stepOutputs, stepNoticed,
	stepChecking, stepCheck, stepHeard, stepFirst200}

// steps reads where the time of a deploy went, from the portal's own records.
func (p *portal) steps(ctx context.Context, w *watcher, id string, click, answered, shown time.Time) (map[string]time.Duration, error) {
	jobs, err := p.JobsOf(ctx, id)
	if err != nil {
		return nil, err
	}
	at := map[string]change{}
	for _, c := range w.of(id) {
		if _, seen := at[c.instance.Status]; !seen {
			at[c.instance.Status] = c
		}
	}
	out := map[string]time.Duration{stepAnswered: answered.Sub(click)}
	for _, j := range jobs {
		if j.Kind == kindApply {
			jobSteps(out, j, click)
			span(out, stepChecking, j.EndedAt, at[client.StatusChecking].at)
		}
	}
	running := at[client.StatusRunning]
	span(out, stepCheck, at[client.StatusChecking].at, running.at)
	span(out, stepHeard, running.at, running.heard)
	span(out, stepFirst200, running.heard, shown)
	return out, nil
}

func jobSteps(out map[string]time.Duration, j client.Job, click time.Time) {
	span(out, stepQueued, click, j.CreatedAt)
	span(out, stepStart, j.CreatedAt, j.StartedAt)
	last := j.StartedAt
	for n, s := range j.Steps {
		if n == 0 {
			span(out, stepPrepare, j.StartedAt, s.StartedAt)
		}
		switch s.Name {
		case kindApplyInit:
			span(out, stepInit, s.StartedAt, s.EndedAt)
		case kindApply:
			span(out, stepApply, s.StartedAt, s.EndedAt)
		case kindOutputs:
			span(out, stepOutputs, s.StartedAt, s.EndedAt)
		}
		last = s.EndedAt
	}
	span(out, stepNoticed, last, j.EndedAt)
}

// span notes the time between two points that are both known.
func span(out map[string]time.Duration, name string, from, to time.Time) {
	if !from.IsZero() && !to.IsZero() {
		out[name] = to.Sub(from)
	}
}
