package docker_test

import (
	"archive/tar"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/network"
	"github.com/moby/moby/client"

	"github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/instance"
	"github.com/internal-app-portal/iap/platform/docker"
)

// real is the engine of this machine with an image that the test has built
// from nothing: a program that prints its arguments and waits, or exits.
type real struct {
	*testing.T
	platform *docker.Platform
	client   *client.Client
	portal   string
}

const program = `package main

import (
	"fmt"
	"os"
	"os/signal"
	"strconv"
	"syscall"
)

func main() {
	fmt.Println("started as", os.Args[1])
	fmt.Fprintln(os.Stderr, "to stderr")
	if code, err := strconv.Atoi(os.Args[1]); err == nil {
		os.Exit(code)
	}
	c := make(chan os.Signal, 1)
	signal.Notify(c, syscall.SIGTERM)
	<-c
}
`

func realEngine(t *testing.T) *real {
	t.Helper()
	if testing.Short() {
		t.Skip("-short: not asking the real engine")
	}
	c, err := client.New(client.FromEnv)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if _, err := c.Ping(ctx, client.PingOptions{NegotiateAPIVersion: true}); err != nil {
		t.Skipf("no Docker Engine answers, so nothing is tested against a real one: %v", err)
	}
	r := &real{T: t, client: c, portal: "test-" + iap.NewID(time.Now())}
	if r.platform, err = docker.New("", r.portal); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.cleanUp)
	r.loadImage()
	return r
}

const image = "iap-test-docker-platform:1"

func (r *real) cleanUp() {
	ctx := context.Background() // the test's own context has ended
	left, err := r.platform.Resources(ctx, "", "")
	if err != nil {
		r.Error(err)
	}
	for _, l := range left {
		if err := r.platform.Remove(ctx, l); err != nil {
			r.Error(err)
		}
	}
	_ = r.platform.Close()
}

func (r *real) loadImage() {
	r.Helper()
	if _, err := r.client.ImageInspect(r.Context(), image); err == nil {
		return
	}
	dir := r.TempDir()
	source, binary := filepath.Join(dir, "main.go"), filepath.Join(dir, "app")
	if err := os.WriteFile(source, []byte(program), 0o600); err != nil {
		r.Fatal(err)
	}
	build := exec.CommandContext(r.Context(), "go", "build", "-o", binary, source)
	build.Env = append(os.Environ(), "CGO_ENABLED=0", "GOFLAGS=-mod=mod")
	if out, err := build.CombinedOutput(); err != nil {
		r.Fatalf("%v: %s", err, out)
	}
	app, err := os.ReadFile(binary)
	if err != nil {
		r.Fatal(err)
	}
	loaded, err := r.client.ImageLoad(r.Context(), bytes.NewReader(archive(app)), client.ImageLoadWithQuiet(true))
	if err != nil {
		r.Fatal(err)
	}
	defer loaded.Close()
	if out, _ := io.ReadAll(loaded); bytes.Contains(out, []byte(`"error"`)) {
		r.Fatalf("%s", out)
	}
}

// archive is an image of one layer with one program, as `docker load` takes it.
func archive(app []byte) []byte {
	layer := tarOf(map[string][]byte{"app": app}, 0o755)
	sum := sha256.Sum256(layer)
	config, _ := json.Marshal(map[string]any{
		"architecture": "amd64", "os": "linux",
		"config": map[string]any{"Entrypoint": []string{"/app"}},
		"rootfs": map[string]any{"type": "layers", "diff_ids": []string{"sha256:" + hex.EncodeToString(sum[:])}},
	})
	manifest, _ := json.Marshal([]map[string]any{{"Config": "config.json", "RepoTags": []string{image}, "Layers": []string{"layer.tar"}}})
	return tarOf(map[string][]byte{"config.json": config, "manifest.json": manifest, "layer.tar": layer}, 0o644)
}

func tarOf(files map[string][]byte, mode int64) []byte {
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for name, data := range files {
		_ = w.WriteHeader(&tar.Header{Name: name, Mode: mode, Size: int64(len(data))})
		_, _ = w.Write(data)
	}
	_ = w.Close()
	return b.Bytes()
}

// run starts a container of an instance with a published port and returns the
// port's number.
func (r *real) run(id, argument, address string) string {
	r.Helper()
	labels := map[string]string{instance.LabelPortal: r.portal, instance.LabelInstance: id}
	port := network.MustParsePort("8080/tcp")
	binding := network.PortBinding{}
	if err := json.Unmarshal([]byte(`{"HostIp":"`+address+`"}`), &binding); err != nil {
		r.Fatal(err)
	}
	if _, err := r.client.NetworkCreate(r.Context(), r.portal+"-"+id, client.NetworkCreateOptions{Labels: labels}); err != nil {
		r.Fatal(err)
	}
	if _, err := r.client.VolumeCreate(r.Context(), client.VolumeCreateOptions{Name: r.portal + "-" + id, Labels: labels}); err != nil {
		r.Fatal(err)
	}
	made, err := r.client.ContainerCreate(r.Context(), client.ContainerCreateOptions{
		Name:   r.portal + "-" + id,
		Config: &container.Config{Image: image, Cmd: []string{argument}, Labels: labels, ExposedPorts: network.PortSet{port: {}}},
		HostConfig: &container.HostConfig{
			NetworkMode: container.NetworkMode(r.portal + "-" + id), PortBindings: network.PortMap{port: {binding}},
		},
	})
	if err != nil {
		r.Fatal(err)
	}
	if _, err := r.client.ContainerStart(r.Context(), made.ID, client.ContainerStartOptions{}); err != nil {
		r.Fatal(err)
	}
	got, err := r.client.ContainerInspect(r.Context(), made.ID, client.ContainerInspectOptions{})
	if err != nil {
		r.Fatal(err)
	}
	for _, b := range got.Container.NetworkSettings.Ports[port] {
		return b.HostPort
	}
	return ""
}

