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

func TestContainerWithAndWithoutWarmProvider(t *testing.T) {
	image := dockerImage(t)
	for _, warm := range []bool{false, true} {
		t.Run(fmt.Sprintf("warm=%v", warm), func(t *testing.T) {
			g := newRig(t, bundles{"builtin": builtIn(t)})
			r, err := local.New(local.Config{Data: g.data, Bundles: g.bundles, WarmProvider: warm})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = r.Close() })
			g.runner = r
			for i := range 4 {
				name := fmt.Sprintf("iap-test-%d-%d", os.Getpid(), i)
				for _, kind := range []job.Kind{job.Apply, job.Destroy} {
					spec := g.spec(kind, "builtin", name, dockerVariables(image, name))
					spec.BuiltIn = true
					began := time.Now()
					res := g.run(spec)
					t.Logf("%s %d: %v", kind, i, time.Since(began).Round(time.Millisecond))
					g.mustSucceed(spec.ID, res)
					want := map[job.Kind]int{job.Apply: 1, job.Destroy: 0}[kind]
					if got := containers(t, name); got != want {
						t.Fatalf("after %s there are %d containers, not %d", kind, got, want)
					}
					if kind == job.Apply && !strings.HasPrefix(string(res.Outputs["upstream"]), `"http://127.0.0.1:`) {
						t.Errorf("upstream is %s", res.Outputs["upstream"])
					}
				}
			}
		})
	}
}
