package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/internal-app-portal/iap/catalog"
	"github.com/internal-app-portal/iap/client"
)

// subject is an app that is deployed through the portal and by hand.
type subject struct {
	title, app string
	want       float64 // bound of portal / plain
	plain      plain
}

func (b *bench) subjects() []subject {
	todo := plain{b: b, tool: b.tool, bundle: "examples/todo/bundle", image: "iap-example-todo:1", page: "/",
		values: map[string]any{"title": "Our list"}}
	return []subject{
		{"built-in bundle", "whiteboard", 0.55,
			plain{b: b, tool: b.tool, bundle: "platform/docker/bundle", image: "iap-example-whiteboard:1", page: "/"}},
		{"app's own bundle", ownNetwork, 0.85, todo},
		{"app's own bundle in the portal's network", "todo", 0.85, todo},
	}
}

// ownNetwork is an app like the to-do list whose bundle makes its network itself.
const ownNetwork = "todo-own-network"

// addOwnNetwork puts it into the catalogue.
func (p *portal) addOwnNetwork(ctx context.Context) error {
	up, err := catalog.LoadDir(filepath.Join(p.b.root, "examples/todo"))
	if err != nil {
		return err
	}
	manifest := string(up.Manifest)
	for _, change := range [][2]string{{"slug: todo\n", "slug: " + ownNetwork + "\n"}, {"network: portal\n", "network: bundle\n"}} {
		if !strings.Contains(manifest, change[0]) {
			return fmt.Errorf("examples/todo/iap.yaml has no %q", change[0])
		}
		manifest = strings.Replace(manifest, change[0], change[1], 1)
	}
	_, _, err = p.AddApp(ctx, client.Upload{Manifest: []byte(manifest), Bundle: up.Bundle, Icon: up.Icon, SkipCertification: true})
	return err
}

// measureDeploy times the way from the click to the first 200, each round by
// the portal, by hand and by docker run, in changing order.
func measureDeploy(ctx context.Context, b *bench, out *Part) error {
	data, err := b.folder("deploy")
	if err != nil {
		return err
	}
	p, err := b.startPortal(ctx, data)
	if err != nil {
		return err
	}
	defer p.remove()
	w, err := p.watch(ctx)
	if err != nil {
		return err
	}
	defer w.close()
	if err := p.addOwnNetwork(ctx); err != nil {
		return err
	}
	for _, s := range b.subjects() {
		if err := b.compareDeploys(ctx, p, w, s, out); err != nil {
			return fmt.Errorf("%s: %w", s.title, err)
		}
	}
	return nil
}

func (b *bench) compareDeploys(ctx context.Context, p *portal, w *watcher, s subject, out *Part) error {
	first, err := p.cycle(ctx, w, s.app)
	if err != nil {
		return err
	}
	var ways waysOfDeploy
	for n := range b.times(b.rounds, 3) {
		order := []func() error{
			func() error { return ways.portal(ctx, p, w, s.app) },
			func() error { return ways.byHand(ctx, s.plain) },
			func() error { return ways.docker(ctx, s.plain) },
		}
		if n%2 == 1 {
			slices.Reverse(order)
		}
		for _, way := range order {
			if err := rest(ctx); err != nil {
				return err
			}
			if err := way(); err != nil {
				return err
			}
		}
		b.clean(ctx, runLabel+"="+b.id)
	}
	out.Figures = append(out.Figures,
		compare("Click → first 200, "+s.title, "s", ways.click, "plain "+b.tool.name+" init, apply, output", ways.plain, s.want),
		compare("the same", "s", ways.click, "docker run", ways.run, 0),
		compare("Destroy, click → receipt, "+s.title, "s", ways.destroy, "", nil, 0),
		compare("First deploy of the version, "+s.title, "s", []float64{seconds(first.total)}, "", nil, 0))
	out.Figures = append(out.Figures, ways.where(s.title)...)
	return nil
}

// restBetween is how long everything rests before a way is timed: the engine and
// the kernel take a container and its network apart for a while after they have
// said that these are gone, and the portal makes ready for the next deploy.
const restBetween = time.Second

func rest(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-time.After(restBetween):
		return nil
	}
}

// waysOfDeploy collects seconds.
type waysOfDeploy struct {
	click, plain, run, destroy []float64
	cycles                     []cycle
	hand                       []plainTimes
}

