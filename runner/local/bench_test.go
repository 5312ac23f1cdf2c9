package local_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/internal-app-portal/iap/job"
	"github.com/internal-app-portal/iap/runner/local"
)

// plainContainer is the built-in bundle without a network of its own.
const plainContainer = `
terraform {
  required_providers {
    docker = { source = "kreuzwerker/docker" }
  }
}
variable "host_name" { type = string }
variable "image"     { type = string }
resource "docker_container" "app" {
  name     = var.host_name
  image    = var.image
  must_run = true
  ports {
    internal = 8080
    ip       = "127.0.0.1"
  }
  labels {
    label = "iap.host-name"
    value = var.host_name
  }
}
output "upstream" { value = "http://127.0.0.1:${docker_container.app.ports[0].external}" }
`

// BenchmarkOverhead tells what a job costs beyond the tool itself: the same
// bundle by the tool alone, in a folder that is ready, and as a job.
func BenchmarkOverhead(b *testing.B) {
	g := newRig(b, bundles{"hello": {"main.tf": hello}})
	warmUp := g.spec(job.Apply, "hello", "warm-up", name)
	g.mustSucceed(warmUp.ID, g.run(warmUp))
	ready, err := filepath.Glob(filepath.Join(g.data, "bundles", "hello", "ready-*"))
	if err != nil || len(ready) != 1 {
		b.Fatal(ready, err)
	}
	tf, err := local.FindTerraform(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	var alone, asJob time.Duration
	for i := 0; b.Loop(); i++ {
		dir := filepath.Join(b.TempDir(), "work")
		if err := os.CopyFS(dir, os.DirFS(ready[0])); err != nil {
			b.Fatal(err)
		}
		address := fmt.Sprintf("%s/alone%d", g.state.URL, i)
		cmd := exec.Command(tf.Path, "apply", "-json", "-auto-approve", "-input=false", "-var=host_name=x")
		cmd.Dir = dir
		cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + dir, "CHECKPOINT_DISABLE=1", "TF_CLI_CONFIG_FILE=" + local.FindCLIConfig(),
			"TF_HTTP_ADDRESS=" + address, "TF_HTTP_LOCK_ADDRESS=" + address, "TF_HTTP_UNLOCK_ADDRESS=" + address}
		began := time.Now()
		if out, err := cmd.CombinedOutput(); err != nil {
			b.Fatalf("%v: %s", err, out)
		}
		alone += time.Since(began)

		spec := g.spec(job.Apply, "hello", fmt.Sprint("job", i), name)
		began = time.Now()
		res := g.run(spec)
		asJob += time.Since(began)
		g.mustSucceed(spec.ID, res)
	}
	b.ReportMetric(float64(alone.Microseconds())/1000/float64(b.N), "ms-alone/op")
	b.ReportMetric(float64(asJob.Microseconds())/1000/float64(b.N), "ms-job/op")
	b.ReportMetric(float64((asJob-alone).Microseconds())/1000/float64(b.N), "ms-overhead/op")
}

// BenchmarkContainer tells what an apply and a destroy of one container take,
// with and without a provider that is kept running.
func BenchmarkContainer(b *testing.B) {
	image := dockerImage(b)
	for _, warm := range []bool{false, true} {
		b.Run(fmt.Sprintf("warm=%v", warm), func(b *testing.B) {
			g := newRig(b, bundles{"one": {"main.tf": plainContainer}})
			g.runner = g.openWith(local.Config{WarmProvider: warm})
			variables := func(n string) map[string]any { return map[string]any{"host_name": n, "image": image} }
			took := map[job.Kind]time.Duration{}
			for i := -1; i < b.N; i++ {
				n := fmt.Sprintf("iap-bench-%d-%v-%d", os.Getpid(), warm, i)
				for _, kind := range []job.Kind{job.Apply, job.Destroy} {
					spec := g.spec(kind, "one", n, variables(n))
					spec.BuiltIn = true
					began := time.Now()
					res := g.run(spec)
					if i >= 0 {
						took[kind] += time.Since(began)
					}
					g.mustSucceed(spec.ID, res)
				}
				if i < 0 { // the first one initialises; then the provider is started
					if err := g.runner.Warm(b.Context(), "one"); err != nil {
						b.Fatal(err)
					}
					b.ResetTimer()
				}
			}
			for kind, d := range took {
				b.ReportMetric(float64(d.Milliseconds())/float64(b.N), "ms-"+string(kind)+"/op")
			}
		})
	}
}
