package local_test

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/internal-app-portal/iap/job"
	"github.com/internal-app-portal/iap/runner/local"
)

const dockerProvider = `
terraform {
  required_providers {
    docker = { source = "kreuzwerker/docker" }
  }
}
provider "docker" {}
`

// tells has a bundle's log say which way its tool was started.
const tells = `[ -z "$TF_REATTACH_PROVIDERS" ] && echo started by the tool || echo found running`

// dockerCommand is a command's bundle that has the Docker provider, too.
func dockerCommand(script string) map[string]string {
	files := command(script)
	files["provider.tf"] = dockerProvider
	return files
}

// mirror returns where the Docker provider of the repository is.
func mirror(t testing.TB) string {
	t.Helper()
	dir, err := filepath.Abs("../../.cache/providers")
	if err == nil {
		_, err = os.Stat(dir)
	}
	if err != nil {
		t.Skip("the Docker provider is not there: run make setup")
	}
	return dir
}

// ownProvider returns the process and the folder of the provider that a job has
// for itself.
func (g *rig) ownProvider(id string) (pid int, folder string) {
	g.t.Helper()
	b, err := os.ReadFile(filepath.Join(g.data, "jobs", id, "provider"))
	var w struct {
		Process struct{ PID int }
		Folder  string
	}
	if err == nil {
		err = json.Unmarshal(b, &w)
	}
	if err != nil {
		g.t.Fatal(err)
	}
	if groupGone(w.Process.PID) {
		g.t.Fatal("the provider does not run")
	}
	if info, err := os.Stat(w.Folder); err != nil || info.Mode().Perm() != 0o700 {
		g.t.Fatalf("its folder: %v, %v", info, err)
	}
	return w.Process.PID, w.Folder
}

// nothingLeft fails the test when something of a provider is there.
func (g *rig) nothingLeft(id string, pid int, folder string) {
	g.t.Helper()
	if !groupGone(pid) {
		g.t.Error("the job's provider lives on")
	}
	for _, path := range []string{folder, filepath.Join(g.data, "jobs", id, "provider")} {
		if _, err := os.Stat(path); err == nil {
			g.t.Errorf("%s is left", path)
		}
	}
}

func TestOwnProvider(t *testing.T) {
	image := dockerImage(t)
	mirror(t)
	for _, tool := range []string{"tofu", "terraform"} {
		t.Run(tool, func(t *testing.T) {
			binary, err := exec.LookPath(tool)
			if err != nil {
				t.Skip(err)
			}
			g := newRig(t, bundles{"one": {"main.tf": plainContainer + `
resource "terraform_data" "way" {
  depends_on = [docker_container.app]
  provisioner "local-exec" { command = "` + strings.ReplaceAll(tells, `"`, `\"`) + `" }
  provisioner "local-exec" { command = "mkfifo go; echo it is running; cat go" }
}`}})
			g.runner = g.openWith(local.Config{Binary: binary})
			name := fmt.Sprintf("iap-test-own-%s-%d", tool, os.Getpid())
			apply := g.spec(job.Apply, "one", name, map[string]any{"host_name": name, "image": image})
			g.start(apply)
			g.until(apply.ID, "(local-exec): it is running")
			pid, folder := g.ownProvider(apply.ID)
			if cwd, _ := os.Readlink(fmt.Sprintf("/proc/%d/cwd", pid)); cwd != "" && cwd != filepath.Join(g.data, "jobs", apply.ID, "work") {
				t.Errorf("it runs in %s", cwd)
			}
			fifo, err := os.OpenFile(filepath.Join(g.data, "jobs", apply.ID, "work", "go"), os.O_WRONLY, 0)
			if err != nil {
				t.Fatal(err)
			}
			fifo.Close()
			g.mustSucceed(apply.ID, g.wait(apply.ID))
			g.nothingLeft(apply.ID, pid, folder)
			if !strings.Contains(g.log(apply.ID), "(local-exec): found running") {
				t.Errorf("it was not used:\n%s", g.log(apply.ID))
			}
			destroy := g.spec(job.Destroy, "one", name, map[string]any{"host_name": name, "image": image})
			g.mustSucceed(destroy.ID, g.run(destroy))
			if n := containers(t, name); n != 0 {
				t.Errorf("%d containers are left", n)
			}
		})
	}
}

func TestBundlesWithoutOwnProvider(t *testing.T) {
	mirror(t)
	alias := "provider \"docker\" {\n  alias = \"other\"\n}\n"
	for name, more := range map[string]map[string]string{
		"no provider at all": {"provider.tf": ""},
		"an alias":           {"alias.tf": alias},
		"an alias in JSON":   {"alias.tf.json": `{"provider":{"docker":[{"alias":"other"}]}}`},
		"a module's own":     {"m.tf": "module \"m\" {\n  source = \"./m\"\n}\n", "m/main.tf": dockerProvider},
	} {
		t.Run(name, func(t *testing.T) {
			files := dockerCommand(tells)
			for path, text := range more {
				files[path] = text
			}
			g := newRig(t, bundles{"b": files})
			spec := g.spec(job.Apply, "b", "one", map[string]any{"host_name": "x"})
			g.mustSucceed(spec.ID, g.run(spec))
			if !strings.Contains(g.log(spec.ID), "(local-exec): started by the tool") {
				t.Errorf("the log is\n%s", g.log(spec.ID))
			}
		})
	}
}

