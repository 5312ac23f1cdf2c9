package server

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"
	_ "time/tzdata" // zones are known wherever the program runs

	iap "github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/instance"
	"github.com/internal-app-portal/iap/leak"
	"github.com/internal-app-portal/iap/schedule"
	"github.com/internal-app-portal/iap/workflow"
)

// The nightly sweep: what it is named, and when it is due until an admin
// changes that.
const (
	nightly      = "nightly"
	nightlyAt    = "19:00"
	nightlyGrace = 12 * time.Hour
)

// leaksAt is when the platform is compared with the database: every hour, and not
// when all else is due.
const leaksAt = "17 * * * *"

// wireSchedules makes the schedules.
func (s *Server) wireSchedules() {
	s.schedules = schedule.NewService(schedule.Config{Store: s.db, Tx: s.db, Log: s.log, Machines: s.workflows.machines,
		Zone: s.cfg.Zone, Now: s.now})
}

// nextSweep returns when the nightly sweep is due next; the zero time when it is
// paused.
func (s *Server) nextSweep(ctx context.Context) (time.Time, error) {
	c := &s.sweepAt
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.read.IsZero() && time.Since(c.read) < sweepAtKept {
		return c.at, nil
	}
	at, err := s.schedules.NextOf(ctx, nightly)
	if err == nil {
		c.at, c.read = at, time.Now()
	}
	return at, err
}

// sweepAtKept is for how long the time of the next sweep is kept in memory: every
// page and every event of an instance asks for it.
const sweepAtKept = time.Second

// sweepAt is the time of the next sweep, and when it was read.
type sweepAt struct {
	mu       sync.Mutex
	at, read time.Time
}

// ensureSweep has the nightly sweep and its state machine be there.
func (s *Server) ensureSweep(ctx context.Context) error {
	if err := s.ensureMachine(ctx, instance.SweepName, "sweep_definition", instance.SweepDefinition); err != nil {
		return err
	}
	return s.schedules.Ensure(ctx, schedule.New{Name: nightly, At: nightlyAt, StateMachine: instance.SweepName, Grace: nightlyGrace})
}

// ensureLeakCheck has the schedule that looks for leaks and its state machine be
// there.
func (s *Server) ensureLeakCheck(ctx context.Context) error {
	if err := s.ensureMachine(ctx, leak.CheckName, "leaks_definition", leak.CheckDefinition); err != nil {
		return err
	}
	return s.schedules.Ensure(ctx, schedule.New{Name: leak.CheckName, Cron: leaksAt, StateMachine: leak.CheckName, Grace: time.Hour})
}

// ensureMachine has a state machine of the portal's own be there. A document
// that nobody has changed follows the portal's; one that an admin has changed
// stays as it is. The setting keeps it as the portal last had it.
func (s *Server) ensureMachine(ctx context.Context, name, setting string, definition []byte) error {
	return s.db.Update(ctx, func(ctx context.Context) error {
		if err := s.putMachine(ctx, name, setting, definition); err != nil {
			return err
		}
		return s.db.PutSetting(ctx, setting, definition)
	})
}

func (s *Server) putMachine(ctx context.Context, name, setting string, definition []byte) error {
	m, err := s.workflows.machines.Machine(ctx, name)
	if iap.IsKind(err, iap.NotFound) {
		_, _, err = s.workflows.machines.Create(ctx, workflow.NewMachine{Name: name, Definition: definition})
		return err
	}
	if err != nil {
		return err
	}
	now, err := s.workflows.machines.Definition(ctx, m.Definition)
	if err != nil {
		return err
	}
	before, err := s.db.Setting(ctx, setting)
	if err != nil && !iap.IsKind(err, iap.NotFound) {
		return err
	}
	if !bytes.Equal(now, before) || bytes.Equal(now, definition) {
		return nil
	}
	_, _, err = s.workflows.machines.Update(ctx, name, workflow.MachineChange{Definition: definition})
	return err
}

// checkZone fills in the zone of clock times: that of the machine where it says
// one, else UTC.
func (c *Config) checkZone() error {
	if c.Zone == "" {
		c.Zone = machineZone()
	}
	_, err := schedule.ParseZone(c.Zone)
	return err
}

// machineZone returns the IANA name of the machine's time zone.
func machineZone() string {
	candidates := []string{strings.TrimPrefix(os.Getenv("TZ"), ":")}
	if link, err := filepath.EvalSymlinks("/etc/localtime"); err == nil {
		if _, name, ok := strings.Cut(link, "zoneinfo/"); ok {
			candidates = append(candidates, name)
		}
	}
	if b, err := os.ReadFile("/etc/timezone"); err == nil {
		candidates = append(candidates, strings.TrimSpace(string(b)))
	}
	for _, name := range candidates {
		if _, err := schedule.ParseZone(name); err == nil {
			return strings.TrimPrefix(strings.TrimPrefix(name, "Etc/"), "posix/")
		}
	}
	return "UTC"
}

// location is the zone of clock times on pages.
func (s *Server) location() *time.Location {
	loc, err := schedule.ParseZone(s.cfg.Zone)
	if err != nil {
		return time.UTC // complete has checked it
	}
	return loc
}
