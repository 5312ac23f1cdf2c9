// Command bench measures the portal against what people would use without it,
// on this machine and in one run, the two in turn: plain OpenTofu, docker run,
// Caddy. It writes the figures as JSON and the table in docs/benchmarks.md.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"
)

// options are what the command line decides.
type options struct {
	out, doc, only, portal  string
	rounds, parallel, swept int
	quick, render           bool
}

// part is one of the things that are measured; it adds its figures to p.
type part struct {
	name, title string
	run         func(ctx context.Context, b *bench, p *Part) error
}

func parts() []part {
	return []part{
		{"deploy", "From the click to the first 200", measureDeploy},
		{"parallel", "Twenty deploys at once", measureParallel},
		{"live", "From the commit to the page", measureLive},
		{"proxy", "The proxy against Caddy", measureProxy},
		{"idle", "Memory and start with 10,000 past instances", measureIdle},
		{"engine", "The engine of state machines", measureEngine},
		{"events", "From the commit to those who wait for it", measureEvents},
		{"streams", "A thousand open streams", measureStreams},
		{"sweep", "The sweep against destroying by hand", measureSweep},
	}
}

func main() {
	var o options
	flag.StringVar(&o.out, "o", "docs/benchmarks.json", "`file` for the figures; parts that are not run keep theirs")
	flag.StringVar(&o.doc, "doc", "docs/benchmarks.md", "`file` with the table between its markers")
	flag.StringVar(&o.only, "only", "", "`parts` to run, with commas: deploy,parallel,live,proxy,idle,engine,events,streams,sweep")
	flag.StringVar(&o.portal, "portal", "bin/iap", "the portal's `program`")
	flag.IntVar(&o.rounds, "rounds", 20, "`number` of deploys that are timed for each bundle")
	flag.IntVar(&o.parallel, "parallel", 4, "`number` of jobs at once: the portal's default")
	flag.IntVar(&o.swept, "swept", 100, "`number` of containers that are swept")
	flag.BoolVar(&o.quick, "quick", false, "few rounds, to try the measurement itself")
	flag.BoolVar(&o.render, "render", false, "measure nothing: write the table from the figures that there are")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, o)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// run measures the chosen parts. What one part brought is kept when a later
// one fails.
func run(ctx context.Context, o options) error {
	chosen, err := choose(o.only)
	if err != nil {
		return err
	}
	report, err := readReport(o.out)
	if err != nil {
		return err
	}
	if o.render {
		return renderDoc(o.doc, report)
	}
	b, err := newBench(ctx, o)
	if err != nil {
		return err
	}
	defer b.close()
	var failed error
	for _, p := range chosen {
		b.say("%s: %s", p.name, p.title)
		got := Part{Name: p.name, Title: p.title, At: time.Now().UTC().Truncate(time.Second), Machine: b.machine(ctx), Quick: o.quick}
		if err := p.run(ctx, b, &got); err != nil {
			failed = errors.Join(failed, fmt.Errorf("%s: %w", p.name, err))
			if ctx.Err() != nil {
				break
			}
			b.say("%s: %v", p.name, err)
			continue
		}
		got.Seconds = round(time.Since(got.At).Seconds())
		got.print(b.say)
		report.put(got)
		if err := errors.Join(report.write(o.out), renderDoc(o.doc, report)); err != nil {
			return errors.Join(failed, err)
		}
	}
	return failed
}

func choose(only string) ([]part, error) {
	all := parts()
	if only == "" {
		return all, nil
	}
	var names []string
	for _, p := range all {
		names = append(names, p.name)
	}
	want := strings.Split(only, ",")
	for _, name := range want {
		if !slices.Contains(names, name) {
			return nil, fmt.Errorf("-only: there is no part %q; parts: %s", name, strings.Join(names, ","))
		}
	}
	return slices.DeleteFunc(all, func(p part) bool { return !slices.Contains(want, p.name) }), nil
}

// moduleRoot is the folder with go.mod at or above the working folder.
func moduleRoot() (string, error) {
	dir, err := os.Getwd()
	for err == nil {
		if _, statErr := os.Stat(filepath.Join(dir, "go.mod")); statErr == nil {
			return dir, nil
		}
		if dir == filepath.Dir(dir) {
			return "", errors.New("run it in the project's folder: go run ./bench")
		}
		dir = filepath.Dir(dir)
	}
	return "", err
}