func kinds(all []instance.Resource) string {
	var out []string
	for _, r := range all {
		out = append(out, r.Kind)
	}
	return strings.Join(out, " ")
}

func TestRealResourcesAndRemove(t *testing.T) {
	r := realEngine(t)
	r.run("one", "wait", "127.0.0.1")
	r.run("two", "wait", "127.0.0.1")
	all, err := r.platform.Resources(t.Context(), r.portal, "")
	if err != nil || kinds(all) != "container container network network volume volume" {
		t.Fatalf("got %s, %v", kinds(all), err)
	}
	one, err := r.platform.Resources(t.Context(), r.portal, "one")
	if err != nil || kinds(one) != "container network volume" {
		t.Fatalf("got %s, %v", kinds(one), err)
	}
	if one[0].Name != r.portal+"-one" || one[0].Labels[instance.LabelInstance] != "one" || one[0].Platform != "docker" {
		t.Errorf("got %+v", one[0])
	}
	// The network first: it is taken from its container by force.
	for _, resource := range []instance.Resource{one[1], one[0], one[2], one[0], one[1], one[2]} {
		if err := r.platform.Remove(t.Context(), resource); err != nil {
			t.Errorf("%s: %v", resource.Kind, err)
		}
	}
	if left, err := r.platform.Resources(t.Context(), r.portal, ""); err != nil || kinds(left) != "container network volume" {
		t.Errorf("left: %s, %v", kinds(left), err)
	}
	if other, err := r.platform.Resources(t.Context(), "another", ""); err != nil || len(other) != 0 {
		t.Errorf("another portal sees %s, %v", kinds(other), err)
	}
}

