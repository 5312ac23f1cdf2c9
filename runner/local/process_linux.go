package local

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

// hasPidfd says that exited is told by the kernel.
const hasPidfd = true

// canSpare says that the end of a child is seen before it is reaped (waitEnded),
// which a supervisor needs that waits for a job.
const canSpare = true

// ownBinary is the binary of this very process, also when the file was
// replaced by a newer one in the meantime.
func ownBinary(string) string { return "/proc/self/exe" }

// exited returns a channel that is closed when p has ended or ctx is done, by
// a pidfd (pidfd_open(2), Linux 5.3).
func exited(ctx context.Context, p process) (<-chan struct{}, error) {
	c := make(chan struct{})
	fd, err := unix.PidfdOpen(p.PID, unix.PIDFD_NONBLOCK)
	if err != nil || !p.alive() {
		if err == nil {
			unix.Close(fd)
		}
		if err == nil || errors.Is(err, unix.ESRCH) {
			close(c)
			return c, nil
		}
		return nil, os.NewSyscallError("pidfd_open", err)
	}
	file := os.NewFile(uintptr(fd), "pidfd")
	raw, err := file.SyscallConn()
	if err != nil {
		file.Close()
		return nil, err
	}
	stop := context.AfterFunc(ctx, func() { _ = file.SetReadDeadline(time.Unix(1, 0)) })
	go func() {
		defer close(c)
		defer file.Close()
		defer stop()
		// A pidfd is readable when its process has ended, and cannot be read.
		_ = raw.Read(func(fd uintptr) bool {
			fds := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}
			n, err := unix.Poll(fds, 0)
			return err == nil && n > 0
		})
	}()
	return c, nil
}

// groupOf reports whether the process group that p led is there and is the
// same one: its members' ID is not given to a new process while one is left, so
// a leader that is another process means that the group is another, too.
func groupOf(p process) bool {
	if unix.Kill(-p.PID, 0) != nil {
		return false
	}
	s := startOf(p.PID)
	return s == "" || s == p.Start
}

// waitAndEndGroup waits for a child that leads a group and ends what is left of
// the group. The child is not reaped before that: until then the group's ID
// cannot be another's.
func waitAndEndGroup(cmd *exec.Cmd) error {
	pid := cmd.Process.Pid
	waitEnded(pid)
	_ = unix.Kill(-pid, unix.SIGKILL)
	err := cmd.Wait()
	awaitGroup(pid)
	return err
}

// groupGrace is how long the members of a group may take to follow a SIGKILL.
const groupGrace = time.Second

// awaitGroup waits until the members of a group whose leader is gone have followed
// the signal: it takes its time.
func awaitGroup(pid int) {
	if unix.Kill(-pid, 0) != nil {
		return // as nearly always: there are none
	}
	ctx, cancel := context.WithTimeout(context.Background(), groupGrace)
	defer cancel()
	for _, m := range membersOf(pid) {
		if gone, err := exited(ctx, m); err == nil {
			<-gone // at the latest when ctx ends
		}
	}
}

// waitEnded waits for a child to end without reaping it.
func waitEnded(pid int) {
	for errors.Is(unix.Waitid(unix.P_PID, pid, nil, unix.WEXITED|unix.WNOWAIT, nil), unix.EINTR) {
	}
}

// sessionStepBack does for a process's session what a nice value does within it:
// where the kernel shares the processor out by session (sched(7), "The autogroup
// feature"), nice values of processes in two sessions are not compared.
func sessionStepBack(pid int) {
	file := filepath.Join("/proc", strconv.Itoa(pid), "autogroup")
	_ = os.WriteFile(file, strconv.AppendInt(nil, jobNice, 10), 0) // a kernel without it has no such file
}
