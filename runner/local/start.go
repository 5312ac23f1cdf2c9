package local

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"

	"github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/job"
)

// supervisorCommand is the first argument with which the portal's binary is a
// supervisor; main hands the second, a job's folder, to Supervise.
const supervisorCommand = "job-supervisor"

// Start implements job.Runner. Beyond what it says there: Full when there is
// no room for the job's folder.
func (r *Runner) Start(ctx context.Context, spec job.Spec) error {
	const op = "local.Start"
	f, err := r.folder(spec.ID)
	if err != nil {
		return err
	}
	if !validKey(spec.Bundle) {
		return iap.FieldErrorf(op, "bundle", "%.80q is not the key of a bundle", spec.Bundle)
	}
	if f.has(pidFile) || f.has(resultFile) {
		return nil
	}
	binary, err := r.terraform()
	if err != nil {
		return err
	}
	bundle, err := r.unpack(ctx, spec.Bundle)
	if err != nil {
		return err
	}
	p := r.plan(spec, binary, bundle)
	if spec.BuiltIn && r.cfg.WarmProvider {
		p.Reattach = r.reattach(p.Bundle, p.Binary)
	}
	if r.cfg.Spare && p.sparable() {
		defer r.spares.later(p)
		if r.spares.give(f, p) {
			r.tidy()
			return nil
		}
	}
	if err := os.MkdirAll(string(f), 0o700); err != nil {
		return failed(op, err)
	}
	lock, ok, err := f.lock()
	if err != nil {
		return failed(op, err)
	}
	if !ok {
		return nil // its supervisor is there already
	}
	defer lock.Close() // the supervisor has it too, so it stays held
	if f.has(pidFile) || f.has(resultFile) {
		return nil
	}
	if err := writeJSON(f.path(specFile), p, false); err != nil {
		return failed(op, err)
	}
	r.tidy()
	return r.spawn(f, lock)
}

// plan returns what a supervisor is told, without a provider that is running.
func (r *Runner) plan(spec job.Spec, binary, bundle string) plan {
	return plan{Spec: spec, Binary: binary, Bundle: bundle, CLIConfig: r.cfg.CLIConfig, Path: os.Getenv("PATH"),
		Docker: r.cfg.Docker, Inherited: inherited()}
}

// spawn starts the supervisor and gives it the lock.
func (r *Runner) spawn(f folder, lock *os.File) error {
	const op = "local.Start"
	cmd, out, err := supervisorOf(f, lock)
	if err != nil {
		return failed(op, err)
	}
	defer out.Close()
	if err := cmd.Start(); err != nil {
		return iap.E(op, iap.Unavailable, err)
	}
	r.spares.begun()
	r.reaping.Go(func() {
		defer r.spares.ended()
		_ = cmd.Wait() // the result says how it went
	})
	return nil
}

// supervisorOf returns the command that supervises a folder, with its lock, and
// the file in which it prints, to be closed.
func supervisorOf(f folder, lock *os.File) (*exec.Cmd, *os.File, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, nil, err
	}
	out, err := os.OpenFile(f.path(outputFile), os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return nil, nil, err
	}
	cmd := exec.Command(self, supervisorCommand, string(f))
	cmd.Path = ownBinary(self)
	cmd.Dir = string(f)
	cmd.Stdout, cmd.Stderr = out, out
	cmd.ExtraFiles = []*os.File{lock} // file 3
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + string(f), "TMPDIR=" + os.TempDir()}
	// A session of its own: what stops the portal does not reach it.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	return cmd, out, nil
}

// unpack returns the folder of a bundle, with its files in "files".
func (r *Runner) unpack(ctx context.Context, key string) (string, error) {
	dir := filepath.Join(r.cfg.Data, "bundles", key)
	if _, err := os.Stat(filepath.Join(dir, bundleFiles)); err == nil {
		return dir, nil
	}
	b, err := r.cfg.Bundles.Bundle(ctx, key)
	if err != nil {
		return "", err
	}
	if err := unzip(b, dir); err != nil {
		return "", failed("local.unpack", err)
	}
	return dir, nil
}
