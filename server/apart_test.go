package server_test

import (
	"bytes"
	"context"
	"database/sql"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"

	_ "modernc.org/sqlite"

	iap "github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/auth"
	"github.com/internal-app-portal/iap/server"
)

func TestPortalIsApartFromTheApps(t *testing.T) {
	_, sum := auth.NewToken()
	for _, c := range []struct {
		portal, apps string
		dev          bool
		refused      bool
		warned       bool
	}{
		{portal: "https://apps.example.com", apps: "apps.example.com", refused: true},
		{portal: "https://Portal.Apps.Example.com:8443", apps: "apps.example.com", refused: true},
		{portal: "https://portal.apps.example.com.", apps: ".apps.example.com", refused: true},
		{portal: "", apps: "localhost", refused: true},
		{portal: "http://portal.apps.localhost", apps: "apps.localhost", dev: true, refused: true},
		{portal: "", apps: "", dev: true},
		{portal: "", apps: "apps.localhost"},
		{portal: "https://portal.example.com", apps: "apps.example.com", warned: true},
		{portal: "https://portal.one.co.uk", apps: "apps.two.co.uk"},
		{portal: "https://portal.example.com", apps: "example.net"},
		{portal: "https://notapps.example.net", apps: "apps.example.com"},
		{portal: "http://192.0.2.1:8080", apps: "apps.example.com"},
	} {
		t.Run(c.portal+" "+c.apps, func(t *testing.T) {
			var log bytes.Buffer
			cfg := testConfig(t)
			cfg.Dev, cfg.AppsDomain, cfg.PortalURL = c.dev, c.apps, c.portal
			cfg.Logger = slog.New(slog.NewTextHandler(&log, nil))
			if !c.dev {
				cfg.People = []auth.Person{{ID: "ann@example.com", TokenSHA256: sum}}
			}
			s, err := server.New(t.Context(), cfg)
			if err == nil {
				if err := s.Start(t.Context()); err != nil {
					t.Fatal(err)
				}
				defer s.Stop(context.Background())
			}
			fields := iap.Fields(err)
			if refused := len(fields) == 1 && fields[0].Field == "portal-url"; refused != c.refused || (err != nil) != c.refused {
				t.Errorf("got %v", err)
			}
			if warned := strings.Contains(log.String(), "registrable domain"); warned != c.warned {
				t.Errorf("the log says %q", log.String())
			}
		})
	}
}

// What cannot be swept at the start is no reason to stop: the parts run.
func TestStartsWithoutTheSweep(t *testing.T) {
	cfg := testConfig(t)
	reached := false
	cfg.Failpoint = func(name string) {
		if name == "tfstate.sweep.before" {
			reached = true
			dropLocks(t, filepath.Join(cfg.Data, "iap.db"))
		}
	}
	p := startPortal(t, cfg)
	if !reached {
		t.Fatal("nothing was swept")
	}
	if status, _ := get(t, p.URL()+"/readyz"); status != 200 {
		t.Errorf("/readyz answers %d", status)
	}
}

// dropLocks takes away the table in which the sweep looks.
func dropLocks(t *testing.T, path string) {
	db, err := sql.Open("sqlite", path+"?_pragma=busy_timeout(10000)") // the portal prepares bundles meanwhile
	if err != nil {
		t.Error(err)
		return
	}
	defer db.Close()
	if _, err := db.Exec("DROP TABLE state_lock"); err != nil {
		t.Error(err)
	}
}
