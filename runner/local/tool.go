package local

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// errCancelled and errTimedOut are the causes with which a supervisor's
// context ends.
var (
	errCancelled = errors.New("cancelled")
	errTimedOut  = errors.New("timed out")
)

// maxMessage is the longest line of tofu that is read, in bytes; the rest of a
// longer one is passed over.
const maxMessage = 16 << 20

// tool runs tofu or terraform.
type tool struct {
	binary  string
	log     *jobLog
	grace   time.Duration               // between SIGINT and SIGKILL
	started func(leader process) error  // called with the new group's leader
	seen    func(m *message, r *report) // called for each message; may be nil
}

// jobNice is the nice value of what does a job's work.
const jobNice = 10

// stepBack has a process that was just started, and what it starts, leave the
// processor to the portal and to the apps where there is not enough for all: a
// page that hangs for each deploy is worse than a deploy that takes longer.
// That it cannot be done harms nobody.
func stepBack(pid int) {
	_ = unix.Setpriority(unix.PRIO_PROCESS, pid, jobNice)
	sessionStepBack(pid)
}

// run runs the tool in a folder until it ends; when ctx does, the whole group
// gets SIGINT and after the grace SIGKILL. err is the tool's exit, nil when it
// succeeded; killed says that a signal which was not ours ended it.
func (t *tool) run(ctx context.Context, dir string, env []string, args ...string) (rep *report, killed bool, err error) {
	if ctx.Err() != nil {
		return &report{}, false, context.Cause(ctx)
	}
	r, err := t.start(dir, env, args...)
	if err != nil {
		return &report{}, false, err
	}
	return t.follow(ctx, r)
}

// running is a tool that was started and that nobody reads yet.
type running struct {
	cmd            *exec.Cmd
	stdout, stderr *os.File
}

// start starts the tool as the leader of a group.
func (t *tool) start(dir string, env []string, args ...string) (*running, error) {
	cmd := exec.Command(t.binary, args...)
	cmd.Dir, cmd.Env = dir, env
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	stdout, stderr, closeEnds, err := pipes(cmd)
	if err != nil {
		return nil, err
	}
	err = cmd.Start()
	closeEnds()
	if err != nil {
		stdout.Close()
		stderr.Close()
		return nil, err
	}
	stepBack(cmd.Process.Pid)
	return &running{cmd, stdout, stderr}, nil
}

// follow reads a started tool until it ends, as run says.
func (t *tool) follow(ctx context.Context, r *running) (rep *report, killed bool, err error) {
	rep = &report{}
	err = t.started(processOf(r.cmd.Process.Pid))
	gone := make(chan struct{})
	stopper := t.stopAfter(ctx, r.cmd.Process.Pid, gone)
	var readers sync.WaitGroup
	readers.Go(func() { t.readMessages(r.stdout, rep) })
	readers.Go(func() { t.readText(r.stderr, rep) })
	// What the tool left running in its group would hold the pipes open.
	waitErr := waitAndEndGroup(r.cmd)
	close(gone)
	stopped := <-stopper
	// A process that left the group may hold them, too: it is not waited for.
	drained := time.AfterFunc(time.Second, func() { r.stdout.Close(); r.stderr.Close() })
	readers.Wait()
	drained.Stop()
	r.stdout.Close()
	r.stderr.Close()
	if waitErr == nil {
		return rep, false, err
	}
	status, _ := r.cmd.ProcessState.Sys().(syscall.WaitStatus)
	return rep, !stopped && status.Signaled(), waitErr
}

// pipes gives a command two pipes; closeEnds closes the command's ends in this
// process.
func pipes(cmd *exec.Cmd) (stdout, stderr *os.File, closeEnds func(), err error) {
	stdout, out, err := os.Pipe()
	if err != nil {
		return nil, nil, nil, err
	}
	stderr, errs, err := os.Pipe()
	if err != nil {
		stdout.Close()
		out.Close()
		return nil, nil, nil, err
	}
	cmd.Stdout, cmd.Stderr = out, errs
	return stdout, stderr, func() { out.Close(); errs.Close() }, nil
}

// stopAfter ends the group when ctx ends; the returned channel gets whether it
// did, after gone was closed.
func (t *tool) stopAfter(ctx context.Context, leader int, gone <-chan struct{}) <-chan bool {
	did := make(chan bool, 1)
	go func() {
		select {
		case <-gone:
			did <- false
			return
		case <-ctx.Done():
		}
		_ = unix.Kill(-leader, unix.SIGINT)
		timer := time.NewTimer(t.grace)
		defer timer.Stop()
		select {
		case <-gone:
		case <-timer.C:
			_ = unix.Kill(-leader, unix.SIGKILL)
			<-gone
		}
		did <- true
	}()
	return did
}

// readMessages reads the lines of standard output: messages, or text.
func (t *tool) readMessages(in io.Reader, rep *report) {
	text := t.log.stream()
	defer text.close()
	r := bufio.NewReaderSize(in, 64<<10)
	for {
		line, err := readLine(r)
		var m message
		switch {
		case len(line) > 0 && line[0] == '{' && json.Unmarshal(line, &m) == nil && m.Type != "":
			rep.take(&m)
			if m.Type == "diagnostic" && m.Level == "error" {
				t.log.sayLast(m.render())
			} else if s := m.render(); s != "" {
				t.log.say(s)
			}
			if t.seen != nil {
				t.seen(&m, rep)
			}
		case len(line) > 0:
			rep.plain(string(line))
			_, _ = text.Write(append(line, '\n'))
		}
		if err != nil {
			return
		}
	}
}

// readLine returns a line without its end, at most maxMessage bytes of it.
func readLine(r *bufio.Reader) ([]byte, error) {
	var line []byte
	for {
		part, err := r.ReadSlice('\n')
		if room := maxMessage - len(line); room > 0 {
			line = append(line, part[:min(room, len(part))]...)
		}
		if !errors.Is(err, bufio.ErrBufferFull) {
			return []byte(strings.TrimRight(string(line), "\r\n")), err
		}
	}
}

// readText reads standard error, where there is text alone.
func (t *tool) readText(in io.Reader, rep *report) {
	text := t.log.stream()
	defer text.close()
	r := bufio.NewReaderSize(in, 64<<10)
	for {
		line, err := r.ReadSlice('\n')
		if len(line) > 0 {
			_, _ = text.Write(line)
			rep.plain(string(line))
		}
		if err != nil && !errors.Is(err, bufio.ErrBufferFull) {
			return
		}
	}
}
