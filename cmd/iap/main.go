// Command iap is the Internal App Portal: the server and the command line that
// people use it with, in one program.
package main

import (
	"context"
	"log/slog"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"

	"github.com/internal-app-portal/iap/cli"
	"github.com/internal-app-portal/iap/instance"
	"github.com/internal-app-portal/iap/platform/docker"
	"github.com/internal-app-portal/iap/runner/local"
	"github.com/internal-app-portal/iap/server"
)

// version is set by the linker for a release.
var version = ""

func main() {
	// Each job starts this program again; that way in must be quick.
	if len(os.Args) == 3 && os.Args[1] == "job-supervisor" {
		os.Exit(local.Supervise(os.Args[2]))
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := cli.Main(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr, cli.Hooks{
		Version: programVersion(), Serve: serve, Docker: dockerVersion, Terraform: findTerraform})
	stop()
	os.Exit(code)
}

func serve(ctx context.Context, f cli.ServeFlags) error {
	var level slog.Level
	if err := level.UnmarshalText([]byte(f.LogLevel)); err != nil {
		return err
	}
	options := &slog.HandlerOptions{Level: level}
	logger := slog.New(slog.NewTextHandler(os.Stderr, options))
	if f.LogFormat == "json" {
		logger = slog.New(slog.NewJSONHandler(os.Stderr, options))
	}
	slog.SetDefault(logger)
	return server.Run(ctx, server.Config{Dev: f.Dev, Data: f.Data, Listen: f.Listen, Database: f.Database,
		AppsDomain: f.AppsDomain, PortalURL: f.PortalURL, ParallelJobs: f.ParallelJobs,
		People: f.Login.People, Tasks: f.Tasks, Events: f.Events, Zone: f.Zone, KeepMost: f.KeepMost, LeakGrace: f.LeakGrace,
		NoCertify: !f.Certify, BookingMost: f.BookingMost, BookingLead: f.BookingLead,
		Rates:  instance.Rates{Currency: f.Currency, Memory: f.PriceMemory, CPU: f.PriceCPU, MemoryWatts: f.WattsMemory, CPUWatts: f.WattsCPU},
		Limits: instance.Limits{Person: f.LimitPerson, Portal: f.LimitPortal}, PayloadLimit: f.PayloadLimit, HistoryLimit: f.HistoryLimit, Version: programVersion(), Logger: logger}, os.Stdout)
}

func dockerVersion(ctx context.Context) (string, error) {
	p, err := docker.New("", "")
	if err != nil {
		return "", err
	}
	defer p.Close()
	return p.Version(ctx)
}

func findTerraform(ctx context.Context) (path, version string, err error) {
	t, err := local.FindTerraform(ctx)
	return t.Path, t.Name + " " + t.Version, err
}

// programVersion is the release, or else the commit that was built.
func programVersion() string {
	if version != "" {
		return version
	}
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, s := range info.Settings {
			if s.Key == "vcs.revision" && len(s.Value) >= 12 {
				return "devel " + s.Value[:12]
			}
		}
	}
	return "devel"
}
