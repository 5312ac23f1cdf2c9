package local_test

import (
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/internal-app-portal/iap/job"
	"github.com/internal-app-portal/iap/runner/local"
)

// precondition is a bundle that checks something itself.
var precondition = map[string]string{"main.tf": `variable "host_name" {}
resource "terraform_data" "app" {
  lifecycle {
    precondition {
      condition     = var.host_name == "y"
      error_message = "The port is taken by another app."
    }
  }
}`}

// The scripts of the portal's own bundle are nobody's to look at.
func TestTheReasonOfABuiltInBundleNamesNoPlace(t *testing.T) {
	g := newRig(t, bundles{"b": precondition})
	spec := g.spec(job.Apply, "b", "one", map[string]any{"host_name": "x"})
	spec.BuiltIn = true
	if res := g.run(spec); res.Reason != "The port is taken by another app." {
		t.Errorf("the reason is %q", res.Reason)
	}
}

func TestReasonsThatAPersonCanActOn(t *testing.T) {
	for name, c := range map[string]struct {
		bundle map[string]string
		error  string
		reason []string
	}{
		"a check of the bundle": {precondition, job.ErrApplyFailed, []string{"The port is taken by another app.\nAt main.tf:5, in resource \"terraform_data\" \"app\""}},
		"a command that fails": {command("echo what it said; exit 3"), job.ErrApplyFailed,
			[]string{"local-exec provisioner error", "exit status 3", "main.tf:6", "terraform_data.app"}},
		"a mistake in the bundle": {map[string]string{"main.tf": `output "x" { value = var.missing }`}, job.ErrInitFailed,
			[]string{"Reference to undeclared input variable"}},
		"a missing module": {map[string]string{"main.tf": `module "m" { source = "./none" }`}, job.ErrInitFailed, []string{"odule"}},
		"no HCL at all":    {map[string]string{"main.tf": `}{`}, job.ErrInitFailed, []string{"main.tf"}},
	} {
		t.Run(name, func(t *testing.T) {
			g := newRig(t, bundles{"b": c.bundle})
			spec := g.spec(job.Apply, "b", "one", map[string]any{"host_name": "x"})
			res := g.run(spec)
			// Which of the two steps finds a mistake differs between the tools.
			if res.Status != job.Failed || res.Error != c.error && !(c.error == job.ErrInitFailed && res.Error == job.ErrApplyFailed) {
				t.Errorf("the result is %+v", res)
			}
			for _, part := range c.reason {
				if !strings.Contains(res.Reason, part) {
					t.Errorf("the reason %q lacks %q", res.Reason, part)
				}
			}
			if strings.Contains(res.Reason, "condition failed") {
				t.Errorf("the reason %q speaks of Terraform rather than of what failed", res.Reason)
			}
			if n := strings.Count(res.Reason, "\n") + 1; n > 3 || len(res.Reason) > 1500 {
				t.Errorf("the reason has %d lines", n)
			}
			last := res.Steps[len(res.Steps)-1]
			if last.Error == "" || last.EndedAt.IsZero() {
				t.Errorf("the step that failed does not say so: %+v", last)
			}
		})
	}
}

func TestOutputs(t *testing.T) {
	g := newRig(t, bundles{"b": {"main.tf": `
locals { mega = join("", [for i in range(1024) : join("", [for j in range(64) : "0123456789abcdef"])]) }
output "large"   { value = local.mega }
output "list"    { value = ["a", 1, true] }
output "nothing" { value = null }
output "secret" {
  value     = "hidden-value"
  sensitive = true
}`}})
	spec := g.spec(job.Apply, "b", "one", nil)
	res := g.run(spec)
	g.mustSucceed(spec.ID, res)
	if string(res.Outputs["list"]) != `["a",1,true]` || len(res.Outputs) > 2 {
		t.Errorf("the outputs are %v", res.Outputs)
	}
	if !strings.Contains(res.Omitted["large"], "above the limit") || res.Omitted["secret"] != "is sensitive" {
		t.Errorf("left out are %v", res.Omitted)
	}
	if log := g.log(spec.ID); strings.Contains(log, "hidden-value") || len(log) > 64<<10 {
		t.Errorf("the log has %d bytes", len(log))
	}
}

