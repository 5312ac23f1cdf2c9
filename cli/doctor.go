package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"
)

type doctorCmd struct {
	Data   string `help:"Folder of all that the portal keeps." default:"iap-data" env:"IAP_DATA" placeholder:"DIR" complete:"file"`
	Listen string `help:"Address that the portal listens on." default:"127.0.0.1:8080" env:"IAP_LISTEN" placeholder:"ADDR"`
}

// The states of a finding.
const (
	stateOK   = "ok"
	stateWarn = "warn"
	stateFail = "fail"
)

// finding is what one check of doctor found.
type finding struct {
	Check string `json:"check"`
	State string `json:"state"` // ok, warn, fail
	Found string `json:"found"`
	Do    string `json:"do,omitempty"` // what to do about it
}

// checkTime is how long one check may take.
const checkTime = 5 * time.Second

func (c *doctorCmd) Run(r *run) error {
	checks := []func(context.Context, *run) finding{
		checkDocker, checkTerraform, checkProvider, c.checkData, c.checkPortal, c.checkClock,
	}
	findings, failed := []finding{}, 0
	for _, check := range checks {
		ctx, cancel := context.WithTimeout(r.ctx, checkTime)
		f := check(ctx, r)
		cancel()
		if f.State == stateFail {
			failed++
		}
		findings = append(findings, f)
	}
	if r.json() {
		if err := r.writeJSON(findings); err != nil {
			return err
		}
	} else {
		r.writeFindings(findings)
	}
	if failed > 0 {
		return exitf(codeFailed, "%d of %d checks failed", failed, len(findings))
	}
	return nil
}

func (r *run) writeFindings(findings []finding) {
	for _, f := range findings {
		mark, style := "ok  ", styleRunning
		switch f.State {
		case stateWarn:
			mark, style = "warn", styleEnding
		case stateFail:
			mark, style = "FAIL", styleFailed
		}
		r.print("%s  %-21s %s", paint(r.color, style, mark), f.Check, printable(f.Found))
		if f.Do != "" {
			r.print("      %-21s → %s", "", printable(f.Do))
		}
	}
}

func checkDocker(ctx context.Context, r *run) finding {
	f := finding{Check: "Docker Engine", State: stateOK}
	if r.hooks.Docker == nil {
		f.State, f.Found = stateWarn, "not checked: this program does not know Docker"
		return f
	}
	version, err := r.hooks.Docker(ctx)
	if err != nil {
		f.State, f.Found = stateFail, err.Error()
		f.Do = "install and start Docker (Debian, Ubuntu: apt install docker.io; others: docs.docker.com/engine/install), " +
			"or name its address in DOCKER_HOST; your user needs to be in the group docker"
		return f
	}
	f.Found = "version " + version + " answers"
	return f
}

func checkTerraform(ctx context.Context, r *run) finding {
	f := finding{Check: "OpenTofu or Terraform", State: stateOK}
	if r.hooks.Terraform == nil {
		f.State, f.Found = stateWarn, "not checked: this program runs no jobs"
		return f
	}
	path, version, err := r.hooks.Terraform(ctx)
	if err != nil {
		f.State, f.Found = stateFail, err.Error()
		f.Do = "install OpenTofu (opentofu.org/docs/intro/install) or Terraform so that it is on the PATH, or run: make setup"
		return f
	}
	f.Found = version + " at " + path
	return f
}

// lowSpace is how little free space, in bytes, is worth a warning.
const lowSpace = 1 << 30

func (c *doctorCmd) checkData(context.Context, *run) finding {
	f := finding{Check: "data folder", State: stateOK}
	dir, err := filepath.Abs(c.Data)
	if err != nil {
		dir = c.Data
	}
	where := dir
	for { // a folder that is not there yet is made by serve: look at what is above it
		if _, err := os.Stat(where); !errors.Is(err, fs.ErrNotExist) || where == filepath.Dir(where) {
			break
		}
		where = filepath.Dir(where)
	}
	probe, err := os.CreateTemp(where, ".iap-doctor-*")
	if err != nil {
		f.State, f.Found = stateFail, fmt.Sprintf("%s cannot be written: %v", dir, err)
		f.Do = "let your user write there, or name another folder with --data"
		return f
	}
	probe.Close()
	os.Remove(probe.Name())
	f.Found = dir + " can be written"
	if free, ok := freeSpace(where); ok {
		f.Found += fmt.Sprintf(", %.1f GiB free", float64(free)/(1<<30))
		if free < lowSpace {
			f.State, f.Do = stateWarn, "make room: the portal takes no new deploys on a full disk"
		}
	}
	return f
}

// checkPortal tells of the portal: one answers, or its address is free, or
// something else has it.
func (c *doctorCmd) checkPortal(ctx context.Context, r *run) finding {
	f := finding{Check: "portal", State: stateOK}
	if cl, err := r.client(); err == nil {
		if v, err := cl.Version(ctx); err == nil {
			f.Found = "version " + v.Version + " answers at " + cl.Server()
			return f
		}
	}
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", c.Listen)
	if err != nil {
		f.State, f.Found = stateFail, fmt.Sprintf("none answers, and %s is not free: %v", c.Listen, err)
		f.Do = "end what listens there, or choose another address with --listen"
		return f
	}
	l.Close()
	f.Found, f.Do = "none answers; "+c.Listen+" is free for one", "start it: iap serve --dev"
	return f
}

// maxSkew is how far this clock may be from the portal's.
const maxSkew = 30 * time.Second

// checkClock compares the clock with the portal's where one answers, else it
// only looks whether the clock was ever set.
func (c *doctorCmd) checkClock(ctx context.Context, r *run) finding {
	now := r.now()
	zone, _ := now.Zone()
	f := finding{Check: "clock", State: stateOK, Found: now.Format("2006-01-02 15:04:05 ") + zone}
	if now.Year() < 2026 {
		f.State, f.Do = stateFail, "set the clock: certificates, sessions and the ends of instances depend on it"
		return f
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodHead, r.flags.Server+"/api/v1/version", nil)
	if err != nil {
		return f
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return f
	}
	resp.Body.Close()
	theirs, err := http.ParseTime(resp.Header.Get("Date"))
	if err != nil {
		return f
	}
	if skew := now.Sub(theirs).Abs(); skew > maxSkew {
		f.State, f.Do = stateWarn, "let both keep time by NTP"
		f.Found += fmt.Sprintf(", %s away from the portal's", skew.Round(time.Second))
	}
	return f
}
