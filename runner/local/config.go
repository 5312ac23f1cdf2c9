package local

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/job"
)

// Config is what a Runner is made of. Data and Bundles are required.
type Config struct {
	Data    string      // folder in which the Runner keeps "jobs", "bundles", "providers" and "spares"
	Bundles job.Bundles // where the files of bundles come from

	Binary    string // tofu or terraform; empty: found as FindTerraform says
	CLIConfig string // CLI configuration file; empty: found as FindCLIConfig says
	// Docker is passed on as DOCKER_HOST; empty: that of the portal's environment.
	Docker string

	// WarmProvider keeps the Docker provider of built-in bundles running, which
	// saves its start in each job.
	WarmProvider bool
	// Spare keeps, where a provider is kept running, one supervisor with a tool
	// that waits for the next apply of the built-in bundle, which saves the
	// start of both. It ends when nothing was deployed for a while. On Linux alone.
	Spare bool
	// KeepProviders leaves warm providers running after Close, for the next
	// Runner on the same folder.
	KeepProviders bool

	Logger *slog.Logger // nil: slog.Default()
}

// Runner runs jobs as processes on this machine. It implements job.Runner.
type Runner struct {
	cfg    Config
	watch  *watcher
	pool   *pool
	spares *spares

	starts  atomic.Int64   // of jobs, by this process
	reaping sync.WaitGroup // supervisors of which this process is the parent

	find   sync.Mutex
	binary string // found so far; guarded by find
}

var _ job.Runner = (*Runner)(nil)

// New returns a Runner on a folder, which may have jobs of an earlier Runner.
// Its errors are Internal, or Full when there is no room for the folders.
func New(cfg Config) (*Runner, error) {
	const op = "local.New"
	if cfg.Logger == nil {
		cfg.Logger = slog.Default()
	}
	data, err := filepath.Abs(cfg.Data)
	if err != nil {
		return nil, iap.E(op, iap.Internal, err)
	}
	cfg.Data = data
	for _, name := range []string{"jobs", "bundles", "providers", sparesFolder} {
		if err := os.MkdirAll(filepath.Join(data, name), 0o700); err != nil {
			return nil, failed(op, err)
		}
	}
	cfg.Spare = cfg.Spare && canSpare
	if cfg.CLIConfig == "" {
		cfg.CLIConfig = FindCLIConfig()
	}
	if cfg.Docker == "" {
		cfg.Docker = os.Getenv("DOCKER_HOST")
	}
	w, err := newWatcher()
	if err != nil {
		return nil, iap.E(op, iap.Internal, err)
	}
	r := &Runner{cfg: cfg, watch: w, binary: cfg.Binary}
	r.pool = newPool(filepath.Join(data, "providers"), cfg.Logger)
	r.spares = newSpares(filepath.Join(data, sparesFolder), cfg.Logger)
	return r, nil
}

// Close ends what the Runner does in this process. Jobs go on; warm providers
// end unless Config.KeepProviders is set or a job is running.
func (r *Runner) Close() error {
	r.spares.stop()
	if !r.cfg.KeepProviders && !r.busy() {
		ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
		defer cancel()
		r.pool.stop(ctx)
	}
	return r.watch.close()
}

// busy reports whether a job is running.
func (r *Runner) busy() bool {
	entries, err := os.ReadDir(filepath.Join(r.cfg.Data, "jobs"))
	if err != nil {
		return true
	}
	for _, e := range entries {
		f := folder(filepath.Join(r.cfg.Data, "jobs", e.Name()))
		if !f.has(resultFile) && f.has(pidFile) && f.held() {
			return true
		}
	}
	return false
}

// validName reports whether s is safe as the name of a folder: 1 to limit
// letters, digits and marks, a letter or digit first.
func validName(s string, limit int, marks string) bool {
	const alphanumeric = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
	return s != "" && len(s) <= limit && strings.Trim(s, alphanumeric+marks) == "" && strings.IndexAny(s[:1], marks) < 0
}

// The forms of the IDs of jobs and the keys of bundles.
func validID(id string) bool   { return validName(id, 64, "-") }
func validKey(key string) bool { return validName(key, 128, "._-") }

// folder returns the folder of a job; Invalid when id cannot be a job's.
func (r *Runner) folder(id string) (folder, error) {
	if !validID(id) {
		return "", iap.FieldErrorf("local.folder", "id", "%.80q is not the ID of a job", id)
	}
	return folder(filepath.Join(r.cfg.Data, "jobs", id)), nil
}

// terraform returns the path of the binary, found once.
func (r *Runner) terraform() (string, error) {
	r.find.Lock()
	defer r.find.Unlock()
	if r.binary != "" {
		return r.binary, nil
	}
	path, err := lookTerraform()
	if err != nil {
		return "", job.WaitFor("OpenTofu or Terraform", err)
	}
	r.binary = path
	return path, nil
}
