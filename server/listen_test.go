package server_test

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"

	iap "github.com/internal-app-portal/iap"
	"github.com/internal-app-portal/iap/server"
)

// TestWhatASecondPortalIsTold has a portal start where something is already.
func TestWhatASecondPortalIsTold(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	cfg := testConfig(t)
	cfg.Listen = taken.Addr().String()
	_, err = server.New(t.Context(), cfg)
	want := cfg.Listen + " is in use by another program; choose another address with --listen or IAP_LISTEN"
	if got := strings.Join(iap.Texts(err), "\n"); got != want {
		t.Errorf("got %q, want %q", got, want)
	}

	first := testConfig(t)
	startPortal(t, first)
	cfg = testConfig(t)
	cfg.Data = first.Data
	_, err = server.New(t.Context(), cfg)
	got := strings.Join(iap.Texts(err), "\n")
	for _, part := range []string{cfg.Data, fmt.Sprintf("process %d", os.Getpid()), "--data"} {
		if !strings.Contains(got, part) {
			t.Errorf("%q is not in %q", part, got)
		}
	}
}

func TestOtherSitesGetAProblem(t *testing.T) {
	p := startPortal(t, testConfig(t))
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, p.Client.Server()+"/api/v1/instances", strings.NewReader("{}"))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Sec-Fetch-Site", "cross-site")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if got := resp.Header.Get("Content-Type"); resp.StatusCode != http.StatusForbidden || got != "application/problem+json" {
		t.Errorf("status %d, %s", resp.StatusCode, got)
	}
}
