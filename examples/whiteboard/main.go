// Command whiteboard is a board on which several people draw at the same time. The board lives in
// memory, as long as the process does.
package main

import (
	"os"
	"runtime/debug"

	"github.com/internal-app-portal/iap/examples/internal/app"
)

// memoryTarget makes the garbage collector work harder well before a container of 64 MiB is full.
const memoryTarget = 48 << 20 // bytes

func main() {
	debug.SetMemoryLimit(memoryTarget)
	ctx, stop := app.Signalled()
	defer stop()
	logger := app.Logger(os.Stdout, "whiteboard")
	handler, err := newHandler(&Hub{}, logger)
	if err == nil {
		err = app.Run(ctx, os.Getenv, handler, logger)
	}
	if err != nil {
		logger.Print(err)
		os.Exit(1)
	}
}
