package server_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/internal-app-portal/iap/client"
	"github.com/internal-app-portal/iap/store"
)

// switchboard stands between a portal and the engine, and can be taken away:
// to the portal the engine is gone then.
type switchboard struct {
	path string
	mu   sync.Mutex
	l    net.Listener
	open map[net.Conn]bool
}

func newSwitchboard(t *testing.T) *switchboard {
	t.Helper()
	dir, err := os.MkdirTemp("", "sock") // the path of a socket must be short
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	s := &switchboard{path: filepath.Join(dir, "docker.sock"), open: map[net.Conn]bool{}}
	s.connect(t)
	t.Cleanup(s.cut)
	return s
}

// connect brings the engine back.
func (s *switchboard) connect(t *testing.T) {
	t.Helper()
	_ = os.Remove(s.path)
	l, err := net.Listen("unix", s.path)
	if err != nil {
		t.Fatal(err)
	}
	s.mu.Lock()
	s.l = l
	s.mu.Unlock()
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go s.join(c)
		}
	}()
}

func (s *switchboard) join(c net.Conn) {
	up, err := net.Dial("unix", strings.TrimPrefix(enginePath(), "unix://"))
	if err != nil {
		_ = c.Close()
		return
	}
	s.mu.Lock()
	s.open[c], s.open[up] = true, true
	s.mu.Unlock()
	var both sync.WaitGroup
	pipe := func(to, from net.Conn) {
		_, _ = io.Copy(to, from)
		_ = to.(*net.UnixConn).CloseWrite()
	}
	both.Go(func() { pipe(up, c) })
	both.Go(func() { pipe(c, up) })
	both.Wait()
	_, _ = c.Close(), up.Close()
}

// cut takes the engine away.
func (s *switchboard) cut() {
	s.mu.Lock()
	defer s.mu.Unlock()
	_ = s.l.Close()
	for c := range s.open {
		_ = c.Close()
	}
	s.open = map[net.Conn]bool{}
}

func enginePath() string {
	if h := os.Getenv("DOCKER_HOST"); h != "" {
		return h
	}
	return "unix:///var/run/docker.sock"
}

func TestWaitsForDockerAndGoesOn(t *testing.T) {
	needDocker(t)
	if !strings.HasPrefix(enginePath(), "unix://") {
		t.Skip("skipped: the engine is not at a Unix socket")
	}
	docker := newSwitchboard(t)
	cfg := testConfig(t)
	cfg.DockerHost = "unix://" + docker.path
	p := startPortal(t, cfg)

	docker.cut()
	i, _, err := p.Deploy(t.Context(), client.DeployRequest{App: "inspector"})
	if err != nil {
		t.Fatal(err)
	}
	p.waitFor(t.Context(), i.ID, func(i client.Instance) bool { return i.Waiting == "Docker" })
	docker.connect(t)
	i = p.waitFor(t.Context(), i.ID, is(client.StatusRunning))
	if i.Waiting != "" {
		t.Errorf("it runs and waits for %q", i.Waiting)
	}

	docker.cut()
	if _, err := p.Destroy(t.Context(), i.ID); err != nil {
		t.Fatal(err)
	}
	p.waitFor(t.Context(), i.ID, func(i client.Instance) bool { return i.Waiting == "Docker" })
	docker.connect(t)
	i = p.waitFor(t.Context(), i.ID, client.Instance.Ended)
	if i.Status != client.StatusDestroyed || len(resources(t, i.ID)) != 0 {
		t.Errorf("got %s, left %v", toJSON(i), resources(t, i.ID))
	}
}