func TestRealRemoveByMany(t *testing.T) {
	r := realEngine(t)
	r.run("one", "wait", "127.0.0.1")
	all, err := r.platform.Resources(t.Context(), "", "one")
	if err != nil {
		t.Fatal(err)
	}
	errs := make(chan error)
	for range 4 {
		go func() { errs <- r.platform.Remove(t.Context(), all[0]) }()
	}
	for range 4 {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
}

func TestRealExit(t *testing.T) {
	r := realEngine(t)
	changes := r.platform.Changes(t.Context())
	if first := <-changes; first.Instance != "" {
		t.Errorf("the stream begins with %+v", first)
	}
	r.run("stays", "wait", "127.0.0.1")
	stays, err := r.platform.WatchExit(t.Context(), "stays")
	if err != nil {
		t.Fatal(err)
	}
	r.run("fails", "3", "127.0.0.1")
	fails, err := r.platform.WatchExit(t.Context(), "fails")
	if err != nil {
		t.Fatal(err)
	}
	<-fails
	c, err := r.platform.Container(t.Context(), "fails", 5)
	lines := strings.Join(c.LastLines, "|")
	if err != nil || !c.Exists || c.Running || c.ExitCode != 3 || !strings.Contains(lines, "started as 3") || !strings.Contains(lines, "to stderr") {
		t.Errorf("got %+v, %v", c, err)
	}
	if c, err := r.platform.Container(t.Context(), "stays", 1); err != nil || !c.Running || len(c.LastLines) > 1 {
		t.Errorf("got %+v, %v", c, err)
	}
	select {
	case <-stays:
		t.Error("a running container has exited")
	default:
	}
	left, err := r.platform.Resources(t.Context(), "", "stays")
	if err != nil {
		t.Fatal(err)
	}
	if err := r.platform.Remove(t.Context(), left[0]); err != nil {
		t.Fatal(err)
	}
	<-stays
	gone, err := r.platform.WatchExit(t.Context(), "stays")
	if err != nil {
		t.Fatal(err)
	}
	<-gone
	if c, err := r.platform.Container(t.Context(), "stays", 5); err != nil || c.Exists {
		t.Errorf("got %+v, %v", c, err)
	}
	got := fmt.Sprint(<-changes, <-changes, <-changes, <-changes)
	if !strings.HasPrefix(got, "{stays true 0} {fails true 0} {fails false 3} {stays false ") {
		t.Errorf("the stream told %s", got)
	}
}

func TestRealUpstream(t *testing.T) {
	r := realEngine(t)
	mine := r.run("mine", "wait", "127.0.0.1")
	other := r.run("other", "wait", "127.0.0.1")
	open := r.run("open", "wait", "0.0.0.0")
	check := func(id, port string) error {
		return r.platform.CheckUpstream(t.Context(), id, "http://127.0.0.1:"+port)
	}
	if err := check("mine", mine); err != nil {
		t.Error(err)
	}
	for name, err := range map[string]error{
		"another's": check("mine", other), "everybody's": check("open", open), "nobody's": check("mine", "1"),
		"of none": check("none", mine),
	} {
		if !iap.IsKind(err, iap.Invalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestRealLimitProcesses(t *testing.T) {
	r := realEngine(t)
	r.run("one", "wait", "127.0.0.1")
	if err := r.platform.LimitProcesses(t.Context(), "one", 77); err != nil {
		t.Fatal(err)
	}
	got, err := r.client.ContainerInspect(t.Context(), r.portal+"-one", client.ContainerInspectOptions{})
	if err != nil || got.Container.HostConfig.PidsLimit == nil || *got.Container.HostConfig.PidsLimit != 77 {
		t.Errorf("got %v, %v", got.Container.HostConfig.PidsLimit, err)
	}
	if err := r.platform.LimitProcesses(t.Context(), "none", 77); err != nil {
		t.Error(err)
	}
}

func TestRealMakeNetwork(t *testing.T) {
	r := realEngine(t)
	labels := map[string]string{instance.LabelPortal: r.portal, instance.LabelInstance: "one"}
	for range 2 {
		if err := r.platform.MakeNetwork(t.Context(), r.portal+"-one", labels); err != nil {
			t.Fatal(err)
		}
	}
	all, err := r.platform.Resources(t.Context(), "", "one")
	if err != nil || kinds(all) != "network" || all[0].Name != r.portal+"-one" {
		t.Errorf("there is %v, %v", all, err)
	}
	labels[instance.LabelInstance] = "other"
	if err := r.platform.MakeNetwork(t.Context(), r.portal+"-one", labels); !iap.IsKind(err, iap.Conflict) {
		t.Errorf("a name that another's has: %v", err)
	}
	if err := r.platform.MakeNetwork(t.Context(), "host", labels); !iap.IsKind(err, iap.Conflict) {
		t.Errorf("a name that Docker has for itself: %v", err)
	}
}

// TestRealMakeNetworkAtOnce: however many make it at the same time, there is one.
func TestRealMakeNetworkAtOnce(t *testing.T) {
	r := realEngine(t)
	labels := map[string]string{instance.LabelPortal: r.portal, instance.LabelInstance: "one"}
	var all sync.WaitGroup
	for range 3 {
		all.Go(func() {
			if err := r.platform.MakeNetwork(t.Context(), r.portal+"-one", labels); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	left, err := r.platform.Resources(t.Context(), "", "one")
	if err != nil || kinds(left) != "network" {
		t.Errorf("there is %v, %v", left, err)
	}
}

func TestRealNetworkUsed(t *testing.T) {
	r := realEngine(t)
	name := r.portal + "-one"
	labels := map[string]string{instance.LabelPortal: r.portal}
	if _, err := r.platform.NetworkUsed(t.Context(), name, labels, ""); !iap.IsKind(err, iap.NotFound) {
		t.Errorf("of one that there is not: %v", err)
	}
	if err := r.platform.MakeNetwork(t.Context(), name, labels); err != nil {
		t.Fatal(err)
	}
	used := func(want bool) {
		t.Helper()
		if got, err := r.platform.NetworkUsed(t.Context(), name, labels, ""); err != nil || got != want {
			t.Errorf("used: %v, %v; want %v", got, err, want)
		}
	}
	used(false)
	r.run("two", "wait", "127.0.0.1")
	if _, err := r.client.NetworkConnect(t.Context(), name, client.NetworkConnectOptions{Container: r.portal + "-two"}); err != nil {
		t.Fatal(err)
	}
	used(true)
	if _, err := r.client.ContainerStop(t.Context(), r.portal+"-two", client.ContainerStopOptions{}); err != nil {
		t.Fatal(err)
	}
	used(true) // it comes back when it is started
	for own, want := range map[string]bool{"two": false, "one": true} {
		if got, err := r.platform.NetworkUsed(t.Context(), name, labels, own); err != nil || got != want {
			t.Errorf("used by others than %s: %v, %v", own, got, err)
		}
	}
	if _, err := r.platform.NetworkUsed(t.Context(), name, map[string]string{instance.LabelPortal: "another"}, ""); !iap.IsKind(err, iap.Conflict) {
		t.Errorf("of another's: %v", err)
	}
	// By its name, as the portal does that finds it in use.
	if err := r.platform.Remove(t.Context(), instance.Resource{Kind: "network", ID: name}); err != nil {
		t.Fatal(err)
	}
	if _, err := r.platform.NetworkUsed(t.Context(), name, labels, ""); !iap.IsKind(err, iap.NotFound) {
		t.Errorf("after its removal: %v", err)
	}
}
