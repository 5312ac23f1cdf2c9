package local

import (
	"context"
	"os"
	"reflect"
	"time"

	"golang.org/x/sys/unix"

	"github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/job"
)

// Wait implements job.Runner.
func (r *Runner) Wait(ctx context.Context, id string, progress func([]job.Step)) (job.Result, error) {
	const op = "local.Wait"
	f, err := r.folder(id)
	if err != nil {
		return job.Result{}, err
	}
	if !f.has("") {
		return job.Result{}, iap.Errorf(op, iap.NotFound, "job %s was never started here", id)
	}
	changes, leave, err := r.watch.join(string(f))
	if err != nil {
		return job.Result{}, failed(op, err)
	}
	defer leave()
	var seen []job.Step
	var death <-chan struct{}
	for {
		if res, ok, err := f.result(); err != nil || ok {
			return res, wrap(op, err)
		}
		if death == nil {
			if !f.held() {
				return r.lost(ctx, f)
			}
			if death, err = f.death(ctx); err != nil {
				return job.Result{}, wrap(op, err)
			}
		}
		var steps []job.Step
		if ok, err := readJSON(f.path(stepsFile), &steps); ok && err == nil && !reflect.DeepEqual(steps, seen) {
			seen = steps
			progress(steps)
			continue // the result may be there by now
		}
		select {
		case <-ctx.Done():
			return job.Result{}, context.Cause(ctx)
		case <-changes:
		case <-death:
			death = nil
			if f.held() { // a newer one has taken over
				continue
			}
		}
	}
}

func wrap(op string, err error) error {
	if err == nil {
		return nil
	}
	return iap.E(op, iap.Internal, err)
}

// lost ends what is left of a job that has no supervisor any more, and makes
// its result.
func (r *Runner) lost(ctx context.Context, f folder) (job.Result, error) {
	const op = "local.Wait"
	lock, ok, err := f.lock()
	if err != nil {
		return job.Result{}, failed(op, err)
	}
	if !ok { // another waits for it, too, or starts it
		return job.Result{}, iap.Errorf(op, iap.Unavailable, "another process is at the job")
	}
	defer lock.Close()
	if res, ok, err := f.result(); err != nil || ok {
		return res, wrap(op, err)
	}
	if !f.has(pidFile) {
		return job.Result{}, iap.Errorf(op, iap.NotFound, "the job was never started here")
	}
	if err := f.endTool(ctx); err != nil {
		return job.Result{}, err
	}
	if err := f.endProvider(); err != nil {
		return job.Result{}, err
	}
	res := job.Result{Status: job.Failed, Error: job.ErrKilled, EndedAt: time.Now(),
		Reason: "the process that ran the job ended without a result"}
	if f.has(cancelFile) {
		res.Status, res.Error, res.Reason = job.Cancelled, job.ErrCancelled, "cancelled"
	}
	_, _ = readJSON(f.path(stepsFile), &res.Steps)
	closeSteps(res.Steps, res.EndedAt, res.Reason)
	if err := writeJSON(f.path(resultFile), res, true); err != nil {
		return job.Result{}, failed(op, err)
	}
	f.tidy()
	return res, nil
}

// endTool ends the process group of a tofu that has lost its supervisor: it is
// asked first, so that it can store its state.
func (f folder) endTool(ctx context.Context) error {
	var p process
	if ok, err := readJSON(f.path(toolFile), &p); err != nil || !ok {
		return wrap("local.Wait", err)
	}
	if p.alive() {
		gone, err := exited(ctx, p)
		if err != nil {
			return iap.E("local.Wait", iap.Internal, err)
		}
		_ = unix.Kill(-p.PID, unix.SIGINT)
		t := time.NewTimer(orphanGrace)
		defer t.Stop()
		select {
		case <-gone:
		case <-t.C:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	if !groupOf(p) {
		return nil
	}
	members := membersOf(p.PID)
	_ = unix.Kill(-p.PID, unix.SIGKILL)
	for _, m := range members { // a signal takes its time
		gone, err := exited(ctx, m)
		if err != nil {
			return iap.E("local.Wait", iap.Internal, err)
		}
		<-gone
	}
	return ctx.Err()
}

// orphanGrace is how long a tofu without a supervisor may take to store its
// state after SIGINT.
const orphanGrace = 10 * time.Second

// closeSteps ends the step that had not ended.
func closeSteps(steps []job.Step, at time.Time, why string) {
	if n := len(steps); n > 0 && steps[n-1].EndedAt.IsZero() {
		steps[n-1].EndedAt, steps[n-1].Error = at, why
	}
}

// tidy removes what an ended job does not need, its secrets above all.
func (f folder) tidy() {
	for _, name := range []string{variablesFile, specFile, providerFile, workFolder, homeFolder} {
		_ = os.RemoveAll(f.path(name))
	}
}

// death returns a channel that is closed when the supervisor has ended.
func (f folder) death(ctx context.Context) (<-chan struct{}, error) {
	var p process
	if ok, err := readJSON(f.path(pidFile), &p); err == nil && ok && hasPidfd && p.alive() {
		return exited(ctx, p)
	}
	return f.released(ctx)
}

// released returns a channel that is closed when nobody holds the folder's
// lock. The kernel's wait cannot be broken off: it goes on after ctx has ended
// for as long as the supervisor lives.
func (f folder) released(ctx context.Context) (<-chan struct{}, error) {
	file, err := os.OpenFile(f.path(lockFile), os.O_RDWR, 0)
	if err != nil {
		return nil, err
	}
	c := make(chan struct{})
	go func() {
		defer close(c)
		defer file.Close()
		_ = flock(file, unix.LOCK_SH)
	}()
	return c, nil
}

// Cancel implements job.Runner.
func (r *Runner) Cancel(_ context.Context, id string) error {
	const op = "local.Cancel"
	f, err := r.folder(id)
	if err != nil {
		return err
	}
	if f.has(resultFile) {
		return nil
	}
	if !f.known() {
		return iap.Errorf(op, iap.NotFound, "job %s was never started here", id)
	}
	if err := writeFile(f.path(cancelFile), nil, false); err != nil {
		return failed(op, err)
	}
	// A supervisor without a pid yet looks for the file when it has one.
	var p process
	if ok, err := readJSON(f.path(pidFile), &p); err == nil && ok && p.alive() {
		_ = unix.Kill(p.PID, unix.SIGTERM)
	}
	return nil
}

// Remove implements job.Runner. Conflict when the job has not ended.
func (r *Runner) Remove(_ context.Context, id string) error {
	f, err := r.folder(id)
	if err != nil {
		return err
	}
	if f.has(pidFile) && !f.has(resultFile) {
		return iap.Errorf("local.Remove", iap.Conflict, "job %s has not ended", id)
	}
	if err := os.RemoveAll(string(f)); err != nil {
		return failed("local.Remove", err)
	}
	return nil
}