func TestDockerGoneInTheMiddleOfADeploy(t *testing.T) {
	needDocker(t)
	docker := newSwitchboard(t)
	cfg := testConfig(t)
	cfg.DockerHost = "unix://" + docker.path
	p := startPortal(t, cfg)
	for _, when := range []string{client.StatusDeploying, client.StatusChecking} {
		t.Run(when, func(t *testing.T) {
			p.addApp(inspectorApp("late-"+when, `environment: {START_DELAY: 1s}`))
			i, _, err := p.Deploy(t.Context(), client.DeployRequest{App: "late-" + when})
			if err != nil {
				t.Fatal(err)
			}
			p.waitFor(t.Context(), i.ID, is(when))
			docker.cut()
			docker.connect(t)
			i = p.waitFor(t.Context(), i.ID, func(i client.Instance) bool { return i.Status == client.StatusRunning || i.Ended() })
			if i.Status != client.StatusRunning {
				t.Fatalf("got %s: %s", i.Status, i.Reason)
			}
			i = p.destroy(i.ID)
			if left := resources(t, i.ID); i.Status != client.StatusDestroyed || len(left) != 0 {
				t.Errorf("got %s, left %v", i.Status, left)
			}
		})
	}
}

func TestALockedDatabaseIsRefusedAndRecovers(t *testing.T) {
	cfg := testConfig(t)
	p := startPortal(t, cfg)
	other, err := store.Open(t.Context(), filepath.Join(cfg.Data, "iap.db"), store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	held, release, done := make(chan struct{}), make(chan struct{}), make(chan error, 1)
	go func() {
		done <- other.Update(context.Background(), func(ctx context.Context) error {
			err := other.PutSetting(ctx, "test", []byte("x"))
			close(held)
			<-release
			return err
		})
	}()
	<-held
	_, err = p.Retire(t.Context(), "todo")
	var refused *client.Error
	if !errors.As(err, &refused) || refused.Status != http.StatusServiceUnavailable {
		t.Errorf("a write to a locked database gave %v", err)
	}
	if apps, err := p.Apps(t.Context()); err != nil || len(apps) != 3 {
		t.Errorf("reading gave %d apps, %v", len(apps), err)
	}
	close(release)
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if _, err := p.Retire(t.Context(), "todo"); err != nil {
		t.Errorf("after that a write gave %v", err)
	}
}

// TestAFullDiskIsRefusedAndRecovers runs a portal in a small file system of its
// own.
func TestAFullDiskIsRefusedAndRecovers(t *testing.T) {
	dir := t.TempDir()
	if out, err := exec.Command("mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", dir).CombinedOutput(); err != nil {
		t.Skipf("skipped: a small file system cannot be mounted here: %s", out)
	}
	t.Cleanup(func() { _ = exec.Command("umount", "-l", dir).Run() })
	cfg := testConfig(t)
	cfg.Data = filepath.Join(dir, "data")
	p := startPortal(t, cfg)

	ballast := filepath.Join(dir, "ballast")
	fill(t, ballast)
	err := untilFull(t, p)
	var refused *client.Error
	if !errors.As(err, &refused) || refused.Status != http.StatusInsufficientStorage {
		t.Fatalf("a write to a full disk gave %v", err)
	}
	_, _, err = p.Deploy(t.Context(), client.DeployRequest{App: "inspector"})
	wantStatus(t, "a deploy on a full disk", err, http.StatusInsufficientStorage)
	if list, err := p.Instances(t.Context(), client.InstanceFilter{All: true}); err != nil || len(list.Items) != 0 {
		t.Errorf("an instance was stored: %v, %v", list, err)
	}
	if apps, err := p.Apps(t.Context()); err != nil || len(apps) != 3 {
		t.Errorf("reading gave %d apps, %v", len(apps), err)
	}
	if err := os.Remove(ballast); err != nil {
		t.Fatal(err)
	}
	if _, err := p.Unretire(t.Context(), "todo"); err != nil {
		t.Errorf("with room again a write gave %v", err)
	}
}

// fill writes until the file system is full.
func fill(t *testing.T, path string) {
	t.Helper()
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for size := 1 << 20; size >= 512; size /= 2 {
		for err = nil; err == nil; {
			_, err = f.Write(make([]byte, size))
		}
	}
}

// untilFull writes to the database until it says no: what is left of its last
// pages takes a few.
func untilFull(t *testing.T, p *portal) error {
	t.Helper()
	for range 10_000 {
		if _, err := p.Retire(t.Context(), "todo"); err != nil {
			return err
		}
		if _, err := p.Unretire(t.Context(), "todo"); err != nil {
			return err
		}
	}
	return errors.New("it never said no")
}
