package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"time"

	"github.com/internal-app-portal/iap/client"
)

// wantSweep bounds the sweep's time by that of destroying by hand.
const wantSweep = 1.2

// measureSweep times the nightly sweep of real containers against as many plain
// destroys with the same parallelism, and a sweep without containers.
func measureSweep(ctx context.Context, b *bench, out *Part) error {
	n := b.times(b.swept, 8)
	swept, err := b.sweepAll(ctx, n)
	if err != nil {
		return err
	}
	byHand, err := b.destroyAll(ctx, n)
	if err != nil {
		return err
	}
	out.Figures = append(out.Figures, compare(fmt.Sprintf("Sweep of %d containers, %d jobs in parallel", n, b.parallel), "s",
		[]float64{seconds(swept)}, "plain "+b.tool.name+" destroy", []float64{seconds(byHand)}, wantSweep))
	text, err := b.goTests(ctx, []string{"-bench", "^BenchmarkSweep$", "-benchtime", "1x", "./instance"})
	if err != nil {
		return err
	}
	return out.addAll(sweepFigures, text)
}

// sweepFigures are of the sweep without containers.
var sweepFigures = []engineFigure{
	{"Sweep", "seconds", "Sweep of 5,000 instances whose jobs end at once, SQLite", "s", 0, 0},
	{"Sweep", "answer-p99-ms", "Meanwhile: a list of 50 instances, or a commit, p99", "ms", 0, 0},
	{"Sweep", "answer-max-ms", "Meanwhile: a list of 50 instances, or a commit, the longest", "ms", 0, 0},
}

// sweepAll deploys n instances and returns how long the command takes that
// sweeps them.
func (b *bench) sweepAll(ctx context.Context, n int) (time.Duration, error) {
	data, err := b.folder("sweep")
	if err != nil {
		return 0, err
	}
	p, err := b.startPortal(ctx, data)
	if err != nil {
		return 0, err
	}
	defer p.remove()
	w, err := p.watch(ctx)
	if err != nil {
		return 0, err
	}
	defer w.close()
	apps, err := p.addApps(ctx, "swept", "iap-example-whiteboard:1", n)
	if err != nil {
		return 0, err
	}
	err = together(n, n, func(k int) error {
		i, _, err := p.Deploy(ctx, client.DeployRequest{App: apps[k]})
		if err == nil {
			_, err = w.until(ctx, i.ID, client.StatusRunning)
		}
		return err
	})
	if err != nil {
		return 0, err
	}
	if err := rest(ctx); err != nil {
		return 0, err
	}
	cmd := exec.CommandContext(ctx, b.options.portal, "schedule", "run", "nightly", "--wait")
	cmd.Env = append(os.Environ(), "IAP_SERVER="+p.url)
	begun := time.Now()
	text, err := cmd.CombinedOutput()
	took := time.Since(begun)
	if err != nil {
		return 0, fmt.Errorf("iap schedule run nightly: %w: %s", err, lastOf(text))
	}
	return took, p.sweptAll(ctx, n)
}

// sweptAll checks that the last sweep has destroyed n instances, and no other.
func (p *portal) sweptAll(ctx context.Context, n int) error {
	firings, err := p.Firings(ctx, "nightly", 1)
	if err != nil || len(firings) == 0 {
		return fmt.Errorf("the sweep is not listed: %w", err)
	}
	r, err := p.Sweep(ctx, firings[0].Execution)
	if err == nil && (r.Destroyed != n || r.Kept+r.Failed > 0) {
		err = fmt.Errorf("the sweep has destroyed %d of %d, kept %d, failed with %d", r.Destroyed, n, r.Kept, r.Failed)
	}
	return err
}

// destroyAll deploys n by hand and returns how long it takes to destroy them,
// as many at once as the portal has jobs.
func (b *bench) destroyAll(ctx context.Context, n int) (time.Duration, error) {
	s := b.subjects()[0].plain
	dirs := make([]string, n)
	defer b.clean(ctx, runLabel+"="+b.id)
	err := together(n, b.parallel, func(k int) (err error) {
		if dirs[k], err = s.prepare(fmt.Sprintf("bench-%s-%d", b.id, k)); err != nil {
			return err
		}
		_, err = s.deploy(ctx, dirs[k], false)
		return err
	})
	if err != nil {
		return 0, err
	}
	if err := rest(ctx); err != nil {
		return 0, err
	}
	begun := time.Now()
	err = together(n, b.parallel, func(k int) error {
		_, err := s.run(ctx, dirs[k], "destroy", "-auto-approve", "-input=false", "-no-color")
		return err
	})
	return time.Since(begun), err
}
