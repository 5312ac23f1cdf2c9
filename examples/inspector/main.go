// Command inspector shows the request that reached it, as a page and as JSON, and misbehaves on
// demand: slow answers, bad statuses, streams, a process that ends. It helps to see what stands
// between a browser and an app.
package main

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/internal-app-portal/iap/examples/internal/app"
)

func main() {
	ctx, stop := app.Signalled()
	defer stop()
	os.Exit(run(ctx))
}

func run(ctx context.Context) int {
	if reason := os.Getenv("FAIL_AT_START"); reason != "" {
		fmt.Fprint(os.Stderr, failAtStart(reason))
		return 3
	}
	logger := app.Logger(os.Stdout, "inspector")
	wait, err := startDelay(os.Getenv("START_DELAY"))
	if err != nil {
		logger.Print(err)
		return 1
	}
	if wait > 0 {
		logger.Printf("waiting %s before listening, as START_DELAY says", wait)
	}
	select {
	case <-time.After(wait):
	case <-ctx.Done():
		return 0
	}
	handler, err := newHandler(os.Environ(), logger, os.Exit)
	if err == nil {
		err = app.Run(ctx, os.Getenv, handler, logger)
	}
	if err != nil {
		logger.Print(err)
		return 1
	}
	return 0
}

// startDelay reads a duration like 2s; none is none.
func startDelay(text string) (time.Duration, error) {
	if text == "" {
		return 0, nil
	}
	d, err := time.ParseDuration(text)
	if err != nil || d < 0 {
		return 0, fmt.Errorf("START_DELAY is %q; it must be a time like 2s or 500ms", text)
	}
	return d, nil
}
