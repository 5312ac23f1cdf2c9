package job

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"

	"github.com/internal-app-portal/iap"
)

// UpstreamOutput is the output of a bundle that says where the app answers.
const UpstreamOutput = "upstream"

// maxUpstream is the longest address that is taken, in bytes.
const maxUpstream = 2048

// conclude judges what the runner says and ends the job.
func (w *worker) conclude(ctx context.Context, j Job, res Result) {
	if j.Kind == Apply && res.Status == Succeeded {
		var err error
		if j.Upstream, err = upstream(res); err == nil {
			err = w.s.cfg.CheckOutputs(ctx, j)
		}
		if err != nil {
			name := ErrOutputs
			if passing(err) {
				name = ErrUnavailable
			}
			res.Status, res.Error, res.Reason = Failed, name, message(err)
		}
	}
	w.finish(ctx, res)
}

// upstream returns the address among the outputs, or an Invalid error that
// says what is wrong with it.
func upstream(res Result) (string, error) {
	const op = "job.outputs"
	raw, ok := res.Outputs[UpstreamOutput]
	if why := res.Omitted[UpstreamOutput]; why != "" {
		return "", iap.Errorf(op, iap.Invalid, "the bundle's output %q cannot be used: it %s", UpstreamOutput, why)
	}
	if !ok || string(raw) == "null" {
		return "", iap.Errorf(op, iap.Invalid,
			"the bundle has no output %q; it must be the address at which the app answers, as in \"http://127.0.0.1:32768\"", UpstreamOutput)
	}
	var s string
	if err := json.Unmarshal(raw, &s); err != nil {
		return "", iap.Errorf(op, iap.Invalid, "the bundle's output %q must be a string", UpstreamOutput)
	}
	if len(s) > maxUpstream {
		return "", iap.Errorf(op, iap.Invalid, "the bundle's output %q has %d bytes, above the limit of %d", UpstreamOutput, len(s), maxUpstream)
	}
	u, err := url.Parse(s)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" {
		return "", iap.Errorf(op, iap.Invalid,
			"the bundle's output %q is %q; it must be an http address such as \"http://127.0.0.1:32768\"", UpstreamOutput, shorten(s))
	}
	return s, nil
}

func shorten(s string) string {
	if len(s) > 80 {
		return s[:80] + "…"
	}
	return s
}

// finish ends the job, for as long as it takes.
func (w *worker) finish(ctx context.Context, res Result) {
	s := w.s
	for delay := backoffMin; ; delay = min(2*delay, backoffMax) {
		s.cfg.Failpoint("job.end.before")
		err := s.cfg.Tx.Update(ctx, func(ctx context.Context) error {
			j, err := s.cfg.Store.Job(ctx, w.id)
			if err != nil || j.Status.Ended() {
				return err
			}
			return s.end(ctx, j, res)
		})
		s.cfg.Failpoint("job.end.after")
		if err == nil || ctx.Err() != nil || iap.IsKind(err, iap.NotFound) {
			return
		}
		s.cfg.Logger.ErrorContext(ctx, "the end of a job could not be stored; trying again", "job", w.id, "error", err)
		if !pause(ctx, delay) {
			return
		}
	}
}

// end writes the end of a job in the transaction of ctx.
func (s *Service) end(ctx context.Context, j Job, res Result) error {
	place := j.Position
	j.Status, j.Error, j.Reason, j.Position, j.Waiting = res.Status, res.Error, res.Reason, 0, ""
	if j.EndedAt = res.EndedAt; j.EndedAt.IsZero() {
		j.EndedAt = s.cfg.Now()
	}
	if res.Steps != nil {
		j.Steps = res.Steps
	}
	if j.Status == Succeeded && j.Kind == Apply {
		up, err := upstream(res)
		if err != nil {
			return fmt.Errorf("job %s: %w", j.ID, err)
		}
		j.Upstream = up
	}
	if err := s.cfg.Store.UpdateJob(ctx, j); err != nil {
		return err
	}
	if err := s.cfg.OnEnd(ctx, j); err != nil {
		return err
	}
	iap.AfterCommit(ctx, func() { s.left(j.ID); s.signal() })
	if err := s.tell(ctx, j); err != nil {
		return err
	}
	if place > 0 {
		return s.tellQueue(ctx, place)
	}
	return nil
}

// tell appends the event of a job's change.
func (s *Service) tell(ctx context.Context, j Job) error {
	e, err := changed(j, s.cfg.Now())
	if err != nil {
		return err
	}
	return s.cfg.Events.Append(ctx, e)
}

// toldPlaces is how many places of the queue are told of, from the first: one
// event for each queued job would make a long queue's events grow with its
// square. Those behind are told when they come this far.
const toldPlaces = 10

// tellQueue appends an event for each of the first queued jobs that moved up,
// because the one at the place from (from 1) left the queue.
func (s *Service) tellQueue(ctx context.Context, from int) error {
	if from > toldPlaces {
		return nil
	}
	queue, err := s.cfg.Store.FirstQueued(ctx, toldPlaces)
	if err != nil {
		return err
	}
	for _, j := range queue {
		if j.Position < from {
			continue
		}
		if err := s.tell(ctx, j); err != nil {
			return err
		}
	}
	return nil
}
