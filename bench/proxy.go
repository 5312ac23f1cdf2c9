package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/internal-app-portal/iap/client"
)

const (
	clients = 32
	// level is how far below Caddy's a rate, or above it a latency, may be and
	// still count as level: two runs of Caddy differ by as much.
	level = 0.03
)

// measureProxy asks for the same pages of the same container through the
// portal, through Caddy, and straight, in turn.
func measureProxy(ctx context.Context, b *bench, out *Part) error {
	data, err := b.folder("proxy")
	if err != nil {
		return err
	}
	p, err := b.startPortal(ctx, data)
	if err != nil {
		return err
	}
	defer p.remove()
	i, upstream, err := p.target(ctx, b)
	if err != nil {
		return err
	}
	host := strings.TrimPrefix(i.URL, "http://")
	host = strings.TrimSuffix(host, "/")
	caddy, caddyPID, stop, err := b.startCaddy(ctx, upstream)
	if err != nil {
		return err
	}
	defer stop()
	pages := []struct {
		name, path string
		size       int64
	}{{"small body (3 bytes)", "/healthz", 3}, {"body of 1 MB", "/bytes/1000000", 1000000}}
	for _, page := range pages {
		ways := []load{
			{p.addr, host, page.path, clients, page.size, p.cmd.Process.Pid},
			{caddy, "instance.localhost", page.path, clients, page.size, caddyPID},
			{upstream, upstream, page.path, clients, page.size, 0},
		}
		got, err := b.inTurn(ctx, ways)
		if err != nil {
			return err
		}
		out.Figures = append(out.Figures, proxyFigures(page.name, got)...)
	}
	return nil
}

// target deploys an app that may use all cores, and returns it with its
// address behind the proxy.
func (p *portal) target(ctx context.Context, b *bench) (client.Instance, string, error) {
	manifest := "slug: target\nname: Target\nimage: iap-example-inspector:1\nport: 8080\nhealth: {path: /healthz}\n" +
		"limits: {memory: 256MiB, cpus: 2, pids: 256}\n"
	var none client.Instance
	if _, _, err := p.AddApp(ctx, client.Upload{Manifest: []byte(manifest), SkipCertification: true}); err != nil {
		return none, "", err
	}
	w, err := p.watch(ctx)
	if err != nil {
		return none, "", err
	}
	defer w.close()
	web := p.http()
	defer web.CloseIdleConnections()
	i, _, _, _, err := p.deployOne(ctx, w, web, "target")
	if err != nil {
		return none, "", err
	}
	address, err := b.published(ctx, i.ID)
	return i, address, err
}

// published returns where the port of an instance's container is.
func (b *bench) published(ctx context.Context, instance string) (string, error) {
	id, err := exec.CommandContext(ctx, "docker", "ps", "-q", "--filter", "label=iap.instance="+instance).Output()
	if err != nil || len(strings.Fields(string(id))) != 1 {
		return "", fmt.Errorf("the container of instance %s is not found: %v %q", instance, err, id)
	}
	port, err := exec.CommandContext(ctx, "docker", "port", strings.TrimSpace(string(id)), "8080/tcp").Output()
	if err != nil {
		return "", fmt.Errorf("docker port: %w", err)
	}
	line, _, _ := strings.Cut(string(port), "\n")
	return strings.TrimSpace(line), nil
}

// rounds are what the rounds of one way brought, each a number.
type rounds struct{ rate, late, cpu []float64 }

// inTurn runs rounds of all ways, each second one in the reverse order, after
// one round of each that does not count.
func (b *bench) inTurn(ctx context.Context, ways []load) ([]rounds, error) {
	out := make([]rounds, len(ways))
	order := make([]int, len(ways))
	for n := range order {
		order[n] = n
	}
	for round := -1; round < b.times(10, 2); round++ {
		for _, n := range order {
			length := 3 * time.Second
			if round < 0 {
				length = time.Second
			}
			r, err := ways[n].run(ctx, length)
			if err != nil {
				return nil, err
			}
			if round >= 0 {
				o := &out[n]
				o.rate, o.late, o.cpu = append(o.rate, r.rate), append(o.late, stats(r.latencies).P99), append(o.cpu, r.cpu)
			}
		}
		slices.Reverse(order)
	}
	return out, nil
}

// proxyFigures compares way 0, the portal, with way 1, Caddy, and shows way 2,
// the app without a proxy.
func proxyFigures(name string, got []rounds) []Figure {
	portal, caddy, straight := got[0], got[1], got[2]
	rate := compare("Requests per second, "+name, "1/s", portal.rate, "Caddy", caddy.rate, 0)
	rate.Checks = []Check{atLeast("median / median", ratio(rate.Portal.Median, rate.Reference.Median), 1-level)}
	p99 := compare("p99 of a round, "+name, "ms", portal.late, "Caddy", caddy.late, 0)
	p99.Checks = []Check{atMost("median / median", ratio(p99.Portal.Median, p99.Reference.Median), 1+level)}
	return []Figure{rate, p99,
		compare("Processor time of a request, "+name, "ms", portal.cpu, "Caddy", caddy.cpu, 0),
		compare("the same, requests per second", "1/s", portal.rate, "the app without a proxy", straight.rate, 0),
		compare("the same, p99 of a round", "ms", portal.late, "the app without a proxy", straight.late, 0)}
}

// startCaddy starts Caddy in front of upstream, with nothing but the proxy.
func (b *bench) startCaddy(ctx context.Context, upstream string) (addr string, pid int, stop func(), err error) {
	program, err := exec.LookPath("caddy")
	if err != nil {
		return "", 0, nil, errors.New("caddy is not there; build it with: scripts/setup.sh caddy")
	}
	port, err := freePort()
	if err != nil {
		return "", 0, nil, err
	}
	dir, err := b.folder("caddy")
	if err != nil {
		return "", 0, nil, err
	}
	file := filepath.Join(dir, "Caddyfile")
	config := "{\n\tadmin off\n\tpersist_config off\n\tauto_https off\n\tlog {\n\t\tlevel ERROR\n\t}\n}\n" +
		"http://instance.localhost:" + strconv.Itoa(port) + " {\n\tbind 127.0.0.1\n\treverse_proxy " + upstream + "\n}\n"
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		return "", 0, nil, err
	}
	cmd := exec.Command(program, "run", "--config", file, "--adapter", "caddyfile")
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "XDG_DATA_HOME="+dir, "XDG_CONFIG_HOME="+dir, "HOME="+dir)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		return "", 0, nil, err
	}
	stop = func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		_ = cmd.Wait()
	}
	addr = "127.0.0.1:" + strconv.Itoa(port)
	if err := caddyReady(ctx, addr); err != nil {
		stop()
		return "", 0, nil, err
	}
	return addr, cmd.Process.Pid, stop, nil
}

func caddyReady(ctx context.Context, addr string) error {
	web := clientTo(addr)
	defer web.CloseIdleConnections()
	return first200(ctx, web, "http://instance.localhost/healthz")
}
