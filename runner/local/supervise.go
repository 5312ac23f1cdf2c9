package local

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"time"

	"golang.org/x/sys/unix"

	"github.com/internal-app-portal/iap/job"
)

// Supervise runs the job of a folder to its end; it is all that the process
// does which was started as "job-supervisor FOLDER". It returns the exit code: 0
// when there is a result, whatever it says, else 1.
func Supervise(dir string) int {
	f := folder(dir)
	lock, err := inheritLock(f)
	if err != nil {
		fmt.Fprintln(os.Stderr, "job-supervisor:", err)
		return 1
	}
	defer lock.Close()
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, unix.SIGTERM)
	signal.Ignore(unix.SIGHUP, unix.SIGINT)
	supervise := func() error { return superviseLocked(f, signals, nil) }
	if f.has(spareFile) {
		supervise = func() error { return superviseSpare(f, signals) }
	}
	if err := supervise(); err != nil {
		fmt.Fprintln(os.Stderr, "job-supervisor:", err)
		return 1
	}
	return 0
}

// superviseLocked runs the job of a folder, with what a spare supervisor has
// ready when there is such.
func superviseLocked(f folder, signals <-chan os.Signal, ready *spareRun) error {
	if f.has(resultFile) {
		return nil
	}
	// From here on the job counts as started, and Cancel finds the process.
	if err := writeJSON(f.path(pidFile), processOf(os.Getpid()), false); err != nil {
		return err
	}
	var p plan
	if ok, err := readJSON(f.path(specFile), &p); err != nil || !ok {
		return fmt.Errorf("%s cannot be read: %w", specFile, errors.Join(err, os.ErrNotExist))
	}
	s, err := newSupervisor(f, p)
	if err != nil {
		return err
	}
	if ready != nil {
		s.adopt(ready)
	}
	ctx, stop := context.WithCancelCause(context.Background())
	defer stop(nil)
	go func() {
		<-signals
		stop(s.stopCause())
	}()
	if f.has(cancelFile) {
		stop(errCancelled)
	}
	if p.Spec.Timeout <= 0 {
		p.Spec.Timeout = defaultTimeout
	}
	timer := time.AfterFunc(p.Spec.Timeout, func() { stop(errTimedOut) })
	defer timer.Stop()
	res := s.run(ctx)
	s.log.close()
	return s.finish(res)
}

// inheritLock takes the lock that the portal handed on as file 3, or takes one.
func inheritLock(f folder) (*os.File, error) {
	file := os.NewFile(3, lockFile)
	have, err := file.Stat()
	if err == nil {
		want, err := os.Stat(f.path(lockFile))
		if err == nil && os.SameFile(have, want) {
			unix.CloseOnExec(3) // tofu must not keep it when this process dies
			return file, flock(file, unix.LOCK_EX|unix.LOCK_NB)
		}
	}
	file, ok, err := f.lock()
	if err == nil && !ok {
		err = errors.New("another process is at the job")
	}
	return file, err
}

// supervisor takes one job through its steps.
type supervisor struct {
	f     folder
	plan  plan
	spec  job.Spec
	log   *jobLog
	tool  *tool
	home  string       // HOME of the tool
	tmp   string       // its TMPDIR
	own   *ownProvider // nil when there never was one
	spare *spareRun    // a run that waits for the job's variables; nil: none, or used
	state *stateDoor   // through which that run reaches the state
	steps []job.Step
}

func newSupervisor(f folder, p plan) (*supervisor, error) {
	file, err := os.OpenFile(f.path(logFileName), os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return nil, err
	}
	secrets := append([]string{p.Spec.State.Password}, p.Spec.Secrets...)
	s := &supervisor{f: f, plan: p, spec: p.Spec, log: newJobLog(file, 0, secrets, time.Now)}
	s.spec.Secrets = secrets
	if s.spec.Grace <= 0 {
		s.spec.Grace = defaultGrace
	}
	s.tool = &tool{binary: p.Binary, log: s.log, grace: s.spec.Grace,
		started: func(leader process) error { return writeJSON(f.path(toolFile), leader, false) }}
	return s, nil
}

// stopCause tells a request to cancel from another's SIGTERM.
func (s *supervisor) stopCause() error {
	if s.f.has(cancelFile) {
		return errCancelled
	}
	return errStopped
}

// errStopped is the cause when somebody else than the portal ends the process:
// the machine that shuts down.
var errStopped = errors.New("stopped from outside")

// run takes the job's steps and returns its result.
func (s *supervisor) run(ctx context.Context) job.Result {
	defer s.clean()
	if err := s.prepare(ctx); err != nil {
		return s.result(ctx, err)
	}
	rep, err := s.act(ctx)
	if err != nil {
		return s.result(ctx, err)
	}
	res := job.Result{Status: job.Succeeded}
	if s.spec.Kind == job.Apply {
		res.Outputs, res.Omitted = rep.outputs, rep.omitted
		now := time.Now().UTC() // they came with the apply
		s.steps = append(s.steps, job.Step{Name: "outputs", StartedAt: now, EndedAt: now})
	}
	return res
}

// step does one step. The file of steps tells its beginning; its end comes with the
// next one's beginning, or with the result.
func (s *supervisor) step(name string, do func() error) error {
	s.steps = append(s.steps, job.Step{Name: name, StartedAt: time.Now().UTC()})
	_ = writeJSON(s.f.path(stepsFile), s.steps, false) // the result has them, too
	err := do()
	step := &s.steps[len(s.steps)-1]
	step.EndedAt = time.Now().UTC()
	if err != nil {
		step.Error = cut(redact(s.spec.Secrets, err.Error()), maxReason)
	}
	return err
}

// failure is an error that knows its name.
type failure struct{ name, reason string }

func (f *failure) Error() string { return f.reason }

// result makes the result of a job that did not succeed.
func (s *supervisor) result(ctx context.Context, err error) job.Result {
	res := job.Result{Status: job.Failed, Error: job.ErrApplyFailed, Reason: err.Error()}
	if s.spec.Kind == job.Destroy {
		res.Error = job.ErrDestroyFailed
	}
	var f *failure
	if errors.As(err, &f) {
		res.Error = f.name
	}
	switch context.Cause(ctx) {
	case errCancelled:
		res.Status, res.Error, res.Reason = job.Cancelled, job.ErrCancelled, "cancelled"
	case errTimedOut:
		res.Status, res.Error = job.TimedOut, job.ErrTimedOut
		res.Reason = fmt.Sprintf("it was not done after %s", s.spec.Timeout)
	case errStopped:
		res.Error, res.Reason = job.ErrKilled, "the job was stopped from outside the portal, as when the machine shuts down"
	}
	res.Reason = redact(s.spec.Secrets, res.Reason)
	word := map[job.Status]string{job.Cancelled: "Stopped", job.TimedOut: "Timed out", job.Failed: "Failed"}[res.Status]
	s.log.sayLast(word + ": " + res.Reason)
	return res
}

// finish puts the result in place, for as long as it takes when the disk is
// full: without it the job would count as killed.
func (s *supervisor) finish(res job.Result) error {
	res.Steps, res.EndedAt = s.steps, time.Now().UTC()
	for _, name := range []string{variablesFile, specFile} {
		_ = os.Remove(s.f.path(name))
	}
	var err error
	for range 600 {
		if err = writeJSON(s.f.path(resultFile), res, true); err == nil {
			break
		}
		time.Sleep(time.Second)
	}
	s.f.tidy()
	return err
}