// TestOwnProviderInTrouble has a provider that only the tool can start.
func TestOwnProviderInTrouble(t *testing.T) {
	from := mirror(t)
	for name, debug := range map[string]string{
		"does not start":   "exit 1",
		"says nothing":     "sleep 300; exit 1",
		"dies":             `echo "TF_REATTACH_PROVIDERS='{\"x/y/z\":{\"Protocol\":\"grpc\",\"ProtocolVersion\":6,\"Pid\":$$,\"Test\":true,\"Addr\":{\"Network\":\"unix\",\"String\":\"$TMPDIR/none\"}}}'"; exit 0`,
		"does not answer":  `echo "TF_REATTACH_PROVIDERS='{\"x/y/z\":{\"Protocol\":\"grpc\",\"ProtocolVersion\":6,\"Pid\":$$,\"Test\":true,\"Addr\":{\"Network\":\"unix\",\"String\":\"$TMPDIR/none\"}}}'"; sleep 300; exit 0`,
		"prints something": `echo "TF_REATTACH_PROVIDERS='nothing'"; exit 0`,
	} {
		t.Run(name, func(t *testing.T) {
			g := newRig(t, bundles{"b": dockerCommand(tells)})
			g.runner = g.openWith(local.Config{CLIConfig: brokenMirror(t, from, debug)})
			spec := g.spec(job.Apply, "b", "one", map[string]any{"host_name": "x"})
			g.mustSucceed(spec.ID, g.run(spec))
			log := g.log(spec.ID)
			if !strings.Contains(log, "(local-exec): started by the tool") || strings.Count(log, "rovider ") == 0 {
				t.Errorf("the log is\n%s", log)
			}
			if _, err := os.Stat(filepath.Join(os.TempDir(), "iap-provider-"+spec.ID)); err == nil {
				t.Error("the provider's folder is left")
			}
		})
	}
}

// brokenMirror returns the CLI configuration of a mirror whose provider does
// what a script says when it is started for debugging.
func brokenMirror(t *testing.T, from, debug string) string {
	t.Helper()
	dir := t.TempDir()
	all, _ := filepath.Glob(filepath.Join(from, "*", "kreuzwerker", "docker", "*", "*", "terraform-provider-*"))
	if len(all) == 0 {
		t.Skip("the mirror has another form")
	}
	for _, path := range all {
		rel, _ := filepath.Rel(from, path)
		to := filepath.Join(dir, "mirror", rel)
		if err := os.MkdirAll(filepath.Dir(to), 0o700); err != nil {
			t.Fatal(err)
		}
		script := fmt.Sprintf("#!/bin/sh\nif [ \"$1\" = -debug ]; then\n%s\nfi\nexec '%s' \"$@\"\n", debug, path)
		if err := os.WriteFile(to, []byte(script), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	config := filepath.Join(dir, "terraform.rc")
	text := fmt.Sprintf("provider_installation {\n  filesystem_mirror {\n    path = %q\n  }\n}\n", filepath.Join(dir, "mirror"))
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return config
}

func TestOwnProviderEndsWithItsJob(t *testing.T) {
	mirror(t)
	for name, c := range map[string]struct {
		script string
		stop   func(g *rig, spec job.Spec)
		error  string
	}{
		"cancelled": {waiting, func(g *rig, spec job.Spec) {
			if err := g.runner.Cancel(g.t.Context(), spec.ID); err != nil {
				g.t.Error(err)
			}
		}, job.ErrCancelled},
		"timed out":         {asleep, func(*rig, job.Spec) {}, job.ErrTimedOut},
		"tool killed":       {asleep, func(g *rig, spec job.Spec) { g.kill(spec.ID, "tool") }, job.ErrKilled},
		"supervisor killed": {waiting, func(g *rig, spec job.Spec) { g.kill(spec.ID, "pid") }, job.ErrKilled},
		"supervisor killed, another portal": {waiting, func(g *rig, spec job.Spec) {
			g.runner = g.open()
			g.kill(spec.ID, "pid")
		}, job.ErrKilled},
	} {
		t.Run(name, func(t *testing.T) {
			g := newRig(t, bundles{"b": dockerCommand(c.script)})
			spec := g.spec(job.Apply, "b", "one", map[string]any{"host_name": "x"})
			if c.error == job.ErrTimedOut {
				spec.Timeout, spec.Grace = 4*time.Second, 300*time.Millisecond
			}
			g.start(spec)
			g.until(spec.ID, "(local-exec): it is running")
			pid, folder := g.ownProvider(spec.ID)
			c.stop(g, spec)
			if res := g.wait(spec.ID); res.Error != c.error {
				t.Errorf("the result is %+v", res)
			}
			g.nothingLeft(spec.ID, pid, folder)
		})
	}
}

// kill kills a process that the job's folder names.
func (g *rig) kill(id, file string) {
	g.t.Helper()
	if err := syscall.Kill(g.recorded(id, file), syscall.SIGKILL); err != nil {
		g.t.Fatal(err)
	}
}

// TestOwnProviderKilled has the provider die in the middle of a job.
func TestOwnProviderKilled(t *testing.T) {
	mirror(t)
	g := newRig(t, bundles{"b": dockerCommand(untilGo)})
	spec := g.spec(job.Apply, "b", "one", map[string]any{"host_name": "x"})
	g.start(spec)
	g.until(spec.ID, "(local-exec): it is running")
	pid, folder := g.ownProvider(spec.ID)
	_ = syscall.Kill(pid, syscall.SIGKILL)
	fifo, err := os.OpenFile(filepath.Join(g.data, "jobs", spec.ID, "work", "go"), os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	fifo.Close()
	g.mustSucceed(spec.ID, g.wait(spec.ID)) // nothing was asked of it any more
	g.nothingLeft(spec.ID, pid, folder)
}
