package local_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/job"
)

// command is a bundle that runs a shell command while it is applied.
func command(script string) map[string]string {
	quoted, _ := json.Marshal(script)
	return map[string]string{"main.tf": `
variable "host_name" { type = string }
resource "terraform_data" "first" { input = var.host_name }
resource "terraform_data" "app" {
  depends_on = [terraform_data.first]
  provisioner "local-exec" { command = ` + strings.ReplaceAll(string(quoted), "${", "$${") + ` }
}
output "upstream" { value = "http://127.0.0.1:1" }
`}
}

// waiting runs until it is killed, untilGo until somebody opens its pipe; asleep runs on when it is asked to stop.
const (
	waiting = `echo it is running; sleep 300`
	untilGo = `mkfifo go; echo it is running; cat go; echo went on`
	asleep  = `trap '' INT TERM; echo it is running; sleep 300 & wait; sleep 300`
)

var name = map[string]any{"host_name": "brave-otter"}

// until reads the job's log as it grows until a line has the text.
func (g *rig) until(id, text string) {
	g.t.Helper()
	ctx, cancel := context.WithTimeout(g.t.Context(), 3*time.Minute)
	defer cancel()
	rc, err := g.runner.Log(ctx, id, 0, true)
	if err != nil {
		g.t.Fatal(err)
	}
	defer rc.Close()
	lines := bufio.NewScanner(rc)
	for lines.Scan() {
		if strings.Contains(lines.Text(), text) {
			return
		}
	}
	g.t.Fatalf("the log ended without %q (%v):\n%s", text, lines.Err(), g.log(id))
}

// recorded returns the ID of a process that the job's folder names.
func (g *rig) recorded(id, file string) int {
	g.t.Helper()
	b, err := os.ReadFile(filepath.Join(g.data, "jobs", id, file))
	if err != nil {
		g.t.Fatal(err)
	}
	var p struct{ PID int }
	if err := json.Unmarshal(b, &p); err != nil {
		g.t.Fatal(err)
	}
	return p.PID
}

// groupGone reports whether no process of a group is left, zombies aside.
func groupGone(leader int) bool {
	out, _ := exec.Command("ps", "-eo", "pgid=,stat=").Output()
	for line := range strings.Lines(string(out)) {
		var pgid int
		var state string
		if _, err := fmt.Sscan(line, &pgid, &state); err == nil && pgid == leader && !strings.HasPrefix(state, "Z") {
			return false
		}
	}
	return true
}

func TestCancelStoresTheState(t *testing.T) {
	g := newRig(t, bundles{"b": command(waiting)})
	spec := g.spec(job.Apply, "b", "one", name)
	g.start(spec)
	g.until(spec.ID, "(local-exec): it is running")
	tool := g.recorded(spec.ID, "tool")
	if err := g.runner.Cancel(t.Context(), spec.ID); err != nil {
		t.Fatal(err)
	}
	res := g.wait(spec.ID)
	if res.Status != job.Cancelled || res.Error != job.ErrCancelled {
		t.Errorf("the result is %+v", res)
	}
	if !strings.Contains(g.state.state("one"), "brave-otter") || g.state.locked("one") {
		t.Errorf("what was made is not in the state, or it is still locked: %s", g.state.state("one"))
	}
	if !groupGone(tool) {
		t.Error("a process of the job is left")
	}
	if err := g.runner.Cancel(t.Context(), spec.ID); err != nil {
		t.Errorf("cancelling an ended job: %v", err)
	}
}

func TestTimeoutKillsWhatDoesNotStop(t *testing.T) {
	g := newRig(t, bundles{"b": command(asleep)})
	spec := g.spec(job.Apply, "b", "one", name)
	spec.Timeout, spec.Grace = 1500*time.Millisecond, 300*time.Millisecond
	g.start(spec)
	g.until(spec.ID, "(local-exec): it is running")
	tool := g.recorded(spec.ID, "tool")
	res := g.wait(spec.ID)
	if res.Status != job.TimedOut || res.Error != job.ErrTimedOut || !strings.Contains(res.Reason, "1.5s") {
		t.Errorf("the result is %+v", res)
	}
	if !groupGone(tool) {
		t.Error("a process of the job is left")
	}
}

func TestKilledTool(t *testing.T) {
	g := newRig(t, bundles{"b": command(asleep)})
	spec := g.spec(job.Apply, "b", "one", name)
	g.start(spec)
	g.until(spec.ID, "(local-exec): it is running")
	tool := g.recorded(spec.ID, "tool")
	_ = syscall.Kill(tool, syscall.SIGKILL)
	res := g.wait(spec.ID)
	if res.Status != job.Failed || res.Error != job.ErrKilled || !strings.Contains(res.Reason, "killed") {
		t.Errorf("the result is %+v", res)
	}
	if !groupGone(tool) {
		t.Error("a child of the killed process lives on")
	}
}

