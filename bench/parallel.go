package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/internal-app-portal/iap/client"
)

const (
	// atOnce is how many are deployed at once.
	atOnce = 20
	// wantParallel bounds the portal's time by the plain one's.
	wantParallel = 0.85
)

// measureParallel times twenty deploys at once against twenty plain applies of
// the same bundle with the same parallelism, in turn.
func measureParallel(ctx context.Context, b *bench, out *Part) error {
	data, err := b.folder("parallel")
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
	apps, err := p.addApps(ctx, "bench", "iap-example-whiteboard:1", b.times(atOnce, 6))
	if err != nil {
		return err
	}
	if _, err := p.cycle(ctx, w, apps[0]); err != nil { // the bundle is initialised then
		return err
	}
	s := b.subjects()[0]
	var portal, whole, applied []float64
	for range b.times(3, 1) {
		took, err := p.deployAll(ctx, w, apps)
		if err != nil {
			return err
		}
		portal = append(portal, seconds(took))
		for _, way := range []struct {
			initialised bool
			into        *[]float64
		}{{false, &whole}, {true, &applied}} {
			took, err := b.applyAll(ctx, s.plain, len(apps), way.initialised)
			if err != nil {
				return err
			}
			*way.into = append(*way.into, seconds(took))
		}
	}
	name := fmt.Sprintf("%d deploys at once, %d jobs in parallel", len(apps), b.parallel)
	out.Figures = append(out.Figures,
		compare(name, "s", portal, "plain "+b.tool.name+" init, apply, output", whole, wantParallel),
		compare("the same", "s", portal, "apply, output alone, in folders initialised before", applied, 0))
	return nil
}

// addApps puts apps of one image into the catalogue: one person has at most
// one instance of each.
func (p *portal) addApps(ctx context.Context, slug, image string, n int) ([]string, error) {
	var out []string
	for k := range n {
		name := fmt.Sprintf("%s-%02d", slug, k+1)
		manifest := fmt.Sprintf("slug: %s\nname: Measurement %d\nimage: %s\nport: 8080\nhealth: {path: /healthz}\n"+
			"limits: {memory: 64MiB, cpus: 0.5, pids: 64}\n", name, k+1, image)
		if _, _, err := p.AddApp(ctx, client.Upload{Manifest: []byte(manifest), SkipCertification: true}); err != nil {
			return nil, err
		}
		out = append(out, name)
	}
	return out, nil
}

// deployAll deploys all apps at once and returns when the last page was there;
// then it destroys them.
func (p *portal) deployAll(ctx context.Context, w *watcher, apps []string) (time.Duration, error) {
	web := p.http()
	defer web.CloseIdleConnections()
	instances := make([]client.Instance, len(apps))
	begun := time.Now()
	err := together(len(apps), len(apps), func(n int) (err error) {
		instances[n], _, _, _, err = p.deployOne(ctx, w, web, apps[n])
		return err
	})
	took := time.Since(begun)
	return took, errors.Join(err, together(len(apps), len(apps), func(n int) error {
		if instances[n].ID == "" {
			return nil
		}
		_, err := p.destroyOne(ctx, w, instances[n])
		return err
	}))
}

// applyAll deploys as often by hand, as many at once as the portal has jobs.
func (b *bench) applyAll(ctx context.Context, p plain, n int, initialised bool) (time.Duration, error) {
	dirs := make([]string, n)
	for k := range dirs {
		dir, err := p.prepare(fmt.Sprintf("bench-%s-%d", b.id, k))
		if err == nil && initialised {
			err = p.init(ctx, dir)
		}
		if err != nil {
			return 0, err
		}
		dirs[k] = dir
	}
	defer b.clean(ctx, runLabel+"="+b.id)
	begun := time.Now()
	err := together(n, b.parallel, func(k int) error {
		_, err := p.deploy(ctx, dirs[k], initialised)
		return err
	})
	return time.Since(begun), err
}

// together calls fn for 0 to n-1, at most limit at once, and joins the errors.
func together(n, limit int, fn func(int) error) error {
	errs := make([]error, n)
	places := make(chan struct{}, limit)
	var all sync.WaitGroup
	for k := range n {
		all.Go(func() {
			places <- struct{}{}
			defer func() { <-places }()
			errs[k] = fn(k)
		})
	}
	all.Wait()
	return errors.Join(errs...)
}
