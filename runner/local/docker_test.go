package local_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/internal-app-portal/iap/job"
	"github.com/internal-app-portal/iap/runner/local"
)

// engine asks the Docker engine on its usual socket.
func engine(t testing.TB, method, path string) (int, []byte) {
	t.Helper()
	c := &http.Client{Timeout: 20 * time.Second, Transport: &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			var d net.Dialer
			return d.DialContext(ctx, "unix", "/var/run/docker.sock")
		}}}
	defer c.CloseIdleConnections()
	req, err := http.NewRequestWithContext(t.Context(), method, "http://docker"+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	res, err := c.Do(req)
	if err != nil {
		t.Skipf("the Docker engine does not answer (run make setup): %v", err)
	}
	defer res.Body.Close()
	var b json.RawMessage
	_ = json.NewDecoder(res.Body).Decode(&b)
	return res.StatusCode, b
}

// dockerImage is an image that is there, or the test is skipped.
func dockerImage(t testing.TB) string {
	t.Helper()
	for _, name := range []string{"iap-example-inspector:1", "iap-example-todo:1", "iap-try-hello:1"} {
		if code, _ := engine(t, http.MethodGet, "/images/"+name+"/json"); code == http.StatusOK {
			return name
		}
	}
	t.Skip("no image of an example app is there: run make images")
	return ""
}

// builtIn returns the files of the platform's bundle.
func builtIn(t testing.TB) map[string]string {
	t.Helper()
	files := map[string]string{}
	paths, _ := filepath.Glob("../../platform/docker/bundle/*.tf")
	for _, p := range paths {
		b, err := os.ReadFile(p)
		if err != nil {
			t.Fatal(err)
		}
		files[filepath.Base(p)] = string(b)
	}
	if len(files) == 0 {
		t.Skip("the platform's bundle is not there")
	}
	return files
}

func containers(t testing.TB, name string) int {
	t.Helper()
	_, b := engine(t, http.MethodGet, `/containers/json?all=1&filters={"label":["iap.host-name=`+name+`"]}`)
	var list []any
	if err := json.Unmarshal(b, &list); err != nil {
		t.Fatalf("%v: %s", err, b)
	}
	return len(list)
}

func dockerVariables(image, name string) map[string]any {
	return map[string]any{"host_name": name, "resource_name": name, "instance_id": name, "image": image, "port": 8080,
		"environment": map[string]string{}, "labels": map[string]string{"iap.host-name": name},
		"limits": map[string]any{"memory_mb": 64, "cpus": 0.5, "pids": 64}, "read_only_root": true}
}

func TestContainerByTheBuiltInBundle(t *testing.T) {
	image := dockerImage(t)
	g := newRig(t, bundles{"builtin": builtIn(t)})
	name := fmt.Sprintf("iap-test-%d", os.Getpid())
	apply := g.spec(job.Apply, "builtin", name, dockerVariables(image, name))
	res := g.run(apply)
	g.mustSucceed(apply.ID, res)
	if !strings.HasPrefix(string(res.Outputs["upstream"]), `"http://127.0.0.1:`) {
		t.Errorf("upstream is %s", res.Outputs["upstream"])
	}
	if n := containers(t, name); n != 1 {
		t.Errorf("there are %d containers", n)
	}
	destroy := g.spec(job.Destroy, "builtin", name, dockerVariables(image, name))
	g.mustSucceed(destroy.ID, g.run(destroy))
	if n := containers(t, name); n != 0 {
		t.Errorf("%d containers are left", n)
	}
}

// TestDestroyOfWhatIsGone has the container removed behind the tool's back.
func TestDestroyOfWhatIsGone(t *testing.T) {
	image := dockerImage(t)
	g := newRig(t, bundles{"one": {"main.tf": plainContainer}})
	name := fmt.Sprintf("iap-test-gone-%d", os.Getpid())
	variables := map[string]any{"host_name": name, "image": image}
	apply := g.spec(job.Apply, "one", name, variables)
	g.mustSucceed(apply.ID, g.run(apply))
	engine(t, http.MethodDelete, "/containers/"+name+"?force=1")
	destroy := g.spec(job.Destroy, "one", name, variables)
	g.mustSucceed(destroy.ID, g.run(destroy))
}

// TestWarmProvider goes through the life of a provider that is kept running:
// used, killed, done without, started again, found by the next portal, ended.
func TestWarmProvider(t *testing.T) {
	image := dockerImage(t)
	g := newRig(t, bundles{"one": {"main.tf": plainContainer}})
	g.runner = g.openWith(local.Config{WarmProvider: true, KeepProviders: true})
	if err := g.runner.Warm(t.Context(), "one"); err != nil {
		t.Fatal(err)
	}
	provider := g.provider()
	round := func(n int) {
		t.Helper()
		name := fmt.Sprintf("iap-test-warm-%d-%d", os.Getpid(), n)
		for _, kind := range []job.Kind{job.Apply, job.Destroy} {
			spec := g.spec(kind, "one", name, map[string]any{"host_name": name, "image": image})
			spec.BuiltIn = true
			res := g.run(spec)
			g.mustSucceed(spec.ID, res)
			if res.Steps[0].Name == "init" {
				t.Error("it was initialised again")
			}
		}
	}
	round(1)
	if g.provider() != provider {
		t.Error("the provider is another one")
	}
	_ = g.runner.Close()
	g.runner = g.openWith(local.Config{WarmProvider: true})
	round(2)
	if g.provider() != provider {
		t.Error("the next portal did not find the provider")
	}
	_ = syscall.Kill(provider, syscall.SIGKILL)
	round(3)
	if err := g.runner.Warm(t.Context(), "one"); err != nil {
		t.Fatal(err)
	}
	again := g.provider()
	if again == provider {
		t.Error("no new provider was started")
	}
	if err := g.runner.Close(); err != nil {
		t.Error(err)
	}
	if !groupGone(again) {
		t.Error("the provider lives after Close")
	}
}

// provider returns the ID of the provider that is kept running.
func (g *rig) provider() int {
	g.t.Helper()
	files, _ := filepath.Glob(filepath.Join(g.data, "providers", "*.json"))
	if len(files) != 1 {
		g.t.Fatalf("there are %d providers", len(files))
	}
	b, err := os.ReadFile(files[0])
	var w struct{ Process struct{ PID int } }
	if err == nil {
		err = json.Unmarshal(b, &w)
	}
	if err != nil {
		g.t.Fatal(err)
	}
	return w.Process.PID
}