func (v *waysOfDeploy) portal(ctx context.Context, p *portal, w *watcher, app string) error {
	c, err := p.cycle(ctx, w, app)
	v.click, v.destroy = append(v.click, seconds(c.total)), append(v.destroy, seconds(c.destroy))
	v.cycles = append(v.cycles, c)
	return err
}

func (v *waysOfDeploy) byHand(ctx context.Context, p plain) error {
	dir, err := p.prepare("bench-" + p.b.id + "-hand")
	if err != nil {
		return err
	}
	t, err := p.deploy(ctx, dir, false)
	v.plain, v.hand = append(v.plain, seconds(t.total)), append(v.hand, t)
	p.b.clean(ctx, runLabel+"="+p.b.id)
	return err
}

func (v *waysOfDeploy) docker(ctx context.Context, p plain) error {
	took, err := p.b.dockerRun(ctx, p.image, p.page)
	v.run = append(v.run, seconds(took))
	return err
}

// where says in which step the time goes, on both ways, in milliseconds.
func (v *waysOfDeploy) where(title string) []Figure {
	var out []Figure
	add := func(name string, values []float64) {
		out = append(out, compare("… "+name+", "+title, "ms", values, "", nil, 0))
	}
	for _, step := range cycleSteps {
		var values []float64
		for _, c := range v.cycles {
			if d, ok := c.steps[step]; ok {
				values = append(values, millis(d))
			}
		}
		if len(values) > 0 {
			add("portal: "+step, values)
		}
	}
	for _, step := range []struct {
		name string
		of   func(plainTimes) time.Duration
	}{
		{"by hand: init", func(t plainTimes) time.Duration { return t.init }},
		{"by hand: apply", func(t plainTimes) time.Duration { return t.apply }},
		{"by hand: output", func(t plainTimes) time.Duration { return t.output }},
		{"by hand: first 200", func(t plainTimes) time.Duration { return t.first }},
	} {
		var values []float64
		for _, t := range v.hand {
			values = append(values, millis(step.of(t)))
		}
		add(step.name, values)
	}
	return out
}

// cycle is one life of an instance.
type cycle struct {
	total   time.Duration // from the click to the first 200
	destroy time.Duration // from the click to the receipt
	steps   map[string]time.Duration
}

// cycle deploys an app, asks for its first page, and destroys it.
func (p *portal) cycle(ctx context.Context, w *watcher, app string) (c cycle, err error) {
	web := p.http()
	defer web.CloseIdleConnections()
	i, click, answered, shown, err := p.deployOne(ctx, w, web, app)
	if err != nil {
		return c, err
	}
	c.total = shown.Sub(click)
	if c.steps, err = p.steps(ctx, w, i.ID, click, answered, shown); err != nil {
		return c, err
	}
	c.destroy, err = p.destroyOne(ctx, w, i)
	return c, err
}

// deployOne clicks, waits to be told the address, and asks for the page there
// until it answers 200.
func (p *portal) deployOne(ctx context.Context, w *watcher, web *http.Client, app string) (i client.Instance, click, answered, shown time.Time, err error) {
	click = time.Now()
	i, created, err := p.Deploy(ctx, client.DeployRequest{App: app})
	answered = time.Now()
	if err == nil && !created {
		err = fmt.Errorf("there was an instance of %s already: %s", app, i.HostName)
	}
	if err != nil {
		return i, click, answered, shown, err
	}
	if i, err = w.until(ctx, i.ID, client.StatusRunning); err != nil {
		return i, click, answered, shown, err
	}
	if i.URL == "" {
		return i, click, answered, shown, errors.New("a running instance has no URL")
	}
	err = first200(ctx, web, i.URL)
	return i, click, answered, time.Now(), err
}

// destroyOne destroys an instance and checks its receipt.
func (p *portal) destroyOne(ctx context.Context, w *watcher, i client.Instance) (time.Duration, error) {
	begun := time.Now()
	if _, err := p.Destroy(ctx, i.ID); err != nil {
		return 0, err
	}
	end, err := w.until(ctx, i.ID, client.StatusDestroyed)
	took := time.Since(begun)
	if err == nil && (end.Receipt == nil || len(end.Receipt.Left) > 0) {
		err = fmt.Errorf("%s has no receipt of 0 left: %+v", i.HostName, end.Receipt)
	}
	return took, err
}