func TestBundleSeesNothingOfThePortal(t *testing.T) {
	t.Setenv("IAP_TEST_TOKEN", "portal-token")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "cloud-key")
	g := newRig(t, bundles{"b": command(`env; cat "$TOKEN_FILE" 2>/dev/null; echo "the secret is $ADDED"; echo "$TF_HTTP_PASSWORD"; ls -l /proc/self/fd`)})
	spec := g.spec(job.Apply, "b", "one", map[string]any{"host_name": "x"})
	spec.Environment = map[string]string{"ADDED": "hunter2-hunter2", "PATH": "/nowhere"}
	spec.Secrets = []string{"hunter2-hunter2"}
	res := g.run(spec)
	g.mustSucceed(spec.ID, res)
	log := g.log(spec.ID)
	for _, never := range []string{"portal-token", "cloud-key", "hunter2-hunter2", spec.State.Password, "/jobs/" + spec.ID + "/lock"} {
		if strings.Contains(log, never) {
			t.Errorf("the log shows %q", never)
		}
	}
	if !strings.Contains(log, "the secret is «redacted»") || !strings.Contains(log, "HOME="+g.data+"/jobs/"+spec.ID) {
		t.Errorf("the log is\n%s", log)
	}
}

func TestLogFollowsFromAnOffsetToTheEnd(t *testing.T) {
	g := newRig(t, bundles{"b": command(untilGo)})
	spec := g.spec(job.Apply, "b", "one", map[string]any{"host_name": "x"})
	g.start(spec)
	g.until(spec.ID, "(local-exec): it is running")
	seen := g.log(spec.ID)
	rc, err := g.runner.Log(t.Context(), spec.ID, int64(len(seen)), true)
	if err != nil {
		t.Fatal(err)
	}
	defer rc.Close()
	rest := make(chan string, 1)
	go func() { b, _ := io.ReadAll(rc); rest <- string(b) }()
	fifo, err := os.OpenFile(g.data+"/jobs/"+spec.ID+"/work/go", os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	fifo.Close()
	g.mustSucceed(spec.ID, g.wait(spec.ID))
	if got, whole := seen+<-rest, g.log(spec.ID); got != whole {
		t.Errorf("in two parts the log is\n%s\nnot\n%s", got, whole)
	}
	past, err := g.runner.Log(t.Context(), spec.ID, 1<<40, true)
	if err != nil {
		t.Fatal(err)
	}
	defer past.Close()
	if b, err := io.ReadAll(past); err != nil || len(b) != 0 {
		t.Errorf("beyond the end there is %q, %v", b, err)
	}
}

func TestProgressTellsEachStep(t *testing.T) {
	g := newRig(t, bundles{"b": command(untilGo)})
	spec := g.spec(job.Apply, "b", "one", map[string]any{"host_name": "x"})
	g.start(spec)
	steps, done := make(chan []job.Step, 100), make(chan job.Result, 1)
	go func() {
		res, err := g.runner.Wait(t.Context(), spec.ID, func(s []job.Step) { steps <- s })
		if err != nil {
			t.Error(err)
		}
		done <- res
	}()
	for s := range steps { // until apply has begun
		if last := s[len(s)-1]; last.Name == "apply" && last.EndedAt.IsZero() && len(s) == 2 && !s[0].EndedAt.IsZero() {
			break
		}
	}
	g.until(spec.ID, "(local-exec): it is running")
	if err := g.runner.Cancel(t.Context(), spec.ID); err != nil {
		t.Fatal(err)
	}
	if res := <-done; res.Status != job.Cancelled {
		t.Errorf("the result is %+v", res)
	}
}

func TestDockerThatDoesNotAnswer(t *testing.T) {
	dockerImage(t)
	g := newRig(t, bundles{"builtin": builtIn(t)})
	for _, host := range []string{"tcp://127.0.0.1:1", "unix:///nowhere/docker.sock"} {
		g.runner = g.openWith(local.Config{Docker: host})
		spec := g.spec(job.Apply, "builtin", "gone", dockerVariables("x", "gone"))
		began := time.Now()
		if res := g.run(spec); res.Error != job.ErrUnavailable || !strings.HasPrefix(res.Reason, "Docker does not answer.") {
			t.Errorf("%s: after %v the result is %+v\n%s", host, time.Since(began), res, g.log(spec.ID))
		}
	}
}
