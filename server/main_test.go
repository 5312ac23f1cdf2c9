package server_test

import (
	"os"
	"testing"

	"github.com/internal-app-portal/iap/runner/local"
)

// TestMain lets the test's own binary be the two other programs that a portal
// is made of: the supervisor of a job, and a portal that a test kills.
func TestMain(m *testing.M) {
	if len(os.Args) == 3 && os.Args[1] == "job-supervisor" {
		os.Exit(local.Supervise(os.Args[2]))
	}
	if os.Getenv(childEnv) != "" {
		os.Exit(childPortal())
	}
	os.Exit(m.Run())
}
