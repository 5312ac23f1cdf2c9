package local

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/job"
)

// Warm prepares a built-in bundle before its first job: it initialises it and,
// with Config.WarmProvider and Config.Spare, starts its provider and the first
// spare supervisor. It returns when they are ready, or soon after ctx has ended,
// with its cause.
// Jobs do not depend on it; they are only quicker after it.
func (r *Runner) Warm(ctx context.Context, key string) error {
	const op = "local.Warm"
	if !validKey(key) {
		return iap.FieldErrorf(op, "key", "%.80q is not the key of a bundle", key)
	}
	binary, err := r.terraform()
	if err != nil {
		return err
	}
	bundle, err := r.unpack(ctx, key)
	if err != nil {
		return err
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	removeLeftovers(bundle)
	ready := readyFolder(bundle, binary, r.cfg.CLIConfig)
	if _, err := os.Stat(ready); err != nil {
		if err := r.initialise(ctx, bundle, binary, ready); err != nil {
			return err
		}
	}
	provider := providerBinary(ready)
	if !r.cfg.WarmProvider || provider == "" {
		return nil
	}
	if r.pool.value(provider, r.cfg.Docker) == "" {
		if err := r.pool.startNow(ctx, provider, r.cfg.Docker); err != nil {
			return err
		}
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	p := r.plan(job.Spec{Kind: job.Apply, BuiltIn: true}, binary, bundle)
	if p.Reattach = r.reattach(bundle, binary); r.cfg.Spare && p.sparable() {
		r.spares.now(ctx, p)
	}
	return nil
}

// initialise makes a bundle ready as the first job's supervisor would.
func (r *Runner) initialise(ctx context.Context, bundle, binary, ready string) error {
	const op = "local.Warm"
	dir, err := os.MkdirTemp(bundle, ".warm-")
	if err != nil {
		return failed(op, err)
	}
	defer os.RemoveAll(dir)
	s, err := newSupervisor(folder(dir), r.plan(job.Spec{Grace: time.Second}, binary, bundle))
	if err != nil {
		return failed(op, err)
	}
	defer s.log.close()
	defer s.clean()
	if err := s.makeFolders(); err != nil {
		return failed(op, err)
	}
	if err := s.init(ctx, ready); err != nil {
		return iap.E(op, iap.Unavailable, err)
	}
	return nil
}

// removeLeftovers removes what processes that were killed left in a bundle's
// folder; what is younger than an hour may be in use.
func removeLeftovers(bundle string) {
	entries, err := os.ReadDir(bundle)
	if err != nil {
		return
	}
	for _, e := range entries {
		info, err := e.Info()
		if err == nil && strings.HasPrefix(e.Name(), ".") && time.Since(info.ModTime()) > time.Hour {
			_ = os.RemoveAll(filepath.Join(bundle, e.Name()))
		}
	}
}
