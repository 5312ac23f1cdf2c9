package tfstate_test

import (
	"bufio"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/internal-app-portal/iap/tfstate"
)

// eachTool runs a test with tofu and with terraform, those that there are.
func eachTool(t *testing.T, test func(t *testing.T, path string)) {
	found := false
	for _, name := range []string{"tofu", "terraform"} {
		path, err := exec.LookPath(filepath.Join("..", ".cache", "bin", name))
		if err != nil {
			path, err = exec.LookPath(name)
		}
		if err != nil {
			continue
		}
		if path, err = filepath.Abs(path); err != nil {
			t.Fatal(err)
		}
		found = true
		t.Run(name, func(t *testing.T) { test(t, path) })
	}
	if !found {
		t.Skip("neither tofu nor terraform was found: run make setup")
	}
}

// command returns the tool's command as a job runs it.
func (g *rig) command(path, dir, jobID, instance string, args ...string) *exec.Cmd {
	address := g.URL + tfstate.Prefix + instance
	cmd := exec.Command(path, args...)
	cmd.Dir = dir
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + dir, "CHECKPOINT_DISABLE=1", "TF_IN_AUTOMATION=1",
		"TF_HTTP_ADDRESS=" + address, "TF_HTTP_LOCK_ADDRESS=" + address, "TF_HTTP_UNLOCK_ADDRESS=" + address,
		"TF_HTTP_USERNAME=" + jobID, "TF_HTTP_PASSWORD=" + tfstate.Password(key, instance, jobID)}
	return cmd
}

func (g *rig) tool(path, dir, jobID, instance string, args ...string) string {
	g.t.Helper()
	out, err := g.command(path, dir, jobID, instance, args...).CombinedOutput()
	if err != nil {
		g.t.Fatalf("%v: %v\n%s", args, err, out)
	}
	return string(out)
}

func bundle(t *testing.T, text string) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "main.tf"), []byte("terraform {\n  backend \"http\" {}\n}\n"+text), 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestToolsKeepTheirStateHere(t *testing.T) {
	eachTool(t, func(t *testing.T, path string) {
		g := newRig(t)
		g.job("apply", "one")
		g.job("destroy", "one")
		dir := bundle(t, `resource "terraform_data" "app" { input = "hello" }`)
		g.tool(path, dir, "apply", "one", "init", "-input=false")
		g.tool(path, dir, "apply", "one", "apply", "-auto-approve", "-input=false")
		if got := g.tool(path, dir, "apply", "one", "state", "list"); strings.TrimSpace(got) != "terraform_data.app" {
			t.Errorf("the state has %q", got)
		}
		g.end("apply")
		g.tool(path, dir, "destroy", "one", "apply", "-destroy", "-refresh=false", "-auto-approve", "-input=false")
		if got := g.tool(path, dir, "destroy", "one", "state", "list"); strings.TrimSpace(got) != "" {
			t.Errorf("the state still has %q", got)
		}
		if locks, _ := g.db.Locks(t.Context()); len(locks) != 0 {
			t.Errorf("locks are left: %+v", locks)
		}
	})
}

func TestLockOfAKilledToolIsTakenOver(t *testing.T) {
	eachTool(t, func(t *testing.T, path string) {
		g := newRig(t)
		g.job("killed", "one")
		g.job("next", "one")
		dir := bundle(t, `resource "terraform_data" "app" {
  provisioner "local-exec" { command = "echo has begun; sleep 300" }
}`)
		g.tool(path, dir, "killed", "one", "init", "-input=false")
		cmd := g.command(path, dir, "killed", "one", "apply", "-auto-approve", "-input=false", "-no-color")
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(out)
		for lines.Scan() && !strings.Contains(lines.Text(), "(local-exec): has begun") {
		}
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
		_ = cmd.Wait()
		// While the job counts as living, its lock holds.
		blocked := g.command(path, dir, "next", "one", "apply", "-destroy", "-auto-approve", "-input=false", "-no-color")
		if b, err := blocked.CombinedOutput(); err == nil || !strings.Contains(string(b), "lock") {
			t.Errorf("a living job's lock did not hold: %v\n%s", err, b)
		}
		g.end("killed")
		g.tool(path, dir, "next", "one", "apply", "-destroy", "-auto-approve", "-input=false")
	})
}

func TestEncryptedStateOfOpenTofu(t *testing.T) {
	eachTool(t, func(t *testing.T, path string) {
		if filepath.Base(path) != "tofu" {
			t.Skip("only OpenTofu encrypts states")
		}
		g := newRig(t)
		g.job("j", "one")
		dir := bundle(t, `terraform {
  encryption {
    key_provider "pbkdf2" "k" { passphrase = "correct horse battery staple" }
    method "aes_gcm" "m" { keys = key_provider.pbkdf2.k }
    state { method = method.aes_gcm.m }
  }
}
resource "terraform_data" "app" { input = "plain text" }`)
		g.tool(path, dir, "j", "one", "init", "-input=false")
		g.tool(path, dir, "j", "one", "apply", "-auto-approve", "-input=false")
		if got := g.want(200, "j", "GET", "one", ""); strings.Contains(got, "plain text") {
			t.Error("the state is not encrypted by the client")
		}
		g.tool(path, dir, "j", "one", "apply", "-destroy", "-auto-approve", "-input=false")
	})
}
