package local

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"

	"github.com/internal-app-portal/iap/job"
)

// spareRun is a tool that was started before its job is known: it has read its
// configuration and waits in the reading of its variables, which are a named
// pipe.
type spareRun struct {
	run       *running
	variables *os.File // the pipe's end for writing
	portal    *os.File // where say says it
	state     *stateDoor
	tmp       string
}

// superviseSpare prepares a run, waits for a job and does it. Its folder is the
// job's by then. When no job comes, or the tool ends beforehand, nothing is left.
func superviseSpare(f folder, signals <-chan os.Signal) error {
	var p plan
	if ok, err := readJSON(f.path(spareFile), &p); err != nil || !ok {
		return fmt.Errorf("%s cannot be read: %w", spareFile, err)
	}
	unix.CloseOnExec(4) // nothing but this process speaks to the portal
	orders, needless := make(chan spareOrder, 1), make(chan struct{})
	go func() {
		o, err := readOrder(os.Stdin)
		if err != nil {
			close(needless)
			return
		}
		orders <- o
	}()
	ready, err := prepareSpare(f, p, needless)
	if err != nil {
		_ = os.RemoveAll(string(f))
		return err
	}
	select {
	case o := <-orders:
		if len(signals) == 0 {
			return superviseLocked(folder(o.Folder), signals, ready)
		}
		// It was to end before the job came, which the portal starts elsewhere then.
	case <-needless:
	case <-signals:
	}
	ready.discard()
	// A portal that died between naming the job and saying so has moved it.
	if f.has(spareFile) {
		return os.RemoveAll(string(f))
	}
	return nil
}

// errNeedless says that no job will come.
var errNeedless = errors.New("the portal needs it no more")

// prepareSpare starts the tool and returns when it waits for its variables; it
// breaks off when needless is closed.
func prepareSpare(f folder, p plan, needless <-chan struct{}) (*spareRun, error) {
	if err := workCopy(readyFolder(p.Bundle, p.Binary, p.CLIConfig), f.path(workFolder)); err != nil {
		return nil, err
	}
	if err := unix.Mkfifo(f.path(variablesFile), 0o600); err != nil {
		return nil, err
	}
	door, err := openStateDoor()
	if err != nil {
		return nil, err
	}
	tmp, err := os.MkdirTemp("", "iap-") // outside: the folder's name will change
	if err != nil {
		door.close()
		return nil, err
	}
	r := &spareRun{state: door, tmp: tmp}
	p.Spec.State = job.StateAccess{Address: door.address, Username: doorUser, Password: door.password}
	s := &supervisor{plan: p, spec: p.Spec, home: tmp, tmp: tmp}
	t := &tool{binary: p.Binary}
	if r.run, err = t.start(f.path(workFolder), s.environment(true), s.argumentsWith("../"+variablesFile, true)...); err != nil {
		r.close()
		return nil, err
	}
	if err := r.wait(f, needless); err != nil {
		r.discard()
		return nil, err
	}
	return r, nil
}

// wait returns when the tool has opened the pipe as well, and tells the portal.
func (r *spareRun) wait(f folder, needless <-chan struct{}) error {
	opened, ended := make(chan error, 1), make(chan struct{})
	go func() {
		var err error
		r.variables, err = os.OpenFile(f.path(variablesFile), os.O_WRONLY, 0)
		opened <- err
	}()
	go func() {
		defer close(ended)
		waitEnded(r.run.cmd.Process.Pid)
	}()
	select {
	case err := <-opened:
		if err != nil {
			return err
		}
	case <-ended:
		return fmt.Errorf("%s ended before it asked for its variables", r.run.cmd.Path)
	case <-needless:
		return errNeedless
	}
	r.portal = os.NewFile(4, "portal")
	return r.say()
}

// say tells the portal that the next stage is reached: waiting, started.
func (r *spareRun) say() error {
	_, err := r.portal.Write([]byte{'\n'})
	return err
}

// discard ends the tool, which has done nothing yet.
func (r *spareRun) discard() {
	_ = unix.Kill(-r.run.cmd.Process.Pid, unix.SIGKILL)
	_ = waitAndEndGroup(r.run.cmd)
	r.run.stdout.Close()
	r.run.stderr.Close()
	r.close()
}

func (r *spareRun) close() {
	r.state.close()
	_ = os.RemoveAll(r.tmp)
}

// adopt makes what a spare supervisor has ready that of the job.
func (s *supervisor) adopt(r *spareRun) {
	s.spare, s.state, s.home, s.tmp = r, r.state, r.tmp, r.tmp
	_ = os.Remove(s.f.path(spareFile))
	_ = r.say() // a portal that is gone finds the process by its file
	r.portal.Close()
}

// followSpare gives the waiting tool the job's state and variables, in this
// order, and reads it to its end.
func (s *supervisor) followSpare(ctx context.Context, r *spareRun) (*report, bool, error) {
	variables, err := json.Marshal(s.spec.Variables)
	if err != nil {
		return &report{}, false, err
	}
	r.state.lead(s.spec.State)
	// The file says which process it is before that does anything.
	if err := s.tool.started(processOf(r.run.cmd.Process.Pid)); err != nil {
		r.discard()
		return &report{}, false, err
	}
	go func() {
		_, _ = r.variables.Write(variables) // a tool that has ended is noticed
		r.variables.Close()
	}()
	return s.tool.follow(ctx, r.run)
}
