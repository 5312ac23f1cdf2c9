package server_test

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	moby "github.com/moby/moby/client"

	"github.com/internal-app-portal/iap/client"
	"github.com/internal-app-portal/iap/instance"
	"github.com/internal-app-portal/iap/platform/docker"
	"github.com/internal-app-portal/iap/server"
)

// testTimeout bounds what a test waits for; it is there to end a hung test
// with a message, not to measure.
const testTimeout = 3 * time.Minute

// portal is a portal under test and a client of it.
type portal struct {
	*server.Server
	*client.Client
	t *testing.T
}

// needDocker skips a test where no engine answers.
func needDocker(t *testing.T) {
	t.Helper()
	p, err := docker.New("", "none")
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	if err := p.Ping(t.Context()); err != nil {
		t.Skipf("skipped: this test needs a Docker Engine (make setup): %v", err)
	}
}

func testConfig(t *testing.T) server.Config {
	return server.Config{Dev: true, Data: t.TempDir(), Listen: "127.0.0.1:0", Logger: testLogger(t)}
}

// testLogger sends what a portal logs to the test's output.
func testLogger(t *testing.T) *slog.Logger {
	return slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelInfo}))
}

// startPortal starts a portal that stops with the test, and removes what its
// instances left.
func startPortal(t *testing.T, cfg server.Config) *portal {
	t.Helper()
	s := startServer(t, cfg)
	c, err := client.New(s.URL(), "")
	if err != nil {
		t.Fatal(err)
	}
	p := &portal{Server: s, Client: c, t: t}
	t.Cleanup(p.destroyAll)
	return p
}

// startServer starts a portal that stops with the test; then all that it has told
// is checked.
func startServer(t *testing.T, cfg server.Config) *server.Server {
	t.Helper()
	s := launch(t, cfg)
	t.Cleanup(func() {
		if err := s.Stop(context.Background()); err != nil {
			t.Errorf("stop: %v", err)
		}
	})
	return s
}

// launch starts a portal that the test stops. At the test's end all that it has told is
// checked.
func launch(t *testing.T, cfg server.Config) *server.Server {
	t.Helper()
	s, err := server.New(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { fitSchemas(t, cmp.Or(cfg.Database, filepath.Join(cfg.Data, "iap.db"))) })
	return s
}

// destroyAll ends what a test left running.
func (p *portal) destroyAll() {
	ctx, cancel := context.WithTimeout(context.Background(), testTimeout)
	defer cancel()
	list, err := p.Instances(ctx, client.InstanceFilter{All: true})
	if err != nil {
		p.t.Errorf("listing what is left: %v", err)
		return
	}
	for _, i := range list.Items {
		if i.Ended() {
			continue
		}
		if _, err := p.Destroy(ctx, i.ID); err != nil {
			p.t.Errorf("destroying %s: %v", i.HostName, err)
			continue
		}
		p.waitFor(ctx, i.ID, client.Instance.Ended)
	}
}

var errSeen = errors.New("seen")

// until follows the stream and looks with each event until what is looked for is
// there, or looking fails.
func (p *portal) until(ctx context.Context, there func() (bool, error)) error {
	ctx, cancel := context.WithTimeoutCause(ctx, testTimeout, errTooLong)
	defer cancel()
	look := func() error {
		seen, err := there()
		if err == nil && seen {
			return errSeen
		}
		return err
	}
	err := p.Follow(ctx, client.Follow{All: true, Opened: look, Event: func(client.Event) error { return look() }})
	if errors.Is(err, errSeen) {
		return nil
	}
	return err
}

var errTooLong = errors.New("it took too long")

// waitFor follows the stream until an instance is as it should be.
func (p *portal) waitFor(ctx context.Context, id string, want func(client.Instance) bool) client.Instance {
	p.t.Helper()
	ctx, cancel := context.WithTimeoutCause(ctx, testTimeout, errTooLong)
	defer cancel()
	var last client.Instance
	look := func() error {
		i, err := p.Instance(ctx, id)
		if err != nil {
			return err
		}
		if last = i; want(i) {
			return errSeen
		}
		return nil
	}
	err := p.Follow(ctx, client.Follow{Instance: id, Opened: look, Event: func(client.Event) error { return look() }})
	if !errors.Is(err, errSeen) {
		p.t.Fatalf("waiting for %s, which is %s (%s): %v", last.HostName, last.Status, last.Reason, err)
	}
	return last
}

