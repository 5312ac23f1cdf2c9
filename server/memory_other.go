//go:build !linux

package server

import "runtime/debug"

// giveBack returns to the system the memory that the start alone needed.
func giveBack() { debug.FreeOSMemory() }
