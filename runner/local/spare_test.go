//go:build linux

package local_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/internal-app-portal/iap/job"
	"github.com/internal-app-portal/iap/runner/local"
)

// spareRig has a spare supervisor ready for the built-in bundle.
func spareRig(t *testing.T) (g *rig, apply func(name string) (_ job.Spec, destroy func())) {
	t.Helper()
	image := dockerImage(t)
	g = newRig(t, bundles{"builtin": builtIn(t)})
	g.runner = g.openWith(local.Config{WarmProvider: true, Spare: true})
	if err := g.runner.Warm(t.Context(), "builtin"); err != nil {
		t.Fatal(err)
	}
	return g, func(name string) (job.Spec, func()) {
		spec := g.spec(job.Apply, "builtin", name, dockerVariables(image, name))
		spec.BuiltIn = true
		return spec, func() {
			spec := g.spec(job.Destroy, "builtin", name, dockerVariables(image, name))
			spec.BuiltIn = true
			g.mustSucceed(spec.ID, g.run(spec))
		}
	}
}

// waiting returns the processes of the spare supervisors and of their tools.
func (g *rig) waiting() (pids []int) {
	g.t.Helper()
	folders, _ := filepath.Glob(filepath.Join(g.data, "spares", "*"))
	cwds, _ := filepath.Glob("/proc/[0-9]*/cwd")
	for _, f := range folders {
		for _, link := range cwds {
			if dir, _ := os.Readlink(link); dir == f || strings.HasPrefix(dir, f+"/") {
				var pid int
				fmt.Sscanf(link, "/proc/%d/cwd", &pid)
				pids = append(pids, pid)
			}
		}
	}
	return pids
}

func TestASpareDoesTheNextJob(t *testing.T) {
	g, apply := spareRig(t)
	before := g.waiting()
	if len(before) != 2 {
		t.Fatalf("%d processes wait, not a supervisor and its tool", len(before))
	}
	name := fmt.Sprintf("iap-test-spare-%d", os.Getpid())
	spec, destroy := apply(name)
	defer destroy()
	g.start(spec)
	b, err := os.ReadFile(filepath.Join(g.data, "jobs", spec.ID, "pid"))
	if err != nil {
		t.Fatal(err)
	}
	var supervisor struct{ PID int }
	if err := json.Unmarshal(b, &supervisor); err != nil || !slices.Contains(before, supervisor.PID) {
		t.Errorf("process %d does the job, not one of %v, which waited (%v)", supervisor.PID, before, err)
	}
	g.mustSucceed(spec.ID, g.wait(spec.ID))
	if n := containers(t, name); n != 1 {
		t.Errorf("there are %d containers", n)
	}
	if !strings.Contains(g.state.state(name), name) || g.state.locked(name) {
		t.Errorf("the state is %.200s, locked: %t", g.state.state(name), g.state.locked(name))
	}
}

func TestJobsDoWithoutASpareThatDied(t *testing.T) {
	g, apply := spareRig(t)
	for n, signal := range []syscall.Signal{syscall.SIGKILL, syscall.SIGTERM} {
		for _, pid := range g.waiting() {
			fd, err := unix.PidfdOpen(pid, 0)
			if errors.Is(err, unix.ESRCH) {
				continue // the tool, which has ended with its supervisor
			}
			if err != nil {
				t.Fatal(err)
			}
			_ = syscall.Kill(pid, signal)
			if signal == syscall.SIGTERM { // later it would be that of the job
				_, _ = unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, int(time.Minute.Milliseconds()))
			}
			_ = unix.Close(fd)
		}
		spec, destroy := apply(fmt.Sprintf("iap-test-no-spare-%d-%d", os.Getpid(), n))
		res := g.run(spec)
		destroy()
		g.mustSucceed(spec.ID, res)
		if err := g.runner.Warm(t.Context(), "builtin"); err != nil {
			t.Fatal(err)
		}
	}
}

func TestASpareEndsWithItsRunner(t *testing.T) {
	g, _ := spareRig(t)
	before := g.waiting()
	if err := g.runner.Close(); err != nil {
		t.Fatal(err)
	}
	for _, pid := range before {
		if syscall.Kill(pid, 0) == nil {
			t.Errorf("process %d lives on", pid)
		}
	}
	if left, _ := os.ReadDir(filepath.Join(g.data, "spares")); len(left) != 0 {
		t.Errorf("%d folders are left", len(left))
	}
}

// Preparing may take long; nobody who stops the portal, or clicks meanwhile, waits
// for it.
func TestASpareEndsBeforeItIsReady(t *testing.T) {
	dockerImage(t)
	real, err := local.FindTerraform(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	begun, slow := filepath.Join(dir, "begun"), filepath.Join(dir, "tofu")
	script := fmt.Sprintf("#!/bin/sh\n[ \"$1\" = apply ] || exec %q \"$@\"\necho >%q\nexec sleep 1000\n", real.Path, begun)
	if err := errors.Join(syscall.Mkfifo(begun, 0o600), os.WriteFile(slow, []byte(script), 0o700)); err != nil {
		t.Fatal(err)
	}
	g := newRig(t, bundles{"builtin": builtIn(t)})
	r := g.openWith(local.Config{Binary: slow, WarmProvider: true, Spare: true})
	ctx, cancel := context.WithCancel(t.Context())
	warmed := make(chan error, 1)
	go func() { warmed <- r.Warm(ctx, "builtin") }()
	if _, err := os.ReadFile(begun); err != nil { // waits for the writer
		t.Fatal(err)
	}
	before := g.waiting()
	if len(before) != 2 {
		t.Fatalf("%d processes are there, not a supervisor and its tool", len(before))
	}
	cancel()
	if err := errors.Join(<-warmed, r.Close()); err != nil {
		t.Fatal(err)
	}
	for _, pid := range before {
		if syscall.Kill(pid, 0) == nil {
			t.Errorf("process %d lives on", pid)
		}
	}
}

func TestBadVariablesFailInASpareAsElsewhere(t *testing.T) {
	g, apply := spareRig(t)
	spec, _ := apply(fmt.Sprintf("iap-test-bad-%d", os.Getpid()))
	spec.Variables["port"] = "no number"
	res := g.run(spec)
	if res.Status != job.Failed || !strings.Contains(res.Reason, "port") {
		t.Errorf("%s: %s", res.Status, res.Reason)
	}
	if text := g.log(spec.ID); strings.Contains(text, "was prepared") || strings.Count(text, "\nError") > 1 {
		t.Errorf("it was tried twice:\n%s", text)
	}
}