func TestKilledSupervisor(t *testing.T) {
	for _, restarted := range []bool{false, true} {
		t.Run(fmt.Sprintf("portal restarted=%v", restarted), func(t *testing.T) {
			g := newRig(t, bundles{"b": command(waiting)})
			spec := g.spec(job.Apply, "b", "one", name)
			g.start(spec)
			g.until(spec.ID, "(local-exec): it is running")
			tool, supervisor := g.recorded(spec.ID, "tool"), g.recorded(spec.ID, "pid")
			if restarted {
				g.runner = g.open()
			}
			_ = syscall.Kill(supervisor, syscall.SIGKILL)
			res := g.wait(spec.ID)
			if res.Status != job.Failed || res.Error != job.ErrKilled {
				t.Errorf("the result is %+v", res)
			}
			if !groupGone(tool) {
				t.Error("tofu lives on without its supervisor")
			}
			if again := g.wait(spec.ID); again.Reason != res.Reason || !again.EndedAt.Equal(res.EndedAt) {
				t.Errorf("the second answer is another: %+v", again)
			}
			if n := len(res.Steps); n == 0 || res.Steps[n-1].EndedAt.IsZero() {
				t.Errorf("the last step has no end: %+v", res.Steps)
			}
		})
	}
}

func TestJobOutlivesThePortal(t *testing.T) {
	g := newRig(t, nil)
	spec := g.spec(job.Apply, "b", "one", name)
	raw, _ := json.Marshal(spec)
	// Another process starts the job and is killed at once, group and all.
	portal := exec.Command(os.Args[0], "start-job", g.data, string(raw))
	portal.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	portal.Stderr = os.Stderr
	out, err := portal.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := portal.Start(); err != nil {
		t.Fatal(err)
	}
	line, _ := bufio.NewReader(out).ReadString('\n')
	_ = syscall.Kill(-portal.Process.Pid, syscall.SIGKILL)
	_ = portal.Wait()
	if line != "started\n" {
		t.Fatalf("the job was not started: %q", line)
	}
	g.runner = g.open()
	g.until(spec.ID, "(local-exec): it is running")
	fifo, err := os.OpenFile(filepath.Join(g.data, "jobs", spec.ID, "work", "go"), os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	fifo.Close()
	res := g.wait(spec.ID)
	g.mustSucceed(spec.ID, res)
}

func TestStartTwiceRunsOnce(t *testing.T) {
	g := newRig(t, bundles{"b": command("echo one more run")})
	spec := g.spec(job.Apply, "b", "one", name)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			if err := g.runner.Start(t.Context(), spec); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	g.mustSucceed(spec.ID, g.wait(spec.ID))
	g.start(spec)
	g.mustSucceed(spec.ID, g.wait(spec.ID))
	if n := strings.Count(g.log(spec.ID), "(local-exec): one more run"); n != 1 {
		t.Errorf("it ran %d times:\n%s", n, g.log(spec.ID))
	}
}

func TestNeverStarted(t *testing.T) {
	g := newRig(t, nil)
	id := iap.NewID(time.Now())
	if _, err := g.runner.Wait(t.Context(), id, nil); !iap.IsKind(err, iap.NotFound) {
		t.Errorf("Wait: %v", err)
	}
	if _, err := g.runner.Log(t.Context(), id, 0, true); !iap.IsKind(err, iap.NotFound) {
		t.Errorf("Log: %v", err)
	}
	if err := g.runner.Cancel(t.Context(), id); !iap.IsKind(err, iap.NotFound) {
		t.Errorf("Cancel: %v", err)
	}
	// A portal that died after it wrote the job down and before it started it.
	if err := os.MkdirAll(filepath.Join(g.data, "jobs", id), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(g.data, "jobs", id, "spec.json"), []byte("{}"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := g.runner.Wait(t.Context(), id, nil); !iap.IsKind(err, iap.NotFound) {
		t.Errorf("Wait for a job that was only written down: %v", err)
	}
	for _, bad := range []string{"", "../x", "a/b", ".", "A B", strings.Repeat("a", 65)} {
		if _, err := g.runner.Log(t.Context(), bad, 0, false); !iap.IsKind(err, iap.Invalid) {
			t.Errorf("Log of %q: %v", bad, err)
		}
	}
}

func TestEightAtOnceInitialiseOnce(t *testing.T) {
	g := newRig(t, bundles{"hello": {"main.tf": hello, "sub/x.tf": `output "x" { value = 1 }`, "m.tf": "module \"sub\" {\n  source = \"./sub\"\n}\n"}})
	specs := make([]job.Spec, 8)
	for i := range specs {
		specs[i] = g.spec(job.Apply, "hello", fmt.Sprint("i", i), name)
	}
	var wg sync.WaitGroup
	results := make([]job.Result, len(specs))
	for i, spec := range specs {
		wg.Go(func() {
			if err := g.runner.Start(t.Context(), spec); err != nil {
				t.Error(err)
				return
			}
			results[i], _ = g.runner.Wait(t.Context(), spec.ID, func([]job.Step) {})
		})
	}
	wg.Wait()
	for i, res := range results {
		g.mustSucceed(specs[i].ID, res)
	}
	left, _ := filepath.Glob(filepath.Join(g.data, "bundles", "hello", ".*"))
	ready, _ := filepath.Glob(filepath.Join(g.data, "bundles", "hello", "ready-*"))
	if len(left) != 0 || len(ready) != 1 {
		t.Errorf("left are %v and %v", left, ready)
	}
}

func TestStateThatCouldNotBeStoredIsHandedOver(t *testing.T) {
	g := newRig(t, bundles{"hello": {"main.tf": hello}})
	g.state.refuse["/one"] = 5 // tofu gives up after three
	spec := g.spec(job.Apply, "hello", "one", name)
	spec.Environment = map[string]string{"TF_HTTP_RETRY_MAX": "0"}
	res := g.run(spec)
	g.mustSucceed(spec.ID, res)
	if !strings.Contains(g.state.state("one"), "brave-otter") || len(res.Outputs) == 0 {
		t.Errorf("the state was not handed over, or there are no outputs: %v\n%s", res.Outputs, g.log(spec.ID))
	}
	if n := strings.Count(g.log(spec.ID), "terraform_data.app: Creation complete"); n != 1 {
		t.Errorf("it was made %d times:\n%s", n, g.log(spec.ID))
	}
	destroy := g.spec(job.Destroy, "hello", "one", name)
	g.mustSucceed(destroy.ID, g.run(destroy))
}

func TestStateStoreThatDoesNotAnswer(t *testing.T) {
	g := newRig(t, bundles{"hello": {"main.tf": hello}})
	spec := g.spec(job.Apply, "hello", "one", name)
	spec.State.Address = "http://127.0.0.1:1/one"
	spec.Environment = map[string]string{"TF_HTTP_RETRY_MAX": "0"}
	res := g.run(spec)
	if res.Error != job.ErrUnavailable || !strings.HasPrefix(res.Reason, "The portal's store of Terraform states did not answer.") {
		t.Errorf("the result is %+v", res)
	}
}

func TestDestroyOfNothing(t *testing.T) {
	g := newRig(t, bundles{"hello": {"main.tf": hello}})
	spec := g.spec(job.Destroy, "hello", "never", name)
	res := g.run(spec)
	g.mustSucceed(spec.ID, res)
	if len(res.Steps) != 1 || res.Steps[0].Name != "destroy" {
		t.Errorf("steps are %+v", res.Steps)
	}
}

func TestWaitEndsWithItsContext(t *testing.T) {
	g := newRig(t, bundles{"b": command(waiting)})
	spec := g.spec(job.Apply, "b", "one", name)
	g.start(spec)
	g.until(spec.ID, "(local-exec): it is running")
	cause := errors.New("enough")
	ctx, cancel := context.WithCancelCause(t.Context())
	rc, err := g.runner.Log(ctx, spec.ID, 0, true)
	if err != nil {
		t.Fatal(err)
	}
	read := make(chan error, 1)
	go func() { _, err := io.Copy(io.Discard, rc); read <- err }()
	cancel(cause)
	if _, err := g.runner.Wait(ctx, spec.ID, func([]job.Step) {}); !errors.Is(err, cause) {
		t.Errorf("Wait: %v", err)
	}
	if err := <-read; !errors.Is(err, cause) {
		t.Errorf("Log: %v", err)
	}
	rc.Close()
	if err := g.runner.Remove(t.Context(), spec.ID); !iap.IsKind(err, iap.Conflict) {
		t.Errorf("Remove of a running job: %v", err)
	}
	if err := g.runner.Cancel(t.Context(), spec.ID); err != nil {
		t.Fatal(err)
	}
	g.wait(spec.ID)
	if err := g.runner.Remove(t.Context(), spec.ID); err != nil {
		t.Error(err)
	}
	if _, err := g.runner.Log(t.Context(), spec.ID, 0, false); !iap.IsKind(err, iap.NotFound) {
		t.Errorf("Log of a removed job: %v", err)
	}
}