func is(status string) func(client.Instance) bool {
	return func(i client.Instance) bool { return i.Status == status }
}

// deploy deploys an app and waits until it runs.
func (p *portal) deploy(app string, params map[string]any) client.Instance {
	p.t.Helper()
	i, _, err := p.Deploy(p.t.Context(), client.DeployRequest{App: app, Parameters: params})
	if err != nil {
		p.t.Fatal(err)
	}
	i = p.waitFor(p.t.Context(), i.ID, func(i client.Instance) bool { return i.Status == client.StatusRunning || i.Ended() })
	if i.Status != client.StatusRunning {
		p.t.Fatalf("%s is %s: %s", i.HostName, i.Status, i.Reason)
	}
	return i
}

// destroy destroys an instance and waits until it is gone.
func (p *portal) destroy(id string) client.Instance {
	p.t.Helper()
	if _, err := p.Destroy(p.t.Context(), id); err != nil {
		p.t.Fatal(err)
	}
	return p.waitFor(p.t.Context(), id, client.Instance.Ended)
}

// get asks an instance by its URL, as a browser does: *.localhost is this
// machine.
func get(t *testing.T, url string) (int, string) {
	t.Helper()
	c := &http.Client{Transport: loopbackTransport(),
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Accept", "text/html")
	resp, err := c.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(body)
}

// loopbackTransport takes every host for this machine, as browsers do with
// *.localhost.
func loopbackTransport() *http.Transport {
	dial := func(ctx context.Context, network, addr string) (net.Conn, error) {
		_, port, err := net.SplitHostPort(addr)
		if err != nil {
			return nil, err
		}
		return (&net.Dialer{}).DialContext(ctx, network, "127.0.0.1:"+port)
	}
	return &http.Transport{DialContext: dial, DisableKeepAlives: true}
}

// resources lists what carries an instance's label, as the engine itself tells:
// "container NAME", "network NAME", "volume NAME".
func resources(t *testing.T, id string) []string {
	t.Helper()
	c, err := moby.New(moby.FromEnv)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	f := make(moby.Filters).Add("label", instance.LabelInstance+"="+id)
	var out []string
	containers, err := c.ContainerList(t.Context(), moby.ContainerListOptions{All: true, Filters: f})
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range containers.Items {
		out = append(out, "container "+r.Names[0])
	}
	networks, err := c.NetworkList(t.Context(), moby.NetworkListOptions{Filters: f})
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range networks.Items {
		out = append(out, "network "+r.Name)
	}
	volumes, err := c.VolumeList(t.Context(), moby.VolumeListOptions{Filters: f})
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range volumes.Items {
		out = append(out, "volume "+r.Name)
	}
	return out
}

// containers counts an instance's containers.
func containers(t *testing.T, id string) int {
	t.Helper()
	n := 0
	for _, r := range resources(t, id) {
		if strings.HasPrefix(r, "container ") {
			n++
		}
	}
	return n
}

// addApp adds an app to the catalogue.
func (p *portal) addApp(manifest string) {
	p.t.Helper()
	if _, _, err := p.AddApp(p.t.Context(), client.Upload{Manifest: []byte(manifest), SkipCertification: true}); err != nil {
		p.t.Fatal(err)
	}
}

// listAll chooses all instances that the client may see.
var listAll = client.InstanceFilter{}

func deployOf(app string) client.DeployRequest { return client.DeployRequest{App: app} }

// inspectorApp is the manifest of an app from the inspector's image.
func inspectorApp(slug string, more ...string) string {
	return fmt.Sprintf("slug: %s\nname: %s\nimage: iap-example-inspector:1\nport: 8080\nhealth: {path: /healthz, deadline: 10s}\n%s",
		slug, slug, strings.Join(more, "\n"))
}

func toJSON(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		return err.Error()
	}
	return string(b)
}
