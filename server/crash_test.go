package server_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	moby "github.com/moby/moby/client"

	"github.com/internal-app-portal/iap/client"
	"github.com/internal-app-portal/iap/instance"
	"github.com/internal-app-portal/iap/server"
	"github.com/internal-app-portal/iap/store"
)

// childEnv holds the orders of a portal that is a process of its own.
const childEnv = "IAP_TEST_PORTAL"

// child says how such a portal runs: it dies by SIGKILL when the failpoint is
// reached for the nth time over all, or never when DieAt is 0.
type child struct {
	Data   string
	Listen string
	DieAt  int
	Only   string // what the names of the failpoints that count begin with
	Armed  string // file; none counts until it is there
	Trace  string // file to which the names of failpoints are written, in order
	Tell   bool   // whether they are printed, too; see process.passes
}

// childPortal is the main function of a portal that a test may kill.
func childPortal() int {
	var c child
	if err := json.Unmarshal([]byte(os.Getenv(childEnv)), &c); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 2
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	cfg := server.Config{Dev: true, Data: c.Data, Listen: c.Listen, Failpoint: c.failpoint()}
	if err := server.Run(ctx, cfg, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

func (c child) failpoint() func(string) {
	var mu sync.Mutex
	n := 0
	trace, err := os.OpenFile(c.Trace, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		panic(err)
	}
	return func(name string) {
		if !strings.HasPrefix(name, c.Only) || !c.armed() {
			return
		}
		mu.Lock()
		defer mu.Unlock()
		n++
		fmt.Fprintln(trace, name)
		if c.Tell {
			fmt.Println(name)
		}
		if n == c.DieAt {
			_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
			select {}
		}
	}
}

func (c child) armed() bool {
	if c.Armed == "" {
		return true
	}
	_, err := os.Stat(c.Armed)
	return err == nil
}

// points returns the names of the failpoints that were passed.
func (c child) points(t *testing.T) []string {
	t.Helper()
	trace, err := os.ReadFile(c.Trace)
	if err != nil {
		t.Fatal(err)
	}
	return strings.Fields(string(trace))
}

// process is a running child.
type process struct {
	*exec.Cmd
	orders child
	told   chan string   // what it prints, up to some thousand lines that nobody reads
	done   chan struct{} // closed when it has ended
}

// startChild starts a portal process and returns when it is ready or dead.
func startChild(t *testing.T, c child) *process {
	t.Helper()
	orders, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childEnv+"="+string(orders))
	cmd.Stderr = t.Output()
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	p := &process{Cmd: cmd, orders: c, told: make(chan string, 5000), done: make(chan struct{})}
	lines := bufio.NewScanner(out)
	lines.Scan() // "IAP is ready: …", or the end
	go func() {
		for lines.Scan() {
			select {
			case p.told <- lines.Text():
			default:
			}
		}
		_ = cmd.Wait()
		close(p.done)
	}()
	t.Cleanup(func() {
		p.kill()
		removeNetworks(t, c)
	})
	return p
}

// passes waits until a process that tells passes one of some failpoints, or is dead.
func (p *process) passes(t *testing.T, points ...string) {
	late := time.After(time.Minute)
	for {
		select {
		case line := <-p.told:
			if slices.Contains(points, line) {
				return
			}
		case <-p.done:
			return
		case <-late:
			t.Errorf("none of %q was passed", points)
			return
		}
	}
}

func (p *process) kill() {
	_ = p.Process.Kill()
	<-p.done
}

// removeNetworks removes the networks that a child kept which was killed.
func removeNetworks(t *testing.T, c child) {
	t.Helper()
	db, err := store.Open(context.Background(), filepath.Join(c.Data, "iap.db"), store.Options{})
	if err != nil {
		return // it died before it had a database
	}
	defer db.Close()
	portal, err := db.Setting(context.Background(), "portal_id")
	if err != nil {
		return
	}
	docker, err := moby.New(moby.FromEnv)
	if err != nil {
		t.Error(err)
		return
	}
	defer docker.Close()
	left, err := docker.NetworkList(context.Background(), moby.NetworkListOptions{
		Filters: make(moby.Filters).Add("label", instance.LabelPortal+"="+string(portal))})
	if err != nil {
		return // there is no engine
	}
	for _, n := range left.Items {
		_, _ = docker.NetworkRemove(context.Background(), n.ID, moby.NetworkRemoveOptions{})
	}
}

// stop ends a child in order, and checks what it has told.
func (p *process) stop(t *testing.T) {
	t.Helper()
	if err := p.Process.Signal(syscall.SIGTERM); err != nil {
		t.Error(err)
	}
	<-p.done
	if code := p.ProcessState.ExitCode(); code != 0 {
		t.Errorf("the portal ended with code %d", code)
	}
	fitSchemas(t, filepath.Join(p.orders.Data, "iap.db"))
}

// lastPort is the last port that freeAddress tried.
var lastPort atomic.Uint32

// freeAddress returns an address that nobody listens on just now, below the
// ports that the kernel gives to others: a portal that comes back must come
// back at the same one.
func freeAddress(t *testing.T) string {
	t.Helper()
	const from, many = 20_000, 12_000
	for range many {
		n := (lastPort.Add(1) + uint32(os.Getpid())*97) % many
		address := fmt.Sprintf("127.0.0.1:%d", from+n)
		if l, err := net.Listen("tcp", address); err == nil {
			_ = l.Close()
			return address
		}
	}
	t.Fatal("no port is free")
	return ""
}

// TestKilledAtEveryPoint kills the portal with SIGKILL at commits and side effects of
// its first start, of a deploy and of a destroy, one after the other, each kind of
// them at least once; those of its key are TestKilledWhileTheKeyIsMade's. Whatever the
// point: the next portal finds the job, the instance reaches its end, there is one
// container or none, and no lock is left.
func TestKilledAtEveryPoint(t *testing.T) {
	needDocker(t)
	if testing.Short() {
		t.Skip("skipped: -short; it deploys and destroys once for each point")
	}
	points := recordPoints(t)
	t.Logf("%d points: %s", len(points), strings.Join(points, " "))
	eachPoint(t, spread(t, points, 28, "store.", "workflow.", "job.", "tfstate."), 3, killAt)
}

// everyPoint has tests that kill the portal at some of many points do so at all.
var everyPoint = os.Getenv("IAP_TEST_EVERY_POINT") != ""

// spread returns points of which all but some are empty: of each kind, which is a
// point's name, one stays, and more to make most, spread evenly. Each run chooses
// anew, so many runs come to all of them. Where kinds are given they are what names
// begin with, and the other points are left to another test. With
// IAP_TEST_EVERY_POINT set all stay.
func spread(t *testing.T, points []string, most int, kinds ...string) []string {
	if everyPoint {
		return points
	}
	out, seen := make([]string, len(points)), map[string]bool{}
	var rest []int
	for _, n := range rand.Perm(len(points)) {
		name := points[n]
		of := func(kind string) bool { return strings.HasPrefix(name, kind) }
		switch {
		case name == "" || len(kinds) > 0 && !slices.ContainsFunc(kinds, of):
		case !seen[name]:
			seen[name], out[n] = true, name
		default:
			rest = append(rest, n)
		}
	}
	slices.Sort(rest)
	more := min(len(rest), max(0, most-len(seen)))
	first := rand.Float64()
	for i := range more {
		n := rest[int((float64(i)+first)*float64(len(rest))/float64(more))]
		out[n] = points[n]
	}
	t.Logf("%d of them, of %d kinds", len(seen)+more, len(seen))
	return out
}

// eachPoint runs a test for each point that is not empty, the first of which is 1,
// some at once.
func eachPoint(t *testing.T, points []string, atOnce int, test func(t *testing.T, n int)) {
	next := make(chan int)
	go func() {
		defer close(next)
		for n := range points {
			if points[n] != "" {
				next <- n + 1
			}
		}
	}()
	var all sync.WaitGroup
	for range atOnce {
		all.Go(func() {
			for n := range next {
				t.Run(fmt.Sprintf("%03d %s", n, points[n-1]), func(t *testing.T) { test(t, n) })
			}
		})
	}
	all.Wait()
}

// recordPoints deploys and destroys once and returns the failpoints passed.
func recordPoints(t *testing.T) []string {
	dir := t.TempDir()
	c := child{Data: filepath.Join(dir, "data"), Listen: freeAddress(t), Trace: filepath.Join(dir, "trace")}
	p := startChild(t, c)
	roundTrip(t.Context(), t, c)
	p.stop(t)
	return c.points(t)
}

func childClient(t *testing.T, c child) *portal {
	t.Helper()
	_, port, err := net.SplitHostPort(c.Listen)
	if err != nil {
		t.Fatal(err)
	}
	cl, err := client.New("http://localhost:"+port, "")
	if err != nil {
		t.Fatal(err)
	}
	return &portal{Client: cl, t: t}
}

// follow is waitFor of a portal that may die meanwhile.
func (p *portal) follow(ctx context.Context, id string, want func(client.Instance) bool) {
	look := func() error {
		i, err := p.Instance(ctx, id)
		if err == nil && want(i) {
			return errSeen
		}
		return err
	}
	_ = p.Follow(ctx, client.Follow{Instance: id, Opened: look, Event: func(client.Event) error { return look() }})
}

func killAt(t *testing.T, n int) {
	dir := t.TempDir()
	c := child{Data: filepath.Join(dir, "data"), Listen: freeAddress(t), DieAt: n, Trace: filepath.Join(dir, "trace")}
	p := startChild(t, c)
	ctx, cancel := context.WithCancel(t.Context())
	tripped := make(chan struct{})
	go func() { defer close(tripped); roundTrip(ctx, t, c) }()
	select {
	case <-p.done: // killed, as it should be
	case <-tripped: // a point that this run did not reach: timing differs
	}
	cancel()
	<-tripped
	p.kill()

	c.DieAt = 0
	p = startChild(t, c)
	finish(t, c)
	p.stop(t)
}

// roundTrip deploys and destroys, until ctx ends or the portal is gone.
func roundTrip(ctx context.Context, t *testing.T, c child) {
	p := childClient(t, c)
	i, _, err := p.Deploy(ctx, client.DeployRequest{App: "inspector"})
	if err != nil {
		return
	}
	p.follow(ctx, i.ID, func(i client.Instance) bool { return i.Status == client.StatusRunning || i.Ended() })
	if ctx.Err() != nil {
		return
	}
	if _, err := p.Destroy(ctx, i.ID); err == nil {
		p.follow(ctx, i.ID, client.Instance.Ended)
	}
}

// finish has the portal that came back finish what the killed one began, and
// looks at what is there.
func finish(t *testing.T, c child) {
	p := childClient(t, c)
	needDocker(t)
	list, err := p.Instances(t.Context(), client.InstanceFilter{})
	if err != nil {
		t.Fatal(err)
	}
	for _, i := range list.Items {
		settled := func(i client.Instance) bool { return i.Status == client.StatusRunning || i.Ended() }
		i = p.waitFor(t.Context(), i.ID, settled)
		n := containers(t, i.ID)
		switch {
		case i.Status == client.StatusRunning && n != 1:
			t.Errorf("%s runs with %d containers", i.HostName, n)
		case i.Status == client.StatusRunning:
			if status, _ := get(t, i.URL); status != 200 {
				t.Errorf("%s answers %d", i.URL, status)
			}
			i = p.destroy(i.ID)
		}
		if i.Status != client.StatusDestroyed || i.Receipt == nil || len(i.Receipt.Left) != 0 {
			t.Errorf("it ended as %s: %s", i.Status, toJSON(i))
		}
		if left := resources(t, i.ID); len(left) != 0 {
			t.Errorf("left behind: %v", left)
		}
	}
	noLocks(t, c)
}

// noLocks looks into the database beside the portal: no Terraform state may be
// locked when nothing is under way.
func noLocks(t *testing.T, c child) {
	t.Helper()
	db, err := store.Open(t.Context(), filepath.Join(c.Data, "iap.db"), store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	locks, err := db.Locks(t.Context())
	if err != nil || len(locks) != 0 {
		t.Errorf("locks that are left: %v, %v", locks, err)
	}
}
