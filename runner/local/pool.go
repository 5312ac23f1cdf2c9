package local

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

// pool keeps provider processes running, one for each binary and engine. They
// have sessions of their own, and are found again by the files in dir.
type pool struct {
	dir    string
	logger *slog.Logger

	mu       sync.Mutex
	starting map[string]bool
	stopping bool
	starts   sync.WaitGroup
}

// endPatience is how long a provider may take to end after SIGINT.
const endPatience = 2 * time.Second

func newPool(dir string, logger *slog.Logger) *pool {
	return &pool{dir: dir, logger: logger, starting: map[string]bool{}}
}

// reattach returns the value of TF_REATTACH_PROVIDERS for a bundle that was
// initialised; empty, and a provider is started for the next time, when none is
// running.
func (r *Runner) reattach(bundle, binary string) string {
	provider := providerBinary(readyFolder(bundle, binary, r.cfg.CLIConfig))
	if provider == "" {
		return ""
	}
	if value := r.pool.value(provider, r.cfg.Docker); value != "" {
		return value
	}
	r.pool.startSoon(provider, r.cfg.Docker)
	return ""
}

// providerBinary returns the Docker provider that init found for a bundle, when
// it has no other one.
func providerBinary(ready string) string {
	all, _ := filepath.Glob(filepath.Join(ready, dotFolder, "providers", "*", "*", "*", "*", "*", "terraform-provider-*"))
	if len(all) != 1 || !strings.Contains(all[0], "/kreuzwerker/docker/") {
		return ""
	}
	path, err := filepath.EvalSymlinks(all[0])
	if err != nil {
		return ""
	}
	return path
}

func (p *pool) file(provider, docker string) string {
	sum := sha256.Sum256([]byte(provider + "\n" + docker))
	return filepath.Join(p.dir, hex.EncodeToString(sum[:8])+".json")
}

// value returns the variable's value when a provider answers.
func (p *pool) value(provider, docker string) string {
	var w warm
	ok, err := readJSON(p.file(provider, docker), &w)
	if err != nil || !ok || w.Socket == "" || w.Stamp != stamp(provider) || !w.Process.alive() {
		return ""
	}
	conn, err := net.DialTimeout("unix", w.Socket, 100*time.Millisecond)
	if err != nil {
		return ""
	}
	conn.Close()
	return w.value()
}

// startSoon starts a provider in the background, unless that is going on.
func (p *pool) startSoon(provider, docker string) {
	_ = p.launch(provider, docker)
}

// startNow starts a provider, unless that is going on, and waits for it.
func (p *pool) startNow(ctx context.Context, provider, docker string) error {
	started := p.launch(provider, docker)
	if started == nil {
		return nil
	}
	select {
	case err := <-started:
		return err
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// stamp tells one build of a file from another at the same path; empty when it
// is not there.
func stamp(path string) string {
	info, err := os.Stat(path)
	if err != nil {
		return ""
	}
	return fmt.Sprintf("%d %d", info.Size(), info.ModTime().UnixNano())
}

// launch starts a provider in the background and returns a channel that gets
// the outcome; nil when that is going on already.
func (p *pool) launch(provider, docker string) <-chan error {
	file := p.file(provider, docker)
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.starting[file] || p.stopping {
		return nil
	}
	p.starting[file] = true
	started := make(chan error, 1)
	p.starts.Go(func() {
		err := p.start(provider, docker)
		if err != nil {
			p.logger.Warn("a provider cannot be kept running; jobs start their own", "error", err)
		}
		p.mu.Lock()
		delete(p.starting, file)
		p.mu.Unlock()
		started <- err
	})
	return started
}

// start starts a provider and returns when it answers.
func (p *pool) start(provider, docker string) error {
	file := p.file(provider, docker)
	var old warm
	if ok, err := readJSON(file, &old); ok && err == nil {
		old.end(endPatience)
	}
	dir, err := os.MkdirTemp("", providerFolder) // short, for the path of the socket
	if err != nil {
		return err
	}
	w := warm{Binary: provider, Stamp: stamp(provider), Docker: docker, Folder: dir}
	if err := w.run(file); err != nil {
		w.end(endPatience)
		_ = os.Remove(file)
		return err
	}
	return nil
}

// run starts the process and reads where it answers. What is known is stored at
// each stage, so that a process which outlives the portal is always found.
func (w *warm) run(file string) error {
	env := os.Environ()
	if w.Docker != "" {
		env = append(env, "DOCKER_HOST="+w.Docker)
	}
	c, err := w.spawn(file, w.Folder, env)
	if err != nil {
		return err
	}
	if err := c.answer(20 * time.Second); err != nil {
		return err
	}
	return writeJSON(file, w, false)
}

// stop ends all providers, or gives up with ctx.
func (p *pool) stop(ctx context.Context) {
	p.mu.Lock()
	p.stopping = true
	p.mu.Unlock()
	done := make(chan struct{})
	go func() {
		defer close(done)
		p.starts.Wait()
		files, _ := filepath.Glob(filepath.Join(p.dir, "*.json"))
		for _, file := range files {
			var w warm
			if ok, err := readJSON(file, &w); ok && err == nil {
				w.end(endPatience)
			}
			_ = os.Remove(file)
		}
	}()
	select {
	case <-done:
	case <-ctx.Done():
	}
}
