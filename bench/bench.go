package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// runLabel is on everything that the references create, with the run's ID as
// its value; portalLabel is the portal's own.
const (
	runLabel    = "iap.bench"
	portalLabel = "iap.portal"
)

// bench is what the parts share.
type bench struct {
	options
	root string // the project's folder
	tmp  string // of this run; processes that are left in it are ended
	id   string // of this run
	tool tool
}

// newBench finds what is needed and makes the run's folder.
func newBench(ctx context.Context, o options) (*bench, error) {
	root, err := moduleRoot()
	if err != nil {
		return nil, err
	}
	b := &bench{options: o, root: root, id: strconv.FormatInt(time.Now().UnixNano(), 36)}
	if b.options.portal, err = filepath.Abs(o.portal); err != nil {
		return nil, err
	}
	if _, err := os.Stat(b.options.portal); err != nil {
		return nil, fmt.Errorf("the portal's program: %w; build it with: make build", err)
	}
	if err := b.environment(); err != nil {
		return nil, err
	}
	if b.tool, err = findTool(); err != nil {
		return nil, err
	}
	if out, err := exec.CommandContext(ctx, "docker", "version").CombinedOutput(); err != nil {
		return nil, fmt.Errorf("docker does not answer: %s", strings.TrimSpace(string(out)))
	}
	// Short: the paths of sockets are made below it.
	b.tmp, err = os.MkdirTemp("/tmp", "iap-bench-")
	return b, err
}

// environment sets what this process hands on: the tools in .cache, their
// configuration, and temporary files in the run's folder.
func (b *bench) environment() error {
	cache := filepath.Join(b.root, ".cache")
	path := filepath.Join(cache, "bin") + string(os.PathListSeparator) + os.Getenv("PATH")
	rc := os.Getenv("TF_CLI_CONFIG_FILE")
	if _, err := os.Stat(rc); errors.Is(err, fs.ErrNotExist) {
		rc = filepath.Join(cache, "terraform.rc")
	}
	return errors.Join(os.Setenv("PATH", path), os.Setenv("TF_CLI_CONFIG_FILE", rc), os.Setenv("CHECKPOINT_DISABLE", "1"))
}

func (b *bench) say(format string, args ...any) { fmt.Printf(format+"\n", args...) }

// times is n, or few in a quick run.
func (b *bench) times(n, few int) int {
	if b.quick {
		return few
	}
	return n
}

// close removes what the run left: containers, networks and volumes of the
// references, processes in the run's folder, and the folder.
func (b *bench) close() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	b.clean(ctx, runLabel+"="+b.id)
	b.reap(b.tmp)
	if err := os.RemoveAll(b.tmp); err != nil {
		b.say("bench: %v", err)
	}
}

// clean removes by force what carries a label in Docker.
func (b *bench) clean(ctx context.Context, label string) {
	for _, kind := range []struct{ list, remove []string }{
		{[]string{"ps", "-aq"}, []string{"rm", "-fv"}},
		{[]string{"network", "ls", "-q"}, []string{"network", "rm"}},
		{[]string{"volume", "ls", "-q"}, []string{"volume", "rm", "-f"}},
	} {
		out, err := exec.CommandContext(ctx, "docker", append(kind.list, "--filter", "label="+label)...).Output()
		ids := strings.Fields(string(out))
		if err != nil || len(ids) == 0 {
			continue
		}
		if out, err := exec.CommandContext(ctx, "docker", append(kind.remove, ids...)...).CombinedOutput(); err != nil {
			b.say("bench: docker %s: %s", strings.Join(kind.remove, " "), strings.TrimSpace(string(out)))
		}
	}
}

// reap ends the processes whose working folder is below dir: what a portal
// that did not stop in order has left.
func (b *bench) reap(dir string) {
	for _, pid := range below(dir) {
		b.say("bench: ending process %d, which was left in %s", pid, dir)
		_ = syscall.Kill(pid, syscall.SIGKILL)
	}
}

// below lists the processes that work below dir, other than this one.
func below(dir string) []int {
	all, _ := filepath.Glob("/proc/[0-9]*/cwd")
	var out []int
	for _, link := range all {
		target, err := os.Readlink(link)
		if err != nil || !strings.HasPrefix(target, dir+"/") {
			continue
		}
		if pid, err := strconv.Atoi(filepath.Base(filepath.Dir(link))); err == nil && pid != os.Getpid() {
			out = append(out, pid)
		}
	}
	return out
}

// folder makes a folder of the run.
func (b *bench) folder(name string) (string, error) { return os.MkdirTemp(b.tmp, name+"-") }
