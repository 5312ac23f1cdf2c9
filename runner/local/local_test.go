package local_test

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/job"
	"github.com/internal-app-portal/iap/runner/local"
)

func TestMain(m *testing.M) {
	if len(os.Args) == 3 && os.Args[1] == "job-supervisor" {
		os.Exit(local.Supervise(os.Args[2]))
	}
	useRepositoryTools()
	if len(os.Args) == 4 && os.Args[1] == "start-job" {
		os.Exit(startAndHang(os.Args[2], os.Args[3]))
	}
	os.Exit(m.Run())
}

// startAndHang is a portal that starts a job and is then killed.
func startAndHang(data, raw string) int {
	var spec job.Spec
	if err := json.Unmarshal([]byte(raw), &spec); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	r, err := local.New(local.Config{Data: data, Bundles: bundles{spec.Bundle: command(untilGo)}})
	if err == nil {
		err = r.Start(context.Background(), spec)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	fmt.Println("started")
	select {}
}

// useRepositoryTools has the tests find what make setup built, as the portal
// does that is started in the root of the repository.
func useRepositoryTools() {
	cache, err := filepath.Abs("../../.cache")
	if err != nil {
		return
	}
	os.Setenv("PATH", filepath.Join(cache, "bin")+string(filepath.ListSeparator)+os.Getenv("PATH"))
	if config := filepath.Join(cache, "terraform.rc"); local.FindCLIConfig() == "" {
		os.Setenv("TF_CLI_CONFIG_FILE", config)
	}
}

// bundles are zips by their key.
type bundles map[string]map[string]string

func (b bundles) Bundle(_ context.Context, key string) ([]byte, error) {
	files, ok := b[key]
	if !ok {
		return nil, iap.Errorf("bundles", iap.NotFound, "no bundle %s", key)
	}
	var out bytes.Buffer
	z := zip.NewWriter(&out)
	for name, text := range files {
		w, err := z.Create(name)
		if err != nil {
			return nil, err
		}
		if _, err := io.WriteString(w, text); err != nil {
			return nil, err
		}
	}
	err := z.Close()
	return out.Bytes(), err
}

// stateServer is a Terraform HTTP backend in memory.
type stateServer struct {
	*httptest.Server
	mu     sync.Mutex
	states map[string][]byte
	locks  map[string]bool
	refuse map[string]int // how many POSTs to a path get a 503
}

func newStateServer(t testing.TB) *stateServer {
	s := &stateServer{states: map[string][]byte{}, locks: map[string]bool{}, refuse: map[string]int{}}
	s.Server = httptest.NewServer(s)
	t.Cleanup(s.Close)
	return s
}

func (s *stateServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	s.mu.Lock()
	defer s.mu.Unlock()
	switch r.Method {
	case http.MethodGet:
		if b, ok := s.states[r.URL.Path]; ok {
			_, _ = w.Write(b)
			return
		}
		w.WriteHeader(http.StatusNotFound)
	case http.MethodPost:
		if s.refuse[r.URL.Path] > 0 {
			s.refuse[r.URL.Path]--
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		s.states[r.URL.Path] = body
	case "LOCK":
		s.locks[r.URL.Path] = true
	case "UNLOCK":
		delete(s.locks, r.URL.Path)
	}
}

func (s *stateServer) state(instance string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return string(s.states["/"+instance])
}

func (s *stateServer) locked(instance string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.locks["/"+instance]
}

// rig is a Runner with all that it needs.
type rig struct {
	t       testing.TB
	data    string
	bundles bundles
	state   *stateServer
	runner  *local.Runner
}

func newRig(t testing.TB, b bundles) *rig {
	t.Helper()
	if _, err := local.FindTerraform(t.Context()); err != nil {
		t.Skip("neither tofu nor terraform was found: run make setup")
	}
	g := &rig{t: t, data: t.TempDir(), bundles: b, state: newStateServer(t)}
	g.runner = g.open()
	return g
}

// open returns a new Runner on the same folder, as after a restart.
func (g *rig) open() *local.Runner {
	g.t.Helper()
	return g.openWith(local.Config{})
}

func (g *rig) openWith(cfg local.Config) *local.Runner {
	g.t.Helper()
	cfg.Data, cfg.Bundles = g.data, g.bundles
	r, err := local.New(cfg)
	if err != nil {
		g.t.Fatal(err)
	}
	g.t.Cleanup(func() { _ = r.Close() })
	return r
}

// spec returns the Spec of a job for an instance.
func (g *rig) spec(kind job.Kind, bundle, instance string, variables map[string]any) job.Spec {
	id := iap.NewID(time.Now())
	return job.Spec{ID: id, Kind: kind, Bundle: bundle, Variables: variables, Timeout: time.Minute, Grace: 5 * time.Second,
		State: job.StateAccess{Address: g.state.URL + "/" + instance, Username: id, Password: "pass-" + id}}
}

// run starts a job and waits for its end.
func (g *rig) run(spec job.Spec) job.Result {
	g.t.Helper()
	g.start(spec)
	return g.wait(spec.ID)
}

func (g *rig) start(spec job.Spec) {
	g.t.Helper()
	if err := g.runner.Start(g.t.Context(), spec); err != nil {
		g.t.Fatal(err)
	}
}

func (g *rig) wait(id string) job.Result {
	g.t.Helper()
	ctx, cancel := context.WithTimeout(g.t.Context(), time.Minute)
	defer cancel()
	res, err := g.runner.Wait(ctx, id, func([]job.Step) {})
	if err != nil {
		g.t.Fatalf("Wait: %v", err)
	}
	return res
}

func (g *rig) log(id string) string {
	g.t.Helper()
	rc, err := g.runner.Log(g.t.Context(), id, 0, false)
	if err != nil {
		g.t.Fatalf("Log: %v", err)
	}
	defer rc.Close()
	b, err := io.ReadAll(rc)
	if err != nil {
		g.t.Fatal(err)
	}
	return string(b)
}

// mustSucceed fails the test with the job's log unless it succeeded.
func (g *rig) mustSucceed(id string, res job.Result) {
	g.t.Helper()
	if res.Status != job.Succeeded {
		g.t.Fatalf("%s: %s %s\n%s", res.Status, res.Error, res.Reason, g.log(id))
	}
}

// hello is a bundle that needs no provider to be fetched.
const hello = `
variable "host_name" { type = string }
resource "terraform_data" "app" { input = var.host_name }
output "upstream" { value = "http://127.0.0.1:1/${terraform_data.app.output}" }
output "password" {
  value     = "not for you"
  sensitive = true
}
`

func TestApplyThenDestroy(t *testing.T) {
	g := newRig(t, bundles{"hello": {"main.tf": hello}})
	apply := g.spec(job.Apply, "hello", "one", map[string]any{"host_name": "brave-otter", "unused": 1})
	res := g.run(apply)
	g.mustSucceed(apply.ID, res)
	if got := string(res.Outputs["upstream"]); got != `"http://127.0.0.1:1/brave-otter"` {
		t.Errorf("upstream is %s", got)
	}
	if _, there := res.Outputs["password"]; there || res.Omitted["password"] != "is sensitive" {
		t.Errorf("the sensitive output was not left out: %v, %v", res.Outputs, res.Omitted)
	}
	var names []string
	for _, s := range res.Steps {
		names = append(names, s.Name)
		if s.EndedAt.Before(s.StartedAt) {
			t.Errorf("step %s has no end: %+v", s.Name, s)
		}
	}
	if got := strings.Join(names, " "); got != "init apply outputs" {
		t.Errorf("steps are %s", got)
	}
	if !strings.Contains(g.state.state("one"), "brave-otter") || g.state.locked("one") {
		t.Errorf("the state is not stored or still locked")
	}
	log := g.log(apply.ID)
	if !strings.Contains(log, "Apply complete") || strings.Contains(log, "undeclared") || strings.Contains(log, "not for you") {
		t.Errorf("the log is not as it should be:\n%s", log)
	}

	destroy := g.spec(job.Destroy, "hello", "one", map[string]any{"host_name": "brave-otter"})
	res = g.run(destroy)
	g.mustSucceed(destroy.ID, res)
	if len(res.Steps) != 1 || res.Steps[0].Name != "destroy" {
		t.Errorf("steps are %+v", res.Steps)
	}
	if strings.Contains(g.state.state("one"), "brave-otter") {
		t.Errorf("something is left in the state: %s", g.state.state("one"))
	}
	for _, id := range []string{apply.ID, destroy.ID} {
		for _, name := range []string{"spec.json", "terraform.tfvars.json"} {
			if _, err := os.Stat(filepath.Join(g.data, "jobs", id, name)); err == nil {
				t.Errorf("%s of an ended job is still there", name)
			}
		}
	}
}
