// Command image turns Go programs into container images and gives them to a
// Docker Engine, without the docker command and without a registry.
//
//	image [-prefix iap-example-] [-tag 1] [-work .cache/images] DIR...
//
// Each DIR holds a main package of this module. It is built statically for the
// engine's architecture and becomes the image PREFIX + base name of DIR + ":" +
// TAG: the program as /app, an empty /data and /tmp, run as user 65534. An
// image that holds the same program already is left alone. The engine is the
// one that DOCKER_HOST names (unix:// or tcp://), else the local socket.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "image:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet("image", flag.ContinueOnError)
	prefix := flags.String("prefix", "iap-example-", "what image names start with")
	tag := flags.String("tag", "1", "the images' tag")
	work := flags.String("work", filepath.Join(".cache", "images"), "a folder to keep the built programs in")
	if err := flags.Parse(args); err != nil {
		return err
	}
	dirs := flags.Args()
	if len(dirs) == 0 {
		return errors.New("no folder given: name at least one that holds a main package")
	}
	engine, err := dial(os.Getenv("DOCKER_HOST"))
	if err != nil {
		return err
	}
	arch, err := engine.arch(ctx)
	if err != nil {
		return err
	}
	// Programs stay here: go build leaves one alone that is up to date.
	out := filepath.Join(*work, arch)
	if err := os.MkdirAll(out, 0o755); err != nil {
		return err
	}
	if err := compile(ctx, out, arch, dirs); err != nil {
		return err
	}
	for _, dir := range dirs {
		name := filepath.Base(filepath.Clean(dir))
		if err := deliver(ctx, engine, *prefix+name+":"+*tag, filepath.Join(out, name), arch); err != nil {
			return fmt.Errorf("%s: %w", dir, err)
		}
	}
	return nil
}

// compile builds the main packages of dirs into out, each named as its folder.
// One go command for all of them: it shares the work and the start-up.
func compile(ctx context.Context, out, arch string, dirs []string) error {
	args := []string{"build", "-trimpath", "-buildvcs=false", "-ldflags", "-s -w", "-o", out + string(filepath.Separator)}
	for _, dir := range dirs {
		if !filepath.IsAbs(dir) {
			dir = "./" + filepath.ToSlash(filepath.Clean(dir))
		}
		args = append(args, dir)
	}
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH="+arch)
	if msg, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("go build: %w\n%s", err, strings.TrimSpace(string(msg)))
	}
	return nil
}

// deliver gives the engine the image name made of the program at path, unless
// the engine has just that already.
func deliver(ctx context.Context, engine *engine, name, path, arch string) error {
	program, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	want := fingerprint(program, arch)
	have, err := engine.label(ctx, name, contentLabel)
	if err != nil {
		return err
	}
	if have == want {
		fmt.Printf("image %s: up to date\n", name)
		return nil
	}
	archive, err := pack(name, program, arch)
	if err != nil {
		return err
	}
	if err := engine.load(ctx, archive); err != nil {
		return err
	}
	fmt.Printf("image %s: built, %.1f MB\n", name, float64(len(program))/1e6)
	return nil
}
