// Package lifetimetest holds the stress test that every service passes.
package lifetimetest

import (
	"context"
	"runtime"
	"sync"
	"testing"

	"github.com/internal-app-portal/iap/lifetime"
)

// Stress starts and stops services that make returns: once each, stopped
// without a start, stopped by many at once; afterwards no goroutine may be
// left over.
func Stress(t *testing.T, rounds int, make func() lifetime.Service) {
	t.Helper()
	before := runtime.NumGoroutine()
	for range rounds {
		s := make()
		if err := s.Start(t.Context()); err != nil {
			t.Fatalf("start: %v", err)
		}
		var all sync.WaitGroup
		for range 4 {
			all.Go(func() {
				if err := s.Stop(context.WithoutCancel(t.Context())); err != nil {
					t.Errorf("stop: %v", err)
				}
			})
		}
		all.Wait()
	}
	if err := make().Stop(t.Context()); err != nil {
		t.Errorf("stop without a start: %v", err)
	}
	for range 1000 {
		if runtime.NumGoroutine() <= before {
			return
		}
		runtime.Gosched()
	}
	if n := runtime.NumGoroutine(); n > before+2 {
		buf := [1 << 16]byte{}
		t.Errorf("%d goroutines are left over\n%s", n-before, buf[:runtime.Stack(buf[:], true)])
	}
}
