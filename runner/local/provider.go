package local

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// warm is a running provider, as stored.
type warm struct {
	Binary   string          `json:"binary"`
	Stamp    string          `json:"stamp"` // of the binary when it was started
	Docker   string          `json:"docker"`
	Process  process         `json:"process"`
	Socket   string          `json:"socket"` // empty while it starts
	Reattach json.RawMessage `json:"reattach,omitempty"`
	Folder   string          `json:"folder"` // private: whoever reaches the socket has the provider
}

// providerFolder is how the names of the folders of providers begin.
const providerFolder = "iap-provider-"

// child is a provider of which this process is the parent.
type child struct {
	*warm
	cmd  *exec.Cmd
	out  *os.File
	gone chan struct{} // closed when it has ended and was reaped
}

// launcher is a shell that becomes the provider when it is told to.
const launcher = `read -r go && exec "$0" -debug`

// spawn starts the process in a folder, in a session of its own. It is stored in
// file before it does anything: it never ends by itself, so there must be no
// moment at which it lives and would not be found.
func (w *warm) spawn(file, dir string, env []string) (*child, error) {
	log, err := os.Create(filepath.Join(w.Folder, "log"))
	if err != nil {
		return nil, err
	}
	defer log.Close()
	cmd := exec.Command("/bin/sh", "-c", launcher, w.Binary)
	// Without a word on it, a provider in debug mode tells of each call.
	env = append(env, "TF_LOG_SDK=off", "TF_LOG_SDK_PROTO=off", "TF_LOG_PROVIDER=off", "TMPDIR="+w.Folder)
	// It keeps some 7 MB and needs as much again for a deploy, so that by itself it
	// collects garbage two or three times in each, 5 ms a time.
	env = append(env, "GOGC=400")
	cmd.Dir, cmd.Env, cmd.Stderr = dir, env, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	in, release, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer release.Close()
	defer in.Close()
	out, outEnd, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer outEnd.Close()
	cmd.Stdin, cmd.Stdout = in, outEnd
	if err := cmd.Start(); err != nil {
		out.Close()
		return nil, err
	}
	stepBack(cmd.Process.Pid)
	c := &child{warm: w, cmd: cmd, out: out, gone: make(chan struct{})}
	w.Process = processOf(cmd.Process.Pid)
	go func() {
		defer close(c.gone)
		_ = waitAndEndGroup(cmd)
	}()
	if err = writeJSON(file, w, false); err == nil {
		_, err = release.WriteString("go\n")
	}
	if err != nil {
		c.kill()
		out.Close()
		return nil, err
	}
	return c, nil
}

// answer waits until the provider says where it answers, and kills it when that
// takes longer than the limit.
func (c *child) answer(limit time.Duration) error {
	slow := time.AfterFunc(limit, func() { _ = c.cmd.Process.Kill() })
	err := c.readAddress(c.out)
	if !slow.Stop() && err == nil {
		err = errors.New("it took too long")
	}
	go func() { // until the provider ends, or this process does
		_, _ = io.Copy(io.Discard, c.out)
		c.out.Close()
	}()
	return err
}

// kill ends the provider and what it started, at once.
func (c *child) kill() {
	_ = c.cmd.Process.Kill()
	<-c.gone
}

// value names the provider as both tools do.
func (w warm) value() string {
	return fmt.Sprintf(`{"registry.opentofu.org/kreuzwerker/docker":%s,"registry.terraform.io/kreuzwerker/docker":%s}`,
		w.Reattach, w.Reattach)
}

// readAddress reads what the provider prints for TF_REATTACH_PROVIDERS.
func (w *warm) readAddress(out io.Reader) error {
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		_, value, ok := strings.Cut(lines.Text(), "TF_REATTACH_PROVIDERS=")
		if !ok {
			continue
		}
		var all map[string]json.RawMessage
		if err := json.Unmarshal([]byte(strings.Trim(value, "'\" ")), &all); err != nil {
			return fmt.Errorf("%s printed an address that cannot be read: %w", w.Binary, err)
		}
		for _, one := range all {
			var at struct{ Addr struct{ String string } }
			if err := json.Unmarshal(one, &at); err != nil {
				return err
			}
			w.Reattach, w.Socket = one, at.Addr.String
			return nil
		}
	}
	return fmt.Errorf("%s ended without an address", w.Binary)
}

// end stops a provider, if need be by SIGKILL after a while, and removes its
// folder.
func (w warm) end(patience time.Duration) {
	if w.Process.alive() {
		gone, err := exited(context.Background(), w.Process)
		_ = unix.Kill(w.Process.PID, unix.SIGINT)
		if err == nil {
			t := time.NewTimer(patience)
			defer t.Stop()
			select {
			case <-gone:
			case <-t.C:
				_ = unix.Kill(-w.Process.PID, unix.SIGKILL)
				<-gone
			}
		}
	}
	w.removeFolder()
}

func (w warm) removeFolder() {
	if strings.HasPrefix(filepath.Base(w.Folder), providerFolder) {
		_ = os.RemoveAll(w.Folder)
	}
}
