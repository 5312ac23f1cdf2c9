//go:build !linux

package local

import (
	"context"
	"os/exec"
	"time"

	"golang.org/x/sys/unix"
)

const (
	hasPidfd = false
	canSpare = false
)

func ownBinary(path string) string { return path }

// exited returns a channel that is closed when p has ended or ctx is done.
// There is no file to wait on for a process that is not a child, so this looks
// once a second; only what is left of a lost job is awaited in this way.
func exited(ctx context.Context, p process) (<-chan struct{}, error) {
	c := make(chan struct{})
	go func() {
		defer close(c)
		t := time.NewTicker(time.Second)
		defer t.Stop()
		for p.alive() {
			select {
			case <-ctx.Done():
				return
			case <-t.C:
			}
		}
	}()
	return c, nil
}

func waitEnded(int) { select {} } // see canSpare

func sessionStepBack(int) {}

func groupOf(p process) bool { return unix.Kill(-p.PID, 0) == nil }

func waitAndEndGroup(cmd *exec.Cmd) error {
	err := cmd.Wait()
	_ = unix.Kill(-cmd.Process.Pid, unix.SIGKILL)
	return err
}
