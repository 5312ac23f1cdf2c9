package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"github.com/internal-app-portal/iap/client"
	"github.com/internal-app-portal/iap/store"
)

// portal is a running portal with its data in a folder of the run.
type portal struct {
	b     *bench
	data  string
	addr  string // 127.0.0.1:port
	url   string
	cmd   *exec.Cmd
	ended chan struct{}
	log   string
	took  time.Duration // from the start of the process to the first 200 of /readyz
	*client.Client
}

// startPortal starts a portal on the data folder and waits until it is ready.
func (b *bench) startPortal(ctx context.Context, data string) (*portal, error) {
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	p := &portal{b: b, data: data, addr: "127.0.0.1:" + strconv.Itoa(port), url: "http://localhost:" + strconv.Itoa(port),
		ended: make(chan struct{}), log: data + ".log"}
	if p.Client, err = client.New(p.url, ""); err != nil {
		return nil, err
	}
	log, err := os.OpenFile(p.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	defer log.Close()
	temp := filepath.Join(b.tmp, "t")
	if err := os.MkdirAll(temp, 0o700); err != nil {
		return nil, err
	}
	p.cmd = exec.Command(b.options.portal, "serve", "--dev", "--data", data, "--listen", p.addr,
		"--parallel-jobs", strconv.Itoa(b.parallel))
	p.cmd.Env = append(os.Environ(), "TMPDIR="+temp)
	p.cmd.Stdout, p.cmd.Stderr = log, log
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // the terminal's Ctrl-C is for the bench
	begun := time.Now()
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	go func() {
		_ = p.cmd.Wait()
		close(p.ended)
	}()
	err = p.awaitReady(ctx)
	p.took = time.Since(begun)
	if err != nil {
		_ = p.cmd.Process.Kill()
		<-p.ended
	}
	return p, err
}

// awaitReady asks /readyz again and again, a millisecond apart.
func (p *portal) awaitReady(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	web := p.http()
	defer web.CloseIdleConnections()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for {
		if status, _ := get(ctx, web, p.url+"/readyz"); status == http.StatusOK {
			return nil
		}
		select {
		case <-tick.C:
		case <-p.ended:
			return fmt.Errorf("the portal ended at its start: %s", tail(p.log))
		case <-ctx.Done():
			return fmt.Errorf("the portal is not ready: %w: %s", context.Cause(ctx), tail(p.log))
		}
	}
}

// http is a client for which all host names lead to the portal, as those of
// instances do.
func (p *portal) http() *http.Client { return clientTo(p.addr) }

// stop ends the portal in order.
func (p *portal) stop() error {
	_ = p.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-p.ended:
		return nil
	case <-time.After(30 * time.Second):
		_ = p.cmd.Process.Kill()
		<-p.ended
		return errors.New("the portal did not end within 30 s of SIGTERM")
	}
}

// remove ends the portal and removes all that it made.
func (p *portal) remove() {
	if err := p.stop(); err != nil {
		p.b.say("bench: %v", err)
	}
	p.b.reap(p.data)
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if id, err := portalID(ctx, p.data); err == nil {
		p.b.clean(ctx, portalLabel+"="+id)
	} else {
		p.b.say("bench: what the portal made is not looked for: %v", err)
	}
	if err := os.RemoveAll(p.data); err != nil {
		p.b.say("bench: %v", err)
	}
}

// openStore opens the database of a portal that does not run.
func openStore(ctx context.Context, data string) (*store.DB, error) {
	return store.Open(ctx, "sqlite:"+filepath.Join(data, "iap.db"), store.Options{})
}

func portalID(ctx context.Context, data string) (string, error) {
	db, err := openStore(ctx, data)
	if err != nil {
		return "", err
	}
	defer db.Close()
	id, err := db.Setting(ctx, "portal_id")
	return string(id), err
}

func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port, nil
}

// tail returns the end of a log.
func tail(file string) string {
	text, err := os.ReadFile(file)
	if err != nil {
		return err.Error()
	}
	return string(text[max(0, len(text)-2000):])
}
