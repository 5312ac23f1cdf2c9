// Command temporal measures Temporal's server with its SQLite store as a
// reference for the engine's measurements: workflows, each with a number of
// activities that do nothing, one after the other.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"go.temporal.io/sdk/client"
	sdklog "go.temporal.io/sdk/log"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"
)

// result is what is printed, as JSON.
type result struct {
	Workflows  int     `json:"workflows"`
	Activities int     `json:"activities"` // of all workflows
	AtOnce     int     `json:"at_once"`
	Seconds    float64 `json:"seconds"`
	PerSecond  float64 `json:"activities_per_second"`
}

func main() {
	workflows := flag.Int("workflows", 32, "how many workflows to run")
	activities := flag.Int("activities", 5, "activities of each workflow")
	atOnce := flag.Int("at-once", 16, "workflows at the same time")
	flag.Parse()
	if err := run(*workflows, *activities, *atOnce); err != nil {
		fmt.Fprintln(os.Stderr, "temporal:", err)
		os.Exit(1)
	}
}

func run(workflows, activities, atOnce int) error {
	dir, err := os.MkdirTemp("", "iap-temporal-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	s, address, err := startServer(filepath.Join(dir, "temporal.db"))
	if err != nil {
		return err
	}
	defer func() { _ = s.Stop() }()
	c, err := dial(address)
	if err != nil {
		return err
	}
	defer c.Close()
	w := worker.New(c, queue, worker.Options{MaxConcurrentWorkflowTaskPollers: 8, MaxConcurrentActivityTaskPollers: 8})
	w.RegisterWorkflow(chain)
	w.RegisterActivity(nothing)
	if err := w.Start(); err != nil {
		return err
	}
	defer w.Stop()
	if _, err := measure(c, 2, 1, 2); err != nil { // the first ones are slow
		return err
	}
	r, err := measure(c, workflows, activities, atOnce)
	if err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(r)
}

// dial waits until the server answers.
func dial(address string) (client.Client, error) {
	deadline := time.Now().Add(time.Minute)
	for {
		c, err := client.Dial(client.Options{HostPort: address, Namespace: namespace, Logger: quiet{}})
		if err == nil || time.Now().After(deadline) {
			return c, err
		}
		time.Sleep(100 * time.Millisecond)
	}
}

const queue = "measure"

// chain calls its activities one after the other.
func chain(ctx workflow.Context, activities int) error {
	ctx = workflow.WithActivityOptions(ctx, workflow.ActivityOptions{StartToCloseTimeout: time.Minute})
	for n := range activities {
		if err := workflow.ExecuteActivity(ctx, nothing, n).Get(ctx, nil); err != nil {
			return err
		}
	}
	return nil
}

func nothing(_ context.Context, n int) (int, error) { return n, nil }

func measure(c client.Client, workflows, activities, atOnce int) (result, error) {
	r := result{Workflows: workflows, Activities: workflows * activities, AtOnce: atOnce}
	places, failures := make(chan struct{}, atOnce), make(chan error, workflows)
	var all sync.WaitGroup
	began := time.Now()
	for range workflows {
		places <- struct{}{}
		all.Go(func() {
			defer func() { <-places }()
			run, err := c.ExecuteWorkflow(context.Background(), client.StartWorkflowOptions{TaskQueue: queue}, chain, activities)
			if err == nil {
				err = run.Get(context.Background(), nil)
			}
			if err != nil {
				failures <- err
			}
		})
	}
	all.Wait()
	r.Seconds = time.Since(began).Seconds()
	r.PerSecond = float64(r.Activities) / r.Seconds
	select {
	case err := <-failures:
		return r, err
	default:
		return r, nil
	}
}

// quiet keeps the client's log out of the result.
type quiet struct{}

var _ sdklog.Logger = quiet{}

func (quiet) Debug(string, ...any) {}
func (quiet) Info(string, ...any)  {}
func (quiet) Warn(string, ...any)  {}
func (quiet) Error(string, ...any) {}
