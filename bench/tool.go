package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// tool is OpenTofu or Terraform.
type tool struct{ name, path string }

// findTool takes the one that the portal takes: OpenTofu first.
func findTool() (tool, error) {
	for _, name := range []string{"tofu", "terraform"} {
		if path, err := exec.LookPath(name); err == nil {
			return tool{name, path}, nil
		}
	}
	return tool{}, errors.New("neither tofu nor terraform is on the PATH; install one with: make setup")
}

func (t tool) version(ctx context.Context) string {
	out, err := exec.CommandContext(ctx, t.path, "version").Output()
	if err != nil {
		return t.name
	}
	line, _, _ := strings.Cut(string(out), "\n")
	return line
}

// plain is what a person does without the portal: a copy of the bundle, a file
// of variables, and the tool's commands by hand.
type plain struct {
	b      *bench
	tool   tool
	bundle string         // folder, from the project's root
	values map[string]any // of the app's own parameters
	image  string
	page   string // path that must answer 200
}

// plainTimes are the parts of one run by hand.
type plainTimes struct{ init, apply, output, first, total time.Duration }

// prepare makes a folder with the scripts and the variables.
func (p plain) prepare(name string) (string, error) {
	dir, err := p.b.folder("plain")
	if err != nil {
		return "", err
	}
	files, err := filepath.Glob(filepath.Join(p.b.root, p.bundle, "*.tf"))
	if err != nil || len(files) == 0 {
		return "", fmt.Errorf("%s: no scripts: %v", p.bundle, err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, filepath.Base(file)), text, 0o600)
		}
		if err != nil {
			return "", err
		}
	}
	values := map[string]any{
		"host_name": name, "resource_name": name, "instance_id": name, "image": p.image, "port": 8080,
		"environment": map[string]string{}, "labels": map[string]string{runLabel: p.b.id},
		"limits": map[string]any{"memory_mb": 64, "cpus": 0.5, "pids": 64}, "read_only_root": true,
	}
	for name, v := range p.values {
		values[name] = v
	}
	text, err := json.Marshal(values)
	if err != nil {
		return "", err
	}
	return dir, os.WriteFile(filepath.Join(dir, "bench.auto.tfvars.json"), text, 0o600)
}

// deploy runs init (unless initialised says that it was), apply and output,
// and waits for the first 200.
func (p plain) deploy(ctx context.Context, dir string, initialised bool) (t plainTimes, err error) {
	begun := time.Now()
	mark := begun
	lap := func(d *time.Duration) {
		now := time.Now()
		*d, mark = now.Sub(mark), now
	}
	if !initialised {
		if err := p.init(ctx, dir); err != nil {
			return t, err
		}
		lap(&t.init)
	}
	if _, err := p.run(ctx, dir, "apply", "-auto-approve", "-input=false", "-no-color"); err != nil {
		return t, err
	}
	lap(&t.apply)
	upstream, err := p.run(ctx, dir, "output", "-raw", "upstream")
	if err != nil {
		return t, err
	}
	lap(&t.output)
	err = first200(ctx, plainClient(), strings.TrimSpace(upstream)+p.page)
	lap(&t.first)
	t.total = time.Since(begun)
	return t, err
}

func (p plain) init(ctx context.Context, dir string) error {
	_, err := p.run(ctx, dir, "init", "-input=false", "-no-color")
	return err
}

func (p plain) run(ctx context.Context, dir string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, p.tool.path, args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "TF_IN_AUTOMATION=1")
	var errs strings.Builder
	cmd.Stderr = &errs
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("%s %s: %w: %s", p.tool.name, args[0], err, strings.TrimSpace(errs.String()))
	}
	return string(out), nil
}

// dockerRun is the least there is: one container with its port on loopback.
func (b *bench) dockerRun(ctx context.Context, image, page string) (time.Duration, error) {
	begun := time.Now()
	out, err := exec.CommandContext(ctx, "docker", "run", "-d", "-p", "127.0.0.1::8080", "--label", runLabel+"="+b.id, image).Output()
	if err != nil {
		return 0, fmt.Errorf("docker run %s: %w", image, err)
	}
	port, err := exec.CommandContext(ctx, "docker", "port", strings.TrimSpace(string(out)), "8080/tcp").Output()
	if err != nil {
		return 0, fmt.Errorf("docker port: %w", err)
	}
	address, _, _ := strings.Cut(string(port), "\n")
	err = first200(ctx, plainClient(), "http://"+strings.TrimSpace(address)+page)
	return time.Since(begun), err
}
